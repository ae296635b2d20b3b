"""The plain playground's parts, wired: what works beside the terminal, and what the terminal asks of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.objects import Message, Run
from playground_tui.cache.cache import Cache, server_key
from playground_tui.config import Settings
from playground_tui.desk.arrival import Arrival
from playground_tui.desk.desk import Desk, OpenClient
from playground_tui.desk.editing import Editing
from playground_tui.desk.history import History
from playground_tui.desk.link import KEPT, Link
from playground_tui.desk.panes import Ways
from playground_tui.desk.sending import Sending
from playground_tui.desk.trouble import Trouble
from playground_tui.paths import Paths
from playground_tui.plain.attached import PlainAttachments
from playground_tui.plain.chat import PlainChat, Voice
from playground_tui.plain.form import PlainForm
from playground_tui.plain.stage import Stage

T = TypeVar("T")

WAYS = Ways(
    save="/save",
    again="/again",
    cancel="ctrl+c",
    assistants="/assistants",
    try_it="write a message to try it",
)
FLUSH_BEFORE_QUIT = 2.0
"""Seconds a save may take when leaving; the draft is on disk already."""


class Room:
    """Everything but the terminal. Methods are called by the terminal's thread; what they start runs on the stage."""

    def __init__(self, settings: Settings, paths: Paths, environ: Mapping[str, str]) -> None:
        self.voice = Voice()
        self.stage = Stage(paths.log)
        self.arrived = threading.Event()
        """Whether a server has answered once, or refused for good."""
        self._where = ""
        trouble = Trouble(lambda: self._say_trouble(trouble.sentence))
        trouble.tell("settings", settings.problem)
        on_problem = partial(trouble.tell, "cache")
        cache = Cache.open(paths.cache, server_key(settings.server), on_problem=on_problem, on_notice=self.voice.say)
        self.desk = Desk(
            settings,
            paths,
            environ,
            cache,
            work=self.stage.work,
            say=self.voice.say,
            stop=self.stage.stop,
            trouble=trouble,
            ways=WAYS,
        )
        self.attachments = PlainAttachments(self.voice)
        self.chat = PlainChat(self.voice, self.attachments, self._read_names)
        self.form = PlainForm(self.voice, WAYS.save)
        self.editing = Editing(self.desk, self.form)
        self.form.edited = self.editing.edited
        self.history = History(self.desk, self.form, self.editing)
        self.sending = Sending(self.desk, self.chat, self.editing, lambda: self.form.draft.switched_on)
        self.chat.composer.submit = self.sending.submit
        self._arrival = Arrival(self.desk, self.form, self.editing, self.sending)
        self._begun = False
        self.link: Link | None = None

    def begin(self, open_client: OpenClient) -> None:
        """Bring back what was kept, and look for the server."""
        self.link = link = Link(
            self.desk, open_client, show=self._show_where, opened=self._opened, changed=self._arrival.changed
        )

        def restore() -> None:
            self.editing.restore()
            self.sending.chatting.restore()
            self._begun = True
            self.desk.work(link.run(), group="link")

        self.do(restore)

    def _read_names(self) -> None:
        """Ask for the names of files. Called on the stage."""
        self.desk.work(self.sending.chatting.past.read_names(), group="names")

    def _show_where(self, sentence: str) -> None:
        """Say what the program is connected to, and each reason why it is not once."""
        reason = sentence.partition(f"; {KEPT} ")[2]
        if (reason or sentence) != self._where:
            self._where = reason or sentence
            self.voice.say(f"status: {sentence.rstrip('.')}.")

    async def _opened(self) -> str:
        refused = await self._arrival.opened()
        self.arrived.set()
        return refused

    def _say_trouble(self, sentence: str) -> None:
        self.voice.say(f"problem: {sentence}" if sentence else "status: saving works again.")

    def again(self) -> None:
        """The nearest of what failed: the connection, else the run. Called on the stage."""
        if self.link is None or not self.link.try_now():
            self.sending.run_again()

    # What the terminal asks

    def do(self, function: Callable[[], T]) -> T:
        return self.stage.do(function)

    def wait(self, job: Coroutine[Any, Any, T]) -> T:
        return self.stage.wait(job)

    def lines_of(self, messages: Sequence[Message]) -> list[str]:
        """The messages as they are read, the files they name by the names that the server knows."""

        async def lines() -> list[str]:
            found = [line for message in messages for line in self.chat.lines(message)]
            if not self.chat.wanted_names:
                return found
            await self.sending.chatting.past.read_names()
            return [line for message in messages for line in self.chat.lines(message)]

        return self.wait(lines())

    def attempt(self, job: Coroutine[Any, Any, T], failed: str) -> T | None:
        """Run a job that asks the server. A failure is said as `failed: sentence`, and None is answered."""
        if self.desk.client is None:
            job.close()
            self.voice.say("problem: not connected yet. This works as soon as the server has answered.")
            return None
        try:
            return self.wait(job)
        except AssistantsError as error:
            self.voice.say(f"problem: {failed}: {error}")
            return None

    @property
    def busy(self) -> bool:
        """Whether a message or a run of the open thread is under way."""
        return self.do(lambda: self.sending.busy or self.sending.chatting.loading)

    @property
    def run(self) -> Run | None:
        """The active run of the open thread."""
        return self.do(lambda: self.sending.chatting.running)

    async def show_thread(self, thread_id: str | None) -> None:
        """Leave the open thread, whose run goes on, and open this one; None begins a new one."""
        self.sending.leave()
        self.chat.forget()
        await self.sending.chatting.open(thread_id)

    def tell(self, write: Callable[[str], None], seconds: float = 0) -> bool:
        """Write what there is to say, waiting so long for the first line; whether there was something."""
        self.stage.raise_fault()
        line = self.voice.next(seconds)
        something = line is not None
        while line is not None:
            write(line)
            line = self.voice.next(0)
        return something

    # Ending

    def keep(self) -> None:
        """Put everything typed on disk, from a signal handler too."""
        self.desk.cache.flush()
        if self._begun:
            self.editing.keep()
            self.sending.chatting.store()
        self.desk.cache.flush(sync=True)

    def close(self) -> None:
        """Save what is unsaved if that takes not long, and end."""
        self.keep()
        with suppress(TimeoutError, AssistantsError):
            self.stage.wait(self._last_save())
        self.stage.close(self._hang_up)
        self.desk.cache.close()

    async def _last_save(self) -> None:
        if self.editing.editor is not None:
            await asyncio.wait_for(self.editing.flush(), FLUSH_BEFORE_QUIT)

    async def _hang_up(self) -> None:
        if self.desk.client is not None:
            await self.desk.client.close()
