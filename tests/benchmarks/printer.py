"""The other floor: a program that prints the tokens as they come, with the terminal's own echo of what is typed.

`python -m tests.benchmarks.printer REPORT PACE`, like the floor.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.benchmarks.answer import Wanted, answer, wanted


def stream(what: Wanted) -> float:
    """Print an answer; the moment before its last token."""
    begun = last = time.monotonic()
    for place, fragment in enumerate(answer(what.tokens)):
        if what.pace:
            time.sleep(max(0.0, begun + place / what.pace - time.monotonic()))
        last = time.monotonic()
        sys.stdout.write(fragment)
        sys.stdout.flush()
    return last


def main() -> None:
    report, pace = Path(sys.argv[1]), float(sys.argv[2])
    print("Message:", flush=True)
    for line in sys.stdin:
        last = stream(wanted(line, pace))
        with report.open("a") as told:
            told.write(f"{last}\n")


if __name__ == "__main__":
    main()
