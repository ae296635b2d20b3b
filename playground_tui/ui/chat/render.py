"""A block as lines of the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip

from playground_tui.text import clean
from playground_tui.ui.chat.block import Block, Kind
from playground_tui.ui.chat.blocks import cells, cut
from playground_tui.ui.chat.highlight import highlight, lexer
from playground_tui.ui.chat.inline import inline, parser
from playground_tui.ui.chat.palette import Palette
from playground_tui.ui.chat.wrapping import Span, fold, merged, strip, wrap

EDGE: Final = 1
"""Columns left free on both sides."""
LEAST: Final = 8
"""Least columns of text, however deep the margin."""

Line = list[Span]


def warm_up() -> None:
    """Load what rendering needs, 0.2 s or more of imports: in a thread, once the first paint is done."""
    parser()
    lexer("python")


def render(block: Block, width: int, palette: Palette) -> list[Strip]:
    """The lines of `block`, each `width` cells wide, with its blank line above."""
    spelled = palette.spelled
    info = clean(block.info, newlines=False)
    block = replace(block, text=spelled(clean(block.text)), info=info, context=spelled(block.context))
    room = max(LEAST, width - 2 * EDGE)
    lines = [strip([(" " * EDGE, palette.text), *line], width, palette.text) for line in _lines(block, room, palette)]
    return [Strip.blank(width, palette.text), *lines] if block.gap else lines


def _lines(block: Block, width: int, palette: Palette) -> list[Line]:
    margin = min(block.margin, max(0, width - LEAST))
    width -= margin
    if block.kind is Kind.CODE:
        lines = _code(block, width, palette)
    elif block.kind is Kind.TABLE:
        lines = _table(block, width, palette)
    elif block.kind is Kind.QUOTE:
        lines = _quote(block, width, palette)
    elif block.kind is Kind.RULE:
        lines = [[("─" * width, palette.dim)]]
    else:
        lines = _text(block, width, palette)
    return [[(" " * margin, palette.text), *line] for line in lines] if margin else lines


def _text(block: Block, width: int, palette: Palette) -> list[Line]:
    """A paragraph, a heading or literal text, behind its marker if it has one."""
    if block.kind is Kind.HEADING:
        style = palette.heading + Style(underline=True) if block.level == 1 else palette.heading
        return wrap(inline(block.text, style, palette), width)
    lead = block.marker + " " if block.marker else ""
    lines = wrap(_spans(block, palette), max(2, width - len(lead)))
    if not lead:
        return lines
    first, *rest = lines
    return [[(lead, palette.marker), *first], *([(" " * len(lead), palette.text), *line] for line in rest)]


def _spans(block: Block, palette: Palette) -> list[Span]:
    if block.kind is Kind.PARAGRAPH:
        return inline(block.text, palette.text, palette)
    style = {Kind.NOTE: palette.problem, Kind.ASIDE: palette.dim}.get(block.kind, palette.text)
    return [(block.text, style)]


def _code(block: Block, width: int, palette: Palette) -> list[Line]:
    lines = fold(highlight(block.text, block.info, palette), width - 2)
    return [_padded([(" ", palette.code), *line], width, palette.code) for line in lines]


def _quote(block: Block, width: int, palette: Palette) -> list[Line]:
    """A quote's blocks behind a bar."""
    text = "\n".join(line.removeprefix(">").removeprefix(" ") for line in block.text.split("\n"))
    quoted = replace(palette, text=palette.quote)
    found: list[Line] = []
    for number, inner in enumerate(cut(text)):
        if inner.gap and number:
            found.append([])
        found.extend(_lines(inner, max(2, width - 2), quoted))
    return [[("▎ ", palette.marker), *line] for line in found or [[]]]


def _padded(line: Line, width: int, style: Style) -> Line:
    used = sum(cell_len(text) for text, _ in line)
    return [*line, (" " * (width - used), style)] if used < width else line


def _table(block: Block, width: int, palette: Palette) -> list[Line]:
    widths, sides = _columns(block.context or block.text, width)
    rows = block.text.split("\n")
    if block.part:
        return [line for row in rows for line in _row(row, widths, sides, palette.text, palette)]
    head = _row(rows[0], widths, sides, palette.heading, palette)
    rule: Line = [("─┼─".join("─" * wide for wide in widths), palette.dim)]
    return [*head, rule, *(line for row in rows[2:] for line in _row(row, widths, sides, palette.text, palette))]


@lru_cache(maxsize=32)
def _columns(source: str, width: int) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Widths of a table's columns in cells, and on which side their text stands. Wide columns give way first."""
    head, rule, *rows = (cells(row) for row in source.split("\n"))
    sides = tuple(_side(cell) for cell in rule)
    wanted = [
        max((_shown_width(row[column]) for row in (head, *rows) if column < len(row)), default=1)
        for column in range(len(sides))
    ]
    return tuple(_shared(wanted, width - 3 * (len(wanted) - 1))), sides


def _side(cell: str) -> str:
    if cell.startswith(":") and cell.endswith(":"):
        return "center"
    return "right" if cell.endswith(":") else "left"


def _shown_width(cell: str) -> int:
    """Cells of a table's cell. Its markup is counted out roughly: too wide is harmless."""
    return max(1, cell_len(cell.replace("**", "").replace("`", "")))


def _shared(wanted: Sequence[int], room: int) -> list[int]:
    """The columns' widths when all of them share `room`: each gets what it wants or an equal part of what is left."""
    widths = [0] * len(wanted)
    left = room
    for place, column in enumerate(sorted(range(len(wanted)), key=lambda column: wanted[column])):
        part = max(2, left // (len(wanted) - place))
        widths[column] = min(wanted[column], part)
        left -= widths[column]
    return widths


def _row(row: str, widths: Sequence[int], sides: Sequence[str], base: Style, palette: Palette) -> list[Line]:
    texts = cells(row)
    columns = [
        wrap(inline(texts[place] if place < len(texts) else "", base, palette), wide)
        for place, wide in enumerate(widths)
    ]
    return [
        merged(list(_joined((_cell(column, number) for column in columns), widths, sides, palette)))
        for number in range(max(map(len, columns)))
    ]


def _cell(column: Sequence[Line], number: int) -> Line:
    return column[number] if number < len(column) else []


def _joined(parts: Iterable[Line], widths: Sequence[int], sides: Sequence[str], palette: Palette) -> Iterable[Span]:
    for place, part in enumerate(parts):
        if place:
            yield " │ ", palette.dim
        free = max(0, widths[place] - sum(cell_len(text) for text, _ in part))
        before = {"left": 0, "right": free, "center": free // 2}[sides[place]]
        yield " " * before, palette.text
        yield from part
        yield " " * (free - before), palette.text
