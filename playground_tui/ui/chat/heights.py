"""Running sums of a list of heights."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable


class Heights:
    """Heights in lines, and where each begins. A change costs only what comes after it."""

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = list(heights)
        self._tops = [0]
        """The tops known so far; the first is always known."""

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, index: int) -> int:
        return self._heights[index]

    def __setitem__(self, index: int, height: int) -> None:
        if self._heights[index] != height:
            self._heights[index] = height
            del self._tops[index + 1 :]

    def append(self, height: int) -> None:
        self._heights.append(height)

    def truncate(self, length: int) -> None:
        """Keep the first `length`."""
        del self._heights[length:]
        del self._tops[length + 1 :]

    def insert(self, index: int, heights: Iterable[int]) -> None:
        """Put `heights` before `index`."""
        self._heights[index:index] = heights
        del self._tops[index + 1 :]

    @property
    def total(self) -> int:
        return self.top(len(self._heights))

    def top(self, index: int) -> int:
        """The first line of `index`; of the length, the first line after all."""
        top = self._tops[-1]
        for height in self._heights[len(self._tops) - 1 : index]:
            top += height
            self._tops.append(top)
        return self._tops[index]

    def find(self, line: int) -> int:
        """The index whose lines hold `line`; the last one for lines beyond the end. Not for an empty list."""
        self.top(len(self._heights))
        return min(max(0, bisect_right(self._tops, line) - 1), len(self._heights) - 1)
