"""What a campaign has seen, in figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.campaigns.counts import Counts


@dataclass
class Figures(Counts):
    """Counts of one desk, or of all."""

    cases: Counter[str] = field(default_factory=Counter)
    """By how the line dropped, and by what went on."""
    keys: int = 0
    """Keys typed."""
    lost: int = 0
    """Keys that were not there again, struck within the last moment."""
    starved: int = 0
    """Cases in which more was lost, but the machine had given the program no processor meanwhile."""
    messages: int = 0
    """Messages that were sent once, and once only."""
    said_again: int = 0
    """Messages shown as not sent though the server had them: sending them again added nothing."""
    not_run: int = 0
    """Messages that had reached the thread, but not the run that was to follow."""
    runs: int = 0
    """Runs that went on without the screen and whose text is complete."""
    terminals: int = 0
    """Terminals left as they were."""
    longest: float = 0.0
    """Seconds from a drop to the end of the process."""

    def __str__(self) -> str:
        cases = ", ".join(f"{count} {what}" for what, count in sorted(self.cases.items()))
        return (
            f"{cases}.\n"
            f"{self.keys} keys were typed; {self.lost} of the last 300 ms were lost, no older one"
            f" ({self.starved} times the machine held the program up).\n"
            f"{self.messages} messages were sent once. Of these {self.said_again} were shown as not sent after the drop"
            f" and {self.not_run} had no run yet. {self.runs} runs went on, their text complete.\n"
            f"{self.terminals} terminals were left as they were; the longest end took {self.longest:.2f} s."
        )
