"""Slow lines: whether typing stays ahead of the text that streams in."""

from __future__ import annotations

import time

from tests.benchmarks.answer import TOKENS, Wanted
from tests.benchmarks.measure import ECHOED, Figures, ask, connected, echoes, named, painted, percentile
from tests.benchmarks.relay import Line
from tests.benchmarks.subjects import PlaygroundSubject

LINES = {
    "100 ms": Line(0.1),
    "300 ms": Line(0.3),
    "100 ms, 10 kB/s": Line(0.1, 10_000),
    "300 ms, 10 kB/s": Line(0.3, 10_000),
}


def line_figures(subject: PlaygroundSubject, name: str, line: Line, what: Wanted) -> Figures:
    """Echo beyond the round trip, and how far the text is behind."""
    with subject.start("--thread", subject.new_thread(), line=line) as session:
        connected(session)
        session.quiet(1.0, timeout=20)
        number = subject.answers + 1
        ask(subject, session, number, what.message)
        time.sleep(1.0)
        before = session.total
        taken = [echo - line.round_trip * 1000 for echo in echoes(session, ECHOED[:24], 0.35)]
        shown = painted(subject, session, number)
        session.quiet(1.0, timeout=20)
        figures = {
            "key to echo beyond the round trip, p50, ms": percentile(taken, 0.5),
            "key to echo beyond the round trip, p95, ms": percentile(taken, 0.95),
            "bytes per token while typing": (session.total - before) / TOKENS,
            "last token shown after, s": shown - subject.last_token_at(number),
            "most bytes that waited for the line": float(session.waited),
        }
    return named(figures, f"line of {name} at {what.pace:g} tokens/s")


def all_lines(subject: PlaygroundSubject, pace: float) -> Figures:
    figures: Figures = {}
    for name, line in LINES.items():
        figures |= line_figures(subject, name, line, Wanted(pace, TOKENS))
    return figures
