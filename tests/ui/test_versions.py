"""The versions of an assistant on the screen: seen, compared and restored, and nothing typed is lost by it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from playground_tui.assistants import assistant_versions
from playground_tui.assistants.errors import AssistantsError
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


def shown(p: Playground) -> list[str]:
    """The lines of the comparison, without the spaces that fill them."""
    return [" ".join(line.split()) for line in compared(p)]


def problem(p: Playground) -> str:
    said = dialog(p).query_one(".dialog-problem")
    return str(said.render()) if said.display else ""


def is_compared(p: Playground) -> bool:
    """Whether the dialog is there, with a comparison in it."""
    found = p.app.screen.query(view.ComparisonView)
    if not isinstance(p.app.screen, VersionsDialog) or not found:
        return False
    shown = found.first()
    return bool(shown._lines and (shown._differences or shown._words))


async def versions(p: Playground, key: str = "f7") -> None:
    await p.press(key)
    await p.until(lambda: is_compared(p))


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
        assert shown(p) == [
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
        await choose(p, "4")
        for key in ("enter", "f"):
            await p.press(key)
            await p.until(lambda: problem(p) == "There is nothing to restore: the form holds the same.")
            dialog(p).say("")
        await choose(p, "3")
        await p.press("enter")
        await p.until(lambda: p.form.draft.text("name") == "Bard")
        assert p.form.draft.number("temperature") is None


async def test_one_field_alone_is_restored_and_what_was_unsaved_is_a_version(engine: RunningEngine) -> None:
    assistant = await made(engine, {"name": "Bard", "instructions": "Sing.", "temperature": 1.5})
    async with opened(engine, assistant, delay=60) as p:
        p.form.set_value("name", "typed and not saved")
        await p.pilot.pause()
        await versions(p)
        assert rows(p)[0] == "= in the form now unsaved"
        assert "- Bard" in compared(p)[1] and "+ typed and not saved" in compared(p)[1]
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
        assert p.form.draft.number("temperature") == 1.5
        newest, *_ = await engine.client().versions.all(assistant)
        whole = (await engine.client().versions.whole(assistant, newest.number)).assistant
        assert (whole["name"], whole["instructions"]) == ("typed and not saved", "Sing.")


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


async def test_any_two_are_compared_older_ones_come_and_what_cannot_be_read_is_said(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assistant_versions, "LARGEST_PAGE", 4)
    assistant = await made(engine, *({"name": str(number)} for number in range(5)))
    async with opened(engine, assistant) as p:
        await versions(p)
        assert len(rows(p)) == 5
        dialog(p).moments.highlighted = 4
        await p.until(lambda: len(rows(p)) == 7)
        assert dialog(p).moments.highlighted == 4
        assert [row.split()[0] for row in rows(p)[1:]] == ["6", "5", "4", "3", "2", "1"]
        await choose(p, "1")
        await p.press("space")
        await p.until(lambda: rows(p)[6].startswith("= 1 ") and compared(p) == ["They are the same."])
        await choose(p, "2")
        assert shown(p) == ["name", "- 0 │ + Poet"]
        await p.press("w")
        await p.until(lambda: any("Be brief." in line for line in compared(p)))
        await p.press("w")
        await p.until(lambda: not any("Be brief." in line for line in compared(p)))
        await choose(p, "1")
        await p.press("space")
        await p.until(lambda: rows(p)[0].startswith("= in the form"))

        async def gone(assistant_id: str, number: int) -> Any:
            return await engine.client().versions.whole("asst_gone", number)

        assert p.app.desk.client is not None
        p.app.desk.client.versions.whole = gone  # type: ignore[method-assign]
        dialog(p).moments.highlighted = 3
        await p.until(lambda: compared(p)[0].startswith("It could not be read: No assistant found"))
        await p.press("enter")
        await p.until(lambda: "It could not be read" in problem(p))
        await p.press("escape")
        await back(p)
        assert p.form.draft.text("name") == "4"


async def test_it_fits_into_every_window_and_needs_no_colours(engine: RunningEngine) -> None:
    assistant = await made(engine, {"instructions": "Rhyme.\nBe very brief. " + "word " * 60, "name": "Bard"})
    async with opened(engine, assistant, size=(60, 20)) as p:
        await versions(p)
        await choose(p, "1")
        for size, columns in (((60, 20), False), ((80, 24), False), ((100, 30), True), ((60, 20), False)):
            await p.pilot.resize_terminal(*size)
            expected = ["- Poet │ + Bard"] if columns else ["- Poet", "+ Bard"]
            await p.until(lambda wanted=expected: shown(p)[: 1 + len(wanted)] == ["name", *wanted])
            hint = dialog(p).query_one(".dialog-hint")
            assert dialog(p).query_one(".dialog").content_region.contains_region(hint.region)
            assert str(hint.render()).startswith("enter restore") and str(hint.render()).endswith("esc close")
            assert dialog(p).view.region.height >= 4 and dialog(p).moments.region.height >= 3
            assert all(line.cell_length <= dialog(p).view.size.width for line in dialog(p).view._lines)
        await p.press("pagedown")
        await p.until(lambda: dialog(p).view.scroll_y > 0)
        await p.press("tab", "down", "home")
        assert dialog(p).view.scroll_y == 0
        await p.pilot.resize_terminal(10, 4)
        await p.press("escape")
        await back(p)


async def test_texts_from_elsewhere_are_compared_beside_the_screen_and_never_obeyed(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[str] = set()
    for name in ("differences", "laid_out"):
        work = getattr(view, name)

        def noted(*given: Any, work: Any = work) -> Any:
            threads.add(threading.current_thread().name)
            return work(*given)

        monkeypatch.setattr(view, name, noted)
    hostile = "[/b][@click=app.quit]x[/] \x1b]0;t\x07\u202e 名前"
    long = "".join(f"Rule {number}: be good.\n" for number in range(1_500))
    changed = long.replace("Rule 700:", "Rule seven hundred:")
    first = {"model": "rehearsal/echo", "name": hostile, "instructions": long}
    assistant = await made(engine, {"name": "B", "instructions": changed}, first=first)

    def relabel(c: Any) -> None:
        c.exec_driver_sql("UPDATE versions SET client = ?", (hostile,))

    await engine.engine.database.write(relabel)
    async with opened(engine, assistant) as p:
        await versions(p)
        await choose(p, "1")
        screen = "\n".join(strip.text for strip in p.app.screen._compositor.render_strips())
        assert "[@click=app.quit]x[/]" in screen and "名前" in screen
        assert not {"\x1b", "\x07", "\u202e"} & set(screen)
        assert any("seven hundred" in line for line in compared(p)) and len(compared(p)) < 25
        assert threads and all(name.startswith("comparison") for name in threads)
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


async def test_a_version_is_not_restored_into_another_assistant(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    poet = await made(engine, {"instructions": "newer"})
    other = (await engine.client().create_assistant({"model": "rehearsal/echo", "name": "Other"}, key="other")).id
    async with opened(engine, poet, delay=60) as p:
        history = p.screen.picking._history
        await history.begin()
        p.form.set_value("instructions", "typed and not saved")

        async def left_meanwhile() -> None:
            await p.screen.picking.open_assistant(other)
            p.form.set_value("name", "Other, typed")

        monkeypatch.setattr(p.screen.editing, "flush", left_meanwhile)
        with pytest.raises(AssistantsError, match="another assistant was opened meanwhile"):
            await history.restore("version-1")
        assert (p.form.draft.text("name"), p.form.draft.text("instructions")) == ("Other, typed", "")
        assert history._asides.of(poet) == []


async def restored(p: Playground, title: str) -> None:
    said: Sequence[str] = list(p.said)
    await versions(p)
    await choose(p, title)
    await p.press("enter")
    await back(p)
    await p.until(lambda: p.said != said)
