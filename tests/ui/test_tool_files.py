"""The files of an assistant for its tools, and files that were made and are saved: by keys, on a real engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.screen import Screen

from playground_tui.assistants.events import MessageChanged
from playground_tui.assistants.objects import Annotation, Assistant, Message
from playground_tui.assistants.stored import files_for_code, store_of
from playground_tui.ui.dialogs.chooser import Chooser
from playground_tui.ui.dialogs.confirm import Confirm
from playground_tui.ui.dialogs.paths import PathChooser, SavePath
from playground_tui.ui.dialogs.tool_files import ToolFilesDialog
from tests.support.engine import RunningEngine
from tests.support.playground import Playground, playground


@asynccontextmanager
async def with_assistant(engine: RunningEngine, *tools: str) -> AsyncIterator[Playground]:
    fields = {"model": "rehearsal/echo", "name": "A", "tools": [{"type": tool} for tool in tools]}
    made = await engine.client().create_assistant(fields, key="k")
    async with playground(engine) as p:
        await p.screen.picking.open_assistant(made.id)
        yield p


async def dialog(p: Playground, kind: type[Screen[Any]]) -> Any:
    await p.until(lambda: isinstance(p.app.screen, kind) and p.app.screen.query("*"))
    await p.until(lambda: p.app.screen.focused or kind is Confirm)
    return p.app.screen


def titles(p: Playground) -> list[str]:
    screen = p.app.screen
    return [str(option.prompt) for option in screen.choices.options] if isinstance(screen, Chooser) else []


async def assistant(engine: RunningEngine, p: Playground) -> Assistant:
    return await engine.client().retrieve_assistant(p.screen.editing.assistant_id or "")


async def open_files(p: Playground, tool: str) -> ToolFilesDialog:
    p.screen.set_focus(p.form.query_one(f"#files-{tool}"))
    await p.press("enter")
    shown: ToolFilesDialog = await dialog(p, ToolFilesDialog)
    return shown


async def add(p: Playground, path: Path) -> None:
    await p.press("ctrl+n")
    chooser = await dialog(p, PathChooser)
    chooser.search.value = str(path)
    await p.press("enter")
    await dialog(p, ToolFilesDialog)
    await p.until(lambda: any(path.name in title for title in titles(p)))


async def test_files_to_search_in_are_added_indexed_and_taken_out(engine: RunningEngine, handbook: Path) -> None:
    async with with_assistant(engine, "file_search") as p:
        await open_files(p, "file_search")
        await p.until(lambda: titles(p) == ["no files yet: ctrl+n adds one"])
        await add(p, handbook)
        await p.until(lambda: titles(p) == ["handbook.md  22 bytes"])  # and no longer being indexed
        broken = handbook.with_name("broken.bin")
        broken.write_bytes(bytes(range(256)) * 8)
        await add(p, broken)
        await p.until(lambda: any("not readable" in title for title in titles(p)))
        await p.press("escape")
        button = p.form.query_one("#files-file_search")
        await p.until(lambda: "Files: 2, 1 failed" in str(button.render()))
        assert store_of((await assistant(engine, p)).raw)
        await open_files(p, "file_search")
        await p.until(lambda: len(titles(p)) == 2)
        await p.press(*"broken", "ctrl+d")
        await p.press("ctrl+u")
        await p.until(lambda: titles(p) == ["handbook.md  22 bytes"])
        assert len(await engine.client().files.list()) == 2  # taken out is not deleted


async def test_files_for_code_are_added_and_taken_out(engine: RunningEngine, handbook: Path) -> None:
    data = handbook.with_name("data.csv")
    data.write_text("a,b\n")
    async with with_assistant(engine, "file_search", "code_interpreter") as p:
        await open_files(p, "code_interpreter")
        await add(p, data)
        await add(p, handbook)
        assert len(files_for_code((await assistant(engine, p)).raw)) == 2
        await p.press(*"data", "ctrl+d", "ctrl+u")
        await p.until(lambda: titles(p) == ["handbook.md  22 bytes"])
        await p.press("escape")
        button = p.form.query_one("#files-code_interpreter")
        await p.until(lambda: "Files: 1 ›" in str(button.render()))
        assert p.form.draft.base["tools"] == [{"type": "file_search"}, {"type": "code_interpreter"}]


async def test_what_goes_wrong_is_said_in_the_dialog(engine: RunningEngine, handbook: Path) -> None:
    empty = handbook.with_name("empty.md")
    empty.touch()
    async with with_assistant(engine, "file_search") as p:
        shown = await open_files(p, "file_search")
        await p.press("ctrl+n")
        chooser = await dialog(p, PathChooser)
        chooser.search.value = str(empty)
        await p.press("enter")
        await p.until(lambda: "is empty" in str(shown.query_one(".dialog-problem").render()))
        await p.press("ctrl+n")
        await dialog(p, PathChooser)
        await p.press("escape")
        await dialog(p, ToolFilesDialog)


async def test_an_assistant_that_is_not_created_yet_has_no_files(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        p.screen._attempt(p.screen._tool_files("file_search"), "The files could not be shown")
        await p.until(lambda: any("f5 creates it" in said for said in p.said))


# Saving


def answer(*made: tuple[str, str]) -> MessageChanged:
    notes = tuple(Annotation("file_path", f"sandbox:/mnt/data/{name}", file_id) for file_id, name in made)
    return MessageChanged(Message("msg_a", "assistant", "Here.", annotations=notes))


async def stored(engine: RunningEngine, path: Path) -> str:
    return (await engine.client().files.upload(path)).id


async def test_the_one_file_that_was_made_is_saved_where_one_says(engine: RunningEngine, handbook: Path) -> None:
    async with playground(engine) as p:
        p.chat.apply(answer((await stored(engine, handbook), "handbook.md")))
        await p.press("f9")
        save = await dialog(p, SavePath)
        assert save.search.value == "handbook-2.md"
        await p.press("enter")
        await p.until(lambda: any("Saved" in said and "22 bytes" in said for said in p.said))
        assert handbook.with_name("handbook-2.md").read_bytes() == handbook.read_bytes()


async def test_of_several_one_is_chosen_and_nothing_is_replaced_unasked(engine: RunningEngine, handbook: Path) -> None:
    other = handbook.with_name("other.md")
    other.write_text("other")
    first, second = await stored(engine, handbook), await stored(engine, other)
    async with playground(engine) as p:
        p.chat.apply(answer((first, "handbook.md"), (second, "other.md")))
        await p.press("alt+d")
        await p.until(lambda: [title.partition(" ")[0] for title in titles(p)] == ["other.md", "handbook.md"])
        await p.press("enter")
        save = await dialog(p, SavePath)
        save.search.value = "handbook.md"
        await p.press("enter")
        await dialog(p, Confirm)
        await p.press("n")
        await p.until(lambda: p.app.screen is p.screen)
        assert handbook.read_text().startswith("# Leave")
        await p.press("f9")
        await p.until(lambda: titles(p))
        await p.press("enter")
        save = await dialog(p, SavePath)
        save.search.value = "handbook.md"
        await p.press("enter")
        await dialog(p, Confirm)
        await p.press("y")
        await p.until(lambda: handbook.read_text() == "other")


async def test_a_file_that_is_gone_or_has_no_place_is_said(engine: RunningEngine, handbook: Path) -> None:
    async with playground(engine) as p:
        await p.press("f9")
        await p.until(lambda: any("no file was made in this thread" in said for said in p.said))
        p.chat.apply(answer(("file-gone", "x.csv")))
        await p.press("f9")
        await dialog(p, SavePath)
        await p.press("enter")
        await p.until(lambda: any("file-gone" in said for said in p.said))
        p.chat.apply(answer((await stored(engine, handbook), "x.csv")))
        await p.press("f9")
        save = await dialog(p, SavePath)
        save.search.value = "none/x.csv"
        await p.press("enter")
        await p.until(lambda: any("cannot be written" in said for said in p.said))
        assert [path.name for path in handbook.parent.iterdir()] == ["handbook.md"]


async def test_names_of_attached_files_are_read_with_the_thread(engine: RunningEngine, handbook: Path) -> None:
    async with with_assistant(engine, "file_search") as p:
        p.screen.sending.chatting.attaching.attach(handbook)
        await p.until(lambda: p.screen.sending.chatting.attaching.files[0].file_id)
        await p.write("How long?")
        await p.answered("How long?")
    async with playground(engine) as p:
        view = p.chat.thread
        await p.until(p.chat.messages)
        view.action_begin()
        await p.until(
            lambda: any("+ handbook.md · file search" in view.render_line(y).text for y in range(view.size.height))
        )
