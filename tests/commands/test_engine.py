"""`playground-tui engine status|stop`."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playground_tui.commands import engine as command
from playground_tui.commands.engine import described, duration
from playground_tui.config import Settings
from playground_tui.launch import ensure_engine
from playground_tui.paths import Paths
from tests.support.engine_process import held_lock, home, write_address


@pytest.fixture
def paths() -> Iterator[Paths]:
    with home() as made:
        yield made


async def call(paths: Paths, *arguments: str) -> tuple[int, str, str]:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    out, err = io.StringIO(), io.StringIO()
    code = await command.run(parser.parse_args(["engine", *arguments]), None, Settings(), paths, out, err)
    return code, out.getvalue(), err.getvalue()


async def test_without_an_engine_both_say_so(paths: Paths) -> None:
    code, text, _ = await call(paths, "status")
    assert (code, text) == (0, "The engine does not run. The next playground starts it.\n")
    code, text, _ = await call(paths, "stop", "--json")
    assert (code, json.loads(text)) == (0, {"stopped": False})
    assert not paths.data.exists()


async def test_a_living_engine_is_described_and_stopped(paths: Paths) -> None:
    address = await asyncio.to_thread(ensure_engine, paths)
    code, text, _ = await call(paths, "status", "--json")
    status = json.loads(text)
    assert (code, status["running"], status["pid"]) == (0, True, address.pid)
    assert Path(status["socket"]) == address.socket
    _, text, _ = await call(paths, "status")
    assert text.startswith(f"The engine runs: process {address.pid}, version ") and "rehearsal" in text
    assert await call(paths, "stop") == (0, "The engine has stopped.\n", "")


async def test_an_engine_that_does_not_answer_is_a_sentence(paths: Paths) -> None:
    with held_lock(paths):
        write_address(paths)
        code, out, err = await call(paths, "status")
    assert (code, out) == (1, "") and "does not answer at" in err


async def test_an_engine_elsewhere_is_a_sentence(paths: Paths) -> None:
    write_address(paths, host="devbox", boot_id="another kernel")
    for action in ("status", "stop"):
        code, out, err = await call(paths, action)
        assert (code, out) == (1, "") and "devbox" in err


def test_what_an_engine_says_is_cleaned() -> None:
    answer: dict[str, Any] = {"pid": 1, "version": "1", "build": "b", "started_at": 0, "connections": 2}
    text = described({**answer, "active_runs": 1, "listeners": [{"host": "::1", "port": 5}], "sentence": "\x1b[2J"})
    assert "connections: 2, active runs: 1\nlistening on ::1 port 5\n" in text and "\x1b" not in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(9.7, "9 s"), (150, "2 min"), (3 * 3600 + 301, "3 h 5 min"), (2 * 86400 + 4 * 3600, "2 d 4 h")],
)
def test_durations_read_well(seconds: float, words: str) -> None:
    assert duration(seconds) == words
