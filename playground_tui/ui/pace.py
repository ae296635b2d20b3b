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
LOST: Final = 5.0
"""Seconds of waiting without a break after which an answer is taken for lost: all later ones count for it."""
SPARE: Final = 0.025
"""Seconds a frame may take on the line beside the way there and back."""
LAST_SPARE: Final = 0.25
"""The same of the frame that is the last for a while: one echo may wait for it, and the end of an answer is there."""
LEAST: Final = 256
"""Bytes that every frame may have, and from which on its time tells the link's speed."""
MUCH: Final = 1 << 20
"""The bytes of a frame while the link is not known to be slow."""
NOISE: Final = 0.02
"""Seconds an answer may take longer for other reasons than the link's speed."""
FIRST: Final = 2000
"""The bytes of a frame to a terminal that is far away, before its link's speed is known."""
SPEEDS: Final = 4
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
        self._open = self._last = False
        self._began_at = 0.0
        self._began_with = 0
        self._asked: deque[tuple[float, int]] = deque()
        """Questions without an answer yet: when each was asked, and the bytes of its frame."""
        self._waits_since = 0.0
        self._ways: deque[float] = deque(maxlen=WAYS)
        self._frames: deque[tuple[int, float]] = deque(maxlen=SPEEDS)
        """Bytes, and the seconds until the answer."""
        self.answers = False
        """Whether the terminal has answered in this session."""
        self.on_answer: Callable[[], None] = lambda: None
        """Called when a frame need not wait for an answer any longer."""

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._asked)

    @property
    def allowed(self) -> int:
        """Bytes that the next frame may have."""
        way = min(self._ways, default=0.0)
        if not self._frames:
            return MUCH if way < NOISE else FIRST
        speed = max(size / max(NOISE, took - way) for size, took in self._frames)
        return max(LEAST, int(speed * (LAST_SPARE if self._last else SPARE)))

    def begin(self) -> None:
        """The session begins, or goes on after another program had the terminal: ask whether there are answers."""
        self._asked.clear()
        self._question()

    def wait(self) -> float:
        """Seconds until the next frame may be made: 0 is now."""
        now = self._clock()
        until = self._next
        if self.answers and (self._asked or self._open):
            until = max(until, self._began_at + LONGEST)
        return max(0.0, until - now)

    def hurry(self) -> None:
        """The next frame need not keep to the frame rate, and may be long: none will follow it soon."""
        self._next = 0.0
        self._last = True

    def frame_begins(self) -> None:
        """A frame is made now."""
        self._open = True
        self._began_at = self._clock()
        self._next = self._began_at + self._between
        self._began_with = self._written()

    def frame_ends(self, *, painted: bool = True) -> None:
        """Its bytes are written, or it had none."""
        self._open = self._last = False
        if self.answers and painted:
            self._question()

    def answered(self) -> None:
        """The terminal has answered."""
        self.answers = True
        if not self._asked:
            return  # The answer to a question that was given up.
        asked_at, size = self._asked.popleft()
        self._ways.append(self._clock() - asked_at)
        if size >= LEAST:
            self._frames.append((size, self._ways[-1]))
        if not self._asked:
            self.on_answer()

    def _question(self) -> None:
        now = self._clock()
        if self._asked and now - self._waits_since > LOST:
            self._asked.clear()
        if not self._asked:
            self._waits_since = now
        if self._ask is not None:
            self._asked.append((now, self._written() - self._began_with))
            self._ask()
