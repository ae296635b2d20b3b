"""A text that arrives in pieces, as lines to be read aloud: whole sentences, whole lines of code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

LONGEST = 600
"""Characters after which a sentence that does not end is cut at a space."""
END_OF_CODE = "end of code."

FOLDED = 60
"""Characters of a line from which it may have been folded in the middle of a sentence."""

_END = re.compile(r"""(?<=[.!?…])["'”’)\]*_]*\s+(?=[^\sa-z])|(?<=[。！？])""")
_PLAIN = re.compile(r"\s*[^\W\d_]")
_BLOCK = re.compile(r"\s*(?:$|[-*+>|#]|```|~~~|\d{1,3}[.)]\s)")
"""What a line begins with that does not go on with the paragraph before."""
_COMPLETE = re.compile(r"""[.!?…:;。！？]["'”’)\]*_`]*\s*$""")
_NOTHING = re.compile(r"(?:quote:\s*)?|\s*(?:[-*_]\s?){3,}|[\s|:-]+")
"""Lines that only draw something."""
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
        self._read = 0
        """Characters of the present line that were read."""
        self._carried = ""
        """A sentence that goes on in the next line, if that is one of the same paragraph."""

    def feed(self, text: str) -> Iterator[str]:
        """The lines that are complete with this piece."""
        self._rest += text
        while "\n" in self._rest:
            line, _, self._rest = self._rest.partition("\n")
            yield from self._ended(line)
        if not self._in_code:
            yield from self._begun()

    def end(self) -> Iterator[str]:
        """What is left, as a line; code that was not closed is."""
        rest, self._rest = self._rest, ""
        if rest:
            yield from self._ended(rest)
        yield from self._carried_alone()
        if self._in_code:
            self._in_code = False
            yield END_OF_CODE

    def _ended(self, line: str) -> Iterator[str]:
        """The lines of a line that is whole."""
        read, self._read = self._read, 0
        if not read and _BLOCK.match(line):
            yield from self._carried_alone()
        if self._in_code or (not read and _FENCE.match(line)):
            yield self._code(line)
            return
        begun, carried = bool(read or self._carried), self._carried
        whole, last = _last_apart(f"{carried} {line.strip()}" if carried else line)
        self._carried = ""
        if read + len(line) >= FOLDED and last and not _COMPLETE.search(last):
            self._carried = spoken(last, begun=begun or bool(whole))
        elif last:
            whole.append(last)
        yield from _spoken_parts(whole, begun=begun)

    def _code(self, line: str) -> str:
        """A line of code, or what begins or ends it."""
        fence = _FENCE.match(line)
        if fence is None:
            return line
        self._in_code = not self._in_code
        return f"code{', ' + fence[1] if fence[1] else ''}:" if self._in_code else END_OF_CODE

    def _carried_alone(self) -> Iterator[str]:
        carried, self._carried = self._carried, ""
        if carried:
            yield carried

    def _begun(self) -> Iterator[str]:
        """The sentences that are whole in a line that is not."""
        if not self._rest.strip() or (not self._read and not _PLAIN.match(self._rest)):
            return
        begun = bool(self._read or self._carried)
        before = len(self._rest)
        if self._carried:
            self._rest, self._carried = f"{self._carried} {self._rest.lstrip()}", ""
            self._read += 1  # its beginning was read, or is read with the line before
        whole, self._rest = _last_apart(self._rest)
        while len(self._rest) > LONGEST:
            end = self._rest.rfind(" ", 1, LONGEST) + 1 or LONGEST
            whole, self._rest = [*whole, self._rest[:end].rstrip()], self._rest[end:]
        self._read += max(0, before - len(self._rest))
        yield from _spoken_parts(whole, begun=begun)


def _last_apart(line: str) -> tuple[list[str], str]:
    *whole, last = _parts(line)
    return whole, last


def _spoken_parts(parts: Iterable[str], *, begun: bool) -> Iterator[str]:
    for part in parts:
        words = spoken(part, begun=begun)
        if words.strip() and not _NOTHING.fullmatch(words):
            yield words
        begun = True


def _parts(line: str) -> list[str]:
    """The sentences of a line; the number of a list's item stays with it."""
    if line.lstrip()[:1] in ("|", "#"):
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
