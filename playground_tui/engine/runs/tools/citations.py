"""Citations and file links in an answer: found while it comes, whole in the delta that brings them.

`【2:0†name.md】` cites result 0 of search 2 of the thread; `sandbox:/mnt/data/x.csv` links to a file that code made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

Annotation = dict[str, Any]

LINK = "sandbox:/mnt/data/"
LONGEST = 300
"""A marker or link is not waited for longer than so many characters."""

_MARKER = re.compile(r"【(\d{1,9}):(\d{1,9})(?:†([^【】\n]{0,255}))?】")
_START = re.compile(f"【|{re.escape(LINK)}")
_BEGUN = re.compile(rf"(?:{'|'.join(re.escape(LINK[:size]) for size in range(len(LINK) - 1, 0, -1))})$")
_LINK_END = re.compile(r"[\s)\]>\"'`【]")


@dataclass(frozen=True, slots=True)
class Sources:
    """What an answer may refer to: files by search and place, by name, and by path in the sandbox."""

    found: Mapping[tuple[int, int], str] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.found or self.made)

    def cited(self, search: int, place: int, name: str) -> str | None:
        """The id of the file that a marker means."""
        return self.found.get((search, place)) or self.named.get(name.strip())


class Annotator:
    """Reads an answer piece by piece."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._links = {way: file_id for path, file_id in sources.made.items() for way in (path, quote(path))}
        self._held = ""
        self._at = 0
        self._count = 0

    def add(self, text: str, *, last: bool = False) -> Iterator[tuple[str, list[Annotation]]]:
        """The text that can be sent now, in pieces, each with its annotations. `last`: nothing is held back."""
        text, self._held = self._held + text, ""
        while text:
            start = _START.search(text) or (_BEGUN.search(text) if self._links and not last else None)
            if start is None:
                yield self._sent(text)
                return
            if start.start():
                yield self._sent(text[: start.start()])
            text = text[start.start() :]
            length, annotation = self._reference(text, last=last)
            if not length:
                self._held = text
                return
            yield self._sent(text[:length], annotation)
            text = text[length:]

    def _sent(self, text: str, annotation: Annotation | None = None) -> tuple[str, list[Annotation]]:
        start, self._at = self._at, self._at + len(text)
        if annotation is None:
            return text, []
        place, self._count = self._count, self._count + 1
        return text, [{"index": place, **annotation, "start_index": start, "end_index": self._at}]

    def _reference(self, text: str, *, last: bool) -> tuple[int, Annotation | None]:
        """How many characters of `text`, which begins like a reference, are settled (0: none yet), and as what."""
        length, annotation = self._citation(text) if text.startswith("【") else self._link(text, last=last)
        if length == 0 and (last or len(text) > LONGEST):
            return 1, None
        return length, annotation

    def _citation(self, text: str) -> tuple[int, Annotation | None]:
        if match := _MARKER.match(text):
            search, place, name = match.groups()
            file_id = self._sources.cited(int(search), int(place), name or "")
            cited = {"type": "file_citation", "text": match.group(), "file_citation": {"file_id": file_id}}
            return match.end(), cited if file_id else None
        return (1, None) if re.search(r"[】\n]|.【", text) else (0, None)

    def _link(self, text: str, *, last: bool) -> tuple[int, Annotation | None]:
        path = text[len(LINK) :]
        growing = not text.startswith(LINK) or any(way.startswith(path) for way in self._links)
        if not last and (growing or not _LINK_END.search(path)):
            return 0, None
        for way in sorted(self._links, key=len, reverse=True):
            if re.match(re.escape(way) + r"(?!\w|\.\w)", path):
                link = LINK + way
                return len(link), {"type": "file_path", "text": link, "file_path": {"file_id": self._links[way]}}
        return min(len(LINK), len(text)), None
