"""Markdown cut into blocks while it streams in.

A block is a paragraph, list item, heading, code, quote, table or rule that is rendered by itself. A finished block
never changes again, so each frame renders the unfinished end alone and a token costs the same at the end of a long
answer as at its beginning. Enormous blocks are cut into parts at places that depend on the text alone, so that any
chunking of the stream gives the blocks of the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from playground_tui.ui.chat.block import Block, Kind

PARAGRAPH_LIMIT: Final = 2_000
"""Characters after which a paragraph goes on in a new part, at the end of a line."""
LINE_LIMIT: Final = 3_000
"""Characters after which a single line is cut."""
CODE_LINES: Final = 64
"""Lines of code in one part; after CODE_SOFT lines a blank line ends the part."""
CODE_SOFT: Final = 32
ROWS: Final = 40
"""Lines of a table or a quote in one part."""


@dataclass(frozen=True, slots=True)
class _Level:
    """An open list: columns of its marker and content in the source, of its content on screen, and its last number."""

    indent: int
    content: int
    margin: int
    number: int | None

    @property
    def inside(self) -> int:
        """Least indentation of what belongs to the item. Two columns are enough even after a wide number."""
        return min(self.content, self.indent + 2)


_RULE = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})")
_FENCE = re.compile(r"(`{3,}(?=[^`]*$)|~{3,})[ \t]*(.*)")
_HEADING = re.compile(r"(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*")
_ITEM = re.compile(r"([-*+]|(\d{1,9})[.)])(?:([ \t]+)(.*)|$)")
_UNDERLINE = re.compile(r"=+|-+")
_DELIMITER = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?")


class _Reader:
    """Takes whole lines and gives finished blocks in `out`."""

    def __init__(self, markdown: bool) -> None:
        self.markdown = markdown
        self.out: list[Block] = []
        self.open: Block | None = None
        self.lines: list[str] = []
        self.size = 0
        self.fence = ""
        self.levels: list[_Level] = []
        self.gap = False
        self.cut_line = False

    def fork(self) -> _Reader:
        """A reader that goes on from here without changing this one."""
        other = _Reader(self.markdown)
        other.open, other.lines, other.size, other.fence = self.open, self.lines[:], self.size, self.fence
        other.levels, other.gap, other.cut_line = self.levels[:], self.gap, self.cut_line
        return other

    def line(self, line: str) -> None:
        line = line.removesuffix("\r")
        if self.cut_line:
            self.cut_line = False
            self._add(line)
        elif self.fence:
            self._code_line(line)
        elif not (body := line.strip(" \t")):
            self._blank()
        else:
            self._text_line(_indent(line), body, line)

    def piece(self, piece: str) -> None:
        """The beginning of a line too long to wait for its end."""
        self.line(piece)
        self.cut_line = True
        if self.open is not None:
            self._part()

    def close(self) -> None:
        """Finish the open block."""
        if self.open is not None and (self.lines or not self.open.part):
            self.out.append(replace(self.open, text="\n".join(self.lines)))
        self.open, self.lines, self.size, self.fence = None, [], 0, ""

    def _blank(self) -> None:
        self.close()
        self.gap = True

    def _begin(self, block: Block, *lines: str) -> None:
        self.close()
        self.open = replace(block, gap=self.gap and block.part == 0)
        self.gap = False
        self.lines = list(lines)
        self.size = sum(map(len, lines))

    def _part(self) -> None:
        """Finish what there is of the open block, which goes on in a new part."""
        block, fence = self.open, self.fence
        if block is None:
            return
        context = block.context or "\n".join(self.lines) if block.kind is Kind.TABLE else ""
        margin = self.levels[-1].margin if block.marker and self.levels else block.margin
        self._begin(replace(block, part=block.part + 1, context=context, margin=margin, marker=""))
        self.fence = fence

    def _add(self, line: str) -> None:
        """One more line of the open block."""
        if self.open is None:
            self._begin(Block(Kind.PARAGRAPH if self.markdown else Kind.TEXT))
        elif self._full():
            self._part()
        self.lines.append(line)
        self.size += len(line)

    def _full(self) -> bool:
        if self.open is not None and self.open.kind in (Kind.TABLE, Kind.QUOTE):
            return len(self.lines) >= ROWS or self.size >= PARAGRAPH_LIMIT * 2
        return self.size >= PARAGRAPH_LIMIT or len(self.lines) >= CODE_LINES

    def _code_line(self, line: str) -> None:
        body = line.strip(" \t")
        if body.startswith(self.fence) and not body.strip(self.fence[0]):
            self.close()
            return
        if len(self.lines) >= CODE_LINES or (not body and len(self.lines) >= CODE_SOFT) or self.size >= 2 * LINE_LIMIT:
            self._part()
        margin = self.open.level if self.open is not None else 0
        self.lines.append(_dedent(line, margin))
        self.size += len(line)

    def _text_line(self, indent: int, body: str, line: str) -> None:
        if not self.markdown:
            if not self._fence(indent, body):
                self._add(line)
        elif not self._goes_on(body) and not self._starts(indent, body):
            self._paragraph_line(indent, body, line)

    def _goes_on(self, body: str) -> bool:
        """Whether the line belongs to the open table or quote, or makes the open paragraph a heading or a table."""
        kind = self.open.kind if self.open is not None else None
        if (kind is Kind.TABLE and "|" in body) or (kind is Kind.QUOTE and body[0] == ">"):
            self._add(body)
            return True
        return kind is Kind.PARAGRAPH and (self._heading_line(body) or self._delimiter(body))

    def _heading_line(self, body: str) -> bool:
        if self.open is None or self.open.marker or self.open.part or not self.lines or not _UNDERLINE.fullmatch(body):
            return False
        self.open = replace(self.open, kind=Kind.HEADING, level=1 if body[0] == "=" else 2)
        self.close()
        return True

    def _delimiter(self, body: str) -> bool:
        """Begin a table if the last line of the open paragraph can be its head."""
        head = self.lines[-1] if self.lines else ""
        if "|" not in head or not _DELIMITER.fullmatch(body) or len(cells(head)) != len(cells(body)):
            return False
        if self.open is None or (self.open.marker and len(self.lines) == 1):
            return False
        block, rest = self.open, self.lines[:-1]
        if rest:
            self.lines = rest
            self.close()
        else:
            self.gap, self.open = block.gap, None
        self._begin(Block(Kind.TABLE, margin=block.margin), head, body)
        return True

    def _starts(self, indent: int, body: str) -> bool:
        """Whether the line begins a block that needs no blank line before it."""
        if self._too_deep(indent) and not (self.levels and _ITEM.fullmatch(body)):
            return False
        if _RULE.fullmatch(body):
            self._begin(Block(Kind.RULE, margin=self._margin(indent)))
            self.close()
            return True
        return self._fence(indent, body) or self._heading(indent, body) or self._quote(indent, body) or self._item(
            indent, body
        )  # fmt: skip

    def _too_deep(self, indent: int) -> bool:
        """Indented so far that it is code, or goes on in a paragraph."""
        return indent - (self.levels[-1].content if self.levels else 0) >= 4

    def _fence(self, indent: int, body: str) -> bool:
        if body[0] not in "`~" or not (match := _FENCE.fullmatch(body)):
            return False
        info = match[2].split()[0] if match[2].split() else ""
        self._begin(Block(Kind.CODE, margin=self._margin(indent), info=info, level=indent))
        self.fence = match[1]
        return True

    def _heading(self, indent: int, body: str) -> bool:
        if body[0] != "#" or not (match := _HEADING.fullmatch(body)):
            return False
        self.gap = True
        self._begin(Block(Kind.HEADING, margin=self._margin(indent), level=len(match[1])), match[2] or "")
        self.close()
        return True

    def _quote(self, indent: int, body: str) -> bool:
        if body[0] != ">":
            return False
        self._begin(Block(Kind.QUOTE, margin=self._margin(indent)), body)
        return True

    def _item(self, indent: int, body: str) -> bool:
        match = _ITEM.fullmatch(body)
        if match is None or not self._may_begin_list(match):
            return False
        number = int(match[2]) if match[2] else None
        margin, sibling = self._margin(indent), self._popped
        if number is not None and sibling is not None and sibling.number is not None:
            number = sibling.number + 1
        marker = "•" if number is None else f"{number}{match[1][-1]}"
        spaces = len(match[3] or " ")
        content = indent + len(match[1]) + (spaces if spaces <= 4 else 1)
        self.levels.append(_Level(indent, content, margin + len(marker) + 1, number))
        text = match[4] or ""
        self._begin(Block(Kind.PARAGRAPH, margin=margin, marker=marker), *([text] if text else []))
        if text and (text[0] in "`~>"):
            self._nested(content, text)
        return True

    def _nested(self, content: int, text: str) -> None:
        """An item that begins with a quote or code: the marker stands above it."""
        if text[0] == ">" or _FENCE.fullmatch(text):
            self.lines = []
            self._starts(content, text)

    def _may_begin_list(self, match: re.Match[str]) -> bool:
        """Outside lists a paragraph is interrupted by bullets and by a list that begins with 1, not by empty items."""
        if self.levels or self.open is None or self.open.kind is not Kind.PARAGRAPH:
            return True
        return match[4] not in (None, "") and match[2] in (None, "1")

    _popped: _Level | None = None

    def _margin(self, indent: int) -> int:
        """Leave the lists that `indent` is not in, and tell the column on screen that is left."""
        self._popped = None
        while self.levels and indent < self.levels[-1].inside:
            self._popped = self.levels.pop()
        return self.levels[-1].margin if self.levels else 0

    def _paragraph_line(self, indent: int, body: str, line: str) -> None:
        if self.open is not None and self.open.kind in (Kind.PARAGRAPH, Kind.QUOTE):
            self._add(line.lstrip(" \t") if self.open.kind is Kind.PARAGRAPH else "> " + body)
        elif self._too_deep(indent):
            margin, base = self._margin(indent), self.levels[-1].content if self.levels else 0
            if self.open is None or self.open.kind is not Kind.CODE:
                self._begin(Block(Kind.CODE, margin=margin, level=base + 4))
            self._add(_dedent(line, base + 4))
        else:
            self._begin(Block(Kind.PARAGRAPH, margin=self._margin(indent)), line.lstrip(" \t"))


def _indent(line: str) -> int:
    """Columns of white space at the beginning; a tab goes to the next multiple of four."""
    columns = 0
    for character in line:
        if character == " ":
            columns += 1
        elif character == "\t":
            columns += 4 - columns % 4
        else:
            break
    return columns


def _dedent(line: str, columns: int) -> str:
    """The line without up to `columns` of its indentation."""
    indent = _indent(line) if columns else 0
    return " " * max(0, indent - columns) + line.lstrip(" \t") if indent else line


def cells(row: str) -> list[str]:
    """The cells of a table's row. Bars behind a backslash or inside code are text."""
    row = row.strip().removeprefix("|")
    found, start, in_code, index = [], 0, False, 0
    while index < len(row):
        character = row[index]
        if character == "\\":
            index += 1
        elif character == "`":
            in_code = not in_code and "`" in row[index + 1 :]
        elif character == "|" and not in_code:
            found.append(row[start:index])
            start = index + 1
        index += 1
    if row[start:].strip():
        found.append(row[start:])
    return [cell.strip().replace("\\|", "|") for cell in found]


class Cutter:
    """Cuts a growing text into blocks."""

    def __init__(self, *, markdown: bool = True) -> None:
        self._reader = _Reader(markdown)
        self._rest = ""

    @property
    def finished(self) -> Sequence[Block]:
        """The blocks that will not change any more, in order."""
        return self._reader.out

    def feed(self, text: str) -> None:
        """More text at the end."""
        *lines, rest = (self._rest + text).split("\n")
        for line in lines:
            self._reader.line(self._shortened(line))
        self._rest = self._shortened(rest)

    def tail(self) -> list[Block]:
        """The blocks after the finished ones, as they would be if the text ended here."""
        reader = self._reader.fork()
        closing = reader.fence and reader.fence.startswith(self._rest.strip())
        if self._rest and not closing:
            reader.line(self._rest)
        reader.close()
        return reader.out

    def _shortened(self, line: str) -> str:
        """What is left of a line after its finished pieces."""
        while len(line) > LINE_LIMIT:
            end = line.rfind(" ", LINE_LIMIT // 2, LINE_LIMIT) + 1 or LINE_LIMIT
            self._reader.piece(line[:end])
            line = line[end:]
        return line


def cut(text: str, *, markdown: bool = True) -> list[Block]:
    """The blocks of a whole text."""
    cutter = Cutter(markdown=markdown)
    cutter.feed(text)
    return [*cutter.finished, *cutter.tail()]


def code_of(text: str) -> list[str]:
    """The contents of the fenced code blocks of a Markdown text, in order and unchanged."""
    found: list[list[str]] = []
    fence, indent = "", 0
    for line in text.split("\n"):
        body = line.strip()
        if fence and body.startswith(fence) and not body.strip(fence[0]):
            fence = ""
        elif fence:
            found[-1].append(_dedent(line, indent))
        elif match := _FENCE.fullmatch(body):
            fence, indent = match[1], _indent(line)
            found.append([])
    return ["\n".join(lines) for lines in found]
