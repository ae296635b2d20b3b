"""The files that a message names: its sources, what was made for it, and what came with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from playground_tui.assistants.objects import Message
from playground_tui.assistants.sent import TOOLS
from playground_tui.text import clean

if TYPE_CHECKING:
    from playground_tui.assistants.client import AssistantsClient

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
        return self.known(file_id) or file_id

    def known(self, file_id: str) -> str:
        """The file's name, or "" while it is not known."""
        if file_id not in self._known and file_id not in self.wanted:
            self.wanted[file_id] = None
            self._asked()
        return self._known.get(file_id, "")


async def name_of(file_id: str, names: Names, client: AssistantsClient) -> str:
    """The file's name, asked for where it is not known; its id where it has none. Raises AssistantsError."""
    if not names.known(file_id):
        names.learn(file_id, (await client.files.retrieve(file_id)).name or file_id)
    return names.of(file_id)


class Sources:
    """Shows the markers of sources in a text as numbers, while it streams in: `【4:0†a.md】` becomes `[1]`.

    `cited` are the markers that name a source, None while that is not known: others stay as they are. `picture` stands
    where the text has one.
    """

    def __init__(self, cited: Collection[str] | None = None, *, picture: str = "▣ picture") -> None:
        self.markers: list[str] = []
        """The markers found, in order, each once."""
        self._cited = cited
        self._picture = picture
        self._held = ""

    def feed(self, text: str) -> str:
        """The text as it is shown; a marker that is not whole yet is held back."""
        text = self._held + text
        start = text.rfind("【")
        open_end = text[start:] if start >= 0 else ""
        held = bool(open_end) and len(open_end) < LONGEST_MARKER and not {"】", "\n"} & set(open_end)
        self._held = open_end if held else ""
        text = text[:start] if held else text
        return _PICTURE.sub(self._picture, _MARKER.sub(self._number, text))

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


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that a message names. `name` is "" while it is not known."""

    kind: Literal["source", "made", "attached"]
    file_id: str
    name: str
    picture: bool = False
    places: tuple[str, ...] = ()
    """Where the text refers to it as a source, as it is shown there: `[1]`."""
    tools: str = ""
    """The tools that it was attached for."""


def named_files(message: Message, markers: Sequence[str], names: Names) -> list[NamedFile]:
    """Its sources, the files made for it and the files that came with it, in this order."""
    return [*_sources(message, markers, names), *_made(message, names), *_attached(message, names)]


def _sources(message: Message, markers: Sequence[str], names: Names) -> Iterator[NamedFile]:
    cited = {note.text: note.file_id for note in message.annotations if note.type == "file_citation"}
    found: dict[tuple[str, str], list[str]] = {}
    for number, marker in enumerate(markers):
        if marker not in cited and message.status != "in_progress":
            continue  # it only looks like one
        file_id = cited.get(marker, "")
        name = names.known(file_id) if file_id else marker.rpartition("†")[2].removesuffix("】")
        found.setdefault((file_id, name), []).append(f"[{number + 1}]")
    for text, file_id in cited.items():
        if text not in markers:
            found.setdefault((file_id, names.known(file_id)), []).append(text)
    return (NamedFile("source", file_id, name, places=tuple(places)) for (file_id, name), places in found.items())


def _made(message: Message, names: Names) -> Iterator[NamedFile]:
    pictures = set(message.images)
    for file_id, name in message.made_files.items():
        yield NamedFile("made", file_id, name or names.known(file_id), picture=file_id in pictures)


def _attached(message: Message, names: Names) -> Iterator[NamedFile]:
    if message.role != "user":
        return
    for file_id in message.images:
        yield NamedFile("attached", file_id, names.known(file_id), picture=True)
    for attachment in message.attachments:
        tools = ", ".join(TOOLS.get(tool, tool) for tool in attachment.tools)
        yield NamedFile("attached", attachment.file_id, names.known(attachment.file_id), tools=tools)
