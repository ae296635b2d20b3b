"""What a campaign of stalls has seen, in figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.campaigns.counts import Counts


@dataclass
class Figures(Counts):
    """Counts of one desk, or of all."""

    stalls: Counter[str] = field(default_factory=Counter)
    """By how they ended."""
    saves: int = 0
    """Edits that reached the engine meanwhile."""
    runs: int = 0
    """Runs that ended meanwhile."""
    screens: int = 0
    """Screens that were right once the terminal read again."""
    busiest: float = 0.0
    """The largest part of a processor that the program used while nobody read and nothing was to be done."""
    longest: float = 0.0
    """Seconds from a signal to the end of the process, while nobody read."""

    def __str__(self) -> str:
        stalls = ", ".join(f"{count} {how}" for how, count in sorted(self.stalls.items()))
        return (
            f"{stalls}; each time a write was seen to hang.\n"
            f"Meanwhile everything typed was on disk, {self.saves} edits were saved, {self.runs} runs ended, and the"
            f" program at rest used at most {self.busiest:.0%} of a processor.\n"
            f"{self.screens} screens were right when it read again. The longest end took {self.longest:.2f} s."
        )
