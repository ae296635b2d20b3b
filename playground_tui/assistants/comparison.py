"""Two texts beside each other: their lines in rows, and in changed lines the words that differ.

Everything is worked out in bounded time, also for the longest instructions there may be; still it belongs in a thread.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Final, Literal

from playground_tui.assistants.matching import Block, matches

Detail = Literal["brief", "lines", "whole"]
"""How much of what is the same is shown: in brief a few lines and words around each difference; lines: whole lines."""
Look = Literal["same", "changed", "skipped"]

CONTEXT: Final = 2
"""Lines of what is the same around each difference."""
_LONGEST: Final = 160
"""Characters from which on a part of a line that is the same is cut, in brief."""
_EDGE: Final = 50
"""Characters that then stay at each end that has a difference beside it."""
_MOST: Final = 400
"""Rows, in brief."""
_ALIKE: Final = 0.3
"""How much of two texts must be the same for the words in them to be compared."""
_EFFORT_A_WORD: Final = 100
_TOKENS: Final = re.compile(r"\n|[^\S\n]+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line. What is `skipped` says how much that is the same is left out."""

    text: str
    look: Look


Line = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of each text, None where one has no such line. One that stands for skipped lines is the same in both."""

    old: Line | None
    new: Line | None
    same: bool = False


def compared(old: str, new: str, detail: Detail) -> list[Row]:
    """The lines of both texts in rows. An empty text has no line."""
    rows = _rows(old.split("\n") if old else [], new.split("\n") if new else [], detail)
    if detail != "brief":
        return list(rows)
    first = list(islice(rows, _MOST))
    more = (Piece("… and more lines …", "skipped"),)
    return [*first, Row(more, more, same=True)] if next(rows, None) else first


def _rows(mine: Sequence[str], yours: Sequence[str], detail: Detail) -> Iterator[Row]:
    for (start, end), (from_, to), same in _parts(matches(mine, yours), len(mine), len(yours)):
        if same:
            last = end == len(mine) and to == len(yours)
            yield from _same(mine[start:end], detail, first=not start and not from_, last=last)
        else:
            yield from _changed(mine[start:end], yours[from_:to], detail)


Part = tuple[tuple[int, int], tuple[int, int], bool]


def _parts(blocks: Sequence[Block], one: int, other: int) -> Iterator[Part]:
    """Common parts and what is between them, in order: from and to on both sides, and whether it is the same."""
    mine = yours = 0
    for start, from_, size in [*blocks, (one, other, 0)]:
        if mine < start or yours < from_:
            yield (mine, start), (yours, from_), False
        if size:
            yield (start, start + size), (from_, from_ + size), True
        mine, yours = start + size, from_ + size


def _same(lines: Sequence[str], detail: Detail, *, first: bool, last: bool) -> Iterator[Row]:
    """Lines that are the same, all but those near a difference skipped. `first` and `last`: none above, none below."""
    before, after = (0 if first else CONTEXT), (0 if last else CONTEXT)
    skipped = len(lines) - before - after
    if detail == "whole" or skipped < 2:
        before, after, skipped = len(lines), 0, 0
    for line in lines[:before]:
        yield _unchanged(line, detail)
    if skipped:
        row = (Piece(f"… {skipped:,} lines the same …", "skipped"),)
        yield Row(row, row, same=True)
    for line in lines[len(lines) - after :] if after else ():
        yield _unchanged(line, detail)


def _unchanged(line: str, detail: Detail) -> Row:
    shown: Line = (Piece(line, "same"),)
    if detail == "brief" and len(line) > _LONGEST:
        shown = (Piece(line[:_EDGE], "same"), _left_out(len(line) - _EDGE))
    return Row(shown, shown, same=True)


def _left_out(count: int) -> Piece:
    return Piece(f" … {count:,} characters the same … ", "skipped")


def _changed(old: Sequence[str], new: Sequence[str], detail: Detail) -> Iterator[Row]:
    """Rows of lines of which none is the same: those that have words in common stand beside each other."""
    at = from_ = 0
    for mine, yours in [*_partners(old, new), (len(old), len(new))]:
        for one, other in zip_longest(old[at:mine], new[from_:yours]):
            yield Row(_line(one), _line(other))
        if mine < len(old):
            yield _words(old[mine], new[yours], detail)
        at, from_ = mine + 1, yours + 1


def _line(text: str | None) -> Line | None:
    return None if text is None else (Piece(text, "changed"),)


def _words(old: str, new: str, detail: Detail) -> Row:
    """A row of two lines with the words marked that differ."""
    mine, yours = _TOKENS.findall(old), _TOKENS.findall(new)
    blocks = matches(mine, yours, _EFFORT_A_WORD * (len(mine) + len(yours)))
    if not _are_alike(mine, yours, blocks):
        return Row(_line(old), _line(new))
    one = _pieces(mine, [(start, size) for start, _, size in blocks])
    other = _pieces(yours, [(start, size) for _, start, size in blocks])
    return Row(_cut(one), _cut(other)) if detail == "brief" else Row(one, other)


def _are_alike(mine: Sequence[str], yours: Sequence[str], blocks: Sequence[Block]) -> bool:
    common = sum(len(token) for start, _, size in blocks for token in mine[start : start + size] if not token.isspace())
    longer = max(sum(len(token) for token in tokens if not token.isspace()) for tokens in (mine, yours))
    return common >= _ALIKE * longer


def _pieces(tokens: Sequence[str], common: Sequence[tuple[int, int]]) -> Line:
    """The line in pieces; `common` are the starts and sizes of what is the same."""
    pieces: list[Piece] = []
    at = 0
    for start, size in [*common, (len(tokens), 0)]:
        pieces += [Piece("".join(tokens[at:start]), "changed"), Piece("".join(tokens[start : start + size]), "same")]
        at = start + size
    return tuple(piece for piece in pieces if piece.text)


def _cut(line: Line) -> Line:
    """The line with the middle of its long parts left out that are the same."""
    cut: list[Piece] = []
    for number, piece in enumerate(line):
        head, tail = (_EDGE if number else 0), (_EDGE if number < len(line) - 1 else 0)
        if piece.look == "same" and len(piece.text) > max(_LONGEST, head + tail):
            out = len(piece.text) - head - tail
            ends = (Piece(piece.text[:head], "same"), _left_out(out), Piece(piece.text[head + out :], "same"))
            cut += [end for end in ends if end.text]
        else:
            cut.append(piece)
    return tuple(cut)


def _partners(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Which lines belong beside each other: those that have most in common, in rising order."""
    if not old or not new:
        return []
    mine, yours = (_TOKENS.findall("\n".join(lines)) for lines in (old, new))
    numbers = _numbers(mine), _numbers(yours)
    common: Counter[tuple[int, int]] = Counter()
    for start, from_, size in matches(mine, yours):
        for step in range(size):
            common[numbers[0][start + step], numbers[1][from_ + step]] += len(mine[start + step].strip())
    best: dict[int, tuple[int, int]] = {}
    for (one, other), weight in common.items():
        best[one] = max(best.get(one, (0, 0)), (weight, -other))
    found: list[tuple[int, int]] = []
    for one, (weight, other) in sorted(best.items()):
        if weight and (not found or -other > found[-1][1]):
            found.append((one, -other))
    return found


def _numbers(tokens: Sequence[str]) -> list[int]:
    """The number of the line that each token stands in."""
    numbers, line = [], 0
    for word in tokens:
        numbers.append(line)
        line += word == "\n"
    return numbers
