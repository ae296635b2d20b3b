"""Which parts of two sequences are the same, in bounded time.

As patience diff does it: what both begin and end with, then between the elements, or runs of elements, that occur once
in both. Where there are none and little is left, difflib; what is left when the effort is spent counts as different.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

Block = tuple[int, int, int]
"""Where a common part begins in the one and in the other, and how many elements it has."""
Range = tuple[int, int, int, int]
"""From and to in the one, from and to in the other."""

EFFORT: Final = 3_000_000
"""Elements looked at: a second or two."""
_SMALL: Final = 4_000
"""Pairs of elements that difflib may compare at once: it takes up to their number to the power of 1.5."""
_RUN: Final = 8
"""Elements of a run."""
_DEAR: Final = 10
"""Effort of each such pair."""


def matches(one: Sequence[str], other: Sequence[str], effort: int = EFFORT) -> list[Block]:
    """The common parts in order, none touching the next on both sides."""
    found: list[Block] = []
    ranges: list[Range] = [(0, len(one), 0, len(other))]
    while ranges:
        left = _trimmed(one, other, ranges.pop(), found)
        start, end, from_, to = left
        pairs = (end - start) * (to - from_)
        effort -= end - start + to - from_
        if not pairs or effort < 0:
            continue
        anchors = _anchors(one, other, left, 1)
        if not anchors and pairs > _SMALL:
            effort -= _RUN * (end - start + to - from_)
            anchors = _anchors(one, other, left, _RUN) if effort > 0 else []
        if anchors:
            ranges += _between(anchors, left)
        elif pairs <= _SMALL and effort > pairs * _DEAR:
            effort -= pairs * _DEAR
            blocks = SequenceMatcher(None, one[start:end], other[from_:to], autojunk=False).get_matching_blocks()
            found += [(block.a + start, block.b + from_, block.size) for block in blocks]
    return _joined(found)


def _trimmed(one: Sequence[str], other: Sequence[str], whole: Range, found: list[Block]) -> Range:
    """The range without what both sides begin and end with, which is put into `found`."""
    start, end, from_, to = whole
    head = 0
    for mine, yours in zip(range(start, end), range(from_, to), strict=False):
        if one[mine] != other[yours]:
            break
        head += 1
    tail = 0
    most = min(end - start, to - from_) - head
    while tail < most and one[end - tail - 1] == other[to - tail - 1]:
        tail += 1
    found += [(start, from_, head), (end - tail, to - tail, tail)]
    return start + head, end - tail, from_ + head, to - tail


def _anchors(one: Sequence[str], other: Sequence[str], within: Range, run: int) -> list[tuple[int, int]]:
    """The places of runs of elements that occur once on both sides, as many as stand in the same order."""
    start, end, from_, to = within
    mine, yours = _single(one, start, end, run), _single(other, from_, to, run)
    return _rising([(place, yours[text]) for text, place in mine.items() if text in yours])


def _single(elements: Sequence[str], start: int, end: int, run: int) -> dict[object, int]:
    """The place of each run of elements that occurs once."""
    places: dict[object, int] = {}
    again: set[object] = set()
    for place in range(start, end - run + 1):
        key: object = elements[place] if run == 1 else tuple(elements[place : place + run])
        if key in places:
            again.add(key)
        places[key] = place
    return {key: place for key, place in places.items() if key not in again}


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of pairs, which rise on the left, that rises on the right too."""
    ends: list[int] = []  # for each length the lowest right end, and which pair that is
    last: list[int] = []
    before: list[int] = []
    for index, (_, right) in enumerate(pairs):
        length = bisect_left(ends, right)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [right]
        last[length : length + 1] = [index]
    chain: list[tuple[int, int]] = []
    at = last[-1] if last else -1
    while at >= 0:
        chain.append(pairs[at])
        at = before[at]
    return chain[::-1]


def _between(anchors: Sequence[tuple[int, int]], within: Range) -> list[Range]:
    """The ranges that begin at `within` and at each anchor."""
    start, end, from_, to = within
    begins = [(start, from_), *anchors]
    return [(a, c, b, d) for (a, b), (c, d) in zip(begins, [*anchors, (end, to)], strict=True)]


def _joined(blocks: Sequence[Block]) -> list[Block]:
    found: list[Block] = []
    for one, other, size in sorted(block for block in blocks if block[2]):
        if found and (found[-1][0] + found[-1][2], found[-1][1] + found[-1][2]) == (one, other):
            found[-1] = (found[-1][0], found[-1][1], found[-1][2] + size)
        else:
            found.append((one, other, size))
    return found
