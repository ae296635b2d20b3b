"""Which cells of a window changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Final

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip

NARROW: Final = re.compile(
    "[\x20-\x7e\xa0-\u02ff\u0370-\u0482\u048a-\u052f\u1e00-\u1eff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf"
    "\u2190-\u2193\u2500-\u259f]*"
)
"""Texts of which each character stands alone in one cell."""


LINE_COST: Final = 20
"""Bytes of where a changed line is, about."""
CELL_COST: Final = 2.0
"""Bytes of a changed cell with its share of the line's colours, about."""


def changed_regions(old: Sequence[Strip], new: list[Strip], allowed: float) -> tuple[list[Region], bool]:
    """The cells that changed, as many lines as `allowed` bytes hold and one at least, and whether lines are left.

    A line that is left is put back into `new` as it was: it is what the terminal goes on to show.
    """
    regions: list[Region] = []
    left = False
    for y, (before, after) in enumerate(zip(old, new, strict=True)):
        if before is after or not (cells := changed_cells(before, after)):
            continue
        allowed -= (cells[1] - cells[0]) * CELL_COST + LINE_COST
        if regions and allowed < 0:
            new[y], left = before, True
        else:
            regions.append(Region(cells[0], y, cells[1] - cells[0], 1))
    return regions, left


def changed_cells(old: Strip, new: Strip) -> tuple[int, int] | None:
    """First changed cell and the one after the last, or None when the lines show the same."""
    before, after = list(old), list(new)
    start = _same_cells(before, after, backwards=False)
    if start is None:
        return None
    same_end = _same_cells(before[::-1], after[::-1], backwards=True) or 0
    end = max(old.cell_length, new.cell_length) - (same_end if old.cell_length == new.cell_length else 0)
    return start, max(start + 1, end)


def _same_cells(before: list[Segment], after: list[Segment], *, backwards: bool) -> int | None:
    """Cells that are the same from one end; None when all are.

    A segment with wide or combining characters counts as a whole: a cell of it may change with its neighbour.
    """
    cells = 0
    for old, new in zip_longest(before, after):
        if old is None or new is None:
            return cells
        if old == new:
            cells += new.cell_length
            continue
        if old.style == new.style and NARROW.fullmatch(old.text) and NARROW.fullmatch(new.text):
            cells += _common(old.text[::-1], new.text[::-1]) if backwards else _common(old.text, new.text)
        return cells
    return None


def _common(one: str, other: str) -> int:
    """Length of the common beginning."""
    for index, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return index
    return min(len(one), len(other))
