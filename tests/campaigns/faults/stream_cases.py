"""One spoiled stream: the run ends as it did at the server, and the thread is shown as it is there."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.campaigns.faults.bench import TIMEOUT, Bench, Rule, clock
from tests.campaigns.faults.cases import patience
from tests.campaigns.faults.deeds import Running, Sending, Submitting
from tests.campaigns.faults.streams import StreamFault, spoiled


@dataclass(frozen=True)
class StreamCase:
    """What is tried. `deed` is one whose request is answered by a stream."""

    deed: type[Sending | Submitting]
    fault: StreamFault
    seed: str

    def __str__(self) -> str:
        return f"{self.deed.__name__}, stream {self.fault}, {self.seed}"


class Telling(Running):
    """A long answer with all that Markdown has."""

    model = "rehearsal/markdown"


STREAMED: list[type[Sending | Submitting]] = [Running, Telling, Submitting]


async def play_stream(case: StreamCase, bench: Bench) -> str:
    """Try it; how it ended, in a word. AssertionError when anything is not as it should be."""
    deed = case.deed(bench)
    bench.pace(0.0)
    with clock():
        await deed.prepare()
    bench.sentences.clear()
    rule = Rule(deed.where, spoiled(case.fault, bench.proxy, Random(case.seed)), 1)
    bench.spoil(rule)
    hangs = case.fault.name == "hanging"
    with clock(hangs=hangs), patience(bench, TIMEOUT if hangs else 30.0):
        await deed.act()
        await bench.until(deed.done, "the run has ended")
        assert rule.spoiled, "nothing was spoiled"
        bench.mend()
        await deed.check()
        assert bench.reads(case.fault.reads), f"never read: {case.fault.reads}; read: {bench.read}"
        lost = bench.reads("connection lost")
        if isinstance(deed, Sending):
            await deed.talked("and then?")
            await deed.check()
    assert bench.p.app._exception is None
    return "followed again" if lost else "read to the end"
