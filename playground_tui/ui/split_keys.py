"""Arrow keys that the line tore apart.

On a slow link the three bytes of an arrow key may arrive in two packets. Then they parse as escape, `[` (or `O`), and a
letter: the escape must not cancel anything, and the rest must not be typed.
"""

from __future__ import annotations

from collections.abc import Callable

GRACE = 0.15
"""Seconds after an escape in which the rest of a torn key is expected."""


class SplitKeys:
    """Told every escape and every character; says which characters are the rest of a torn key."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._escaped_at = float("-inf")
        self._inside = False

    def escaped(self) -> None:
        """An escape arrived."""
        self._escaped_at = self._clock()

    def swallows(self, character: str | None) -> bool:
        """Whether this character belongs to a torn key and is not to be typed."""
        if self._inside:
            self._inside = False
            return character is not None and character.isascii() and (character.isalpha() or character == "~")
        if character in {"[", "O"} and self._clock() - self._escaped_at < GRACE:
            self._escaped_at = float("-inf")
            self._inside = True
            return True
        return False
