"""Text as a widget may show it, and what an edit of it means for the text itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Clean = Callable[[str], str]
Piece = tuple[str, str]
"""A part of the text, and that part cleaned."""

# Cut where two plain characters meet: there, cleaning the parts equals cleaning the whole.
_PIECES = re.compile(r"[\s\S]{48}[\s\S]*?[!-~](?=[!-~])|[\s\S]+")


@dataclass(frozen=True, slots=True)
class Shown:
    """A text and its cleaned form. A text that is clean has no pieces."""

    text: str
    shown: str
    clean: Clean
    pieces: Sequence[Piece] = field(default=(), repr=False)

    @classmethod
    def of(cls, text: str, clean: Clean) -> Shown:
        shown = clean(text)
        return cls(text, shown, clean, _pieces(text, clean) if shown != text else ())

    def edited(self, shown: str) -> Shown:
        """After an edit of what is shown: characters that cannot be shown stay where the edit did not touch them."""
        if shown == self.shown:
            return self
        if not self.pieces:
            return Shown(shown, shown, self.clean)
        pieces = self._edited_pieces(shown)
        text = "".join(piece for piece, _ in pieces)
        return Shown(text, shown, self.clean, pieces if text != shown else ())

    def _edited_pieces(self, shown: str) -> list[Piece]:
        start = _alike(self.shown, shown)
        end = min(_alike(self.shown[::-1], shown[::-1]), min(len(self.shown), len(shown)) - start)
        first, before = _whole(self.pieces, start)
        last, after = _whole(self.pieces[first:][::-1], end)
        touched = self.pieces[first : len(self.pieces) - last]
        middle = shown[before : len(shown) - after]
        text = self._spliced(touched, middle, start - before, end - after)
        return [*self.pieces[:first], *_pieces(text, self.clean), *self.pieces[len(self.pieces) - last :]]

    def _spliced(self, touched: Sequence[Piece], shown: str, start: int, end: int) -> str:
        """The touched text after the edit; `start` and `end` characters of what it shows are as they were."""
        if not touched:
            return shown
        first, last = touched[0][0], touched[-1][0]
        head = self._longest(len(first), start, lambda size: first[:size])
        left = len(last) - len(head) if len(touched) == 1 else len(last)
        tail = self._longest(left, end, lambda size: last[len(last) - size :])
        text = head + shown[len(self.clean(head)) : len(shown) - len(self.clean(tail))] + tail
        return text if self.clean(text) == shown else shown

    def _longest(self, size: int, limit: int, part: Callable[[int], str]) -> str:
        """The longest part, of at most `size` characters, that shows as at most `limit`."""
        while size and len(self.clean(part(size))) > limit:
            size -= 1
        return part(size)


def _pieces(text: str, clean: Clean) -> list[Piece]:
    return [(piece, clean(piece)) for piece in _PIECES.findall(text)]


def _whole(pieces: Sequence[Piece], limit: int) -> tuple[int, int]:
    """How many of the first pieces show as at most `limit` characters together, and as how many."""
    total = 0
    for count, (_, shown) in enumerate(pieces):
        if total + len(shown) > limit:
            return count, total
        total += len(shown)
    return len(pieces), total


def _alike(one: str, other: str) -> int:
    """How many characters both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
