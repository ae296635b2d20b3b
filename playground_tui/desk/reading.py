"""Reading the run of the open thread: one at a time, across everything that a server does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from time import monotonic
from typing import Any

from playground_tui.assistants.conversation import CONFLICT
from playground_tui.assistants.engine_objects import Change
from playground_tui.assistants.errors import AssistantsError, NotFound, Rejected
from playground_tui.assistants.events import Event, MessageAccepted, Reconnecting, Retrying, RunChanged, ThreadCreated
from playground_tui.assistants.objects import Run
from playground_tui.desk.chatting import LOAD, Chatting
from playground_tui.desk.desk import Desk
from playground_tui.desk.editing import Editing
from playground_tui.desk.panes import ChatFront

RUN = "run"
"""The group of the worker that reads a run; there is one at a time."""
HELD = frozenset({400, 409})
"""Statuses with which servers refuse a message or a run while another run is active on the thread."""
GOES_ON = frozenset({"completed", "incomplete"})
"""Run endings after which the next waiting message goes out by itself."""
PATIENCE = 5.0
"""Seconds in which a server must say something once the user wants to stop; then it is not listened to any longer."""


class Reading:
    """What is under way on the open thread. `Sending` starts it and says what becomes of its messages."""

    chatting: Chatting

    def __init__(self, desk: Desk, pane: ChatFront, editing: Editing) -> None:
        self._desk = desk
        self._pane = pane
        self._editing = editing
        self.busy = False
        """Whether a message or a run is under way on the open thread."""
        self._waits = False
        """Whether a further try is counted down to."""
        self._saves_first = False
        """Whether the form is being saved, before anything of what is under way goes out."""
        self._heard: list[Change] = []
        """What was told of messages of the open thread while one or a run was under way."""
        self._told = asyncio.Event()
        """Something happened since the user wanted to stop."""
        self._told_at = 0.0

    def _begin(self, job: Coroutine[Any, Any, None]) -> None:
        self.busy = True
        self._waits = self._saves_first = False
        self._told_at = monotonic()
        self._desk.work(job, group=RUN, exclusive=True)

    def _rest(self) -> None:
        """Nothing is under way any longer."""
        self.busy = False
        self._waits = False
        self._told.set()
        self._pane.show_sending("")

    async def _read(self, events: AsyncIterator[Event]) -> None:
        async for event in events:
            self._told.set()
            self._told_at = monotonic()
            self._waits = isinstance(event, Reconnecting | Retrying)
            self._note(event)
            self._pane.apply(event)

    def _note(self, event: Event) -> None:
        if isinstance(event, RunChanged):
            self._editing.note_run(event.run)
        elif isinstance(event, ThreadCreated):
            self.chatting.moved_to(event.thread_id)
        elif isinstance(event, MessageAccepted):
            self._accepted(event)
            self._pane.show_sending("starting the run")

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
                await self._lost(error)
        else:
            await self._ended()

    def heard(self, change: Change) -> None:
        """A message of the open thread was made, changed or deleted, here or elsewhere."""
        if self.busy and change.kind == "message":
            self._heard.append(change)

    def _was_changed_elsewhere(self) -> bool:
        """Whether something was told that this run did not do, and that shows."""
        heard, self._heard = self._heard, []
        known = {message.id for message in self._pane.messages()}
        return any(one.action == "deleted" or (one.action == "created" and one.id not in known) for one in heard)

    async def _ended(self) -> None:
        """A run rests. What other servers than the engine streamed is compared with what they keep."""
        self._rest()
        run = self.chatting.conversation.run if self.chatting.conversation else None
        ended = run is None or not run.active
        goes_on = run is None or run.status in GOES_ON
        if ended and not goes_on:
            self.chatting.outbox.hold()
        if ended and (self._polled or self._was_changed_elsewhere()):
            await self.chatting.load()
        elif goes_on:
            self.pump()

    @property
    def _polled(self) -> bool:
        """Whether the server is one that reports no changes."""
        return self._desk.client is not None and not self._desk.client.is_engine

    async def _lost(self, error: AssistantsError) -> None:
        """A run cannot be read any longer, or could not be started."""
        self._rest()
        run, again = self.chatting.running, self._desk.ways.again
        if run is None:
            self._pane.show_problem(f"{error} {again} tries again.")
        elif run.status == "requires_action":
            self._pane.show_problem(f"{error} The outputs are asked for again.")
            self._pane.show_run(run)
        else:
            self._pane.show_problem(f"{error} {again} looks for the run again.")
        self.chatting.stale = True
        await self._look_after(error)

    async def _look_after(self, error: AssistantsError) -> None:
        """A run that is not found may never have had that id: the thread at the server tells what there is."""
        if not isinstance(error, NotFound) or not self._polled:
            return
        await self.chatting.load()
        shown = self._pane.messages()
        if self.chatting.running or (shown and shown[-1].role != "user"):
            self._pane.show_problem("")

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
        if run is None and error.status == CONFLICT:
            return False  # it was tried often enough
        own = self.chatting.running
        if (run is not None and own is not None and run.id == own.id) or not self._takes_its_turn(run, key):
            return False
        self._rest()
        await self.chatting.load()
        return True

    def leave(self) -> None:
        """Another thread is opened: stop reading this one's run. It goes on at the server."""
        self.chatting.attaching.sends_after = ""
        self._heard.clear()
        self._rest()
        self._desk.stop(RUN)

    async def delete_thread(self, thread_id: str) -> None:
        """Delete a thread; where it is open, its run is left and a new thread begun. Raises AssistantsError."""
        await self.chatting.delete(thread_id)
        if thread_id == self.chatting.thread_id:
            self.leave()
            await self.chatting.open(None)

    def answer(self, outputs: Mapping[str, str]) -> None:
        """Send the outputs of the function calls the run waits for. While that is read they are asked for again."""
        conversation = self.chatting.conversation
        if conversation is not None and not self.busy and not self.chatting.loading:
            self._pane.show_problem("")
            self._begin(self._follow(conversation.submit(outputs)))

    # Stopping

    def stop_retrying(self) -> bool:
        """Stop what is counted down to; False when there is nothing."""
        if self._waits and self.busy and self.chatting.conversation is not None:
            self._waits = False
            self.chatting.conversation.stop_waiting()
            return True
        return self.chatting.stop_retrying()

    async def cancel(self) -> None:
        """Cancel the active run at the server; reading goes on until the server says cancelled.

        What the server does not answer is left: a message goes back to where it was typed.
        """
        conversation = self.chatting.conversation
        if conversation is None or not (self.busy or self.chatting.running):
            return
        if self.busy and self._saves_first:
            self._give_up()
            return
        self._told.clear()
        try:
            run = await conversation.cancel()
        except AssistantsError as error:
            self._desk.say(f"Not cancelled: {error}")
            return
        silent = not self.busy or await self._silent()
        if not silent or conversation is not self.chatting.conversation:
            return
        if run is not None:
            self._begin(self._follow(conversation.follow(run)))
        elif self.busy:
            self._give_up()

    def _give_up(self) -> None:
        self._desk.stop(RUN)
        self._rest()
        self._given_up()

    async def _silent(self) -> bool:
        """Whether the server says nothing for too long."""
        try:
            await asyncio.wait_for(self._told.wait(), max(0.0, self._told_at + PATIENCE - monotonic()))
        except TimeoutError:
            return True
        return False

    def _read_thread(self) -> None:
        """Look what the thread is like at the server."""
        self._desk.work(self.chatting.load(), group=LOAD)

    # What `Sending` knows

    def pump(self, *, last_saved: bool = False) -> None:
        """Send the next waiting message, if nothing is under way."""
        raise NotImplementedError

    def _accepted(self, event: MessageAccepted) -> None:
        raise NotImplementedError

    def _takes_its_turn(self, run: Run | None, key: str) -> bool:
        """Whether what was refused waits for this run, or is tried once more where there is none."""
        raise NotImplementedError

    def _given_up(self) -> None:
        """The user does not wait any longer for what was being sent."""
        raise NotImplementedError
