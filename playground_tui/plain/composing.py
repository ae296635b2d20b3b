"""The message being written: what stands in the line, and what waits beside it."""

from __future__ import annotations

from playground_tui.plain.console import Console
from playground_tui.plain.room import Room
from playground_tui.text import shorten

PROMPT = "you: "


class Composing:
    """Keeps what is typed at the prompt as the composer's text.

    What was not sent yet stands in the line to be edited where the console can and it is one line. Else it waits
    beside: it stays as it is, and what is typed meanwhile is kept after it.
    """

    def __init__(self, room: Room, console: Console) -> None:
        self._room = room
        self._console = console
        self._composer = room.chat.composer
        self._beside = self._line = ""
        self._dropped: list[str] = []

    def read(self) -> list[str]:
        """The lines that are typed, or pasted at once."""
        begun = self._composer.text
        in_line = self._console.edits and "\n" not in begun
        self._beside, self._line = ("", begun) if in_line else (begun, "")
        if begun:
            how = "it stands in the line and enter sends it" if in_line else "/again sends it and /editor changes it"
            self._console.write(f"Not sent yet, {how}: {shorten(begun, 200)}")
        history = [*self._composer.sent, *self._dropped]
        return self._console.read_pasted(PROMPT, begun=self._line, history=history, typed=self.typed)

    def typed(self, line: str) -> None:
        """What is typed is kept, but no command after what waits; from a signal handler."""
        self._heed()
        self._line = "" if self._beside and line.startswith("/") else line
        if self._composer.text != _joined(self._beside, self._line):
            self._composer.text = _joined(self._beside, self._line)
            self._room.sending.chatting.store()

    def _heed(self) -> None:
        """A message that came back meanwhile waits beside the line too."""
        known = _joined(self._beside, self._line)
        if self._composer.text != known:
            self._beside = _joined(self._composer.text.removesuffix(known).rstrip("\n"), self._beside)

    def taken(self) -> None:
        """What stood in the line is no message."""
        self._heed()
        self._line = ""
        if self._composer.text != self._beside:
            self._composer.text = self._beside
            self._room.do(self._room.sending.chatting.keep)

    def drop(self) -> bool:
        """What stands in the line is not wanted; the up arrow still has it. Whether there was something."""
        if not (self._console.edits and self._line):
            return False
        self._dropped = [self._line]
        self.taken()
        return True

    def send(self, text: str) -> None:
        """Send a message; what waits goes on waiting unless it is this one."""
        self._heed()

        def send() -> None:
            self._composer.text = "" if text == self._beside else self._beside
            self._room.sending.submit(text)

        self._room.do(send)

    def hold(self, text: str) -> None:
        """Keep a message that cannot go out yet."""
        self._composer.text = text if text == self._beside else _joined(self._beside, text)

    def take_in(self, before: str, text: str) -> None:
        """$EDITOR has made this of what was written before; what came back meanwhile stays below."""
        self._composer.take_in(before, text)
        self._beside = self._composer.text
        self._room.do(self._room.sending.chatting.keep)


def _joined(first: str, second: str) -> str:
    return "\n".join(filter(None, (first, second)))
