"""Faults of servers, each at each kind of request, and of streams at random points.

    python -m tests.campaigns.faults [--seed 1] [--count 100] [--only WORDS]

Between the playground and another server than the engine: each case ends with the sentence on the screen, nothing typed
lost, nothing sent twice, the screen as the server is, and the program as usable as before. The same for `ask` and the
plain mode. Between the engine and a provider: each ends the run as the contract has it, its text kept. Without --count
everything is tried, in an order of the seed.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from tests.campaigns.faults.campaign import campaign, drawn


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int)
    parser.add_argument("--only", default="", help="cases whose name has these words")
    arguments = parser.parse_args()
    cases = [case for case in drawn(arguments.seed) if arguments.only in str(case)]
    with tempfile.TemporaryDirectory() as place:
        ends, wrong = asyncio.run(campaign(Path(place), cases[: arguments.count], say=print))
    print(f"{sum(ends.values())} cases: " + ", ".join(f"{count} {end}" for end, count in ends.most_common()))
    for sentence in wrong:
        print(sentence)
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
