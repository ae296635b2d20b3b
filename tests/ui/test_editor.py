"""A text goes to the user's editor and comes back; what the program did not take back is found again."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from playground_tui.desk import editor
from playground_tui.desk.editor import EditorError, command, edit, leftovers, recover
from tests.support.wait import until

PATH = os.environ["PATH"]


class Terminal:
    """Counts how often it was given away and taken back."""

    def __init__(self) -> None:
        self.given = 0
        self.taken = 0

    @contextmanager
    def suspend(self) -> Iterator[None]:
        self.given += 1
        yield
        self.taken += 1


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


def script(directory: Path, body: str) -> str:
    """An editor: a shell script whose $1 is the file."""
    path = directory / "fake editor"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return f"'{path}'"


async def edited(terminal: Terminal, tmp_path: Path, body: str, text: str = "before", **more: str) -> str:
    environ = {"PATH": PATH, "EDITOR": script(tmp_path, body), **more}
    returned = await edit(
        text,
        name="instructions",
        directory=tmp_path / "editor",
        environ=environ,
        suspend=terminal.suspend,
        key="asst_1",
    )
    return returned.text


async def test_the_text_is_loaded_and_comes_back_changed(terminal: Terminal, tmp_path: Path) -> None:
    assert await edited(terminal, tmp_path, 'echo " after" >> "$1"', "ä\nbefore") == "ä\nbefore after"
    assert (terminal.given, terminal.taken) == (1, 1)


@pytest.mark.parametrize(
    ("before", "body", "after"),
    [
        ("a", "true", "a"),
        ("a\n", "true", "a\n"),
        ("a", 'printf "b\\r\\nc\\r\\n" > "$1"', "b\nc"),
        ("a", 'printf "b\\n\\n" > "$1"', "b\n"),
        ("a", 'printf "\\377" > "$1"', "\ufffd"),
        ("", "true", ""),
    ],
)
async def test_only_what_was_written_changes(
    terminal: Terminal, tmp_path: Path, before: str, body: str, after: str
) -> None:
    assert await edited(terminal, tmp_path, body, before) == after


async def test_a_text_of_any_length_fits(terminal: Terminal, tmp_path: Path) -> None:
    text = "x" * 1_000_000
    assert await edited(terminal, tmp_path, "true", text) == text


async def test_the_file_is_private_and_named_for_its_field(terminal: Terminal, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    await edited(terminal, tmp_path, f'ls -l "$1" > {seen}; ls -ld "$(dirname "$1")" >> {seen}')
    file, directory = seen.read_text().splitlines()
    assert file.startswith("-rw-------") and "instructions@asst_1~" in file and file.endswith(".md")
    assert directory.startswith("drwx------")


async def test_the_editor_gets_the_environment_of_the_start(terminal: Terminal, tmp_path: Path) -> None:
    body = 'printf "%s" "$NO_COLOR" > "$1"'
    assert await edited(terminal, tmp_path, body, NO_COLOR="1") == "1"


async def test_the_program_goes_on_meanwhile(terminal: Terminal, tmp_path: Path) -> None:
    go = tmp_path / "go"
    editing = asyncio.ensure_future(
        edited(terminal, tmp_path, f'while [ ! -e {go} ]; do sleep 0.01; done; echo x > "$1"')
    )
    await until(lambda: terminal.given)
    assert not editing.done()
    go.touch()
    assert await editing == "x"


async def test_the_file_stays_until_the_text_is_in_the_draft(terminal: Terminal, tmp_path: Path) -> None:
    environ = {"PATH": PATH, "EDITOR": "true"}
    returned = await edit("a", name="x", directory=tmp_path, environ=environ, suspend=terminal.suspend)
    assert list(tmp_path.iterdir()) == [returned.path]
    returned.discard()
    returned.discard()
    assert list(tmp_path.iterdir()) == []


async def test_an_interrupt_in_the_editor_is_not_ours(terminal: Terminal, tmp_path: Path) -> None:
    handler = signal.getsignal(signal.SIGINT)
    assert await edited(terminal, tmp_path, f'kill -INT {os.getpid()}; echo after > "$1"') == "after"
    assert signal.getsignal(signal.SIGINT) is handler


async def test_an_editor_that_gives_up_changes_nothing(terminal: Terminal, tmp_path: Path) -> None:
    with pytest.raises(EditorError, match="ended with code 3: the text stays as it was"):
        await edited(terminal, tmp_path, "exit 3")


async def test_what_a_failing_editor_wrote_is_kept_and_named(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(EditorError, match="kept in") as caught:
        await edited(terminal, tmp_path, 'echo after > "$1"; exit 3')
    (kept,) = (tmp_path / "editor").iterdir()
    assert str(kept) in str(caught.value)
    assert kept.read_text() == "after\n"
    monkeypatch.setattr(editor, "_is_alive", lambda _pid: False)
    assert leftovers(tmp_path / "editor") == []


async def test_a_file_the_editor_removed_is_said(terminal: Terminal, tmp_path: Path) -> None:
    with pytest.raises(EditorError, match="could not be read"):
        await edited(terminal, tmp_path, 'rm "$1"')


async def test_an_editor_that_is_not_there_is_said(terminal: Terminal, tmp_path: Path) -> None:
    environ = {"PATH": PATH, "EDITOR": str(tmp_path / "missing")}
    with pytest.raises(EditorError, match="could not be started"):
        await edit("a", name="x", directory=tmp_path / "editor", environ=environ, suspend=terminal.suspend)
    assert terminal.taken == 0
    assert list((tmp_path / "editor").iterdir()) == []


async def test_a_terminal_that_cannot_be_given_away_is_said(tmp_path: Path) -> None:
    def refuse() -> Iterator[None]:
        raise OSError("no terminal to give away")

    environ = {"PATH": PATH, "EDITOR": "true"}
    with pytest.raises(EditorError, match="no terminal to give away"):
        await edit("a", name="x", directory=tmp_path, environ=environ, suspend=contextmanager(refuse))


async def test_what_was_written_is_kept_when_the_terminal_does_not_come_back(tmp_path: Path) -> None:
    @contextmanager
    def lose() -> Iterator[None]:
        yield
        raise OSError("the terminal is gone")

    environ = {"PATH": PATH, "EDITOR": script(tmp_path, 'echo after > "$1"')}
    with pytest.raises(EditorError, match="did not end well: the terminal is gone") as caught:
        await edit("a", name="x", directory=tmp_path / "editor", environ=environ, suspend=lose)
    (kept,) = (tmp_path / "editor").iterdir()
    assert str(kept) in str(caught.value)
    assert kept.read_text() == "after\n"


async def test_a_directory_that_cannot_be_is_said(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "editor").write_text("a file")
    with pytest.raises(EditorError, match="could not be written"):
        await edited(terminal, tmp_path, "true")
    assert terminal.given == 0


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"VISUAL": "code --wait", "EDITOR": "vi"}, ["code", "--wait"]),
        ({"VISUAL": "  ", "EDITOR": "'/my bin/vi' -n"}, ["/my bin/vi", "-n"]),
    ],
)
def test_the_users_choice_comes_first(environ: dict[str, str], expected: list[str]) -> None:
    assert command(environ) == expected


def test_without_a_choice_what_is_installed_is_taken(tmp_path: Path) -> None:
    for name in ("vi", "nano"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o700)
    assert command({"PATH": str(tmp_path)}) == ["nano"]


def test_no_editor_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(EditorError, match="set EDITOR"):
        command({"PATH": str(tmp_path)})


def test_a_choice_that_is_no_command_is_said() -> None:
    with pytest.raises(EditorError, match="VISUAL cannot be read"):
        command({"VISUAL": "vi 'half"})


def gone_pid() -> int:
    """The id of a process that is no more."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_what_was_left_behind_is_found_oldest_first(tmp_path: Path) -> None:
    gone = gone_pid()
    names = {
        f"instructions@asst_1~{gone}-0123abcd.md": "new",
        f"composer~{gone}-0123abce.md": "old",
        f"composer~{os.getpid()}-0123abcd.md": "still being written",
        "composer~1-0123abcd.md": "another user's program lives",
        "notes~mine.md": "not ours",
        f"schema@new-1~{gone}-0123abcd.txt": "not ours",
    }
    for age, (name, text) in enumerate(names.items()):
        (tmp_path / name).write_text(text)
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    found = leftovers(tmp_path)
    assert [(one.field, one.key, one.text, one.written_at) for one in found] == [
        ("composer", "", "old", 999.0),
        ("instructions", "asst_1", "new", 1000.0),
    ]
    found[0].discard()
    found[0].discard()
    assert len(leftovers(tmp_path)) == 1


def test_what_was_left_is_for_its_own_field_and_only_when_it_is_newer_than_the_draft(tmp_path: Path) -> None:
    gone = gone_pid()
    for number, field in enumerate(("name", "instructions", "schema", "instructions")):
        path = tmp_path / f"{field}@asst_1~{gone}-0123abc{number}.md"
        path.write_text(f"text {number}\n")
        os.utime(path, (1000 + number, 1000 + number))
    assert recover(tmp_path, "asst_2", {"name", "instructions"}, 0.0, print) == []
    said: list[str] = []
    (found,) = recover(tmp_path, "asst_1", {"name", "instructions"}, 1001.0, said.append)
    assert found.text_after("before") == "text 3"
    assert found.text_after("before\n") == "text 3\n"
    # What was taken waits to be discarded, what is older than the draft is gone, other fields' are untouched.
    assert sorted(path.name[:6] for path in tmp_path.iterdir()) == ["instru", "instru", "schema"]
    # Of two for one field the older one is kept, under a name that the next start does not take, and it is said where.
    (sentence,) = said
    (aside,) = (path for path in tmp_path.iterdir() if str(path) in sentence)
    assert aside.read_text() == "text 1\n"
    found.discard()
    assert recover(tmp_path, "asst_1", {"instructions"}, 0.0, said.append) == []


def test_without_a_directory_nothing_was_left(tmp_path: Path) -> None:
    assert leftovers(tmp_path / "missing") == []


def test_what_cannot_be_read_is_left_where_it_is(tmp_path: Path) -> None:
    (tmp_path / f"composer~{gone_pid()}-0123abcd.md").mkdir()
    assert leftovers(tmp_path) == []


async def test_a_killed_program_leaves_what_its_editor_had_written(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung_up, ready = tmp_path / "hung up", tmp_path / "ready"
    body = f'trap \'touch "{hung_up}"; exit\' HUP; echo half > "$1"; touch {ready}; while :; do sleep 0.01; done'
    editing = asyncio.ensure_future(edited(terminal, tmp_path, body))
    await until(ready.exists)
    editing.cancel()
    await asyncio.wait({editing})
    assert hung_up.exists()
    monkeypatch.setattr(editor, "_is_alive", lambda _pid: False)
    assert [(one.field, one.key, one.text) for one in leftovers(tmp_path / "editor")] == [
        ("instructions", "asst_1", "half\n")
    ]


@pytest.mark.parametrize("name", ["../../etc/passwd", "Name of\x1b[31m a field", ""])
async def test_no_name_leaves_the_directory(terminal: Terminal, tmp_path: Path, name: str) -> None:
    environ = {"PATH": PATH, "EDITOR": "true"}
    directory = tmp_path / "editor"
    await edit("a", name=name, directory=directory, environ=environ, suspend=terminal.suspend, key="../x")
    (made,) = directory.iterdir()
    assert stat.S_ISREG(made.stat().st_mode)


async def test_json_is_named_as_json(terminal: Terminal, tmp_path: Path) -> None:
    environ = {"PATH": PATH, "EDITOR": "true"}
    await edit("{}", name="schema", directory=tmp_path, environ=environ, suspend=terminal.suspend)
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]
