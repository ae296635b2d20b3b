"""Where the saving of an assistant stands, and the sentence that says so."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from playground_tui.assistants.run_words import duration

SaveKind = Literal["saved", "unsaved", "saving", "invalid", "failed", "new", "deleted"]


@dataclass(frozen=True, slots=True)
class SaveState:
    """`at` is when this began (Unix seconds), `retry_in` the seconds from then to the next attempt."""

    kind: SaveKind
    at: float | None = None
    detail: str = ""
    retry_in: float | None = None

    def sentence(self, now: float, save: str = "f5", *, stop: str = "") -> str:
        """The state in words; `now` in Unix seconds, `save` is what the user does to save, `stop` to stop a retry."""
        sentences: dict[SaveKind, Callable[[], str]] = {
            "saved": lambda: self._saved(now),
            "unsaved": lambda: "Unsaved changes",
            "saving": lambda: self.detail or "Saving",
            "invalid": lambda: f"Not saved: {self.detail}",
            "failed": lambda: f"Save failed: {self.detail.rstrip('.')}{self._next(now, save, stop)}",
            "new": lambda: f"Not created yet: {save} creates it",
            "deleted": lambda: f"Deleted elsewhere: {save} creates it again",
        }
        return sentences[self.kind]()

    def seconds_left(self, now: float) -> int | None:
        """Whole seconds to the next attempt, or None without one."""
        if self.retry_in is None:
            return None
        return max(0, math.ceil((self.at or now) + self.retry_in - now))

    def _saved(self, now: float) -> str:
        if self.at is None:
            return "No unsaved changes"
        extra = f" ({self.detail})" if self.detail else ""
        return f"Saved {clock_time(self.at, now, seconds=True)}{extra}"

    def _next(self, now: float, save: str, stop: str) -> str:
        left = self.seconds_left(now)
        if left is None:
            return f" ({save} tries again)"
        stops = f", {stop} stops" if stop else ""
        return f"; retrying in {duration(left)}{stops}"


def clock_time(at: float, now: float, *, seconds: bool = False) -> str:
    """The local time of `at`, with the date when that is not today."""
    local, today = time.localtime(at), time.localtime(now)
    form = "%H:%M:%S" if seconds else "%H:%M"
    return time.strftime(form if local[:3] == today[:3] else f"%Y-%m-%d {form}", local)
