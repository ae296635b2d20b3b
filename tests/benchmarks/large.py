"""Large things: a long answer, long instructions under the cursor, and many assistants to choose from."""

from __future__ import annotations

from tests.benchmarks.answer import Wanted
from tests.benchmarks.measure import (
    ECHOED,
    Figures,
    connected,
    cpu_seconds,
    echo,
    echoes,
    percentile,
    rss_mib,
    streaming,
    typing_while_streaming,
)
from tests.benchmarks.subjects import PlaygroundSubject

LONG_ANSWERS = (2_000, 20_000, 250_000)
"""Tokens: the usual answer, ten times as long, and 1,000,000 characters."""
INSTRUCTIONS = 250_000
"""Characters."""
ASSISTANTS = 2_000
TO_FORM, TAB, TO_ASSISTANTS, ESCAPE = "\x06", "\t", "\x0f", "\x1b"


def answer_figures(subject: PlaygroundSubject) -> Figures:
    """The cost of a token in answers of growing length, each in a new screen and thread, as fast as they come."""
    figures: Figures = {}
    for tokens in LONG_ANSWERS:
        with subject.start("--thread", subject.new_thread()) as session:
            connected(session)
            name = f"answer of {tokens:,}"
            figures |= streaming(subject, session, subject.answers + 1, Wanted(0, tokens), name)
    what = Wanted(0, LONG_ANSWERS[-1])
    with subject.start("--thread", subject.new_thread()) as session:
        connected(session)
        figures |= typing_while_streaming(subject, session, subject.answers + 1, what, f"answer of {what.tokens:,}")
    return figures


def instructions_figures(subject: PlaygroundSubject) -> Figures:
    """Typing into instructions of nearly the largest size."""
    line = "Be brief, and say where a claim comes from; when in doubt, ask. "
    text = "\n".join([line * 8] * (INSTRUCTIONS // (len(line) * 8 + 1)))
    with subject.api() as api:
        body = {"name": "Wordy", "model": "openai/scripted", "instructions": text}
        api.post("/assistants", json=body).raise_for_status()
    with subject.start(assistant="Wordy") as session:
        session.find_bytes("Be brief", timeout=30)
        session.quiet(1.0, timeout=10)
        rss = rss_mib(session.pid)
        session.send(TO_FORM + TAB * 2)
        session.quiet(0.5, timeout=5)
        cpu = cpu_seconds(session.pid)
        taken = echoes(session, ECHOED[:40], 0.1)
        session.quiet(6, timeout=10)  # the save goes out
        cpu = (cpu_seconds(session.pid) - cpu) / len(taken)
    name = f"instructions of {INSTRUCTIONS:,} characters"
    return {
        f"key to echo, {name}, p50, ms": percentile(taken, 0.5),
        f"key to echo, {name}, p95, ms": percentile(taken, 0.95),
        f"CPU ms per key with its save, {name}": cpu * 1000,
        f"RSS, {name}, MiB": rss,
    }


def picker_figures(subject: PlaygroundSubject) -> Figures:
    """Choosing among many assistants."""
    with subject.api() as api:
        for number in range(ASSISTANTS):
            body = {"name": f"Helper {number}", "model": "openai/scripted"}
            api.post("/assistants", json=body).raise_for_status()
    with subject.start() as session:
        connected(session)
        session.quiet(1.0, timeout=10)
        opened = []
        for _ in range(5):
            mark = session.mark()
            pressed = session.send(TO_ASSISTANTS)
            opened.append(session.find_bytes("Helper 1990", since=mark, timeout=20) - pressed)
            typed = [echo(session, letter) for letter in "helper 19"]
            session.send(ESCAPE)
            session.quiet(0.5, timeout=5)
    return {
        f"opening the picker of {ASSISTANTS:,} assistants, s": percentile(opened, 0.5),
        "key to echo in it, p95, ms": percentile(typed, 0.95),
    }


def large_figures(subject: PlaygroundSubject) -> Figures:
    return answer_figures(subject) | instructions_figures(subject) | picker_figures(subject)
