"""The run's status in one line of words."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

from playground_tui.assistants.objects import Run
from playground_tui.assistants.run_words import duration, state_words
from playground_tui.text import clean
from playground_tui.ui.keys import USUAL, KeyOf

LONG_RUN: Final = 60
"""Seconds after which a run is called long."""
LONG_REQUEST: Final = 2
"""Seconds after which it is said that a request is under way."""
LOST: Final = "connection lost"


def run_words(run: Run, now: float, cancel: str = "escape") -> str:
    """What a run does, in words. `now` is Unix seconds, `cancel` the key that cancels it."""
    parts = [state_words(run)]
    if run.active:
        parts.append(duration(now - (run.started_at or run.created_at)))
    if run.usage is not None and not run.active:
        parts.append(f"{run.usage.total_tokens:,} tokens")
    if run.status == "completed" and run.completed_at and (run.started_at or run.created_at):
        parts.append(duration(run.completed_at - (run.started_at or run.created_at)))
    if run.active and run.status != "cancelling":
        long = run.status != "requires_action" and now - run.created_at > LONG_RUN
        parts.append(f"a long run, it goes on; {cancel} cancels it" if long else f"{cancel} cancels")
    if run.notes:
        parts.append(run.notes)
    return " · ".join(parts)


class RunStatus(Widget):
    """Shows what the run does. It changes once a second while a run is active or looked for, else never by itself."""

    def __init__(self, *, key: KeyOf = USUAL, now: Callable[[], float] = time.time) -> None:
        """`now` gives Unix seconds."""
        super().__init__(id="run-status")
        self._now = now
        self._stop = key("back")
        self._more_below = f"↓ more below ({key('thread-end')})"
        self._run: Run | None = None
        self._lost: tuple[str, int, float] | None = None
        """While something is tried again: what has not happened, the attempt, and when it is made."""
        self._sending: tuple[str, float] | None = None
        """What is under way without a run, and since when."""
        self._below = False
        self._shown = ""
        self._second: Timer | None = None

    def show_run(self, run: Run | None) -> None:
        """Show this run, or none."""
        self._run, self._lost, self._sending = run, None, None
        self._update()

    def show_sending(self, what: str) -> None:
        """Something is under way that no run tells of; "" is its end. It is said when it takes long."""
        self._sending = (what, self._now()) if what else None
        if not what:
            self._lost = None
        self._update()

    def show_retry(self, what: str, attempt: int, delay: float) -> None:
        """`what` is the case; the next attempt is made in `delay` seconds."""
        self._lost = (what, attempt, self._now() + delay)
        self._update()

    @property
    def retries(self) -> bool:
        """Whether a further attempt is counted down to."""
        return self._lost is not None

    def show_reconnected(self) -> None:
        """The server answers again."""
        self._lost = None
        self._update()

    def show_below(self, below: bool) -> None:
        """Whether unread text stands below the window."""
        self._below = below
        self.refresh()

    @property
    def words(self) -> str:
        """The line's text, whole."""
        if self._lost is not None:
            text = self._retry_words(*self._lost)
        elif self._sending is not None and self._now() - self._sending[1] >= LONG_REQUEST:
            text = f"{self._sending[0]} · {duration(self._now() - self._sending[1])} · {self._stop} stops"
        elif self._run is not None:
            text = run_words(self._run, self._now(), self._stop)
        else:
            text = ""
        return clean(text, newlines=False)

    def _retry_words(self, what: str, attempt: int, at: float) -> str:
        left = at - self._now()
        when = f"again in {duration(math.ceil(left))}" if left > 0 else "again now"
        return f"{what} · {when} (attempt {attempt}) · {self._stop} stops"

    def _update(self) -> None:
        waits = self._lost is not None or self._sending is not None
        active = waits or (self._run is not None and self._run.active)
        if active and self._second is None:
            self._second = self.set_interval(1, self._update)
        elif not active and self._second is not None:
            self._second.stop()
            self._second = None
        self.set_class(
            self._run is not None and self._run.status in ("failed", "expired", "incomplete"), "-ended-badly"
        )
        if self._shown != (words := self.words):
            self._shown = words
            self.refresh()

    def render(self) -> Content:
        below = self._more_below if self._below else ""
        room = self.size.width - cell_len(below)
        words = self.words
        if cell_len(words) > room:
            words = set_cell_size(words, max(0, room - 2)).rstrip() + "… "
        return Content(words + " " * (room - cell_len(words)) + below)
