"""A comparison as lines of a width: side by side, or one below the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from rich.style import Style
from textual.strip import Strip

from playground_tui.assistants.comparison import Line, Row
from playground_tui.assistants.differences import Difference
from playground_tui.ui.chat.wrapping import Span, strip, wrap

PREFIX: Final = "comparison--"
NAMES: Final = ("same", "old", "new", "old-word", "new-word", "skipped", "field")
CLASSES: Final = {PREFIX + name for name in NAMES}
"""The component classes of the view that gives a comparison its colours."""
OLD, NEW, SAME = "- ", "+ ", "  "
"""What a line begins with, so that it is told apart without colours."""
MIDDLE: Final = " │ "


@dataclass(frozen=True, slots=True)
class Look:
    """The styles, and how wide a line is; `columns` is whether both states stand side by side."""

    width: int
    columns: bool
    styles: dict[str, Style]

    @property
    def column(self) -> int:
        """Cells of one column."""
        return (self.width - len(MIDDLE)) // 2


def laid_out(differences: Sequence[Difference], look: Look) -> list[Strip]:
    """All lines. It takes a while for long texts: call it in a thread."""
    return list(_lines(differences, look))


def _lines(differences: Sequence[Difference], look: Look) -> Iterator[Strip]:
    same = look.styles["same"]
    for number, difference in enumerate(differences):
        if number:
            yield Strip.blank(look.width, same)
        yield strip([(difference.name, look.styles["field"])], look.width, same)
        for row in difference.rows:
            yield from _side_by_side(row, look) if look.columns else _stacked(row, look)
        if difference.note:
            yield from _wrapped([(difference.note, look.styles["skipped"])], SAME, look.width, look)


def _side_by_side(row: Row, look: Look) -> Iterator[Strip]:
    same = look.styles["same"]
    one, other = (_of(line, row.same, side, look.column, look) for line, side in ((row.old, "old"), (row.new, "new")))
    blank = Strip.blank(look.column, same)
    middle = strip([(MIDDLE, look.styles["skipped"])], len(MIDDLE), same)
    rest = Strip.blank(look.width - 2 * look.column - len(MIDDLE), same)
    for left, right in zip_longest(one, other, fillvalue=blank):
        yield Strip.join([left, middle, right, rest])


def _stacked(row: Row, look: Look) -> Iterator[Strip]:
    yield from _of(row.old, row.same, "old", look.width, look)
    if not row.same:
        yield from _of(row.new, False, "new", look.width, look)


def _of(line: Line | None, same: bool, side: str, width: int, look: Look) -> list[Strip]:
    """One side's line, broken to the width; none where there is no line."""
    if line is None:
        return []
    styles = {
        "same": look.styles["same" if same else side],
        "changed": look.styles[f"{side}-word"],
        "skipped": look.styles["skipped"],
    }
    mark = SAME if same else OLD if side == "old" else NEW
    # A line that is new as a whole has nothing to be told apart from.
    whole = all(piece.look == "changed" for piece in line)
    return _wrapped([(p.text, look.styles[side] if whole else styles[p.look]) for p in line], mark, width, look)


def _wrapped(spans: Sequence[Span], mark: str, width: int, look: Look) -> list[Strip]:
    style = {OLD: look.styles["old"], NEW: look.styles["new"], SAME: look.styles["same"]}[mark]
    lines = wrap(spans, width - len(mark))
    return [strip([(mark, style), *line], width, look.styles["same"]) for line in lines]
