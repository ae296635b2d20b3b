"""The real program on a real terminal, ended in every way: what was typed is there at the next start."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground_tui.desk.signals import DEADLINE
from tests.support import terminal as terminal_module
from tests.support.terminal import Terminal, on_disk, run, user

HURRY = DEADLINE + 1.5
"""Seconds within which the process must be gone."""
LEFT_ALTERNATE = b"\x1b[?1049l"


@pytest.fixture
def home() -> Iterator[dict[str, str]]:
    with user() as environ:
        yield environ


def created(terminal: Terminal) -> None:
    """Make an assistant with the keyboard."""
    terminal.wait("rehearsal:")
    terminal.type("\x06")  # ctrl+f
    terminal.type("Helper")
    terminal.wait("Helper")
    terminal.type("\x1b[15~")  # f5
    terminal.wait("Created")


def start_to_write(terminal: Terminal) -> None:
    """Half a message in the composer, an unsaved edit in the form."""
    terminal.type("\x06")
    terminal.type(" of old")
    terminal.wait("Helper of old")
    terminal.type("\x0c")  # ctrl+l
    terminal.type("half a thou")
    terminal.wait("half a thou")


def all_is_back(home: dict[str, str]) -> None:
    with Terminal(home) as terminal:
        terminal.wait("Helper of old", "half a thou")


ENDS = [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL]


@pytest.mark.parametrize("number", ENDS, ids=lambda number: number.name)
def test_what_was_typed_survives_a_signal(home: dict[str, str], number: signal.Signals) -> None:
    with Terminal(home) as terminal:
        created(terminal)
        start_to_write(terminal)
        if number == signal.SIGKILL:
            terminal.until(lambda: on_disk(home, "half a thou"))
        terminal.kill(number)
        code = terminal.ended(within=HURRY)
    if number != signal.SIGKILL:
        assert code == 128 + number
        assert LEFT_ALTERNATE in terminal.written
        assert b"Traceback" not in terminal.written
    all_is_back(home)


def test_a_closed_window_ends_it_and_loses_nothing(home: dict[str, str]) -> None:
    with Terminal(home) as terminal:
        created(terminal)
        start_to_write(terminal)
        terminal.hang_up()
        terminal.ended(within=HURRY)
    all_is_back(home)


def test_a_terminal_that_is_never_read_again_does_not_hold_it(home: dict[str, str]) -> None:
    with Terminal(home) as terminal:
        created(terminal)
        start_to_write(terminal)
        for _ in range(200):
            terminal.type("\x0c")  # repaints the whole screen, each time several kilobytes
            time.sleep(0.01)
        terminal.type("ght")
        end = time.monotonic() + 20
        while not on_disk(home, "half a thought"):
            assert time.monotonic() < end
            time.sleep(0.02)
        terminal.kill(signal.SIGTERM)
        assert terminal.ended(within=HURRY, reading=False) == 128 + signal.SIGTERM
    with Terminal(home) as terminal:
        terminal.wait("Helper of old", "half a thought")


def test_while_an_answer_streams_the_run_goes_on_without_the_screen(home: dict[str, str]) -> None:
    model = "rehearsal/markdown"
    assert run(home, "assistants", "create", "--name", "Helper", "--model", model) == 0
    with Terminal(home, "--assistant", "Helper") as terminal:
        terminal.wait("Helper", "rehearsal:")
        terminal.type("\x0ctell me\r")
        terminal.wait("in progress")
        start_to_write(terminal)
        terminal.kill(signal.SIGTERM)
        assert terminal.ended(within=HURRY) == 128 + signal.SIGTERM
    with Terminal(home) as terminal:
        terminal.wait("Helper of old", "half a thou", "completed", timeout=60)


def test_an_open_dialog_holds_up_nothing(home: dict[str, str]) -> None:
    with Terminal(home) as terminal:
        created(terminal)
        start_to_write(terminal)
        terminal.type("\x0f")  # ctrl+o
        terminal.wait("Assistants on")
        terminal.kill(signal.SIGHUP)
        assert terminal.ended(within=HURRY) == 128 + signal.SIGHUP
        assert LEFT_ALTERNATE in terminal.written
    all_is_back(home)


def editor(home: dict[str, str], body: str) -> dict[str, str]:
    """The environment of an editor that writes something and waits to be ended; it says so in the file `ready`."""
    script = Path(home["HOME"]) / "fake-editor"
    script.write_text(f'#!/bin/sh\n{body}\ntouch "{home["HOME"]}/ready"\nwhile :; do sleep 0.05; done\n')
    script.chmod(0o700)
    return {**home, "EDITOR": str(script)}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_what_the_editor_had_written_comes_back(home: dict[str, str], number: signal.Signals) -> None:
    with Terminal(editor(home, 'printf "from the editor\\n" > "$1"')) as terminal:
        created(terminal)
        start_to_write(terminal)
        terminal.type("\x1bOS")  # f4
        terminal.until((Path(home["HOME"]) / "ready").exists)
        terminal.kill(number)
        code = terminal.ended(within=HURRY)
    if number == signal.SIGTERM:
        assert code == 128 + number
        assert terminal.written.rindex(b"\x1b[?1049l") > terminal.written.rindex(b"\x1b[?1049h")
    with Terminal(home) as terminal:
        terminal.wait("Helper of old", "from the editor")
        assert "half a thou" not in terminal.screen
    assert list(Path(home["XDG_DATA_HOME"]).glob("playground-tui/editor/*")) == []


@pytest.mark.parametrize("seconds", [0.5, 0.7, 0.9])
def test_an_end_in_the_middle_of_the_start_is_no_fault(home: dict[str, str], seconds: float) -> None:
    with Terminal(home) as terminal:
        terminal.until(lambda: b"\x1b[?1049h" in terminal.written)
        end = time.monotonic() + seconds - 0.5
        while time.monotonic() < end:
            terminal.read(0.01)
        terminal.kill(signal.SIGTERM)
        assert terminal.ended(within=HURRY) == 128 + signal.SIGTERM
        assert b"had to stop" not in terminal.written and b"Warning" not in terminal.written


def test_what_a_broken_editor_left_of_the_terminal_is_not_left_to_the_shell(home: dict[str, str]) -> None:
    script = Path(home["HOME"]) / "broken-editor"
    script.write_text('#!/bin/sh\nprintf "from the editor" > "$1"\nstty raw -echo\n')
    script.chmod(0o700)
    with Terminal({**home, "EDITOR": str(script)}) as terminal:
        created(terminal)
        terminal.type("\x0c\x1bOS")  # ctrl+l, f4
        terminal.wait("from the editor")
        terminal.kill(signal.SIGTERM)
        assert terminal.ended(within=HURRY) == 128 + signal.SIGTERM
        assert terminal.disorder() == []


def test_an_end_that_hangs_gives_the_terminal_back_all_the_same(
    home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = "import time; from playground_tui.ui import app; app.PlaygroundApp.keep_now = lambda _: time.sleep(60)"
    monkeypatch.setattr(terminal_module, "_START", f"{hangs}; {terminal_module._START}")
    with Terminal(home, modern=True) as terminal:
        terminal.wait("rehearsal:")
        terminal.kill(signal.SIGTERM)
        assert terminal.ended(within=HURRY) == 128 + signal.SIGTERM
        assert terminal.disorder() == []
