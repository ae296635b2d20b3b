"""A text that arrives in pieces, as lines to be read aloud: whole sentences, whole lines of code."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST = 600
"""Characters after which a sentence that does not end is cut at a space."""

_END = re.compile(r"""(?<=[.!?…])["'”’)\]*_]*\s+(?=[^\sa-z])|(?<=[。！？])""")
_NUMBER = re.compile(r"\s*(?:[-*+]\s+)?(?:\d{1,3}|[A-Za-z])[.)]")
_FENCE = re.compile(r"\s*(?:```+|~~~+)\s*([\w+#.-]*)")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+(.*?)\s*#*")
_BULLET = re.compile(r"(\s*)[*+](?=\s)")
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*]+)(?<=\S)\*(?![\w*])")
_QUOTE = re.compile(r"\s{0,3}(?:>\s?)+")
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+)\)")


class Sentences:
    """Cuts Markdown into lines a voice can read one by one; each is complete when it comes."""

    def __init__(self) -> None:
        self._rest = ""
        self._in_code = False
        self._line_begun = False

    def feed(self, text: str) -> Iterator[str]:
        """The lines that are complete with this piece."""
        self._rest += text
        while "\n" in self._rest:
            line, _, self._rest = self._rest.partition("\n")
            yield from self._ended(line)
        if not self._in_code:
            yield from self._begun()

    def end(self) -> Iterator[str]:
        """What is left, as a line."""
        rest, self._rest = self._rest, ""
        yield from self._ended(rest)

    def _ended(self, line: str) -> Iterator[str]:
        """The lines of a line that is whole."""
        begun, self._line_begun = self._line_begun, False
        fence = None if begun else _FENCE.match(line)
        if fence:
            self._in_code = not self._in_code
            yield f"code{', ' + fence[1] if fence[1] else ''}:" if self._in_code else "end of code."
        elif self._in_code:
            yield line
        else:
            yield from (spoken(part, begun=begun) for part in _parts(line) if part.strip())

    def _begun(self) -> Iterator[str]:
        """The sentences that are whole in a line that is not."""
        if not self._line_begun and self._rest.lstrip()[:1] in ("`", "~", "|", "#"):
            return
        *whole, self._rest = _parts(self._rest)
        if len(self._rest) > LONGEST:
            head, space, tail = self._rest.rpartition(" ")
            whole, self._rest = ([*whole, head], tail) if space else ([*whole, self._rest], "")
        for part in whole:
            yield spoken(part, begun=self._line_begun)
            self._line_begun = True


def _parts(line: str) -> list[str]:
    """The sentences of a line; the number of a list's item stays with it."""
    if line.lstrip().startswith("|"):
        return [line]
    parts: list[str] = []
    start = 0
    for end in _END.finditer(line):
        if not _NUMBER.fullmatch(line[start : end.end()].rstrip()):
            parts.append(line[start : end.end()].rstrip())
            start = end.end()
    return [*parts, line[start:]]


def spoken(line: str, *, begun: bool = False) -> str:
    """A line of Markdown in words; `begun`: it goes on with a line whose beginning was read."""
    if not begun:
        heading = _HEADING.fullmatch(line)
        if heading:
            return f"heading: {_plain(heading[1])}"
        line = _QUOTE.sub("quote: ", line, count=1) if _QUOTE.match(line) else line
        line = _BULLET.sub(r"\1-", line, count=1) if _BULLET.match(line) else line
    return _plain(line)


def _plain(text: str) -> str:
    return _LINK.sub(r"\1 (\2)", _EMPHASIS.sub(r"\1", _STRONG.sub(r"\2", text))).rstrip()


def lines_of(text: str) -> list[str]:
    """A whole text as lines to be read."""
    sentences = Sentences()
    return [*sentences.feed(text), *sentences.end()]
