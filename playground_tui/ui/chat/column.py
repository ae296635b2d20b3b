"""All items of the thread, one below the other, with the lines near the window rendered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from textual.strip import Strip

from playground_tui.ui.chat.heights import Heights
from playground_tui.ui.chat.items import Item, Unit
from playground_tui.ui.chat.palette import Palette

KEPT_UNITS: Final = 1_500
"""Rendered units kept in memory; those far from the window are dropped first."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the thread that keeps its meaning when heights change: an item, its unit, and a line of that."""

    item: Item
    unit: int
    line: int


class Column:
    """The thread's items at one width. Heights of what is far from the window are estimates."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.width = 0
        self._heights = Heights()
        self._rendered: dict[Unit, None] = {}

    def replace(self, items: Sequence[Item]) -> None:
        """Show other items."""
        self.items = list(items)
        self._rendered = {}
        self._mark_first()
        self._measure()

    def _measure(self) -> None:
        self._heights = Heights(item.height(self.width) for item in self.items)

    def _mark_first(self) -> None:
        if self.items:
            self.items[0].first = True

    def resize(self, width: int) -> None:
        """Lay out anew, lazily."""
        if width != self.width:
            self.width = width
            self._measure()

    def recolour(self) -> None:
        """Drop every rendered line."""
        for item in self.items:
            item.forget()

    def append(self, item: Item) -> None:
        self.items.append(item)
        self._mark_first()
        self._heights.append(item.height(self.width))

    def insert(self, index: int, items: Sequence[Item]) -> None:
        """Put `items` before the item at `index`."""
        if index == 0 and self.items:
            self.items[0].first = False
            self.items[0].touch_header()
        self.items[index:index] = items
        self._mark_first()
        self._heights.insert(index, (item.height(self.width) for item in items))

    def index(self, item: Item) -> int:
        """Where an item stands. Most questions are about the last ones."""
        for index in range(len(self.items) - 1, -1, -1):
            if self.items[index] is item:
                return index
        raise ValueError(item.key)

    @property
    def height(self) -> int:
        """Lines of the whole thread, as far as known."""
        return self._heights.total

    def place(self, line: int) -> Place | None:
        """What stands at a line of the thread; the last place for lines below it."""
        if not self.items:
            return None
        index = self._heights.find(line)
        item = self.items[index]
        self.open(index)
        unit = item.heights.find(line - self._heights.top(index))
        return Place(item, unit, max(0, line - self._heights.top(index) - item.heights.top(unit)))

    def line(self, place: Place | None) -> int:
        """The line of the thread where a place is now."""
        if place is None:
            return 0
        unit = min(place.unit, max(0, len(place.item.heights) - 1))
        inside = min(place.line, max(0, place.item.heights[unit] - 1)) if len(place.item.heights) else 0
        return self._heights.top(self.index(place.item)) + place.item.heights.top(unit) + inside

    def top(self, item: Item) -> int:
        """The first line of an item."""
        return self._heights.top(self.index(item))

    def open(self, index: int) -> Item:
        """The item at `index` with its blocks cut."""
        item = self.items[index]
        item.open(self.width)
        self._heights[index] = item.heights.total
        return item

    def settle(self, place: Place, above: int, below: int, palette: Palette, now: float) -> None:
        """Render, and so measure, `above` lines above and `below` lines from `place` on. `now` is Unix seconds."""
        index = self.index(place.item)
        self._render(self._downwards(index, place.unit), below, palette, now)
        self._render(self._upwards(index, place.unit), above, palette, now)
        self._forget_far()

    def _render(self, units: Iterator[tuple[int, int]], lines: int, palette: Palette, now: float) -> None:
        for index, unit in units:
            lines -= len(self._lines(index, unit, palette, now))
            if lines <= 0:
                return

    def _lines(self, index: int, unit: int, palette: Palette, now: float) -> list[Strip]:
        item = self.items[index]
        lines = item.lines(unit, palette, now)
        self._heights[index] = item.heights.total
        known = item.units[unit]
        self._rendered.pop(known, None)
        self._rendered[known] = None
        return lines

    def _forget_far(self) -> None:
        """Drop the lines of the units seen longest ago; their heights stay known."""
        for unit in list(self._rendered)[: max(0, len(self._rendered) - KEPT_UNITS)]:
            unit.strips = None
            del self._rendered[unit]

    def _upwards(self, index: int, unit: int) -> Iterator[tuple[int, int]]:
        for at in range(index, -1, -1):
            item = self.open(at)
            first = min(unit, len(item.units)) - 1 if at == index else len(item.units) - 1
            yield from ((at, below) for below in range(first, -1, -1))

    def _downwards(self, index: int, unit: int) -> Iterator[tuple[int, int]]:
        for at in range(index, len(self.items)):
            item = self.open(at)
            yield from ((at, above) for above in range(unit if at == index else 0, len(item.units)))

    def window(self, top: int, height: int, palette: Palette, now: float) -> list[Strip]:
        """The lines from `top` on, at most `height` of them."""
        place = self.place(top)
        if place is None or top >= self.height:
            return []
        found: list[Strip] = []
        skip = place.line
        for at, unit in self._downwards(self.index(place.item), place.unit):
            found.extend(self._lines(at, unit, palette, now)[skip:])
            skip = 0
            if len(found) >= height:
                break
        return found[:height]
