"""Styled text broken into lines of a width in terminal cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from rich.cells import cell_len, split_graphemes
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

Span = tuple[str, Style]
"""Text in one style; it may hold newlines."""

TAB: Final = "    "
_WIDE = (
    "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\U00020000-\U0003fffd"
)
_PIECES: Final = re.compile(rf"\n| +|[{_WIDE}]|[^\n {_WIDE}]+")
"""A line may break at spaces and beside ideographs."""


class _Lines:
    """Lines being filled: spaces wait for the word after them, and are dropped where the line breaks."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines: list[list[Span]] = [[]]
        self.used = 0
        self.word: list[Span] = []
        self.word_width = 0
        self.spaces: Span | None = None

    def add(self, text: str, style: Style) -> None:
        for piece in _PIECES.findall(text):
            if piece == "\n":
                self.flush()
                self.break_line()
            elif piece[0] == " ":
                self.flush()
                self.spaces = (piece, style)
            elif piece[0] >= "\u1100" and cell_len(piece) == 2 and len(piece) == 1 and not self._joined():
                self.flush()
                self.word, self.word_width = [(piece, style)], 2
                self.flush()
            else:
                self.word.append((piece, style))
                self.word_width += cell_len(piece)

    def _joined(self) -> bool:
        """Whether the next character belongs to the same emoji."""
        return bool(self.word) and self.word[-1][0].endswith("\u200d")

    def break_line(self) -> None:
        self.lines.append([])
        self.used, self.spaces = 0, None

    def flush(self) -> None:
        """Put the finished word on this line, or on the next."""
        if not self.word:
            return
        space = len(self.spaces[0]) if self.spaces else 0
        if self.used and self.used + space + self.word_width > self.width:
            self.break_line()
        if self.spaces and self.used + space < self.width:
            self.lines[-1].append(self.spaces)
            self.used += space
        self.spaces = None
        if self.used + self.word_width > self.width:
            self._chop()
        else:
            self.lines[-1].extend(self.word)
            self.used += self.word_width
        self.word, self.word_width = [], 0

    def _chop(self) -> None:
        """A word wider than a line is cut where the line is full."""
        for text, style in self.word:
            for part in chop(text, self.width):
                width = cell_len(part)
                if self.used and self.used + width > self.width:
                    self.break_line()
                self.lines[-1].append((part, style))
                self.used += width


def wrap(spans: Iterable[Span], width: int) -> list[list[Span]]:
    """The lines of `spans`, none of them wider than `width` (at least 2) cells."""
    lines = _Lines(max(2, width))
    for text, style in spans:
        lines.add(text.replace("\t", TAB), style)
    lines.flush()
    return lines.lines


def fold(spans: Iterable[Span], width: int) -> list[list[Span]]:
    """The lines of code: broken only where the width is full, every space kept."""
    width = max(2, width)
    lines: list[list[Span]] = [[]]
    used = 0
    for text, style in spans:
        for number, line in enumerate(text.replace("\t", TAB).split("\n")):
            if number:
                lines.append([])
                used = 0
            if not line:
                continue
            if used + cell_len(line) <= width:
                lines[-1].append((line, style))
                used += cell_len(line)
            else:
                used = _fold_long(lines, line, style, used, width)
    return lines


def _fold_long(lines: list[list[Span]], line: str, style: Style, used: int, width: int) -> int:
    """Fill the last line with `line` and go on in new ones. Gives the cells used of the last."""
    first, rest = _split(line, width - used)
    if first:
        lines[-1].append((first, style))
    for part in chop(rest, width):
        lines.append([(part, style)])
        used = cell_len(part)
    return used


def _split(text: str, width: int) -> tuple[str, str]:
    """As much of `text` as fits in `width` cells, and the rest."""
    if width <= 0:
        return "", text
    first = chop(text, width)[0]
    return (first, text[len(first) :]) if cell_len(first) <= width else ("", text)


def chop(text: str, width: int) -> list[str]:
    """`text` in pieces of at most `width` cells; a character wider than that is a piece of its own."""
    pieces = [""]
    used = 0
    for start, end, cells in split_graphemes(text)[0]:
        if used and used + cells > width:
            pieces.append("")
            used = 0
        pieces[-1] += text[start:end]
        used += cells
    return pieces


def merged(spans: Sequence[Span]) -> list[Span]:
    """Neighbours in the same style as one."""
    found: list[Span] = []
    for text, style in spans:
        if found and found[-1][1] == style:
            found[-1] = (found[-1][0] + text, style)
        else:
            found.append((text, style))
    return found


def strip(spans: Sequence[Span], width: int, fill: Style) -> Strip:
    """A line as a strip of exactly `width` cells."""
    used = sum(cell_len(text) for text, _ in spans)
    if used < width:
        spans = [*spans, (" " * (width - used), fill)]
        used = width
    line = Strip([Segment(text, style) for text, style in merged(spans)], used)
    return line if used == width else line.crop(0, width)
