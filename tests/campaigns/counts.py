"""What a campaign has seen, counted at each desk and then together."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Self


@dataclass
class Counts:
    """Fractions are the largest seen, everything else adds up."""

    failures: list[str] = field(default_factory=list)

    def add(self, other: Self) -> None:
        for each in fields(self):
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            setattr(self, each.name, max(mine, theirs) if isinstance(mine, float) else mine + theirs)
