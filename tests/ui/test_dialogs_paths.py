"""A path is chosen: completed, gone into, typed, pasted; and where to write is asked for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot

from playground_tui.ui.dialogs import paths
from playground_tui.ui.dialogs.chooser import Choice, Row
from playground_tui.ui.dialogs.paths import PathChooser, SavePath, entries, near, resolved
from tests.support.wait import until


class Asking(App[None]):
    def __init__(self, dialog: PathChooser) -> None:
        super().__init__()
        self.dialog = dialog
        self.answers: list[Choice | None] = []

    def on_mount(self) -> None:
        self.push_screen(self.dialog, self.answers.append)


@asynccontextmanager
async def asking(dialog: PathChooser) -> AsyncIterator[tuple[Asking, Pilot[None]]]:
    app = Asking(dialog)
    async with app.run_test(size=(80, 30), notifications=True) as pilot:
        await until(lambda: dialog._listed is not None)
        yield app, pilot


async def typed(pilot: Pilot[None], dialog: PathChooser, text: str) -> None:
    dialog.search.value = text
    dialog.search.action_end()
    await until(lambda: dialog._listed == text)
    await pilot.pause()


@pytest.fixture
def base(tmp_path: Path) -> Path:
    for name in ("b.md", "a [x].txt", "sub/inner.md", ".hidden", "sub/deep/er.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x" * 10)
    return tmp_path


def titles(dialog: PathChooser) -> list[str]:
    return [str(option.prompt) for option in dialog.choices.options]


async def test_directories_come_first_and_hidden_files_when_asked_for(base: Path) -> None:
    dialog = PathChooser("Attach", base)
    async with asking(dialog) as (_, pilot):
        await until(lambda: len(titles(dialog)) == 3)
        assert titles(dialog) == ["sub/", "a [x].txt  10 bytes", "b.md  10 bytes"]
        await typed(pilot, dialog, ".h")
        assert titles(dialog) == [".hidden  10 bytes"]
        await typed(pilot, dialog, "nothing")
        assert titles(dialog) == ["nothing here begins so"]
        await pilot.press("enter", "tab")
        assert dialog.search.value == "nothing"


async def test_enter_goes_into_a_directory_and_takes_a_file(base: Path) -> None:
    dialog = PathChooser("Attach", base)
    async with asking(dialog) as (app, pilot):
        await until(lambda: dialog.highlighted_id)
        await pilot.press("enter")
        await until(lambda: dialog._listed == "sub/")
        assert titles(dialog) == ["deep/", "inner.md  10 bytes"]
        await pilot.press("down", "enter")
        assert app.answers == [Choice(str(base / "sub" / "inner.md"))]


@pytest.mark.parametrize("key", ["enter", "tab"])
async def test_a_key_that_is_faster_than_the_disk_waits_for_it(
    base: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    there = threading.Event()

    def slow(base: Path, typed: str) -> list[Row]:
        there.wait()
        return list(entries(base, typed))

    dialog = PathChooser("Attach", base)
    async with asking(dialog) as (app, pilot):
        monkeypatch.setattr(paths, "entries", slow)
        await pilot.press("b", key)
        assert (app.answers, dialog.search.value) == ([], "b")
        there.set()
        done = [Choice(str(base / "b.md"))]
        await until(lambda: app.answers == done if key == "enter" else dialog.search.value == "b.md")


async def test_the_disk_may_answer_in_the_moment_in_which_the_dialog_is_closed(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its list is gone then, and looking for it would be the end of the program."""
    answers: list[asyncio.Future[list[Row]]] = []

    async def held(_: object) -> list[Row]:
        answers.append(asyncio.get_running_loop().create_future())
        return await answers[-1]

    dialog = PathChooser("Attach", base)
    async with asking(dialog) as (app, pilot):
        monkeypatch.setattr(asyncio, "to_thread", held)
        await pilot.press("x")
        await until(lambda: answers)
        dialog.dismiss(None)
        while dialog.query("#choices"):
            await asyncio.sleep(0)
        if not answers[-1].cancelled():
            answers[-1].set_result([])
        await until(lambda: not list(app.workers))
        assert app.answers == [None]


async def test_tab_completes(base: Path) -> None:
    dialog = PathChooser("Attach", base)
    async with asking(dialog) as (app, pilot):
        await typed(pilot, dialog, "S")
        await pilot.press("tab")
        assert dialog.search.value == "sub/"
        await until(lambda: dialog._listed == "sub/")
        await typed(pilot, dialog, "sub/in")
        await pilot.press("tab")
        assert dialog.search.value == "sub/inner.md"
        await pilot.press("enter")
        assert app.answers == [Choice(str(base / "sub" / "inner.md"))]


async def test_a_whole_path_is_taken_before_the_list_has_followed(base: Path) -> None:
    dialog = PathChooser("Attach", base / "sub")
    async with asking(dialog) as (app, pilot):
        dialog.search.value = str(base / "b.md")
        await pilot.press("enter")
        assert app.answers == [Choice(str(base / "b.md"))]


async def test_escape_takes_nothing(base: Path) -> None:
    async with asking(PathChooser("Attach", base, text="sub/")) as (app, pilot):
        await pilot.press("escape")
        assert app.answers == [None]


async def test_where_to_write_is_what_is_typed(base: Path) -> None:
    dialog = SavePath("Save", base, text="figure.png")
    async with asking(dialog) as (app, pilot):
        await typed(pilot, dialog, "sub")
        await pilot.press("enter")
        assert dialog.search.value == "sub/"
        await typed(pilot, dialog, "sub/in")
        await pilot.press("enter")
        assert app.answers == [Choice(str(base / "sub" / "in"))]


@pytest.mark.parametrize(
    "text",
    ["a [x].txt", "'a [x].txt'", '"a [x].txt"', "a\\ [x].txt", " a [x].txt ", "{}/a [x].txt", "file://{}/a%20[x].txt"],
)
def test_paths_are_understood_as_terminals_and_shells_write_them(base: Path, text: str) -> None:
    assert resolved(base, text.format(base)) == base / "a [x].txt"


def test_the_home_directory_and_users_that_are_not(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(base))
    assert resolved(Path("/"), "~/b.md") == base / "b.md"
    assert resolved(base, "~nobody-of-this-name/x") == base / "~nobody-of-this-name/x"


def test_what_cannot_be_listed_has_no_entries(base: Path) -> None:
    assert list(entries(base, "none/")) == []
    assert list(entries(base, "b.md/x")) == []
    dangling = base / "sub" / "dangling"
    dangling.symlink_to(base / "nowhere")
    assert [row.title for row in entries(base, "sub/d")] == ["deep/", "dangling"]
    assert near(base, base / "sub" / "x") == "sub/x" and near(base, Path("/etc/x")) == "/etc/x"


def test_names_with_control_characters_are_shown_harmlessly(base: Path) -> None:
    (base / "sub" / "x\x1b]0;t\x07\n.md").write_text("x")
    (row,) = entries(base, "sub/x")
    assert row.title.isprintable()


async def test_a_path_that_no_disk_takes_is_not_there(base: Path) -> None:
    for dialog in (PathChooser("Attach", base), SavePath("Save", base)):
        async with asking(dialog) as (app, pilot):
            long = "x" * 300
            await typed(pilot, dialog, long + "/inner")
            await typed(pilot, dialog, long)
            await pilot.press("tab", "enter")
            assert app.answers == ([Choice(str(base / long))] if isinstance(dialog, SavePath) else [])
