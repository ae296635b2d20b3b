"""The engine ends under an open screen: it is said, the engine is started again, and nothing is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping

import pytest

from playground_tui.launch import find_engine
from playground_tui.paths import Paths
from tests.support.terminal import Terminal, run, user


@pytest.fixture
def home() -> Iterator[dict[str, str]]:
    with user() as environ:
        yield environ


def engine_pid(home: Mapping[str, str]) -> int:
    engine = find_engine(Paths.from_environment(home))
    assert engine is not None
    return engine.pid


def another_engine(home: Mapping[str, str], before: int) -> bool:
    engine = find_engine(Paths.from_environment(home))
    return engine is not None and engine.pid != before


def opened(terminal: Terminal) -> None:
    terminal.wait("Helper", "rehearsal:")


def created(home: Mapping[str, str], model: str) -> None:
    assert run(home, "assistants", "create", "--name", "Helper", "--model", model) == 0


def test_killed_while_a_run_streams_and_a_save_is_due(home: dict[str, str]) -> None:
    created(home, "rehearsal/markdown")
    with Terminal(home, "--assistant", "Helper") as terminal:
        opened(terminal)
        terminal.type("\x0ctell me\r")
        terminal.wait("in progress", "A text to look at")
        terminal.type("half a thou\x06 of old")
        terminal.wait("Helper of old", "half a thou", "Unsaved")
        before = engine_pid(home)
        os.kill(before, signal.SIGKILL)
        terminal.wait("Not connected")
        terminal.until(lambda: another_engine(home, before))
        terminal.wait("failed", "rehearsal:", "half a thou", "Helper of old", "Saved", "A text to look at")
        terminal.gone("Not connected")
        terminal.type("\x0cght\r")
        terminal.wait("completed", timeout=60)


def test_stopped_by_a_command_while_nothing_happens(home: dict[str, str]) -> None:
    created(home, "rehearsal/echo")
    with Terminal(home, "--assistant", "Helper") as terminal:
        opened(terminal)
        before = engine_pid(home)
        assert run(home, "engine", "stop") == 0
        terminal.wait("Not connected")
        terminal.until(lambda: another_engine(home, before))
        terminal.wait("rehearsal:")
        terminal.type("hello again\r")
        terminal.wait("completed")
