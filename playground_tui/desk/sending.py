"""Messages out, events in: one at a time, and what could not go out goes back to where it was typed."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from playground_tui.assistants.errors import AssistantsError, Rejected, ThreadGone
from playground_tui.assistants.events import Event, MessageAccepted, Reconnecting, RunChanged, ThreadCreated
from playground_tui.assistants.objects import Run
from playground_tui.cache.state import WaitingMessage
from playground_tui.desk.attaching import sent_files
from playground_tui.desk.chatting import Chatting
from playground_tui.desk.desk import Desk
from playground_tui.desk.editing import Editing
from playground_tui.desk.panes import ChatFront

RUN = "run"
"""The group of the worker that reads a run; there is one at a time."""
HISTORY = 200
"""Sent texts kept for the composer's history."""
NOT_CREATED = "Not sent: this assistant has not been created yet."
HELD = frozenset({400, 409})
"""Statuses with which servers refuse a message or a run while another run is active on the thread."""
GOES_ON = frozenset({"completed", "incomplete"})
"""Run endings after which the next waiting message goes out by itself."""


def not_created(desk: Desk) -> str:
    """Why nothing goes out before the assistant is at the server."""
    return f"{NOT_CREATED} {desk.ways.save} creates it."


class Sending:
    """The traffic of the open thread."""

    def __init__(self, desk: Desk, pane: ChatFront, editing: Editing, tools: Callable[[], Collection[str]]) -> None:
        """`tools` gives the types of the tools that are ticked in the form."""
        self._desk = desk
        self._pane = pane
        self._editing = editing
        self.chatting = Chatting(desk, pane, self.follow, self.pump, tools=tools, uploaded=self._files_arrived)
        self.busy = False
        """Whether a message or a run is under way on the open thread."""
        self._sent: WaitingMessage | None = None
        self._tried_again = ""
        self._refused_by_form = False
        self._sends_after_files = ""
        """The text that goes out by itself when its files are at the server, while it stays as it is."""
        self._reconnecting = False

    def submit(self, text: str, *, last_saved: bool = False) -> None:
        """Enter: the text joins the messages on their way; before there is a connection it waits for one.

        `last_saved` sends without saving the form first.
        """
        connected = self.chatting.conversation is not None
        if connected and self._editing.assistant_id is None:
            self._pane.composer.give_back(text)
            self._pane.show_problem(not_created(self._desk))
            return
        if not_ready := self.chatting.attaching.not_ready():
            self._pane.composer.give_back(text)
            self._pane.show_problem(not_ready)
            self._sends_after_files = text
            return
        self._pane.show_problem("")
        self._remember(text)
        files = self.chatting.attaching.take()
        self.chatting.outbox.add(text, files, thread_id=self.chatting.thread_id)
        self.pump(last_saved=last_saved)

    def _files_arrived(self) -> None:
        """No more files are on their way: the message that was to go out with them goes, if it is as it was."""
        wanted, self._sends_after_files = self._sends_after_files, ""
        if not wanted or self._pane.composer.text != wanted:
            return
        if not_ready := self.chatting.attaching.not_ready():
            self._pane.show_problem(not_ready)
        else:
            self._pane.composer.send()

    def _remember(self, text: str) -> None:
        self._desk.cache.update_server(lambda state: replace(state, history=(*state.history, text)[-HISTORY:]))
        self._pane.composer.sent = list(self._desk.cache.server.history)

    def pump(self, *, last_saved: bool = False) -> None:
        """Send the next waiting message, if nothing is under way."""
        item = self.chatting.outbox.next()
        if item is None or self.busy or self.chatting.running or self.chatting.conversation is None:
            return
        if self.chatting.loading:
            return  # a run may be under way: what is loaded tells, and comes here again
        self._begin(self._send(item, last_saved=last_saved))

    def _begin(self, job: Coroutine[Any, Any, None]) -> None:
        self.busy = True
        self._desk.work(job, group=RUN, exclusive=True)

    async def _send(self, item: WaitingMessage, *, last_saved: bool) -> None:
        refusal = "" if last_saved else await self._form_refusal()
        if last_saved:
            self._desk.say("Runs with the last saved version of the assistant.")
        self._refused_by_form = bool(refusal)
        conversation, assistant_id = self.chatting.conversation, self._editing.assistant_id
        if refusal or conversation is None or assistant_id is None:
            self.busy = False
            self._hand_back(item, refusal or not_created(self._desk))
            return
        self._sent = item
        try:
            await self._read(conversation.send(item.text, assistant_id, key=item.key, files=sent_files(item.files)))
        except ThreadGone:
            self.chatting.lost()
            self.busy = False
            self.pump(last_saved=last_saved)
        except AssistantsError as error:
            if not await self._joins_another_run(error, item.key):
                self.busy = False
                self._failed(item, error)
        else:
            self._ended()

    async def _joins_another_run(self, error: AssistantsError, key: str = "") -> bool:
        """Whether it was refused because of a run that was started elsewhere, which is followed then.

        A message (`key`) that was refused goes out after it.
        """
        client, thread_id = self._desk.client, self.chatting.thread_id
        if client is None or thread_id is None or not isinstance(error, Rejected) or error.status not in HELD:
            return False
        try:
            run = await client.active_run(thread_id)
        except AssistantsError:
            return False
        if run is None:  # it has ended meanwhile, or the refusal has another reason: trying once more tells
            if self._tried_again == key or not self.chatting.outbox.has(key):
                return False
            self._tried_again = key
        elif not self.chatting.outbox.has(key):
            again = self._desk.ways.again
            self._desk.say(f"Another run was first on this thread. When it has ended, {again} runs it again.")
        self.busy = False
        await self.chatting.load()
        return True

    async def _form_refusal(self) -> str:
        """Why the form keeps a message from going out, or ""."""
        state = await self._editing.flush()
        if state.kind == "saved":
            return ""
        sentence = state.sentence(time.time(), self._desk.ways.save)
        return f"Not sent. {sentence}. {self._desk.ways.again} sends with the last saved version."

    async def _read(self, events: AsyncIterator[Event]) -> None:
        async for event in events:
            self._note(event)
            self._pane.apply(event)

    def _note(self, event: Event) -> None:
        self._reconnecting = isinstance(event, Reconnecting)
        if isinstance(event, RunChanged):
            self._editing.note_run(event.run)
        elif isinstance(event, ThreadCreated):
            self.chatting.moved_to(event.thread_id)
        elif isinstance(event, MessageAccepted):
            if self._sent is not None:
                self.chatting.outbox.take(self._sent.key)
            self.chatting.note_message(self._editing.assistant_id or "", event.message.text)

    def _ended(self) -> None:
        self.busy = False
        run = self.chatting.conversation.run if self.chatting.conversation else None
        if run is None or run.status in GOES_ON:
            self.pump()
        elif not run.active:
            self.chatting.outbox.hold()

    def _failed(self, item: WaitingMessage, error: AssistantsError) -> None:
        if self.chatting.outbox.has(item.key):
            self._hand_back(item, f"Not sent: {error}")
        else:
            self._pane.show_problem(f"{error} Your message is in the thread. {self._desk.ways.again} runs it again.")
        self.chatting.outbox.hold()

    def _hand_back(self, item: WaitingMessage, reason: str) -> None:
        """Put a message back where it was typed; where something else stands by now, it stays above, not sent."""
        if self._pane.composer.text:
            self.chatting.outbox.hold()
        else:
            self._pane.composer.load(item.text)
            self.chatting.attaching.give_back(item.files)
            self.chatting.outbox.give_back(item, self.chatting.thread_id)
            self.chatting.outbox.hold()
        self._pane.show_problem(reason)

    def follow(self, run: Run) -> None:
        """Read a run that is under way, unless it is being read."""
        conversation = self.chatting.conversation
        if not self.busy and conversation is not None:
            self._begin(self._follow(conversation.follow(run)))

    async def _follow(self, events: AsyncIterator[Event]) -> None:
        try:
            await self._read(events)
        except AssistantsError as error:
            if not await self._joins_another_run(error):
                self.busy = False
                self._pane.show_problem(f"{error} {self._desk.ways.again} tries again.")
        else:
            self._ended()

    def leave(self) -> None:
        """Another thread is opened: stop reading this one's run. It goes on at the server."""
        self.busy = False
        self._desk.stop(RUN)

    def answer(self, outputs: Mapping[str, str]) -> None:
        """Send the outputs of the function calls the run waits for."""
        conversation = self.chatting.conversation
        if conversation is not None and not self.busy:
            self._begin(self._follow(conversation.submit(outputs)))

    def run_again(self) -> None:
        """Run again: the nearest of what failed, else the thread once more."""
        outbox, conversation = self.chatting.outbox, self.chatting.conversation
        text = self._pane.composer.text
        assistant_id = self._editing.assistant_id
        refused = self._refused_by_form and bool(text.strip())
        if not refused and (held := outbox.first_held()) is not None:
            self.send_held(held.key)
        elif self.busy or self.chatting.running:
            self._desk.say(f"A run is under way: {self._desk.ways.cancel} cancels it.")
        elif text.strip():
            self._pane.composer.load("")
            self.submit(text, last_saved=refused)
        elif conversation is None or assistant_id is None or conversation.thread_id is None:
            self._desk.say("There is nothing to run yet: write a message and press enter.")
        else:
            self._pane.show_problem("")
            self._begin(self._again(assistant_id))

    async def _again(self, assistant_id: str) -> None:
        conversation = self.chatting.conversation
        refusal = await self._form_refusal()
        if refusal or conversation is None:
            self.busy = False
            self._pane.show_problem(refusal)
            return
        await self._follow(conversation.run_again(assistant_id, key=str(uuid.uuid4())))

    def send_held(self, key: str) -> None:
        """Let a message that was not sent go out."""
        self._pane.show_problem("")
        self.chatting.outbox.release(key)
        self.pump()

    def edit_held(self, key: str) -> None:
        """Put a message that was not sent back into the composer, before what stands there."""
        taken = self.chatting.outbox.take(key)
        if taken is not None:
            rest = self._pane.composer.text
            self._pane.composer.load(f"{taken.text}\n{rest}" if rest else taken.text)
            self.chatting.attaching.give_back(taken.files)
            self._pane.to_composer()
            self.chatting.keep()

    def stop_retrying(self) -> bool:
        """Stop the attempts to reach a lost run; False when there are none."""
        if not (self._reconnecting and self.busy) or self.chatting.conversation is None:
            return False
        self.chatting.conversation.stop_waiting()
        return True

    async def cancel(self) -> None:
        """Cancel the active run at the server; reading goes on until the server says cancelled."""
        conversation = self.chatting.conversation
        if conversation is None or not self.busy:
            return
        try:
            await conversation.cancel()
        except AssistantsError as error:
            self._desk.say(f"Not cancelled: {error}")
