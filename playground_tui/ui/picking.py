"""What is chosen from lists: assistants and threads, to open, begin, clone, delete and bring back."""

from __future__ import annotations

import time

from textual.screen import Screen

from playground_tui.desk.desk import Desk
from playground_tui.desk.editing import Editing
from playground_tui.desk.history import History
from playground_tui.desk.sending import Sending
from playground_tui.text import shorten
from playground_tui.ui.dialogs.assistants import AssistantPicker
from playground_tui.ui.dialogs.chooser import Choice
from playground_tui.ui.dialogs.confirm import Confirm
from playground_tui.ui.dialogs.deleted import DeletedPicker, deleted_assistants, deleted_threads
from playground_tui.ui.dialogs.threads import ThreadPicker
from playground_tui.ui.keys import key_of
from playground_tui.ui.times import clock_time
from playground_tui.ui.versions.dialog import VersionsDialog

UNDO = "It can be brought back for 30 days."
COPY = "It can be brought back for 30 days, as a copy with another id."
NO_UNDO = "There it cannot be brought back."


class Picking:
    """Every method is one job for a worker; all raise AssistantsError."""

    def __init__(self, desk: Desk, screen: Screen[None], editing: Editing, sending: Sending, history: History) -> None:
        self._desk = desk
        self._screen = screen
        self._editing = editing
        self._sending = sending
        self._history = history

    async def assistant(self) -> Choice | None:
        """Choose an assistant and do what was chosen, unless it is for the screen (`copy id`), which is returned."""
        assert self._desk.client is not None
        drafts = [draft for draft in self._desk.cache.new_drafts() if draft.key != self._editing.key]
        assistants = await self._desk.client.list_assistants()
        picker = AssistantPicker(assistants, drafts, where=self._desk.client.where)
        choice = await self._screen.app.push_screen_wait(picker)
        if choice is None or choice.action == "copy id":
            return choice
        if choice.action == "deleted":
            return await self.deleted_assistants()
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
        undo = UNDO if self._on_engine else COPY
        if await self._ask(question, f"Its threads stay. {undo}", yes="delete", no="keep"):
            await self._editing.delete(assistant_id)
            self._desk.say(f"Deleted. {self._key('open')}, then ctrl+r brings it back.")

    @property
    def _on_engine(self) -> bool:
        return self._desk.client is not None and self._desk.client.is_engine

    def _key(self, name: str) -> str:
        return key_of(self._desk.settings.keys, name)

    async def deleted_assistants(self) -> Choice | None:
        """Choose a deleted assistant, bring it back and open it; `copy id` is for the screen."""
        assert self._desk.client is not None
        rows = deleted_assistants(await self._desk.client.versions.deleted())
        picker = DeletedPicker(f"Deleted assistants on {self._desk.client.where}", rows)
        choice = await self._screen.app.push_screen_wait(picker)
        if choice is None or choice.action == "copy id":
            return choice
        restored = await self._desk.client.versions.bring_back(choice.id)
        self._desk.say(restored.said or "It is back, as it was.")
        await self.open_assistant(restored.assistant.id)
        return None

    async def versions(self) -> Choice | None:
        """Look at the versions of the open assistant, and bring one of them back into the form."""
        moments = await self._history.begin()
        name = shorten(self._editing.draft.text("name"), 40) or "this assistant"
        chosen = await self._screen.app.push_screen_wait(VersionsDialog(f"Versions of {name}", moments, self._history))
        if chosen is None:
            return None
        said = await self._history.restore(chosen.key, chosen.fields)
        self._desk.say(said or f"Restored in the form. {self._key('versions')} has what was there before.")
        await self._screen.run_action("to_form")
        return None

    async def thread(self) -> Choice | None:
        """Choose a thread and do what was chosen, unless it is for the screen (`copy id`), which is returned."""
        assert self._desk.client is not None
        threads = await self._sending.chatting.list(self._editing.assistant_id)
        title = "Threads of this assistant" if self._desk.client.is_engine else "Threads known on this machine"
        picker = ThreadPicker(title, threads, lambda at: clock_time(at, time.time()))
        choice = await self._screen.app.push_screen_wait(picker)
        if choice is None or choice.action == "copy id":
            return choice
        if choice.action == "deleted":
            return await self.deleted_threads()
        if choice.action == "delete":
            await self._delete_thread(choice.id)
        else:
            await self.show_thread(choice.id or None)
        return None

    async def new_thread(self, shown: int) -> None:
        """Begin a new thread; asked first when `shown` messages would go out of sight."""
        question = "Begin a new thread? These messages go out of sight."
        detail = f"They stay on the server: {self._key('threads')} lists this assistant's threads."
        if not shown or await self._ask(question, detail, yes="new thread", no="stay"):
            await self.show_thread(None)

    async def _delete_thread(self, thread_id: str) -> None:
        if await self._ask("Delete this thread?", UNDO if self._on_engine else NO_UNDO, yes="delete", no="keep"):
            await self._sending.delete_thread(thread_id)
            back = f" {self._key('threads')}, then ctrl+r brings it back." if self._on_engine else ""
            self._desk.say(f"Deleted.{back}")

    async def deleted_threads(self) -> Choice | None:
        """Choose a deleted thread of the open assistant, bring it back and show it; `copy id` is for the screen."""
        assert self._desk.client is not None
        found = await self._desk.client.deleted_threads(self._editing.assistant_id)
        choice = await self._screen.app.push_screen_wait(
            DeletedPicker("Deleted threads of this assistant", deleted_threads(found))
        )
        if choice is None or choice.action == "copy id":
            return choice
        await self._desk.client.restore_thread(choice.id)
        await self.show_thread(choice.id)
        return None

    async def show_thread(self, thread_id: str | None) -> None:
        """Leave the open thread and show this one; None begins a new one."""
        self._sending.leave()
        await self._sending.chatting.open(thread_id)

    async def _ask(self, question: str, detail: str, *, yes: str, no: str) -> bool:
        return await self._screen.app.push_screen_wait(Confirm(question, detail=detail, yes=yes, no=no))
