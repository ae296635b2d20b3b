"""What is read when the server is there, and when it tells that something has changed."""

from __future__ import annotations

from playground_tui.assistants.engine_objects import Change
from playground_tui.assistants.errors import AssistantsError, NotReachable
from playground_tui.desk.desk import Desk
from playground_tui.desk.editing import Editing
from playground_tui.desk.models import read_models
from playground_tui.desk.panes import FormFront
from playground_tui.desk.sending import Sending


class Arrival:
    """Opens what was asked for at the start, once, and keeps what is open in step with the server."""

    def __init__(self, desk: Desk, form: FormFront, editing: Editing, sending: Sending) -> None:
        self._desk = desk
        self._form = form
        self._editing = editing
        self._sending = sending
        self._wanted_assistant = desk.settings.assistant
        self._wanted_thread = desk.settings.thread

    async def opened(self) -> str:
        """The server is there, or there again; answers what it refused, or "".

        Raises AssistantsError when that may be otherwise later.
        """
        refused = ""
        try:
            await self._editing.connected(self._wanted_assistant)
        except AssistantsError as error:
            if error.retry:
                raise
            refused = str(error)
            self._desk.say(refused)
        self._wanted_assistant = None
        thread, self._wanted_thread = self._wanted_thread, None
        if thread is not None:
            self._sending.leave()
            await self._sending.chatting.open(thread)
        elif not self._sending.busy:
            await self._sending.chatting.load()
        self._sending.pump()
        self._sending.chatting.attaching.pump(again=True)
        self._desk.work(self._sending.chatting.past.read_names(), group="names")
        self._form.show_tool_problems(self._desk.tool_problems)
        missing = await read_models(self._desk, self._form)
        if isinstance(missing, NotReachable) and self._editing.assistant_id is None:
            raise missing  # nothing else was asked: the server is not there
        return str(missing or refused)

    async def changed(self, change: Change) -> None:
        """Read what is open and was changed."""
        chatting = self._sending.chatting
        if change.kind == "assistant" and change.id == self._editing.assistant_id:
            await self._editing.refresh()
        elif chatting.thread_id and change.thread_id == chatting.thread_id:
            self._sending.heard(change)
            await self.read_thread()

    async def read_thread(self) -> None:
        """Somebody else wrote to the open thread. What is being read already needs no second look."""
        if not self._sending.busy:
            await self._sending.chatting.load()
