"""Faults of a server, each at each kind of request, and of a stream at random points.

    python -m tests.campaigns.faults [--seed 1] [--count 100] [--only WORDS]

Each case ends with the sentence on the screen, nothing typed lost, nothing sent twice, the screen as the server is,
and the program as usable as before. Without --count everything is tried, in an order of the seed.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import Counter, deque
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.campaigns.faults.answers import all_faults
from tests.campaigns.faults.bench import bench
from tests.campaigns.faults.cases import Case, all_cases, play
from tests.campaigns.faults.deeds import DEEDS
from tests.campaigns.faults.stream_cases import STREAMED, StreamCase, play_stream
from tests.campaigns.faults.streams import stream_faults

ROUND = 40
"""Cases that one playground goes through."""
STREAMS = 3
"""How often a stream is spoiled in each way, each time at other points."""


def drawn(seed: int) -> list[Case | StreamCase]:
    """Every case, in an order of the seed."""
    cases: list[Case | StreamCase] = [*all_cases(DEEDS, all_faults())]
    cases += [
        StreamCase(deed, fault, f"{seed} {number}")
        for deed in STREAMED
        for fault in stream_faults()
        for number in range(STREAMS)
    ]
    Random(seed).shuffle(cases)
    return cases


async def campaign(
    directory: Path, cases: Sequence[Case | StreamCase], *, say: bool = False
) -> tuple[Counter[str], list[str]]:
    """Try these cases, some after another in one playground; how they ended, and what was wrong."""
    ends: Counter[str] = Counter()
    wrong: list[str] = []
    waiting = deque(cases)
    while waiting:
        async with bench(Path(tempfile.mkdtemp(dir=directory))) as one:
            for _ in range(min(ROUND, len(waiting))):
                case, began = waiting.popleft(), time.monotonic()
                try:
                    end = await (play(case, one) if isinstance(case, Case) else play_stream(case, one))
                except AssertionError as error:
                    end = "WRONG"
                    wrong.append(f"{case}: {error}")
                ends[end] += 1
                if say:
                    print(
                        f"{case}: {end} ({time.monotonic() - began:.1f} s)", *wrong[-1:] * (end == "WRONG"), flush=True
                    )
                if end == "WRONG":  # what it left behind is no matter of the next case
                    break
    return ends, wrong


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int)
    parser.add_argument("--only", default="", help="cases whose name has these words")
    arguments = parser.parse_args()
    cases = [case for case in drawn(arguments.seed) if arguments.only in str(case)]
    with tempfile.TemporaryDirectory() as place:
        ends, wrong = asyncio.run(campaign(Path(place), cases[: arguments.count], say=True))
    print(f"{sum(ends.values())} cases: {dict(ends)}")
    for sentence in wrong:
        print(sentence)
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
