"""Assistants and threads from numbered lists: to open, copy, delete and bring back."""

from __future__ import annotations

import time

from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.objects import Assistant, ThreadSummary
from playground_tui.assistants.save_state import clock_time
from playground_tui.cache.state import DraftState
from playground_tui.desk.editing import id_of
from playground_tui.plain.console import Console
from playground_tui.plain.menus import choose, confirm, pick
from playground_tui.plain.room import Room
from playground_tui.text import shorten

UNDO = "It can be brought back for 30 days: /deleted."
COPY = "It can be brought back for 30 days, as a copy with another id: /deleted."
NO_UNDO = "There it cannot be brought back."


class Lists:
    """What is chosen from lists. Every method says what it did."""

    def __init__(self, room: Room, console: Console) -> None:
        self._room = room
        self._console = console
        self._deleted: tuple[str, str] | None = None
        """The kind and id of what was deleted last."""

    # Assistants

    def assistants(self) -> None:
        """Choose an assistant, then what to do with it."""
        client = self._room.desk.client
        if client is None:
            self._console.write("Not connected yet: the list opens as soon as the server has answered.")
            return
        found = self._room.attempt(client.list_assistants(), "the assistants could not be listed")
        if found is None:
            return
        drafts = [draft for draft in self._room.desk.cache.new_drafts() if draft.key != self._room.editing.key]
        rows = [*map(_draft_row, drafts), *(self._assistant_row(assistant) for assistant in found)]
        if not rows:
            self._console.write("There are no assistants yet: /new begins one.")
            return
        index = pick(self._console, f"Assistants on {client.where}: {len(rows)}.", rows, what="assistant")
        if index is not None and index < len(drafts):
            self._begun(drafts[index].key, rows[index])
        elif index is not None:
            self._existing(found[index - len(drafts)])

    def _assistant_row(self, assistant: Assistant) -> str:
        tools = ", ".join(kind.replace("_", " ") for kind in dict.fromkeys(assistant.tool_types))
        here = "open now" if assistant.id == self._room.editing.assistant_id else ""
        details = (assistant.category, f"model {assistant.model}", f"tools {tools}" if tools else "", here)
        return shorten(", ".join(filter(None, (_name(assistant), *details))), 200)

    def _begun(self, key: str, row: str) -> None:
        chosen = choose(self._console, f"{row}. What to do with it?", ["go on with it", "give it up"])
        if chosen == 0:
            self._room.attempt(self._resume(key), "not opened")
            self._console.write(f"Open: {row}. /edit goes on with it, /save creates it.")
        elif chosen == 1 and confirm(self._console, "Give up this assistant that was not created yet?"):
            self._room.desk.cache.drop_draft(key)
            self._console.write("Given up.")

    async def _resume(self, key: str) -> None:
        await self._room.editing.resume(key)
        await self._room.show_thread(None)

    def _existing(self, assistant: Assistant) -> None:
        options = ["open it", "copy it into a new assistant", "delete it", "read its id"]
        chosen = choose(self._console, f"Assistant {_name(assistant)}. What to do with it?", options)
        if chosen == 0:
            self.open(assistant.id)
        elif chosen == 1:
            self.copy(assistant.id)
        elif chosen == 2:
            self.delete(assistant.id)
        elif chosen == 3:
            self._console.write(f"The id of {_name(assistant)} is {assistant.id}")

    def open(self, wanted: str) -> None:
        """Open the assistant with this id or name, with a new thread."""
        if self._room.attempt(self._open(wanted), "not opened"):
            self._console.write(f"Assistant {self._room.form.name} is open, with a new thread.")

    async def _open(self, wanted: str) -> bool:
        await self._room.editing.open(await id_of(wanted, self._room.desk))
        await self._room.show_thread(None)
        return True

    def new(self) -> None:
        """Begin an assistant that is not created yet."""
        self._room.attempt(self._new(), "no new assistant")

    async def _new(self) -> None:
        await self._room.editing.begin()
        await self._room.show_thread(None)

    def copy(self, assistant_id: str | None) -> None:
        """Begin an assistant with everything of this one."""
        if assistant_id is None:
            self._console.write("There is nothing to copy yet: this assistant has not been created.")
        elif self._room.attempt(self._copy(assistant_id), "not copied"):
            name = self._room.form.name
            self._console.write(f"A copy is begun, named {name}. /edit changes it, /save creates it.")

    async def _copy(self, assistant_id: str) -> bool:
        await self._room.editing.clone(assistant_id)
        await self._room.show_thread(None)
        return True

    def delete(self, assistant_id: str) -> None:
        """Delete an assistant, after asking."""
        undo = UNDO if self._on_engine else COPY
        if not confirm(self._console, f"Delete the assistant {assistant_id}? Its threads stay. {undo}"):
            self._console.write("Kept.")
        elif self._room.attempt(self._delete(assistant_id), "not deleted"):
            self._deleted = ("assistant", assistant_id)
            self._console.write("The assistant is deleted. /restore brings it back.")

    async def _delete(self, assistant_id: str) -> bool:
        await self._room.editing.delete(assistant_id)
        return True

    # Threads

    def threads(self) -> None:
        """Choose a thread of the open assistant, then what to do with it."""
        listing = self._room.sending.chatting.list(self._room.editing.assistant_id)
        threads = self._room.attempt(listing, "the threads could not be listed")
        if not threads:
            if threads is not None:
                self._console.write("This assistant has no threads yet: a message begins one.")
            return
        where = "of this assistant" if self._on_engine else "known on this machine"
        rows = [self._thread_row(thread) for thread in threads]
        index = pick(self._console, f"Threads {where}: {len(rows)}.", rows, what="thread")
        if index is not None:
            self._thread(threads[index].id, rows[index])

    @property
    def _on_engine(self) -> bool:
        return self._room.desk.client is not None and self._room.desk.client.is_engine

    def _thread_row(self, thread: ThreadSummary) -> str:
        count = "1 message" if thread.message_count == 1 else f"{thread.message_count:,} messages"
        here = ", open now" if thread.id == self._room.sending.chatting.thread_id else ""
        first = shorten(thread.first_message, 80) or "(empty)"
        return f"{first}, {clock_time(thread.last_activity_at, time.time())}, {count}{here}"

    def _thread(self, thread_id: str, row: str) -> None:
        chosen = choose(self._console, f"Thread {row}. What to do with it?", ["open it", "delete it", "read its id"])
        if chosen == 0:
            self.open_thread(thread_id)
        elif chosen == 1:
            self._delete_thread(thread_id)
        elif chosen == 2:
            self._console.write(f"The id of the thread is {thread_id}")

    def open_thread(self, thread_id: str | None) -> None:
        """Open this thread; None begins a new one."""
        self._room.attempt(self._room.show_thread(thread_id), "not opened")
        if thread_id is None:
            self._console.write("This is a new thread: the next message begins it. /threads goes back to another one.")

    def _delete_thread(self, thread_id: str) -> None:
        if not confirm(self._console, f"Delete this thread? {UNDO if self._on_engine else NO_UNDO}"):
            self._console.write("Kept.")
        elif self._room.attempt(self._deleted_thread(thread_id), "not deleted"):
            self._deleted = ("thread", thread_id)
            back = " /restore brings it back." if self._on_engine else ""
            self._console.write(f"The thread is deleted.{back}")

    async def _deleted_thread(self, thread_id: str) -> bool:
        await self._room.sending.delete_thread(thread_id)
        return True

    def restore(self) -> None:
        """Bring back what was deleted last in this session, and open it."""
        if self._deleted is None:
            self._console.write("Nothing was deleted since the start.")
        elif self.bring_back(*self._deleted):
            self._deleted = None

    def bring_back(self, kind: str, deleted: str) -> bool:
        """Bring back what was deleted, an assistant or a thread, and open it; whether that was done."""
        said = self._room.attempt(self._restored(kind, deleted), "not brought back")
        if said is not None:
            self._console.write(f"The {kind} is back, and open. {said}".rstrip())
        return said is not None

    async def _restored(self, kind: str, deleted: str) -> str:
        client = self._room.desk.client
        if client is None:
            raise AssistantsError("not connected.")
        if kind == "thread":
            await client.restore_thread(deleted)
            await self._room.show_thread(deleted)
            return ""
        restored = await client.versions.bring_back(deleted)
        await self._open(restored.assistant.id)
        return restored.said


def _name(assistant: Assistant) -> str:
    return shorten(assistant.name, 60) or f"without a name, {assistant.id}"


def _draft_row(draft: DraftState) -> str:
    name = draft.edits.get("name") or draft.base.get("name")
    named = shorten(name, 60) if isinstance(name, str) and name else "without a name"
    return f"{named}, begun, not created yet"
