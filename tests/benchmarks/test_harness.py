"""The measuring itself: what it reads off a terminal, a process and a budget."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

from tests.benchmarks.answer import LAST, SIZE, TOKENS, Wanted, answer, wanted
from tests.benchmarks.budgets import FLOOR, Budget, table
from tests.benchmarks.crowd import Stream, check, crowd
from tests.benchmarks.measure import ECHOED, cpu_seconds, echo, percentile, rss_mib
from tests.benchmarks.own_engine import own_engine
from tests.benchmarks.pty_session import PtySession, has_text
from tests.benchmarks.relay import Line
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


FIGURES = {"floor": {"x": 2.0}, "playground": {"x": 3.0, "y": 1.0}}


@pytest.mark.parametrize(
    ("budget", "met"),
    [
        (Budget("x", 3), "ok"),
        (Budget("x", 2), "OVER"),
        (Budget("x", 2, FLOOR), "ok"),
        (Budget("x", 1.2, FLOOR), "OVER"),
        (Budget("x", 3, "y"), "ok"),
        (Budget("x", 2, "y"), "OVER"),
        (Budget("y", 3, FLOOR), ""),
        (Budget("x", 3, "z"), ""),
        (Budget("x", 4, least=True), "OVER"),
        (Budget("x", 2, least=True), "ok"),
        (Budget("x"), ""),
        (Budget("z", 2), ""),
    ],
)
def test_a_figure_is_held_against_its_budget(budget: Budget, met: str):
    assert budget.met(FIGURES) == met


def test_the_table_has_a_row_for_each_figure_with_its_ratio():
    found = {
        "printer": {"bytes per token": 4.0},
        "floor": {"bytes per token": 800.0},
        "playground": {"bytes per token": 32.0, "RSS, MiB": 140.0, "of no budget": 0.5},
    }
    head, tokens, memory, other = table(found).splitlines()
    assert head.split() == ["printer", "floor", "playground", "ratio", "budget"]
    assert tokens.split() == ["bytes", "per", "token", "4", "800", "32", "0.04x", "40", "ok"]
    assert memory.split() == ["RSS,", "MiB", "140", "110", "OVER"]
    assert other.split() == ["of", "no", "budget", "0.5"]


@pytest.mark.parametrize(
    ("message", "what"),
    [("50 500", Wanted(50, 500)), ("1000", Wanted(1000)), ("hello", Wanted(7)), (Wanted(0, 9).message, Wanted(0, 9))],
)
def test_a_message_asks_for_an_answer_in_numbers(message: str, what: Wanted):
    assert wanted(message, 7) == what


ASKING = (
    "import os, sys, tty; tty.setraw(0); print('x' * 4000 + 'END', flush=True)\n"
    "while True:\n    key = os.read(0, 9); os.write(1, b'<' + key + b'>')\n"
)


def test_a_slow_line_delays_both_ways_and_carries_so_much_a_second(tmp_path: Path):
    line = Line(round_trip=0.2, rate=10_000)
    with PtySession([sys.executable, "-c", ASKING], os.environ, cwd=tmp_path, line=line) as session:
        came = session.find(lambda seen: b"x" in seen)
        assert session.find_bytes("END") - came >= 0.3  # 4,000 bytes at 10,000 a second
        assert session.waited > 2_000
        pressed = session.send("q")
        assert session.find_bytes("<q>") - pressed >= 0.2


def test_a_line_is_quick_when_nothing_is_asked_of_it(tmp_path: Path):
    with PtySession(["cat"], os.environ, cwd=tmp_path, line=Line(0)) as session:
        assert echo(session, "ā") < 5_000
        assert session.waited > 0
