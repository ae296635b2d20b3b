"""The versions of an assistant on the screen: seen, compared and restored, and nothing typed is lost by it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from playground_tui.assistants import assistant_versions
from playground_tui.assistants.stored import files_for_code
from playground_tui.config import Settings
from playground_tui.ui.dialogs.chooser import Chooser
from playground_tui.ui.versions import view
from playground_tui.ui.versions.dialog import VersionsDialog
from tests.support.engine import RunningEngine
from tests.support.playground import QUICK, Playground, playground

FIRST = {"model": "rehearsal/echo", "name": "Poet", "instructions": "Rhyme.\nBe brief.", "temperature": 0.5}


async def made(engine: RunningEngine, *changes: dict[str, Any], first: dict[str, Any] = FIRST) -> str:
    """An assistant with these changes after its making, from two clients in turn."""
    clients = [engine.client("devbox, pts/1"), engine.client("laptop")]
    assistant = await clients[0].create_assistant(first, key="made")
    for number, fields in enumerate(changes, start=1):
        await clients[number % 2].update_assistant(assistant.id, fields)
    return assistant.id


@asynccontextmanager
async def opened(
    engine: RunningEngine, assistant: str, *, delay: float = QUICK, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Playground]:
    settings = Settings(autosave_delay=delay, assistant=assistant)
    async with playground(engine, settings=settings, size=size) as p:
        await p.until(lambda: p.screen.editing.assistant_id == assistant)
        yield p


def dialog(p: Playground) -> VersionsDialog:
    assert isinstance(p.app.screen, VersionsDialog)
    return p.app.screen


def rows(p: Playground) -> list[str]:
    return [" ".join(str(option.prompt).split()) for option in dialog(p).moments.options]


def compared(p: Playground) -> list[str]:
    """The lines of the comparison."""
    return [line.text.rstrip() for line in dialog(p).view._lines]


def problem(p: Playground) -> str:
    said = dialog(p).query_one(".dialog-problem")
    return str(said.render()) if said.display else ""


async def versions(p: Playground, key: str = "f7") -> None:
    await p.press(key)
    await p.until(lambda: isinstance(p.app.screen, VersionsDialog) and dialog(p).view._lines)


async def choose(p: Playground, title: str) -> None:
    """Highlight the state that is called so, and see it compared."""
    place = next(place for place, row in enumerate(rows(p)) if row.removeprefix("= ").startswith(title))
    dialog(p).moments.highlighted = place
    await p.until(lambda: str(dialog(p).query_one("#comparison-head").render()).startswith(f"- {called(title)}"))
    await settled(p)


def called(title: str) -> str:
    return f"version {title}" if title.isdecimal() else title


async def settled(p: Playground) -> None:
    await p.until(lambda: not [w for w in p.app.workers if w.group == "compare" and not w.is_finished])


async def back(p: Playground) -> None:
    await p.until(lambda: p.app.screen is p.screen)


async def saved(p: Playground) -> None:
    await p.until(lambda: p.screen.editing.editor and p.screen.editing.editor.state.kind == "saved")


async def numbers(engine: RunningEngine, assistant: str) -> list[int]:
    return [version.number for version in await engine.client().versions.all(assistant)]


async def test_versions_are_listed_compared_and_restored_and_that_is_undone_in_turn(engine: RunningEngine) -> None:
    assistant = await made(engine, {"instructions": "Rhyme.\nBe very brief."}, {"name": "Bard", "temperature": None})
    async with opened(engine, assistant) as p:
        await versions(p)
        assert [row.split(" ", 2)[0] for row in rows(p)] == ["=", "3", "2", "1"]
        assert rows(p)[0] == "= in the form now saved"
        assert rows(p)[1].endswith("name, temperature devbox, pts/1")
        assert rows(p)[2].endswith("instructions laptop")
        assert rows(p)[3].endswith("created devbox, pts/1")
        await choose(p, "1")
        assert [" ".join(line.split()) for line in compared(p)] == [
            "name",
            "- Poet │ + Bard",
            "",
            "instructions",
            "Rhyme. │ Rhyme.",
            "- Be brief. │ + Be very brief.",
            "",
            "temperature",
            "- 0.5 │ + default",
        ]
        await p.press("enter")
        await p.until(lambda: p.form.draft.text("name") == "Poet")
        await back(p)
        assert (p.form.draft.text("instructions"), p.form.draft.number("temperature")) == ("Rhyme.\nBe brief.", 0.5)
        assert p.said[-1] == "Restored in the form. f7 has what was there before."
        await saved(p)
        assert (await engine.client().retrieve_assistant(assistant)).name == "Poet"
        assert await numbers(engine, assistant) == [4, 3, 2, 1]
        await versions(p, "alt+v")
        await choose(p, "3")
        await p.press("enter")
        await p.until(lambda: p.form.draft.text("name") == "Bard")
        assert p.form.draft.number("temperature") is None


async def test_one_field_alone_is_restored(engine: RunningEngine) -> None:
    assistant = await made(engine, {"name": "Bard", "instructions": "Sing.", "temperature": 1.5})
    async with opened(engine, assistant) as p:
        await versions(p)
        await choose(p, "1")
        await p.press("f")
        await p.until(lambda: isinstance(p.app.screen, Chooser))
        assert isinstance(p.app.screen, Chooser)
        fields = [str(option.prompt) for option in p.app.screen.choices.options]
        assert fields == ["name  Poet", "instructions  Rhyme. Be brief.", "temperature  0.5"]
        await p.press("escape")
        await p.until(lambda: isinstance(p.app.screen, VersionsDialog))
        await p.press("f")
        await p.until(lambda: isinstance(p.app.screen, Chooser))
        await p.press(*"instr", "enter")
        await p.until(lambda: p.form.draft.text("instructions") == "Rhyme.\nBe brief.")
        await back(p)
        assert (p.form.draft.text("name"), p.form.draft.number("temperature")) == ("Bard", 1.5)


async def test_what_was_unsaved_is_a_version_after_a_restore(engine: RunningEngine) -> None:
    assistant = await made(engine, {"name": "Bard"})
    async with opened(engine, assistant, delay=60) as p:
        p.form.set_value("name", "typed and not saved")
        await p.pilot.pause()
        await versions(p)
        assert rows(p)[0] == "= in the form now unsaved"
        assert "- Bard" in compared(p)[1] and "+ typed and not saved" in compared(p)[1]
        await choose(p, "1")
        await p.press("enter")
        await p.until(lambda: p.form.draft.text("name") == "Poet")
        await back(p)
        newest, *_ = await engine.client().versions.all(assistant)
        whole = await engine.client().versions.whole(assistant, newest.number)
        assert whole.assistant["name"] == "typed and not saved"


async def test_what_cannot_be_saved_is_put_aside_and_comes_back_after_a_restart(engine: RunningEngine) -> None:
    assistant = await made(engine, {"name": "Bard"})
    async with opened(engine, assistant) as p:
        p.form.set_value("metadata", "half typed")
        await p.until(lambda: p.screen.editing.editor and p.screen.editing.editor.state.kind == "invalid")
        await versions(p)
        await choose(p, "1")
        await p.press("enter")
        await p.until(lambda: p.form.draft.text("name") == "Poet")
        await saved(p)
        await versions(p)
        assert rows(p)[1].startswith("put aside") and rows(p)[1].endswith("never saved this machine")
        await choose(p, "2")
        await p.press("enter")
        await p.until(lambda: p.form.draft.text("name") == "Bard")
        await saved(p)
    async with opened(engine, assistant) as p:
        await versions(p)
        assert len([row for row in rows(p) if row.startswith("put aside")]) == 1
        await choose(p, "put aside")
        assert "+ half typed" not in "".join(compared(p)) and "- half typed" in "".join(compared(p))
        await p.press("enter")
        await p.until(lambda: p.form.draft.text("metadata") == "half typed")
        await back(p)
        p.form.set_value("metadata", "")
        await saved(p)
        await versions(p)
        assert not [row for row in rows(p) if row.startswith("put aside")]


async def test_other_versions_are_compared_and_seen_whole(engine: RunningEngine) -> None:
    assistant = await made(engine, {"name": "Bard"}, {"temperature": 1.0})
    async with opened(engine, assistant) as p:
        await versions(p)
        await choose(p, "1")
        await p.press("space")
        await p.until(lambda: rows(p)[3].startswith("= 1 "))
        await settled(p)
        assert compared(p) == ["They are the same."]
        await choose(p, "2")
        assert [" ".join(line.split()) for line in compared(p)] == ["name", "- Bard │ + Poet"]
        await p.press("w")
        await p.until(lambda: any("Be brief." in line for line in compared(p)))
        await p.press("w")
        await p.until(lambda: not any("Be brief." in line for line in compared(p)))
        await choose(p, "1")
        await p.press("space")
        await p.until(lambda: rows(p)[0].startswith("= in the form"))
        await p.press("escape")
        await back(p)
        assert p.form.draft.text("name") == "Bard"


async def test_what_is_the_same_is_nothing_to_restore(engine: RunningEngine) -> None:
    assistant = await made(engine, {"name": "Bard"})
    async with opened(engine, assistant) as p:
        await versions(p)
        await choose(p, "2")
        for key in ("enter", "f"):
            await p.press(key)
            await p.until(lambda: "nothing to restore" in problem(p))
            await choose(p, "1")
            assert problem(p) == ""
            await choose(p, "2")


async def test_without_versions_it_is_said(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        await p.press("f7")
        await p.until(lambda: p.said and p.said[-1].startswith("There are no versions yet"))
        assert p.app.screen is p.screen


async def test_a_version_that_cannot_be_read_is_said_in_its_place(engine: RunningEngine) -> None:
    assistant = await made(engine, {"name": "Bard"})
    async with opened(engine, assistant) as p:
        await versions(p)

        async def gone(assistant_id: str, number: int) -> Any:
            return await engine.client().versions.whole("asst_gone", number)

        assert p.app.desk.client is not None
        p.app.desk.client.versions.whole = gone  # type: ignore[method-assign]
        p.screen.picking._history._whole.clear()
        dialog(p).moments.highlighted = 1
        await p.until(lambda: compared(p)[0].startswith("It could not be read: No assistant found"))
        await p.press("enter")
        await p.until(lambda: "It could not be read" in problem(p))
        await p.press("escape")
        await back(p)


async def test_older_versions_come_as_one_goes_down(engine: RunningEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assistant_versions, "LARGEST_PAGE", 4)
    assistant = await made(engine, *({"name": str(number)} for number in range(9)))
    async with opened(engine, assistant) as p:
        await versions(p)
        assert len(rows(p)) == 5
        while len(rows(p)) < 11:
            shown = len(rows(p))
            dialog(p).moments.highlighted = shown - 1
            await p.until(lambda before=shown: len(rows(p)) > before)
            assert dialog(p).moments.highlighted == shown - 1
        assert [row.split()[0] for row in rows(p)[1:]] == [str(number) for number in range(10, 0, -1)]


@pytest.mark.parametrize(("size", "columns"), [((60, 20), False), ((80, 24), False), ((100, 30), True)])
async def test_it_fits_into_the_window_and_needs_no_colours(
    engine: RunningEngine, size: tuple[int, int], columns: bool
) -> None:
    assistant = await made(engine, {"instructions": "Rhyme.\nBe very brief. " + "word " * 60, "name": "Bard"})
    async with opened(engine, assistant, size=size) as p:
        await versions(p)
        await choose(p, "1")
        hint = dialog(p).query_one(".dialog-hint")
        assert dialog(p).query_one(".dialog").content_region.contains_region(hint.region)
        assert "enter restore" in str(hint.render()) and str(hint.render()).endswith("esc close")
        assert dialog(p).view.region.height >= 4 and dialog(p).moments.region.height >= 3
        assert all(line.cell_length <= dialog(p).view.size.width for line in dialog(p).view._lines)
        lines = [" ".join(line.split()) for line in compared(p)]
        expected = ["- Poet │ + Bard"] if columns else ["- Poet", "+ Bard"]
        assert lines[: 1 + len(expected)] == ["name", *expected]
        at = dialog(p).view.scroll_y
        await p.press("pagedown")
        await p.until(lambda: dialog(p).view.scroll_y > at or dialog(p).view.max_scroll_y == 0)
        await p.press("tab", "up", "home")
        assert dialog(p).view.scroll_y == 0


async def test_another_size_lays_it_out_again(engine: RunningEngine) -> None:
    assistant = await made(engine, {"name": "Bard"})
    async with opened(engine, assistant) as p:
        await versions(p)
        await choose(p, "1")
        for size, width in (((60, 20), "- Poet"), ((120, 40), "- Poet │ + Bard"), ((10, 4), "")):
            await p.pilot.resize_terminal(*size)
            await p.until(lambda wanted=width: any(" ".join(line.split()).startswith(wanted) for line in compared(p)))
        await p.press("escape")
        await back(p)


async def test_long_instructions_are_compared_beside_the_screen(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[str] = set()
    for name in ("differences", "laid_out"):
        work = getattr(view, name)

        def noted(*given: Any, work: Any = work) -> Any:
            threads.add(threading.current_thread().name)
            return work(*given)

        monkeypatch.setattr(view, name, noted)
    long = "".join(f"Rule {number}: be good.\n" for number in range(12_000))[:250_000]
    changed = long.replace("Rule 5000:", "Rule five thousand:")
    assistant = await made(engine, {"instructions": changed}, first={**FIRST, "instructions": long})
    async with opened(engine, assistant) as p:
        await versions(p)
        await choose(p, "1")
        assert any("five thousand" in line for line in compared(p))
        assert len(compared(p)) < 20
        assert threads and all(name.startswith("comparison") for name in threads)


async def test_texts_and_labels_from_elsewhere_are_never_obeyed(engine: RunningEngine) -> None:
    hostile = "[/b][@click=app.quit]x[/] \x1b]0;t\x07\u202e 名前"
    client = engine.client()
    created = await client.create_assistant({"model": "rehearsal/echo", "name": hostile}, key="k")
    await client.update_assistant(created.id, {"name": "B", "metadata": {hostile[:20]: hostile}})
    database = engine.engine.database

    def relabel(c: Any) -> None:
        c.exec_driver_sql("UPDATE versions SET client = ?", (hostile,))

    await database.write(relabel)
    async with opened(engine, created.id) as p:
        await versions(p)
        await choose(p, "1")
        screen = "\n".join(strip.text for strip in p.app.screen._compositor.render_strips())
        assert "[@click=app.quit]x[/]" in screen and "名前" in screen
        assert not {"\x1b", "\x07", "\u202e"} & set(screen)
        await p.press("f")
        await p.until(lambda: isinstance(p.app.screen, Chooser))


async def test_files_of_tools_come_back_at_once_and_what_is_gone_is_said(engine: RunningEngine, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    client = engine.client()
    file = await client.files.upload(tmp_path / "a.txt", purpose="assistants")
    assistant = await made(engine)
    await client.assistant_files.add(assistant, "code_interpreter", file.id)
    await client.update_assistant(assistant, {"name": "Bard", "tool_resources": {"code_interpreter": {"file_ids": []}}})
    async with opened(engine, assistant) as p:
        await restored(p, "2")
        assert files_for_code((await client.retrieve_assistant(assistant)).raw) == [file.id]
        await saved(p)
        await client.assistant_files.remove(assistant, "code_interpreter", file.id)
        await client.transport.ask(client.transport.sdk.files.delete, file.id)
        p.form.set_value("name", "Bard")
        await saved(p)
        await p.until(lambda: not files_for_code(p.form.draft.base))
        await restored(p, "2")
        assert p.form.draft.text("name") == "Poet"
        assert "not restored" in p.said[-1] and file.id in p.said[-1]


async def restored(p: Playground, title: str) -> None:
    said: Sequence[str] = list(p.said)
    await versions(p)
    await choose(p, title)
    await p.press("enter")
    await back(p)
    await p.until(lambda: p.said != said)
