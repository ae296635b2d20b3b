"""The engine dies under an open program, over and over: it is said, started again, and nothing typed is lost.

    python -m tests.campaigns.deaths [--count 300] [--seed 1] [--only NUMBER] [--at-once N]

It is killed (SIGKILL) at random moments while others use it too. The store is sound each time, a run that was under way
ends as failed with its text kept, and a message that was on its way is there once.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.campaigns.deaths.campaign import campaign


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.deaths", description=__doc__)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="let the engine die this one time")
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, help="desks in use at a time")
    arguments = parser.parse_args()
    numbers = range(arguments.count) if arguments.only is None else [arguments.only]
    begun = time.monotonic()
    figures = campaign(arguments.seed, numbers, arguments.at_once)
    print(f"{len(numbers)} deaths of seed {arguments.seed} in {time.monotonic() - begun:.0f} s: {figures}")
    print(f"{len(figures.failures)} failures.")
    return bool(figures.failures)


if __name__ == "__main__":
    sys.exit(main())
