"""The measuring itself: what it reads off a terminal, a process and a budget."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from tests.benchmarks.answer import LAST, SIZE, TOKENS, answer
from tests.benchmarks.budgets import Budget, table
from tests.benchmarks.crowd import Stream, check, crowd
from tests.benchmarks.measure import ECHOED, cpu_seconds, echo, percentile, rss_mib
from tests.benchmarks.own_engine import own_engine
from tests.benchmarks.pty_session import PtySession, has_text
from tests.benchmarks.server import Server


def test_the_answer_has_its_size_and_one_last_token():
    fragments = answer()
    assert len(fragments) == TOKENS
    assert {len(fragment) for fragment in fragments} == {SIZE}
    assert "".join(fragments).count(LAST) == 1
    assert not set(ECHOED) & set("".join(fragments))


def test_keys_are_typed_and_their_echo_is_seen(tmp_path: Path):
    with PtySession(["cat"], os.environ, cwd=tmp_path) as session:
        assert 0 < echo(session, "ā") < 5_000
        mark = session.mark()
        sent = session.send("there\n")
        assert session.find_bytes("there", since=mark) >= sent
        assert "there" in session.text(since=mark)
        assert session.total >= len("there")
        with pytest.raises(TimeoutError, match="there"):
            session.find_bytes("never", timeout=0.05)


def test_the_question_for_the_cursor_is_answered_and_the_size_is_kept(tmp_path: Path):
    program = (
        "import os, sys, tty; tty.setraw(0); os.write(1, b'\\x1b[6n'); "
        "print(os.read(0, 20), os.get_terminal_size().columns, end='', flush=True)"
    )
    with PtySession([sys.executable, "-c", program], os.environ, cwd=tmp_path, columns=77) as session:
        session.find_bytes("b'\\x1b[1;1R' 77")
        assert session.wait(10) == 0


def test_escape_sequences_are_no_text():
    assert not has_text(b"\x1b[38;2;1;2;3m\x1b]0;title\x07\x1b[?1049h")
    assert has_text(b"\x1b[1mHello\x1b[0m")


def test_processes_are_read():
    assert cpu_seconds(os.getpid()) > 0
    assert cpu_seconds(None) == 0
    assert 1 < rss_mib(os.getpid()) < 10_000


async def test_a_crowd_has_all_its_answers_whole_and_in_order():
    with tempfile.TemporaryDirectory() as home, Server(0, 500) as server, own_engine(Path(home), server) as address:
        figures = await crowd(address.socket, server.base_url, 3)
    assert figures["crowd: runs"] == 3
    assert figures["crowd: tokens per s"] > 0


def test_a_stream_that_is_not_whole_is_no_figure():
    stream = Stream()
    stream.take(b'event: thread.run.created\ndata: {"id": "run_1"}\n\nevent: done\ndata: [DONE]\n\n')
    assert stream.events == [("thread.run.created", '{"id": "run_1"}'), ("done", "[DONE]")]
    with pytest.raises(AssertionError):
        check(stream)


def test_percentiles():
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile(range(100), 0.95) == 95


def test_a_server_says_when_it_was_asked():
    with Server(0) as server:
        assert server.port
        assert server.count("asked") == 0
        with pytest.raises(TimeoutError, match="'asked' 1 times"):
            server.wait("asked", 1, timeout=0.05)


@pytest.mark.parametrize(
    ("budget", "floor", "ours", "met"),
    [
        (Budget("x", 2), None, 1.0, "ok"),
        (Budget("x", 2), None, 3.0, "OVER"),
        (Budget("x", 2, times=True), 2.0, 3.0, "ok"),
        (Budget("x", 2, times=True), 1.0, 3.0, "OVER"),
        (Budget("x", 2, times=True), None, 3.0, ""),
        (Budget("x", 2, least=True), None, 1.0, "OVER"),
        (Budget("x", 2, least=True), None, 3.0, "ok"),
        (Budget("x"), None, 3.0, ""),
        (Budget("x", 2), 1.0, None, ""),
    ],
)
def test_a_figure_is_held_against_its_budget(budget: Budget, floor: float | None, ours: float | None, met: str):
    assert budget.met(floor, ours) == met


def test_the_table_has_a_row_for_each_figure_with_its_ratio():
    head, row, more = table({"bytes per token": 800.0}, {"bytes per token": 80.0, "RSS, MiB": 140.0}).splitlines()
    assert head.split() == ["floor", "playground", "ratio", "budget"]
    assert row.split() == ["RSS,", "MiB", "140", "130", "OVER"]
    assert more.split() == ["bytes", "per", "token", "800", "80", "0.10x", "120", "ok"]
