"""What `playground-tui --version` takes beyond starting Python."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from tests.benchmarks.measure import Figures

TIMES = 7
BARE = ("-c", "pass")
VERSION = ("-m", "playground_tui", "--version")


def taken(*arguments: str) -> float:
    """Seconds that one run of Python takes."""
    begun = time.monotonic()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.monotonic() - begun


def version_figures() -> Figures:
    """The median of pairs of runs, so that a busy moment weighs on both."""
    more = [taken(*VERSION) - taken(*BARE) for _ in range(TIMES)]
    return {"--version over python -c pass, s": statistics.median(more)}
