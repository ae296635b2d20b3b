"""What a campaign of deaths has seen, in figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import median

from tests.campaigns.counts import Counts


@dataclass
class Figures(Counts):
    """Counts of one desk, or of all."""

    deaths: Counter[str] = field(default_factory=Counter)
    """By what went on."""
    keys: int = 0
    """Keys typed around a death, all of which are there."""
    deeds: int = 0
    """What the visitors did meanwhile."""
    held: int = 0
    """What they were told was done, and is."""
    failed: int = 0
    """Runs under way, which ended as failed with their text."""
    words: list[int] = field(default_factory=list)
    """Words of an answer that were on the screen and are not kept, by run."""
    messages: int = 0
    """Messages that were on their way, and are there once."""
    away: list[float] = field(default_factory=list)
    """Seconds from a death until the program has an engine again."""

    def __str__(self) -> str:
        deaths = ", ".join(f"{count} during {what}" for what, count in sorted(self.deaths.items()))
        return (
            f"{deaths}; each was said, and the program had an engine again after {median(self.away or [0.0]):.2f} s"
            f" (median), {max(self.away, default=0.0):.2f} s (longest).\n"
            f"All {self.keys} keys typed around them are there. {self.messages} messages on their way are there once.\n"
            f"{self.failed} runs under way ended as failed; of the words on the screen at most"
            f" {max(self.words, default=0)} are not in the text that was kept.\n"
            f"The store was sound each time. All {self.held} things that visitors were told in {self.deeds} deeds hold."
        )
