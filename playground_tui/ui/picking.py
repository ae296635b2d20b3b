"""What is chosen from lists: assistants and threads, to open, begin, clone, delete and bring back."""

from __future__ import annotations

import time

from textual.screen import Screen

from playground_tui.assistants.errors import AssistantsError
from playground_tui.desk.desk import Desk
from playground_tui.desk.editing import Editing
from playground_tui.desk.sending import Sending
from playground_tui.ui.dialogs.assistants import AssistantPicker
from playground_tui.ui.dialogs.chooser import Choice
from playground_tui.ui.dialogs.confirm import Confirm
from playground_tui.ui.dialogs.threads import ThreadPicker
from playground_tui.ui.times import clock_time

UNDO = "On the engine it can be brought back for 30 days."


class Picking:
    """Every method is one job for a worker; all raise AssistantsError."""

    def __init__(self, desk: Desk, screen: Screen[None], editing: Editing, sending: Sending) -> None:
        self._desk = desk
        self._screen = screen
        self._editing = editing
        self._sending = sending
        self._deleted: str | None = None
        self._deleted_thread: str | None = None

    async def assistant(self) -> Choice | None:
        """Choose an assistant and do what was chosen, unless it is for the screen (`copy id`), which is returned."""
        assert self._desk.client is not None
        drafts = [draft for draft in self._desk.cache.new_drafts() if draft.key != self._editing.key]
        assistants = await self._desk.client.list_assistants()
        picker = AssistantPicker(assistants, drafts, where=self._desk.client.where)
        choice = await self._screen.app.push_screen_wait(picker)
        if choice is None or choice.action == "copy id":
            return choice
        begun = choice.id.startswith("new-")
        if choice.action == "delete":
            await (self._drop_draft(choice.id) if begun else self._delete_assistant(choice.id))
            return None
        if begun:
            await self._editing.resume(choice.id)
            await self.show_thread(None)
        elif choice.action == "open":
            await self.open_assistant(choice.id)
        elif choice.action == "new":
            await self.new_assistant()
        else:
            await self.clone(choice.id)
        await self._screen.run_action("to_pane" if choice.action == "open" else "to_form")
        return None

    async def open_assistant(self, assistant_id: str) -> None:
        """Open an assistant with a new thread."""
        if assistant_id != self._editing.assistant_id:
            await self._editing.open(assistant_id)
            await self.show_thread(None)

    async def new_assistant(self) -> None:
        """Begin an assistant that is not created yet."""
        await self._editing.begin()
        await self.show_thread(None)

    async def clone(self, assistant_id: str) -> None:
        """Begin an assistant with everything of this one."""
        await self._editing.clone(assistant_id)
        await self.show_thread(None)

    async def _drop_draft(self, key: str) -> None:
        if await self._ask("Give up this assistant that was not created yet?", "", yes="give up", no="keep"):
            self._desk.cache.drop_draft(key)

    async def _delete_assistant(self, assistant_id: str) -> None:
        question = f"Delete the assistant {assistant_id}?"
        if await self._ask(question, f"Its threads stay. {UNDO}", yes="delete", no="keep"):
            await self._editing.delete(assistant_id)
            self._deleted = assistant_id
            self._desk.say("Deleted. The palette (ctrl+p) has: bring back the assistant deleted last.")

    async def restore_assistant(self) -> None:
        """Bring back the assistant deleted last in this session."""
        assert self._desk.client is not None
        if self._deleted is None:
            raise AssistantsError("no assistant was deleted since the start.")
        restored = await self._desk.client.restore_assistant(self._deleted)
        self._deleted = None
        await self.open_assistant(restored.id)

    async def thread(self) -> Choice | None:
        """Choose a thread and do what was chosen, unless it is for the screen (`copy id`), which is returned."""
        assert self._desk.client is not None
        threads = await self._sending.chatting.list(self._editing.assistant_id)
        title = "Threads of this assistant" if self._desk.client.is_engine else "Threads known on this machine"
        picker = ThreadPicker(title, threads, lambda at: clock_time(at, time.time()))
        choice = await self._screen.app.push_screen_wait(picker)
        if choice is None or choice.action == "copy id":
            return choice
        if choice.action == "delete":
            await self._delete_thread(choice.id)
        else:
            await self.show_thread(choice.id or None)
        return None

    async def new_thread(self, shown: int) -> None:
        """Begin a new thread; asked first when `shown` messages would go out of sight."""
        question = "Begin a new thread? These messages go out of sight."
        detail = "They stay on the server: ctrl+g lists this assistant's threads."
        if not shown or await self._ask(question, detail, yes="new thread", no="stay"):
            await self.show_thread(None)

    async def _delete_thread(self, thread_id: str) -> None:
        if await self._ask("Delete this thread?", UNDO, yes="delete", no="keep"):
            await self._sending.chatting.delete(thread_id)
            self._deleted_thread = thread_id
            self._desk.say("Deleted. The palette (ctrl+p) has: bring back the thread deleted last.")

    async def restore_thread(self) -> None:
        """Bring back the thread deleted last in this session, and show it."""
        assert self._desk.client is not None
        if self._deleted_thread is None:
            raise AssistantsError("no thread was deleted since the start.")
        thread_id, self._deleted_thread = self._deleted_thread, None
        await self._desk.client.restore_thread(thread_id)
        await self.show_thread(thread_id)

    async def show_thread(self, thread_id: str | None) -> None:
        """Leave the open thread and show this one; None begins a new one."""
        self._sending.leave()
        await self._sending.chatting.open(thread_id)

    async def _ask(self, question: str, detail: str, *, yes: str, no: str) -> bool:
        return await self._screen.app.push_screen_wait(Confirm(question, detail=detail, yes=yes, no=no))
