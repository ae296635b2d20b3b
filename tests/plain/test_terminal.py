"""The real program with --plain on a real terminal: the start, a conversation, and every end."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.terminal import Terminal, on_disk, user


@pytest.fixture
def home() -> Iterator[dict[str, str]]:
    with user() as environ:
        yield environ


def at_prompt(terminal: Terminal) -> None:
    terminal.until(lambda: terminal.screen.rstrip().endswith("you:"))


def created(terminal: Terminal) -> None:
    """Make an assistant by answering the questions."""
    terminal.wait("you:")
    for prompt, answer in (
        ("you:", "/new"),
        ("name of the new assistant", "Helper"),
        ("enter to keep it:", "rehearsal/echo"),
        ("instructions, one line", "Be brief."),
        ("Create it now?", "yes"),
    ):
        terminal.wait(prompt)
        terminal.type(f"{answer}\r")
    terminal.wait("Created.")
    at_prompt(terminal)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=lambda number: number.name)
def test_what_stands_in_the_line_survives_a_signal(home: dict[str, str], number: signal.Signals) -> None:
    with Terminal(home, "--plain") as terminal:
        created(terminal)
        terminal.type("half a thou")
        terminal.wait("half a thou")
        if number == signal.SIGKILL:
            terminal.until(lambda: on_disk(home, "half a thou"))
        terminal.kill(number)
        code = terminal.ended(within=6)
        assert code == (-number if number == signal.SIGKILL else 128 + number)
        assert b"Traceback" not in terminal.written
        assert b"\x1b" not in terminal.written
    with Terminal(home, PLAYGROUND_TUI_PLAIN="1") as terminal:
        terminal.wait("Not sent yet, it stands in the line and enter sends it: half a thou", "you: half a thou")
        terminal.type("ght\r")
        terminal.wait("quote: half a thought", "status: completed")
        terminal.type("/quit\r")
        assert terminal.ended(within=6) == 0


def test_a_window_that_is_closed_ends_it(home: dict[str, str]) -> None:
    with Terminal(home, "--plain") as terminal:
        terminal.wait("you:")
        terminal.hang_up()
        terminal.ended(within=6, reading=False)


def test_ctrl_c_drops_the_line_and_ctrl_d_leaves(home: dict[str, str]) -> None:
    with Terminal(home, "--plain") as terminal:
        at_prompt(terminal)
        terminal.type("not this")
        terminal.wait("not this")
        terminal.until(lambda: on_disk(home, "not this"))
        terminal.type("\x03")
        terminal.wait("Nothing is sent. The up arrow brings the line back.")
        at_prompt(terminal)
        terminal.type("\x04")
        terminal.wait("Goodbye.")
        assert terminal.ended(within=6) == 0


def at_once_with_a_look(terminal: Terminal, number: signal.Signals) -> None:
    """The program gets this signal together with the one by which it looks at the line being typed."""

    def status(name: str) -> str:
        text = Path(f"/proc/{terminal.pid}/status").read_text()
        return re.findall(rf"^{name}:\t(\w+)", text, re.MULTILINE)[0]

    both = 1 << number - 1 | 1 << signal.SIGALRM - 1
    terminal.kill(signal.SIGSTOP)
    terminal.until(lambda: status("State") == "T")
    terminal.kill(number)
    terminal.until(lambda: int(status("ShdPnd"), 16) & both == both)
    terminal.kill(signal.SIGCONT)


def test_a_signal_that_comes_with_the_look_at_the_line_is_no_fault(home: dict[str, str]) -> None:
    with Terminal(home, "--plain") as terminal:
        at_prompt(terminal)
        terminal.type("not this")
        terminal.until(lambda: on_disk(home, "not this"))
        at_once_with_a_look(terminal, signal.SIGINT)
        terminal.wait("Nothing is sent. The up arrow brings the line back.")
        at_prompt(terminal)
        at_once_with_a_look(terminal, signal.SIGHUP)
        assert terminal.ended(within=6) == 128 + signal.SIGHUP
