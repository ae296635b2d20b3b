"""When a view paints: at its pace, and as much as the pace allows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual.timer import Timer
from textual.widget import Widget

from playground_tui.ui.pace import Pace


class Frames:
    """Calls `paint` with the bytes it may take, no oftener than the pace says; it gives whether something changed."""

    def __init__(self, view: Widget, pace: Pace, paint: Callable[[int], bool]) -> None:
        self._view = view
        self._pace = pace
        self._paint = paint
        self._timer: Timer | None = None
        # Told outside of every message: the view's own turn is waited for.
        pace.on_answer = partial(view.call_next, self._hurry)

    @property
    def coming(self) -> bool:
        """Whether there is going to be a frame."""
        return self._timer is not None

    def wake(self) -> None:
        """Have a frame soon, unless one is coming."""
        if self._timer is None and self._view.is_attached:
            self._timer = self._view.set_timer(max(0.001, self._pace.wait()), self._frame)

    def hurry(self) -> None:
        """Show now what has come, as the line allows: it is the last for a while."""
        self._pace.hurry()
        self._hurry()

    def _hurry(self) -> None:
        """The terminal has answered: the frame need not wait any longer."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
            self.wake()

    def _frame(self) -> None:
        self._timer = None
        if self._pace.wait():
            self.wake()
            return
        self._pace.frame_begins()
        if self._paint(self._pace.allowed):
            self._view.call_after_refresh(self._pace.frame_ends)
        else:
            self._pace.frame_ends(painted=False)
