"""The files that a message names: its sources, what was made for it, and what came with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence

from playground_tui.assistants.objects import Message
from playground_tui.assistants.sent import TOOLS
from playground_tui.text import clean

_MARKER = re.compile(r"【[^【】\n]{0,200}†[^【】\n]{0,200}】")
_PICTURE = re.compile(r"\[image_file: [\w-]+\]")
LONGEST_MARKER = 400
"""Characters after which an open bracket is no marker that is still being written."""


class Names:
    """What files are called, as far as known, by their ids. `save` is the key that saves one.

    `asked` is called when a name is asked for that is not known.
    """

    def __init__(self, save: str = "", asked: Callable[[], object] = lambda: None) -> None:
        self.save = save
        self._asked = asked
        self._known: dict[str, str] = {}
        self.wanted: dict[str, None] = {}
        """Ids that were asked for and are not known."""

    def learn(self, file_id: str, name: str) -> None:
        """A file's name was told."""
        if file_id and name:
            self._known[file_id] = clean(name, newlines=False)
            self.wanted.pop(file_id, None)

    def of(self, file_id: str) -> str:
        """The file's name, or its id while that is all that is known."""
        if file_id not in self._known and file_id not in self.wanted:
            self.wanted[file_id] = None
            self._asked()
        return self._known.get(file_id, file_id)

    def saving(self) -> str:
        """How a file is saved, to stand behind its name."""
        return f" · {self.save} saves it" if self.save else ""


class Sources:
    """Shows the markers of sources in a text as numbers, while it streams in: `【4:0†a.md】` becomes `[1]`.

    `cited` are the markers that name a source, None while that is not known: others stay as they are.
    """

    def __init__(self, cited: Collection[str] | None = None) -> None:
        self.markers: list[str] = []
        """The markers found, in order, each once."""
        self._cited = cited
        self._held = ""

    def feed(self, text: str) -> str:
        """The text as it is shown; a marker that is not whole yet is held back."""
        text = self._held + text
        start = text.rfind("【")
        open_end = text[start:] if start >= 0 else ""
        held = bool(open_end) and len(open_end) < LONGEST_MARKER and not {"】", "\n"} & set(open_end)
        self._held = open_end if held else ""
        text = text[:start] if held else text
        return _PICTURE.sub("▣ picture", _MARKER.sub(self._number, text))

    def rest(self) -> str:
        """What was held back, when the text ends."""
        held, self._held = self._held, ""
        return held

    def stands(self, cited: Collection[str]) -> bool:
        """Whether the text is shown right where these are the markers that name a source."""
        return all(marker in cited for marker in self.markers)

    def _number(self, match: re.Match[str]) -> str:
        if self._cited is not None and match[0] not in self._cited:
            return match[0]
        if match[0] not in self.markers:
            self.markers.append(match[0])
        return f"[{self.markers.index(match[0]) + 1}]"


def named_files(message: Message, markers: Sequence[str], names: Names) -> list[str]:
    """The lines under a message: one for each source, each file made for it and each file that came with it."""
    return [*_sources(message, markers, names), *_made(message, names), *_attached(message, names)]


def _sources(message: Message, markers: Sequence[str], names: Names) -> Iterator[str]:
    cited = {note.text: note.file_id for note in message.annotations if note.type == "file_citation"}
    files: dict[str, list[str]] = {}
    for number, marker in enumerate(markers):
        name = names.of(cited[marker]) if marker in cited else marker.rpartition("†")[2].removesuffix("】")
        files.setdefault(name, []).append(f"[{number + 1}]")
    for text, file_id in cited.items():
        if text not in markers:
            files.setdefault(names.of(file_id), []).append(text)
    return (f"{' '.join(places)} {name}" for name, places in files.items())


def _made(message: Message, names: Names) -> Iterator[str]:
    pictures = set(message.images)
    for file_id, name in message.made_files.items():
        shown = name or names.of(file_id)
        yield f"{'▣' if file_id in pictures else '↓'} {shown}{names.saving()}"


def _attached(message: Message, names: Names) -> Iterator[str]:
    if message.role != "user":
        return
    for file_id in message.images:
        yield f"▣ {names.of(file_id)}"
    for attachment in message.attachments:
        tools = ", ".join(TOOLS.get(tool, tool) for tool in attachment.tools)
        yield f"+ {names.of(attachment.file_id)}" + (f" · {tools}" if tools else "")
