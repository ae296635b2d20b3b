"""Cutting a text into chunks that overlap, at the ends of paragraphs, lines, sentences or words where that is possible.

Sizes are in tokens as they are estimated here: no model's own tokenizer is at hand, and those of different providers
differ. The estimate follows how byte-pair encodings treat text: an English word is about one token and a long one more,
three digits are one, so is each sign, and each character of a script that writes without spaces.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TOKENS = re.compile(
    r"[A-Za-z]+|\d+|[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af]|[^\W\d_]+|\n+|\s{2,}|[^\w\s]|_"
)
_LATIN = 7
"""Letters of a Latin word that are one token, as a rule."""
_OTHER = 3
"""The same for letters of other alphabets, and for digits."""
_BLANK = 16
"""The same for white space; a single space is part of the word behind it."""
_PIECES = re.compile(r"\S+\s*|\s+")
_ENDS = re.compile(r"\n[^\S\n]*\n\s*|\n|(?<=[.!?…])[\"'”’)\]]*[^\S\n]+|(?<=[。！？])")
_HEADING = re.compile(r"^(#{1,6})[ \t]+(.*\S)[ \t]*$", re.MULTILINE)
_LEVELS = 6
_HEADING_CHARACTERS = 200
"""What is kept of a heading: each chunk under it carries it along, and a picture in it may be megabytes."""
_LONGEST = 32
"""The tokens that a piece between two places to cut may have before it is cut at words, too."""
_LEAST = 0.6
"""The part of a chunk that is filled in any case; in the rest, the best place to cut is looked for."""
WORD, SENTENCE, LINE, PARAGRAPH = range(4)
"""How good a place to cut is."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a text, and the headings it stands under: "Installing > On Linux", or ""."""

    text: str
    heading: str = ""


def tokens(text: str) -> int:
    """About how many tokens the text has."""
    return sum(_cost(match[0]) for match in _TOKENS.finditer(text))


def _cost(part: str) -> int:
    first = part[0]
    if first.isascii() and first.isalpha():
        return -(-len(part) // _LATIN)
    return -(-len(part) // (_BLANK if first.isspace() else _OTHER))


def cut(text: str, size: int, overlap: int, *, headings: bool = False) -> list[Chunk]:
    """The text in chunks of at most `size` tokens; each begins about `overlap` tokens before the end of the last one.

    With `headings`, lines that begin with "#" are headings, as in Markdown.
    """
    places = _Places.of(text, size)
    trail = _Trail(text) if headings else None
    return [
        Chunk(text[start:end].strip(), trail.at(start) if trail else "")
        for start, end in places.spans(size, overlap)
        if text[start:end].strip()
    ]


@dataclass(frozen=True, slots=True)
class _Places:
    """The places where a text may be cut: where they are, how good, and the tokens before each. First and last are its
    ends."""

    at: Sequence[int]
    grade: Sequence[int]
    before: Sequence[int]

    @classmethod
    def of(cls, text: str, size: int) -> _Places:
        at, grade, before = [0], [PARAGRAPH], [0]
        for end, good in _ends(text, min(_LONGEST, size)):
            cost = tokens(text[at[-1] : end])
            at.append(end)
            grade.append(good)
            before.append(before[-1] + cost)
        return cls(at, grade, before)

    def spans(self, size: int, overlap: int) -> Iterator[tuple[int, int]]:
        """Start and end of each chunk."""
        first, last = 0, len(self.at) - 1
        while first < last:
            end = self._end(first, size)
            yield self.at[first], self.at[end]
            if end == last:
                return
            first = self._start(first, end, overlap)

    def _start(self, first: int, end: int, overlap: int) -> int:
        """Where the chunk after the one from `first` to `end` begins."""
        earliest = max(bisect_left(self.before, self.before[end] - overlap), first + 1)
        latest = bisect_left(self.before, self.before[end] - int(overlap * _LEAST))
        return max(range(earliest, latest + 1), key=lambda place: (self.grade[place], -place), default=end)

    def _end(self, first: int, size: int) -> int:
        furthest = bisect_right(self.before, self.before[first] + size) - 1
        if furthest >= len(self.at) - 1:
            return len(self.at) - 1
        furthest = max(furthest, first + 1)
        least = max(bisect_left(self.before, self.before[first] + int(size * _LEAST)), first + 1)
        return max(range(least, furthest + 1), key=lambda place: (self.grade[place], place), default=furthest)


def _ends(text: str, longest: int) -> Iterator[tuple[int, int]]:
    """Where pieces of the text end and how good a place to cut that is, in order; the last is the text's own end."""
    start = 0
    for match in _ENDS.finditer(text):
        if match.end() > start:
            yield from _words(text, start, match.end(), longest)
            yield match.end(), _grade(match[0])
            start = match.end()
    if start < len(text):
        yield from _words(text, start, len(text), longest)
        yield len(text), PARAGRAPH


def _grade(end: str) -> int:
    lines = end.count("\n")
    return PARAGRAPH if lines > 1 else LINE if lines else SENTENCE


def _words(text: str, start: int, end: int, longest: int) -> Iterator[tuple[int, int]]:
    """Places within a piece that is too long to be kept whole in any case."""
    # No token is shorter than a character: a short piece need not be counted.
    if end - start <= longest or tokens(text[start:end]) <= longest:
        return
    for match in _PIECES.finditer(text, start, end):
        for place in range(match.start() + longest, match.end() - 1, longest):
            yield place, WORD
        if match.end() < end:
            yield match.end(), WORD


class _Trail:
    """The headings of a text."""

    def __init__(self, text: str):
        self._starts: list[int] = []
        self._trails: list[str] = []
        under: list[str] = [""] * _LEVELS
        for match in _HEADING.finditer(text):
            level = len(match[1])
            under[level - 1 :] = [match[2][:_HEADING_CHARACTERS].strip("# \t"), *[""] * (_LEVELS - level)]
            self._starts.append(match.start())
            self._trails.append(" > ".join(filter(None, under)))

    def at(self, place: int) -> str:
        """The headings that hold at this place of the text."""
        found = bisect_right(self._starts, place) - 1
        return self._trails[found] if found >= 0 else ""
