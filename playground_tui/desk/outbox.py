"""Messages on their way: in order, each under its own key, and on disk until the server has it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from playground_tui.assistants.objects import Message
from playground_tui.assistants.sent import message_text
from playground_tui.cache.state import AttachedFile, WaitingMessage
from playground_tui.desk.attaching import sent_files


class Outbox:
    """The waiting messages of the open thread. `changed` is called after every change."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._items: list[WaitingMessage] = []
        self._returned: tuple[str | None, WaitingMessage] | None = None
        """The message handed back last, with its thread: whether the server has it may be unknown."""

    @property
    def items(self) -> tuple[WaitingMessage, ...]:
        return tuple(self._items)

    def load(self, items: Sequence[WaitingMessage]) -> None:
        """Take over what an earlier start left: shown as not sent until a key sends or edits it."""
        self._items = [replace(item, state="not sent") for item in items]

    def put_before(self, items: Sequence[WaitingMessage]) -> None:
        """Messages that were left before these stand above them, not sent until a key sends them."""
        left = [replace(item, state="not sent") for item in items if not self.has(item.key)]
        self._items = [*left, *self._items]

    def add(self, text: str, files: Sequence[AttachedFile] = (), *, thread_id: str | None = None) -> WaitingMessage:
        """Put a message at the end.

        One that was handed back and comes again as it was keeps its key, so that it is not there twice.
        """
        item = WaitingMessage(str(uuid.uuid4()), text, "waiting", tuple(files))
        returned, self._returned = self._returned, None
        if returned is not None and returned == (thread_id, replace(returned[1], text=text, files=item.files)):
            item = replace(item, key=returned[1].key, after=returned[1].after)
        self._items.append(item)
        self._changed()
        return item

    def give_back(self, item: WaitingMessage, thread_id: str | None) -> None:
        """A message of this thread goes back to where it was written."""
        self._returned = (thread_id, item)
        self.take(item.key)

    def going(self, item: WaitingMessage, newest: str) -> WaitingMessage:
        """This message goes out now; `newest` is the id of the thread's newest message, "" where there is none."""
        if item.after is None:
            sent = replace(item, after=newest)
            self._items = [sent if other is item else other for other in self._items]
            self._changed()
            return sent
        return item

    def drop_arrived(self, messages: Sequence[Message], *, more: bool) -> None:
        """Forget what was not known to be sent and is in the thread. `more`: it has older messages than these."""
        found: set[str] = set()
        for item in self.items:
            if item.state == "not sent" and (arrived := _arrived(item, messages, found, more=more)):
                found.add(arrived)
                self.take(item.key)

    def next(self) -> WaitingMessage | None:
        """The message to go out next, if any is to go out."""
        return next((item for item in self._items if item.state == "waiting"), None)

    def first_held(self) -> WaitingMessage | None:
        """The first message that stays until a key sends it."""
        return next((item for item in self._items if item.state == "not sent"), None)

    def take(self, key: str) -> WaitingMessage | None:
        """Remove a message: the server has it, or it goes back into the composer."""
        found = self.find(key)
        if found is not None:
            self._items.remove(found)
            self._changed()
        return found

    def find(self, key: str) -> WaitingMessage | None:
        """The message of this key, which stays."""
        return next((item for item in self._items if item.key == key), None)

    def has(self, key: str) -> bool:
        return self.find(key) is not None

    def hold(self) -> None:
        """Nothing goes out by itself any more."""
        self._mark("not sent", lambda item: True)

    def release(self, key: str) -> None:
        """Let this message go out."""
        self._mark("waiting", lambda item: item.key == key)

    def _mark(self, state: Literal["waiting", "not sent"], which: Callable[[WaitingMessage], bool]) -> None:
        marked = [replace(item, state=state) if which(item) else item for item in self._items]
        if marked != self._items:
            self._items = marked
            self._changed()


def _arrived(item: WaitingMessage, messages: Sequence[Message], taken: set[str], *, more: bool) -> str:
    """The id of the message in the thread that this one became, or ""."""
    ids = [message.id for message in messages]
    if item.after is None or not (item.after in ids or item.after == "" or more):
        return ""  # never sent, or what it came after is gone: nobody can tell
    since = ids.index(item.after) + 1 if item.after in ids else 0
    text = message_text(item.text, sent_files(item.files))
    same = (message.id for message in messages[since:] if message.role == "user" and message.text == text)
    return next((found for found in same if found not in taken), "")
