"""The terminal stops reading, for seconds or for ever: the program goes on, and ends when it is told to.

    python -m tests.campaigns.stalls [--count 100] [--seed 1] [--only NUMBER] [--at-once N]

While nobody reads, what is typed reaches the disk and the engine, runs end, and the program does not spin. When the
terminal reads again, it shows what a repaint shows. With SIGTERM or SIGHUP the process is gone in time.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.campaigns.stalls.campaign import campaign


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.stalls", description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="play this stall alone")
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, help="desks in use at a time")
    arguments = parser.parse_args()
    numbers = range(arguments.count) if arguments.only is None else [arguments.only]
    begun = time.monotonic()
    figures = campaign(arguments.seed, numbers, arguments.at_once)
    print(f"{len(numbers)} stalls of seed {arguments.seed} in {time.monotonic() - begun:.0f} s: {figures}")
    print(f"{len(figures.failures)} failures.")
    return bool(figures.failures)


if __name__ == "__main__":
    sys.exit(main())
