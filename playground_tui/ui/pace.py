"""When the next frame of streaming text may go to the terminal, and how much of it.

An SSH connection takes megabytes before it makes a writer wait, so that a slow link shows itself only in what comes
back: after a frame the terminal is asked where its cursor is, and the next frame waits for the answer. Whatever is
echoed to a key then stands behind one frame at most, and a frame is no longer than the link carries in SPARE.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Final

QUESTION: Final = "\x1b[6n"
"""Asks the terminal for the place of its cursor (DSR); it answers once it has read all that was written before."""
LONGEST: Final = 1.0
"""Seconds a frame waits for the answer to the one before it, at most."""
SPARE: Final = 0.05
"""Seconds a frame may take on the line beside the way there and back."""
LEAST: Final = 256
"""Bytes that every frame may have, and from which on its time tells the link's speed."""
MUCH: Final = 1 << 20
"""The bytes of a frame while the link is not known to be slow."""
NOISE: Final = 0.02
"""Seconds an answer may take longer for other reasons than the link's speed."""
SPEEDS: Final = 8
"""Frames whose time on the link is remembered; the fastest of them counts."""
WAYS: Final = 64
"""Answers among which the shortest way there and back is looked for: routes change."""


class Pace:
    """Paces frames. `ask` writes QUESTION to the terminal; `written` gives the bytes written to it so far.

    Without any answer yet the frame rate alone counts: not every terminal answers.
    """

    def __init__(
        self,
        frame_rate: int,
        *,
        ask: Callable[[], None] | None = None,
        written: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._between = 1 / frame_rate
        self._ask = ask
        self._written = written
        self._clock = clock
        self._next = 0.0
        self._asked_at: float | None = None
        self._asked_with = 0
        self._began_with = 0
        self._ways: deque[float] = deque(maxlen=WAYS)
        self._speeds: deque[float] = deque(maxlen=SPEEDS)
        self.answers = False
        """Whether the terminal has answered in this session."""
        self.on_answer: Callable[[], None] = lambda: None
        """Called when a frame need not wait for an answer any longer."""

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._asked_at is not None

    @property
    def allowed(self) -> int:
        """Bytes that the next frame may have."""
        return max(LEAST, int(max(self._speeds) * SPARE)) if self._speeds else MUCH

    def begin(self) -> None:
        """The session begins, or goes on after another program had the terminal: ask whether there are answers."""
        self._question()

    def wait(self) -> float:
        """Seconds until the next frame may be made: 0 is now."""
        now = self._clock()
        wait = self._next - now
        if self.answers and self._asked_at is not None:
            wait = max(wait, self._asked_at + LONGEST - now)
        return max(0.0, wait)

    def frame_begins(self) -> None:
        """A frame is made now."""
        self._next = self._clock() + self._between
        self._began_with = self._written()

    def frame_ends(self) -> None:
        """Its bytes are written."""
        if self.answers:
            self._question()

    def answered(self) -> None:
        """The terminal has answered."""
        self.answers = True
        if self._asked_at is None:
            return  # The answer to a question that was given up.
        took = self._clock() - self._asked_at
        self._asked_at = None
        self._learn(took)
        self.on_answer()

    def _question(self) -> None:
        if self._ask is not None:
            self._asked_with = self._written() - self._began_with
            self._asked_at = self._clock()
            self._ask()

    def _learn(self, took: float) -> None:
        """What an answer after `took` seconds tells of the way and of the link's speed."""
        self._ways.append(took)
        if self._asked_with >= LEAST:
            self._speeds.append(self._asked_with / max(NOISE, took - min(self._ways)))
