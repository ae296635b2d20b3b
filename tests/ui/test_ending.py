"""The real program on a real terminal, ended in every way: what was typed is there at the next start."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from playground_tui.ui.signals import DEADLINE
from tests.support.terminal import Terminal, user

HURRY = DEADLINE + 1.5
"""Seconds within which the process must be gone."""
TYPED = 0.3
"""Seconds: what was typed that long ago must not be lost."""

LEFT_ALTERNATE = b"\x1b[?1049l"


@pytest.fixture
def home() -> Iterator[dict[str, str]]:
    with user() as environ:
        yield environ


def created(terminal: Terminal, *, model: str = "") -> None:
    """Make an assistant with the keyboard."""
    terminal.wait("rehearsal:")
    terminal.type("\x06")  # ctrl+f
    terminal.type("Helper")
    terminal.wait("Helper")
    if model:
        terminal.type("\t\t\t\x1b[4~" + "\x7f" * 40 + model)
        terminal.wait(model)
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
    time.sleep(TYPED)


def all_is_back(home: dict[str, str]) -> None:
    with Terminal(home) as terminal:
        terminal.wait("Helper of old", "half a thou")


ENDS = [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL]


@pytest.mark.parametrize("number", ENDS, ids=lambda number: number.name)
def test_what_was_typed_survives_a_signal(home: dict[str, str], number: signal.Signals) -> None:
    with Terminal(home) as terminal:
        created(terminal)
        start_to_write(terminal)
        terminal.kill(number)
        code = terminal.ended(within=HURRY)
    if number != signal.SIGKILL:
        assert code == 128 + number
        assert LEFT_ALTERNATE in terminal.written
        assert b"Traceback" not in terminal.written
    all_is_back(home)
