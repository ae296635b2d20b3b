"""Messages out, events in: one at a time, and what could not go out goes back to where it was typed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Coroutine
from dataclasses import replace
from typing import Any

from playground_tui.assistants.errors import AssistantsError, ThreadGone
from playground_tui.assistants.events import Event, MessageAccepted, RunChanged
from playground_tui.assistants.objects import Run
from playground_tui.cache.state import WaitingMessage
from playground_tui.desk.attaching import sent_files
from playground_tui.desk.chatting import Chatting
from playground_tui.desk.desk import Desk
from playground_tui.desk.editing import Editing
from playground_tui.desk.panes import ChatFront
from playground_tui.desk.reading import Reading

HISTORY = 200
"""Sent texts kept for the composer's history."""
NOT_CREATED = "Not sent: this assistant has not been created yet."
STOPPED = "Not sent: stopped."
LOOKED_UP = "Whether it has arrived is looked up before it goes out again."


def not_created(desk: Desk) -> str:
    """Why nothing goes out before the assistant is at the server."""
    return f"{NOT_CREATED} {desk.ways.save} creates it."


class Sending(Reading):
    """The traffic of the open thread."""

    def __init__(self, desk: Desk, pane: ChatFront, editing: Editing, tools: Callable[[], Collection[str]]) -> None:
        """`tools` gives the types of the tools that are ticked in the form."""
        super().__init__(desk, pane, editing)
        self.chatting = Chatting(desk, pane, self.follow, self.pump, tools=tools, uploaded=self._files_arrived)
        self._sent: WaitingMessage | None = None
        self._unstarted: WaitingMessage | None = None
        """The message that was accepted last, while no run is known to have begun for it."""
        self._tried_again = ""
        self._begun_anew = ""
        """The key of the message that goes to a new thread, because its own was gone."""
        self._refused = ""
        """The key of the message that the form kept from going out."""

    def submit(self, text: str, *, last_saved: bool = False) -> None:
        """Enter: the text joins the messages on their way; before there is a connection it waits for one.

        `last_saved` sends without saving the form first.
        """
        connected = self.chatting.conversation is not None
        self.chatting.attaching.sends_after = ""
        if connected and self._editing.assistant_id is None:
            self._pane.composer.give_back(text)
            self._pane.show_problem(not_created(self._desk))
            return
        if not_ready := self.chatting.attaching.not_ready():
            self._pane.composer.give_back(text)
            self._pane.show_problem(not_ready)
            self.chatting.attaching.sends_after = text if self.chatting.attaching.on_their_way else ""
            return
        self._pane.show_problem("")
        self._remember(text)
        files = self.chatting.attaching.take()
        self.chatting.outbox.add(text, files, thread_id=self.chatting.thread_id)
        self.pump(last_saved=last_saved)

    def _files_arrived(self) -> None:
        """No more files are on their way: the message that was to go out with them goes, if it is as it was."""
        wanted, self.chatting.attaching.sends_after = self.chatting.attaching.sends_after, ""
        if not wanted:
            return
        if self._pane.composer.text != wanted:
            self._pane.show_problem("")
        elif not_ready := self.chatting.attaching.not_ready():
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
        self._sent = item

    def _begin(self, job: Coroutine[Any, Any, None]) -> None:
        self._sent = None
        super()._begin(job)

    async def _send(self, item: WaitingMessage, *, last_saved: bool) -> None:
        refusal = "" if last_saved else await self._form_refusal()
        if last_saved:
            self._desk.say("Runs with the last saved version of the assistant.")
        self._refused = item.key if refusal else ""
        conversation, assistant_id = self.chatting.conversation, self._editing.assistant_id
        if refusal or conversation is None or assistant_id is None:
            self._rest()
            self._hand_back(item, refusal or not_created(self._desk))
            return
        self._pane.show_sending("sending")
        item = self._sent = self._going(item)
        try:
            await self._read(conversation.send(item.text, assistant_id, key=item.key, files=sent_files(item.files)))
        except ThreadGone as gone:
            self._rest()
            if self._begun_anew == item.key:  # the thread made for it is gone too
                self._failed(item, gone)
            else:
                self._begun_anew = item.key
                self.chatting.lost()
                self.pump(last_saved=last_saved)
        except AssistantsError as error:
            if not await self._joins_another_run(error, item.key):
                accepted = not self.chatting.outbox.has(item.key)
                self._rest()
                self._failed(item, error)
                if accepted:
                    await self._look_after(error)
        else:
            await self._ended()

    def _going(self, item: WaitingMessage) -> WaitingMessage:
        """The message goes out now: the next start is to know, so that it can look whether it has arrived."""
        messages = self._pane.messages()
        sent = self.chatting.outbox.going(item, messages[-1].id if messages else "")
        self._desk.cache.flush()
        return sent

    async def _form_refusal(self) -> str:
        """Why the form keeps a message from going out, or ""."""
        self._pane.show_sending("saving the form")
        self._saves_first = True
        state = await self._editing.flush()
        self._saves_first = False
        if state.kind == "saved":
            return ""
        sentence = state.sentence(time.time(), self._desk.ways.save)
        return f"Not sent. {sentence}. {self._desk.ways.again} sends with the last saved version."

    def _failed(self, item: WaitingMessage, error: AssistantsError) -> None:
        if self.chatting.outbox.has(item.key):
            self._hand_back(item, f"Not sent: {error}")
        else:
            again = "looks for the run again" if self.chatting.running else "runs it again"
            self._pane.show_problem(f"{error} Your message is in the thread. {self._desk.ways.again} {again}.")
        self.chatting.outbox.hold()
        self.chatting.stale = True

    def _given_up(self) -> None:
        sent = self._sent
        if sent is not None and self.chatting.outbox.has(sent.key):
            self._hand_back(sent, STOPPED if sent.after is None else f"{STOPPED} {LOOKED_UP}")
            self.chatting.stale = True
        else:
            self._pane.show_problem(f"Stopped waiting for the run to begin. {self._desk.ways.again} runs it again.")
            self.chatting.outbox.hold()
            self._read_thread()

    def _accepted(self, event: MessageAccepted) -> None:
        self._unstarted = self._sent
        if self._sent is not None:
            self.chatting.outbox.take(self._sent.key)
        if self._polled:  # the engine lists its threads by itself
            thread_id, assistant_id = self.chatting.thread_id or "", self._editing.assistant_id or ""
            self.chatting.index.note(thread_id, assistant_id, event.message.text)

    def _takes_its_turn(self, run: Run | None, key: str) -> bool:
        waits = self.chatting.outbox.has(key)
        if run is None:  # it has ended meanwhile, or the refusal has another reason: trying once more tells
            if self._tried_again == key or not waits:
                return False
            self._tried_again = key
        elif not waits:
            again = self._desk.ways.again
            self._desk.say(f"Another run was first on this thread. When it has ended, {again} runs it again.")
        return True

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

    def run_again(self) -> None:
        """Run again: the nearest of what failed, else the thread once more."""
        outbox, conversation = self.chatting.outbox, self.chatting.conversation
        text = self._pane.composer.text
        assistant_id = self._editing.assistant_id
        refused = bool(self._refused and text.strip()) and not outbox.has(self._refused)
        if self._looks_again():
            self._pane.show_problem("")
        elif not refused and (held := outbox.first_held()) is not None:
            self.send_held(held.key, last_saved=held.key == self._refused)
        elif self.busy or self.chatting.running:
            self._desk.say(f"A run is under way: {self._desk.ways.cancel} cancels it.")
        elif text.strip():
            self.submit(self._pane.composer.take(), last_saved=refused)
        elif conversation is None or assistant_id is None or conversation.thread_id is None:
            self._desk.say("There is nothing to run yet: write a message and press enter.")
        elif self.chatting.loading:
            self._desk.say("The thread is being read, which tells whether a run is under way.")
        else:
            self._pane.show_problem("")
            self._begin(self._again(assistant_id, self._key_of_run()))

    def _looks_again(self) -> bool:
        """Whether there is a run or a thread that could not be read: it is looked for again."""
        run = self.chatting.running
        if self.busy or self.chatting.loading:
            return False
        if run is not None and run.status != "requires_action":
            self.follow(run)
        elif self.chatting.unread:
            self._read_thread()
        else:
            return False
        return True

    def _note(self, event: Event) -> None:
        super()._note(event)
        if isinstance(event, RunChanged):
            self._unstarted = None

    def _key_of_run(self) -> str:
        """That of the last message while its run may have begun untold, so that it is looked for and not run twice."""
        shown, waits = self._pane.messages(), self._unstarted
        if waits is not None and shown and (shown[-1].role, shown[-1].text) == ("user", waits.text):
            return waits.key
        return str(uuid.uuid4())

    async def _again(self, assistant_id: str, key: str) -> None:
        conversation = self.chatting.conversation
        refusal = await self._form_refusal()
        if refusal or conversation is None:
            self._rest()
            self._pane.show_problem(refusal)
            return
        self._pane.show_sending("starting the run")
        await self._follow(conversation.run_again(assistant_id, key=key))

    def send_held(self, key: str, *, last_saved: bool = False) -> None:
        """Let a message that was not sent go out; `last_saved` as for `submit`."""
        self._pane.show_problem("")
        self.chatting.outbox.release(key)
        self.pump(last_saved=last_saved)

    def drop_held(self, key: str) -> None:
        """Give up a message that was not sent."""
        if not self._is_going(key):
            self.chatting.outbox.take(key)

    def _is_going(self, key: str) -> bool:
        """Whether this message is under way at this moment, which is said: nobody can have it back."""
        going = self.busy and self._sent is not None and self._sent.key == key
        if going:
            self._desk.say(f"It is being sent: {self._desk.ways.cancel} stops it.")
        return going

    def edit_held(self, key: str) -> None:
        """Put a message that was not sent back into the composer, before what stands there."""
        held = self.chatting.outbox.find(key)
        if held is not None and not self._is_going(key):
            self._pane.composer.give_back(held.text)
            self.chatting.attaching.give_back(held.files)
            self.chatting.outbox.give_back(held, self.chatting.thread_id)
            self._pane.to_composer()
            self.chatting.keep()
