"""What is measured of a program on a terminal, and how: the same for the floor and the playground."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tests.benchmarks.answer import LAST, Wanted
from tests.benchmarks.pty_session import PtySession, has_text

ECHOED = [chr(code) for code in range(0x100, 0x180) if chr(code).isalpha()]
"""Letters that stand in no answer: each is typed once, so that its echo cannot be mistaken."""
STARTS = 3
IDLE = 30.0
"""Seconds of idleness that are measured."""
BEAT = 0.25
"""Seconds between two keys while an answer streams."""

TO_COMPOSER = "\x0c"
"""ctrl+l."""

Figures = dict[str, float]


class Subject(Protocol):
    """A program to measure."""

    name: str

    def start(self) -> PtySession: ...

    def asked_at(self, number: int) -> float:
        """When the `number`th message reached the model (from 1)."""
        ...

    def last_token_at(self, number: int) -> float:
        """When the model sent the last token of its `number`th answer."""
        ...

    def engine_pid(self) -> int | None: ...


def cpu_seconds(pid: int | None) -> float:
    """CPU time of a process so far, in steps of 10 ms. Source: proc(5), stat."""
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mib(pid: int) -> float:
    """Resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def first_text(subject: Subject) -> float:
    """Seconds from start to something readable, the median of a few starts."""
    taken = []
    for _ in range(STARTS):
        with subject.start() as session:
            taken.append(session.find(has_text) - session.started)
            session.quiet(0.5)
    return statistics.median(taken)


def connected(session: PtySession) -> None:
    """Wait until the playground names its server, where the scripted model is."""
    session.find_bytes("127.0.0.1", timeout=60)


def usable(subject: Subject, session: PtySession, number: int, text: str = "hello") -> float:
    """Seconds from start until text typed at the first paint has reached the model.

    Enter is repeated while it is not taken; every few seconds the text is typed anew, with the key that goes to the
    composer before it.
    """
    session.find(has_text)
    for attempt in range(40):
        if attempt % 8 == 0:
            session.send(TO_COMPOSER * (attempt > 0) + text)
        session.send("\r")
        try:
            return asked_within(subject, number, 0.5) - session.started
        except TimeoutError:
            continue
    raise TimeoutError("the message did not go out; the terminal shows:\n" + session.screen())


def asked_within(subject: Subject, number: int, seconds: float) -> float:
    end = time.monotonic() + seconds
    while True:
        try:
            return subject.asked_at(number)
        except TimeoutError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


def ask(subject: Subject, session: PtySession, number: int, text: str) -> None:
    """Send a message with keys. Raises TimeoutError when it does not reach the model."""
    for letter in text:
        echo(session, letter)
    session.send("\r")
    try:
        asked_within(subject, number, 20)
    except TimeoutError:
        raise TimeoutError("the message did not go out; the terminal shows:\n" + session.screen()) from None


def painted(subject: Subject, session: PtySession, number: int) -> float:
    """When the last token of an answer was painted."""
    sent = subject.last_token_at(number)
    return session.find_bytes(LAST, since=session.mark_at(sent), timeout=120)


def streaming(subject: Subject, session: PtySession, number: int, what: Wanted, name: str = "") -> Figures:
    """One answer, nobody typing. `name`: what the figures' names end with."""
    session.quiet(1.0, timeout=5)
    before, screen, engine = session.total, cpu_seconds(session.pid), cpu_seconds(subject.engine_pid())
    ask(subject, session, number, what.message)
    shown = painted(subject, session, number)
    session.quiet(0.5, timeout=3)
    thousands = what.tokens / 1000
    figures = {
        "bytes per token": (session.total - before) / what.tokens,
        "CPU s per 1,000 tokens": (cpu_seconds(session.pid) - screen) / thousands,
        "engine CPU s per 1,000 tokens": (cpu_seconds(subject.engine_pid()) - engine) / thousands,
        "last token shown after, s": shown - subject.last_token_at(number),
        "RSS, MiB": rss_mib(session.pid),
    }
    return named(figures, name)


def named(figures: Figures, name: str) -> Figures:
    """The same figures, said of something."""
    return {f"{figure}, {name}" if name else figure: value for figure, value in figures.items()}


def echo(session: PtySession, letter: str) -> float:
    """Milliseconds from a key to its letter on the terminal."""
    mark = session.mark()
    typed = session.send(letter)
    return (session.find_bytes(letter, since=mark, timeout=20) - typed) * 1000


def echoes(session: PtySession, letters: Sequence[str], beat: float) -> list[float]:
    taken = []
    for letter in letters:
        taken.append(echo(session, letter))
        time.sleep(max(0.0, beat - taken[-1] / 1000))
    return taken


def typing_while_streaming(
    subject: Subject, session: PtySession, number: int, what: Wanted, name: str = "", keys: int = 32
) -> Figures:
    """One answer while somebody types on."""
    ask(subject, session, number, what.message)
    session.quiet(0.05, timeout=0.3)
    taken = echoes(session, ECHOED[:keys], BEAT)
    painted(subject, session, number)
    figures = {
        "key to echo while streaming, p50, ms": percentile(taken, 0.5),
        "key to echo while streaming, p95, ms": percentile(taken, 0.95),
    }
    return named(figures, name)


def idle(session: PtySession) -> Figures:
    """Nobody does anything; then somebody types."""
    session.quiet(1.5, timeout=10)
    before, cpu, begun = session.total, cpu_seconds(session.pid), time.monotonic()
    time.sleep(IDLE)
    passed = time.monotonic() - begun
    figures = {
        "idle bytes per s": (session.total - before) / passed,
        "idle CPU, %": (cpu_seconds(session.pid) - cpu) / passed * 100,
    }
    taken = echoes(session, ECHOED[32:64], 0.1)
    return figures | {
        "key to echo idle, p50, ms": percentile(taken, 0.5),
        "key to echo idle, p95, ms": percentile(taken, 0.95),
    }
