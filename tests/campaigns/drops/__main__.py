"""The line drops at random moments while somebody types, over and over: nothing is lost, and nothing is left behind.

    python -m tests.campaigns.drops [--count 500] [--seed 1] [--only NUMBER] [--at-once N]

By SIGHUP, SIGTERM, SIGKILL, or as the terminal is closed; in every field, while a save, a run, a stream, a dialog or
$EDITOR is open. At the next start everything typed up to 300 ms before is there.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.campaigns.drops.campaign import campaign


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.drops", description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="play this case alone")
    parser.add_argument("--at-once", type=int, default=(os.cpu_count() or 1) + 1, help="desks in use at a time")
    arguments = parser.parse_args()
    numbers = range(arguments.count) if arguments.only is None else [arguments.only]
    begun = time.monotonic()
    figures = campaign(arguments.seed, numbers, arguments.at_once)
    print(f"{len(numbers)} drops of seed {arguments.seed} in {time.monotonic() - begun:.0f} s: {figures}")
    print(f"{len(figures.failures)} failures.")
    return bool(figures.failures)


if __name__ == "__main__":
    sys.exit(main())
