"""What `playground-tui --version` takes beyond starting Python."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from tests.benchmarks.measure import Figures

TIMES = 5


def taken(argv: list[str]) -> float:
    """Seconds a command takes, the median of a few runs."""
    spans = []
    for _ in range(TIMES):
        begun = time.monotonic()
        subprocess.run(argv, check=True, capture_output=True)
        spans.append(time.monotonic() - begun)
    return statistics.median(spans)


def version_figures() -> Figures:
    bare = taken([sys.executable, "-c", "pass"])
    return {"--version over python -c pass, s": taken([sys.executable, "-m", "playground_tui", "--version"]) - bare}
