"""The open thread: what is shown of it, what is kept of it, and which one it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from playground_tui.assistants.conversation import Conversation
from playground_tui.assistants.errors import AssistantsError, NotFound, ThreadGone
from playground_tui.assistants.events import Reconnected, Retrying
from playground_tui.assistants.objects import Message, Run, ThreadSummary
from playground_tui.assistants.tries import Tries
from playground_tui.cache.adoption import join_composers
from playground_tui.cache.state import ComposerState
from playground_tui.desk.attaching import Attaching
from playground_tui.desk.desk import Desk
from playground_tui.desk.editor import Edited, recover
from playground_tui.desk.outbox import Outbox
from playground_tui.desk.panes import ChatFront
from playground_tui.desk.past import PastSteps
from playground_tui.desk.thread_index import ThreadIndex

if TYPE_CHECKING:
    from playground_tui.assistants.client import AssistantsClient

PAGE = 50
"""Messages read at a time."""
NOT_READ = "the thread is not read yet"
"""What has not happened while a thread is asked for again."""
LOAD = "load"
"""The group of workers that read the open thread."""
COMPOSER, NEW_THREAD = "composer", "new"
"""Under which name and key a composer's text goes to $EDITOR; the key is the thread's id where there is one."""


class Chatting:
    """The thread that is open. Leaving a thread leaves its run going on at the server."""

    def __init__(
        self,
        desk: Desk,
        pane: ChatFront,
        follow: Callable[[Run], None],
        loaded: Callable[[], None],
        *,
        tools: Callable[[], Collection[str]],
        uploaded: Callable[[], None],
    ) -> None:
        """`tools` gives the types of the tools in the form; `uploaded` is called when the attached files are there."""
        self._desk = desk
        self._pane = pane
        self._follow = follow
        self._loaded = loaded
        self._loads = 0
        self._stop = asyncio.Event()
        self._waits = False
        self.unread = False
        """Whether the open thread could not be read."""
        self.stale = False
        """Whether it may be otherwise at the server than it is shown."""
        self.thread_id = desk.cache.session.thread_id
        self.conversation: Conversation | None = None
        self.outbox = Outbox(self.keep)
        self.attaching = Attaching(desk, pane.attachments, tools=tools, changed=self.store, uploaded=uploaded)
        self.past = PastSteps(desk, pane)
        self.index = ThreadIndex(desk.cache)
        self._typed = ComposerState()

    @property
    def running(self) -> Run | None:
        """The active run of the open thread."""
        run = self.conversation.run if self.conversation else None
        return run if run is not None and run.active else None

    def restore(self) -> None:
        """Show the composer's text and the waiting messages before any server has answered."""
        kept = self._desk.cache.load_composer(self.thread_id)
        self.outbox.load(kept.waiting)
        self._typed = kept
        self._pane.composer.load(kept.text)
        self.attaching.load(kept.files)
        self._pane.outputs.load(kept.outputs)
        self._take_in(self._left_by_editor(self.thread_id, kept), kept)
        self._pane.composer.sent = list(self._desk.cache.server.history)
        self._pane.show_thread(self.thread_id, [], more=False, read=self.thread_id is None)
        self._pane.show_waiting(self.outbox.items)

    def _left_by_editor(self, thread_id: str | None, kept: ComposerState) -> list[Edited]:
        """What $EDITOR had written for this thread when the program ended before it."""
        key = thread_id or NEW_THREAD
        return recover(self._desk.paths.editor, key, {COMPOSER}, kept.updated_at, self._desk.say)

    def _take_in(self, leftovers: Iterable[Edited], kept: ComposerState) -> None:
        for leftover in leftovers:
            self._pane.composer.load(leftover.text_after(kept.text))
            self.store()
            if self._desk.cache.flush():
                leftover.discard()

    def keep(self) -> None:
        """Put what is typed and the waiting messages into the cache, and show the latter."""
        self._pane.show_waiting(self.outbox.items)
        self.store()

    def store(self) -> None:
        """Put what is typed and the waiting messages into the cache, with the time at which the text changed."""
        now, before = self._typed_now(time.time()), self._typed
        same = (now.text, now.files) == (before.text, before.files)
        self._typed = replace(now, updated_at=before.updated_at) if same else now
        self._desk.cache.save_composer(self.thread_id, self._typed)

    def _typed_now(self, at: float) -> ComposerState:
        """Everything typed and not sent, with the time of its last change (Unix seconds)."""
        text, outputs = self._pane.composer.written, dict(self._pane.outputs.typed)
        return ComposerState(text, self.outbox.items, at, self.attaching.files, outputs)

    async def open(self, thread_id: str | None) -> None:
        """Show this thread with its own composer text and files; None begins a new one.

        Where it has none, what is being written comes along.
        """
        if thread_id != self.thread_id:
            kept = self._desk.cache.load_composer(thread_id)
            leftovers = self._left_by_editor(thread_id, kept)
            own = bool(kept.text or kept.files or leftovers)
            text, files = (self._pane.composer.draft, self.attaching.files) if own else ("", ())
            left = replace(self._typed_now(time.time()), text=text, files=files)
            self._desk.cache.save_composer(self.thread_id, left)
            self._become(thread_id)
            self.outbox.load(kept.waiting)
            self._pane.outputs.load(kept.outputs)
            if own:
                self._pane.composer.load(kept.text)
                self.attaching.load(kept.files)
                self._typed = kept
                self._take_in(leftovers, kept)
        self._pane.show_problem("")
        self._pane.show_run(None)
        self._pane.show_thread(thread_id, [], more=False, read=thread_id is None)
        self.keep()
        await self.load()

    def _become(self, thread_id: str | None) -> None:
        self.thread_id = thread_id
        self.past.forget()
        self._desk.cache.update_session(thread_id=thread_id)
        self._desk.cache.update_server(lambda state: replace(state, last_thread=thread_id))

    def moved_to(self, thread_id: str | None) -> None:
        """The open conversation got its thread, or lost it: composer and waiting messages go with it."""
        before = self.thread_id
        self.thread_id = thread_id
        self.keep()
        self._become(thread_id)
        # Last of all: a program that ends in between has it twice, and not nowhere.
        self._desk.cache.save_composer(before, ComposerState("", (), time.time()))

    def _join(self, left: ComposerState) -> None:
        """What was left in another thread comes in: where something is written here, its text waits as "not sent"."""
        mine = self._typed_now(max(time.time(), left.updated_at))
        both = join_composers([left, mine])
        self.outbox.put_before(both.waiting)
        self._pane.outputs.load(both.outputs)
        if both.text != mine.text:
            self._pane.composer.load(both.text)
        if both.files != mine.files:
            self.attaching.load(both.files)

    def lost(self) -> None:
        """The server no longer knows the thread: say so and go on in a new one."""
        gone = self.thread_id
        self._join(self._desk.cache.load_composer(None))
        self.moved_to(None)
        self.index.forget(gone)
        if self._desk.client is not None:
            self.conversation = Conversation(self._desk.client, None)
        self._pane.show_thread(None, [], more=False)
        self._pane.show_run(None)
        self._desk.say(f"The server no longer knows thread {gone}: the next message begins a new one.")

    @property
    def loading(self) -> bool:
        """Whether the thread is being read: what it shows, and whether a run is under way, is not known yet."""
        return self._loads > 0

    async def load(self) -> None:
        """Read the thread's newest messages and runs, and follow a run that is under way."""
        self._loads += 1
        try:
            await self._load()
        finally:
            self._loads -= 1
        self._loaded()

    async def _load(self) -> None:
        client = self._desk.client
        if client is None:
            return
        self.stop_retrying()
        self.conversation = conversation = Conversation(client, self.thread_id)
        if self.thread_id is None:
            self.unread = self.stale = False
            return
        self._stop = asyncio.Event()
        reading = Tries(NOT_READ, partial(_read, client, self.thread_id), self._stop)
        try:
            async with aclosing(reading.events()) as waits:
                async for waiting in waits:
                    if conversation is self.conversation:
                        self._waits = isinstance(waiting, Retrying)
                        self._pane.apply(waiting)
        except AssistantsError as error:
            cause = await conversation.explained(error) if isinstance(error, NotFound) else error
            if conversation is self.conversation:
                self._not_read(cause)
            return
        if conversation is self.conversation:
            self._show(self.thread_id, *reading.result)

    def _not_read(self, error: AssistantsError) -> None:
        self._waits = False
        if isinstance(error, ThreadGone):
            self.lost()
            return
        self.unread = self.stale = True
        self._pane.apply(Reconnected())
        self._pane.show_problem(f"The thread could not be read: {error} {self._desk.ways.again} reads it again.")

    def _show(self, thread_id: str, messages: list[Message], runs: list[Run]) -> None:
        """Show the thread as the server has it."""
        if self.unread:
            self._pane.show_problem("")
        self.unread = self.stale = False
        shown = self._pane.messages()
        if len(messages) == PAGE:
            shown = shown[-PAGE:]  # older ones were read before
        if not messages or list(map(seen_of, messages)) != list(map(seen_of, shown)):
            self._pane.show_thread(thread_id, messages, more=len(messages) == PAGE)
            self.past.forget()
        self.outbox.drop_arrived(messages, more=len(messages) == PAGE)
        self._pane.show_runs(runs)
        if runs and runs[0].active:
            self._follow(runs[0])
        self.past.begin(thread_id, messages, runs)

    def stop_retrying(self) -> bool:
        """Stop the attempts to read the thread; False when there are none."""
        self._stop.set()
        waited, self._waits = self._waits, False
        return waited

    async def fell_behind(self) -> bool:
        """Whether it may be otherwise at the server than it is shown, and that answers."""
        client, thread_id = self._desk.client, self.thread_id
        if not self.stale or self.loading or client is None or thread_id is None:
            return False
        try:
            await client.retrieve_thread(thread_id)
        except AssistantsError:
            return False
        return thread_id == self.thread_id

    async def older(self) -> None:
        """Page older messages in at the top."""
        if self.thread_id is not None:
            await self.past.older(self.thread_id, PAGE)

    async def list(self, assistant_id: str | None) -> list[ThreadSummary]:
        """The assistant's threads: the server's where it lists them, else those known on this machine."""
        client = self._desk.client
        if client is not None and client.is_engine:
            return await client.list_threads(assistant_id)
        return self.index.of(assistant_id)

    async def delete(self, thread_id: str) -> None:
        """Delete a thread. Raises AssistantsError."""
        assert self._desk.client is not None
        try:
            await self._desk.client.delete_thread(thread_id)
        except NotFound:
            self._desk.say("It had been deleted already.")
        self.index.forget(thread_id)


async def _read(client: AssistantsClient, thread_id: str) -> tuple[list[Message], list[Run]]:
    """A thread's newest messages and runs."""
    return await client.list_messages(thread_id, limit=PAGE), await client.list_runs(thread_id)


def seen_of(message: Message) -> tuple[object, ...]:
    """What is to be seen of a message."""
    return message.id, message.role, message.text, message.status, message.images, message.annotations
