"""A text that grows by a token at a time."""

from __future__ import annotations

LOOSE = 64
"""Pieces that are kept as they came. Each is an object: ten times the memory of what it says."""


class GrowingText:
    """The pieces of a text, few of them loose."""

    __slots__ = ("_joined", "_loose")

    def __init__(self) -> None:
        self._joined: list[str] = []
        self._loose: list[str] = []

    def add(self, piece: str) -> None:
        """Take one more piece."""
        self._loose.append(piece)
        if len(self._loose) == LOOSE:
            self._joined.append("".join(self._loose))
            self._loose = []

    def whole(self) -> str:
        """The text so far, kept as one piece from now on."""
        if self._loose or len(self._joined) > 1:
            self._joined = ["".join([*self._joined, *self._loose])]
            self._loose = []
        return self._joined[0] if self._joined else ""
