"""What the terminal shows, cell by cell, so that an update sends only the cells that differ.

Textual repaints whole widgets: a key in a text area sends its borders too, a thread that grew its whole scroll bar.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.style import Style
from textual.strip import Strip

from playground_tui.text import replaced
from playground_tui.ui.chat.damage import NARROW

GAP: Final = 6
"""Unchanged cells between two changed ones that are sent all the same: a move of the cursor is longer."""


class Pen(NamedTuple):
    """What a terminal writes with: codes of attributes such as bold, of the text's colour and of the background."""

    attributes: str = ""
    colour: str = ""
    background: str = ""


PLAIN: Final = Pen()
_UNSEEN: Final = frozenset(("", "1", "2", "3", "5", "6"))
"""Attributes that a blank does not show: bold, dim, italic and blinking."""

_ENDS: Final = {ord("\n"): None, ord("\t"): None}
"""Within a line they have no cell."""

Cell = tuple[str, Pen]
"""Text and how it is written. Of a text that is no sequence of narrow characters the first cell has all of it, and the
others have none."""


@lru_cache(maxsize=4096)
def pen_of(style: Style | None, system: ColorSystem) -> Pen:
    """The pen for a style, in the colours there are."""
    if style is None:
        return PLAIN
    colour, background = (
        ";".join(colour.downgrade(system).get_ansi_codes(foreground=front)) if colour is not None else ""
        for colour, front in ((style.color, True), (style.bgcolor, False))
    )
    return Pen(style.without_color._make_ansi_codes(system), colour, background)


@lru_cache(maxsize=4096)
def marks_blanks(pen: Pen) -> bool:
    """Whether more than the background of a blank is seen: a line, or the text's colour as its background."""
    return not _UNSEEN.issuperset(pen.attributes.split(";"))


@lru_cache(maxsize=4096)
def blank(pen: Pen) -> Pen:
    """What is seen of a blank: blanks that look the same are the same."""
    return pen if marks_blanks(pen) else Pen(background=pen.background)


@lru_cache(maxsize=4096)
def change(old: Pen, new: Pen) -> str:
    """The sequence that makes the old pen the new one."""
    if old == new:
        return ""
    lost = any(was and not now for was, now in zip(old, new, strict=True)) or old.attributes not in ("", new.attributes)
    if lost:
        return "\x1b[" + ";".join(filter(None, ("0", *new))) + "m"
    return "\x1b[" + ";".join(now for was, now in zip(old, new, strict=True) if now and was != now) + "m"


def cells_of(strip: Strip, system: ColorSystem) -> list[Cell]:
    """The cells of a strip."""
    cells: list[Cell] = []
    for segment in strip:
        pen = pen_of(segment.style, system)
        text = segment.text
        if NARROW.fullmatch(text):
            gap = (" ", blank(pen))
            cells += [gap if character == " " else (character, pen) for character in text]
        elif length := segment.cell_length:
            cells.append((harmless(text), pen))
            cells += [("", pen)] * (length - 1)
        elif cells:
            cells[-1] = (cells[-1][0] + harmless(text), cells[-1][1])
    return cells


def harmless(text: str) -> str:
    """`text` in as many cells, with nothing in it that a terminal obeys.

    The last look at whatever a widget shows: what is made visible by `clean` before it comes here is left as it is.
    """
    return replaced(text.translate(_ENDS), lambda character: "\ufffd" * cell_len(character))


class Shown:
    """The lines of the terminal. One that is not known is sent whole."""

    def __init__(self) -> None:
        self._lines: dict[int, list[Cell]] = {}
        self._width = 0

    def forget(self) -> None:
        """The terminal may show anything: it was cleared, resized, used by another program, or missed something."""
        self._lines.clear()

    def paint_line(self, y: int, strips: Iterable[Strip], system: ColorSystem) -> Iterator[tuple[int, list[Cell]]]:
        """Show a whole line; gives where to write what."""
        new = [cell for strip in strips for cell in cells_of(strip, system)]
        old = self._lines.get(y)
        self._lines[y] = new
        return iter([(0, new)]) if old is None or len(old) != len(new) else differing(old, new, 0)

    def paint(self, y: int, at: int, strip: Strip, system: ColorSystem) -> Iterator[tuple[int, list[Cell]]]:
        """Show a strip from column `at` on; gives where to write what."""
        new = cells_of(strip, system)
        line, end = self._lines.get(y), at + len(new)
        if line is None or end > len(line):
            self._lines.pop(y, None)
            return iter([(at, new)])
        old, line[at:end] = line[at:end], new
        if not old[0][0] or (end < len(line) and not line[end][0]):
            del self._lines[y]  # A wide character was cut in two: what is left of it is the terminal's choice.
            return iter([(at, new)])
        return differing(old, new, at)


def differing(old: list[Cell], new: list[Cell], at: int) -> Iterator[tuple[int, list[Cell]]]:
    """The runs of new cells that differ from the old ones of the same places, the first of which is `at`."""
    changed = [place for place, (before, after) in enumerate(zip(old, new, strict=True)) if before != after]
    while changed:
        start = end = changed[0]
        count = 0
        for place in changed:
            if place > end + GAP:
                break
            end = place + 1
            count += 1
        del changed[:count]
        while not new[start][0]:
            start -= 1
        while end < len(new) and not (new[end][0] and old[end][0]):
            end += 1
        yield at + start, new[start:end]
