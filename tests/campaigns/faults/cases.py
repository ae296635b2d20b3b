"""One fault at one kind of request: what is said, what is tried again, what is kept, and how it goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import httpx2

from tests.campaigns.faults.answers import OWN, Fault
from tests.campaigns.faults.bench import TIMEOUT, Bench, Rule, clock
from tests.campaigns.faults.deeds import Deed, Reading

Way = Literal["passes", "stopped", "lasts", "left"]
"""The fault passes by itself; or it lasts, and the countdown is stopped, or waited out; or a silent server is left."""
EVER = 10**6


@dataclass(frozen=True)
class Case:
    """What is tried."""

    deed: type[Deed]
    fault: Fault
    way: Way

    def __str__(self) -> str:
        return f"{self.deed.__name__}, {self.fault}, {self.way}"


def all_cases(deeds: list[type[Deed]], faults: list[Fault]) -> list[Case]:
    """Everything that makes sense."""
    return [Case(deed, fault, way) for deed in deeds for fault in faults for way in ways(deed, fault)]


def ways(deed: type[Deed], fault: Fault) -> Iterator[Way]:
    if deed.streams and fault.of_answer:
        return
    if fault.outcome == "harmless":
        yield "passes"
        return
    if fault.outcome == "again" and (deed.counted or not fault.slow):
        yield "passes"
    counts_a_day = bool(fault.countdown) and not deed.ends
    if deed.counted and (fault.outcome == "again" or counts_a_day):
        yield "stopped"
    if not (fault.hangs and deed.counted) and not counts_a_day and (deed.ends or fault.outcome == "stands"):
        yield "lasts"
    if fault.hangs and deed.__name__ in {"Beginning", "Sending", "Running"}:
        yield "left"


@contextmanager
def patience(bench: Bench, seconds: float) -> Iterator[None]:
    """How long the client waits for a stream to say something."""
    client = bench.p.app.desk.client
    assert client is not None
    before, client.transport.stream_timeout = client.transport.stream_timeout, httpx2.Timeout(seconds)
    try:
        yield
    finally:
        client.transport.stream_timeout = before


async def play(case: Case, bench: Bench) -> str:
    """Try it; how it ended, in a word. AssertionError when anything is not as it should be."""
    deed = case.deed(bench)
    with clock():
        await deed.prepare()
    bench.sentences.clear()
    bench.p.screen.notice.said.clear()
    rule = Rule(deed.where, case.fault.make(bench.proxy), 1 if case.way == "passes" else EVER, first=deed.first)
    bench.spoil(rule)
    hangs = case.fault.hangs
    with (
        clock(first=case.deed.first_delay if case.way == "stopped" else 0.0, hangs=hangs),
        patience(bench, TIMEOUT if hangs else 30.0),
    ):
        word = await endured(case, deed, rule)
    bench.mend()
    with clock():
        if word != "went on":
            deed.kept()
            if case.fault.name != "404" or case.deed is not Reading:  # which is gone, as far as anybody knows
                await deed.again()
                await bench.until(deed.done, "it works again")
        await deed.check()
    assert bench.elsewhere.requests == [], "the key went elsewhere"
    assert bench.p.app._exception is None
    return word


async def endured(case: Case, deed: Deed, rule: Rule) -> str:
    """Do the deed while the fault is there, up to its end; that end in a word."""
    bench = deed.b
    await deed.act()
    if case.way == "stopped":
        countdown = re.compile(case.fault.countdown or case.deed.countdown)
        await bench.until(lambda: deed.done() or any(map(countdown.search, bench.sentences)), "a countdown")
    elif case.way == "left":
        await bench.until(lambda: rule.spoiled, "the server hangs")
    else:
        await bench.until(lambda: deed.done() or deed.failed(), "done or failed")
    assert rule.spoiled, f"nothing was spoiled; read: {bench.read}"
    if deed.done():
        return "went on"
    assert case.way != "passes", f"what passes was not got over; read: {bench.read}"
    if case.way in {"stopped", "left"}:
        await bench.p.press("escape")
        await bench.until(lambda: deed.done() or deed.failed(), "it stands")
    if deed.done():
        return "went on"
    says(case, deed)
    return {"stopped": "stopped by a key", "left": "left by a key", "lasts": "given up"}[case.way]


def says(case: Case, deed: Deed) -> None:
    """The sentence of the fault was to be read."""
    words = deed.missing if case.fault.name == "404" and deed.missing else case.fault.words
    if case.fault.name == "another's object":
        words = deed.taken or words
    if case.way == "left":
        words = "topped"
    assert deed.b.reads(words), f"never read: {words}; read: {deed.b.read}"
    assert words == OWN or "Traceback" not in str(deed.b.sentences)
