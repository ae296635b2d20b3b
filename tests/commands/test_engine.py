"""`playground-tui engine status|stop|check`."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from playground_tui import launch
from playground_tui.commands import engine as command
from playground_tui.commands.engine import described, duration
from playground_tui.config import Settings
from playground_tui.launch import ask_engine, ensure_engine
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
    assert (code, text) == (0, "The engine does not run. It is started when it is needed.\n")
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
        for action in ("status", "check"):
            code, out, err = await call(paths, action)
            assert (code, out) == (1, "") and "does not answer at" in err


async def test_an_engine_elsewhere_is_a_sentence(paths: Paths) -> None:
    write_address(paths, host="devbox", boot_id="another kernel")
    for action in ("status", "stop", "check"):
        code, out, err = await call(paths, action)
        assert (code, out) == (1, "") and "devbox" in err


async def test_the_store_is_checked_with_and_without_an_engine(paths: Paths) -> None:
    code, out, err = await call(paths, "check")
    assert (code, out) == (1, "") and err.startswith("There is no store yet at ")
    address = await asyncio.to_thread(ensure_engine, paths)
    thread = ask_engine(address.socket, "POST", "/v1/threads", {})["id"]
    things = "assistants 0, threads 1, messages 0, runs 0, steps 0, files 0, vector stores 0, chunks 0, active runs 0"
    sound = f"The store is sound: {things}.\n"
    assert await call(paths, "check") == (0, sound, "")
    await call(paths, "stop")
    assert await call(paths, "check") == (0, sound, "")
    with closing(sqlite3.connect(paths.database)) as connection, connection:
        connection.execute("UPDATE threads SET message_count = 9")
    sentence = f"thread {thread} counts 9 messages and has 0."
    assert await call(paths, "check") == (1, f"{sentence}\nThe store is not sound: 1 found.\n", "")
    code, out, _ = await call(paths, "check", "--json")
    assert (code, json.loads(out)["findings"][0]["sentence"]) == (1, sentence)


async def test_a_check_that_dies_says_why(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    dying = [sys.executable, "-c", "raise SystemExit('no memory')"]
    monkeypatch.setattr(launch, "check_command", lambda _paths: dying)
    assert await call(paths, "check") == (1, "", "The store could not be checked: no memory\n")


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
