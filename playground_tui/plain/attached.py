"""The files that go with the next message, in lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from playground_tui.assistants.local_files import FileError, working_directory
from playground_tui.desk.panes import AttachmentLine
from playground_tui.plain.chat import GLANCE, Voice
from playground_tui.plain.console import Console
from playground_tui.plain.menus import choose, pick

if TYPE_CHECKING:
    from playground_tui.plain.room import Room

ACTIONS = {"remove": "remove it", "use": "use it for something else", "upload": "upload it again"}


class PlainAttachments:
    """Tells what becomes of the attached files. How far an upload is, is told when it is asked for."""

    def __init__(self, voice: Voice) -> None:
        self.lines: tuple[AttachmentLine, ...] = ()
        self._voice = voice

    def show(self, lines: Sequence[AttachmentLine]) -> None:
        before = {line.key: line for line in self.lines}
        self.lines = tuple(lines)
        for line in lines:
            known = before.get(line.key)
            arrived = not line.state and not line.problem and (known is None or known.state)
            if arrived or (line.problem and (known is None or known.problem != line.problem)):
                self._voice.say(sentence(line))


def sentence(line: AttachmentLine) -> str:
    """A file, what it is for and how it stands."""
    use = f", for {line.use}" if line.use else ""
    return f"file: {line.name}{use}, {line.problem or line.state or 'goes with the next message'}."


class Attached:
    """What the user does with the files."""

    def __init__(self, room: Room, console: Console) -> None:
        self._room = room
        self._console = console

    def command(self, path: str) -> None:
        """Attach this file to the next message; without one, change those that are attached."""
        attaching = self._room.sending.chatting.attaching
        if not path:
            chosen = self._chosen(self._room.attachments.lines)
            if chosen is not None:
                self._room.do(lambda: attaching.act(*chosen))
            return
        try:
            self._room.do(lambda: attaching.attach(path_of(path)))
        except FileError as error:
            self._console.write(f"Not attached: {error}")
        else:
            self._follow()

    def _follow(self) -> None:
        """Wait until the files are at the server, and tell of it."""
        attaching = self._room.sending.chatting.attaching
        try:
            while self._room.desk.client is not None and self._room.do(lambda: attaching.on_their_way):
                self._room.tell(self._console.write, GLANCE)
        except KeyboardInterrupt:
            self._console.write("\nIt goes on by itself: /attach tells how far it is.")

    def _chosen(self, lines: Sequence[AttachmentLine]) -> tuple[str, str] | None:
        """The key of a file and which of ACTIONS; None for nothing."""
        if not lines:
            self._console.write("No file is attached. /attach and a path attaches one.")
            return None
        rows = [sentence(line).removeprefix("file: ") for line in lines]
        at = pick(self._console, "Attached files.", rows, what="file")
        if at is None:
            return None
        what = choose(self._console, f"{lines[at].name}.", list(ACTIONS.values()))
        return None if what is None else (lines[at].key, list(ACTIONS)[what])


def path_of(text: str) -> Path:
    """The file that is meant, from the home directory where it begins with `~`. Raises FileError."""
    try:
        return working_directory() / Path(text.strip("'\"")).expanduser()
    except RuntimeError as error:
        raise FileError(f"{text}: {error}") from error
