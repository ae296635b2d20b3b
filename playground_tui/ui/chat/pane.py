"""The left pane: the thread, its run, and what is written next."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from playground_tui.assistants.events import (
    Event,
    MessageAccepted,
    MessageChanged,
    Reconnected,
    Reconnecting,
    Retrying,
    RunChanged,
    ServerError,
    StepChanged,
    TextDelta,
    ThreadCreated,
)
from playground_tui.assistants.objects import Message, Run, Step
from playground_tui.desk.message_files import Names
from playground_tui.display import Scroll
from playground_tui.letters import Letters
from playground_tui.text import clean
from playground_tui.ui.chat.attachments import AttachmentList
from playground_tui.ui.chat.composer import Composer
from playground_tui.ui.chat.entries import Entries
from playground_tui.ui.chat.messages import MoreBelow, NamesWanted
from playground_tui.ui.chat.outputs import OutputsPanel
from playground_tui.ui.chat.render import warm_up
from playground_tui.ui.chat.status import LOST, RunStatus
from playground_tui.ui.chat.thread import NOT_READ, ThreadView, welcome
from playground_tui.ui.chat.waiting import WaitingLine, WaitingList
from playground_tui.ui.keys import USUAL, KeyOf
from playground_tui.ui.pace import Pace

LOW = 9
"""Lines of the pane below which header and borders give way to the thread."""
STYLES = (Path(__file__).parent / "chat.tcss").read_text(encoding="utf-8")


class ThreadHeader(Widget):
    """The thread's id, and a hint at the right if there is room."""

    def __init__(self, key: KeyOf) -> None:
        super().__init__(id="thread-id")
        self._hint = f"{key('new-thread')} new · {key('threads')} threads"
        self._thread = "new thread"

    def show(self, thread_id: str | None) -> None:
        """Name the thread; None is one that is not made yet."""
        self._thread = clean(thread_id, newlines=False) if thread_id else "new thread"
        self.refresh()

    def render(self) -> Content:
        room = self.size.width - len(self._thread)
        hint = self._hint if room > len(self._hint) else ""
        return Content.assemble((self._thread, "bold"), " " * max(0, room - len(hint)), hint)


BEGUN = frozenset({"queued", "in_progress"})
"""States of a run whose outputs are asked for in which it is only read again from its beginning."""


class ChatPane(Vertical):
    """Shows one thread and what its run does. It asks for everything else by messages."""

    DEFAULT_CSS: ClassVar[str] = STYLES

    def __init__(
        self,
        *,
        scroll: Scroll = "calm",
        pace: Pace | None = None,
        letters: Letters | None = None,
        key: KeyOf = USUAL,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now` gives Unix seconds; without `letters` the terminal has all of them."""
        super().__init__(id="chat")
        self.header = ThreadHeader(key)
        self.thread = ThreadView(scroll, pace, letters, now)
        self._welcome = self.thread.empty = welcome(key)
        self.outputs = OutputsPanel(key)
        self.waiting = WaitingList(key)
        self.problem = Static(id="problem", markup=False)
        self._before_retry = ""
        self.run_status = RunStatus(key=key, now=now)
        self.attachments = AttachmentList(key)
        self.composer = Composer(key)
        self.names = Names(key("save-file"), lambda: self.post_message(NamesWanted()))
        self._entries = Entries(self.thread, self.names)

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.thread
        yield self.run_status
        yield self.waiting
        yield self.outputs
        yield self.problem
        yield self.attachments
        yield self.composer

    def on_mount(self) -> None:
        self.call_after_refresh(self.run_worker, warm_up, thread=True, group="warm-up", exit_on_error=False)

    # What is shown

    def to_composer(self) -> None:
        """Put the cursor into the composer."""
        self.screen.set_focus(self.composer)

    def show_thread(self, thread_id: str | None, messages: Sequence[Message], *, more: bool, read: bool = True) -> None:
        """Show a thread in place of everything, at its end. `more`: there are older messages than these.

        `read`: these are its messages, and not only those known before the server has answered.
        """
        self.thread.empty = self._welcome if read else NOT_READ
        self.header.show(thread_id)
        self._entries.show(messages, more=more)

    def prepend(self, messages: Sequence[Message], *, more: bool) -> None:
        """Put older messages, oldest first, above those shown."""
        self._entries.prepend(messages, more=more)

    def apply(self, event: Event) -> None:
        """Show what happened during a run."""
        match event:
            case TextDelta(message_id, text):
                self._entries.delta(message_id, text)
            case RunChanged(run):
                self.show_run(run)
            case StepChanged(step):
                self._entries.step(step)
            case MessageChanged(message) | MessageAccepted(message):
                self._entries.message(message)
                if message.status != "in_progress":
                    self.thread.frames.hurry()
            case ThreadCreated(thread_id):
                self.header.show(thread_id)
            case Reconnecting(reason, attempt, delay):
                self._retry(LOST, f"{reason} The run goes on.", attempt, delay)
            case Retrying(what, reason, attempt, delay):
                self._retry(what, reason, attempt, delay)
            case Reconnected():
                self.run_status.show_reconnected()
                self.show_problem(self._before_retry)
            case ServerError(message=sentence):
                self.show_problem(sentence)

    def _retry(self, what: str, reason: str, attempt: int, delay: float) -> None:
        """Count down to a further attempt; the reason stands beside the composer, in place of what stood there."""
        if not self.run_status.retries:
            self._before_retry = str(self.problem.content) if self.problem.display else ""
        self.run_status.show_retry(what, attempt, delay)
        self.show_problem(reason)

    def show_sending(self, what: str) -> None:
        """Say in the run's line what is under way, once it takes long."""
        self.run_status.show_sending(what)

    def show_run(self, run: Run | None) -> None:
        """Show a run's state; None is a thread without one."""
        self.run_status.show_run(run)
        self.thread.write_on(run is not None and run.status in BEGUN)
        if run is None:
            self.outputs.show("", ())
            return
        self._entries.run(run)
        if run.status not in BEGUN or not self.outputs.asks_for(run.id):
            self.outputs.show(run.id, run.waiting_for if run.status == "requires_action" else ())
        if not run.active:
            self.outputs.forget()

    def show_runs(self, runs: Sequence[Run]) -> None:
        """Name the models and tokens of earlier runs, newest first, and show the newest one's state."""
        for run in runs:
            self._entries.run(run)
        if runs:
            self.show_run(runs[0])

    def show_steps(self, steps: Sequence[Step]) -> None:
        """Show the tool calls of earlier runs, each run's in order."""
        for step in steps:
            self._entries.step(step)

    @property
    def wanted_names(self) -> Mapping[str, object]:
        """The ids of files that are shown and have no name yet."""
        return self.names.wanted

    def show_name(self, file_id: str, name: str) -> None:
        """Show a file's name wherever its id stands."""
        self._entries.named(file_id, name)

    def show_waiting(self, waiting: Sequence[WaitingLine]) -> None:
        """Show the messages that are not sent yet."""
        self.waiting.show(waiting)

    def show_problem(self, sentence: str) -> None:
        """Say beside the composer why something did not go out; "" takes it away."""
        self.problem.update(Content(clean(sentence)))
        self.problem.display = bool(sentence)

    # What is there

    def messages(self) -> list[Message]:
        """The messages shown, oldest first, their text as raw Markdown."""
        return self._entries.messages()

    def last_answer(self) -> str | None:
        """The newest answer as raw Markdown."""
        return self._entries.last_answer()

    def code_blocks(self) -> list[str]:
        """The code of every fenced block of the thread, oldest first."""
        return self._entries.code_blocks()

    def tool_outputs(self) -> list[str]:
        """What the tools of the thread put out, oldest first."""
        return self._entries.outputs()

    def made_files(self) -> list[str]:
        """The ids of the files and pictures made in this thread, oldest first."""
        return self._entries.made()

    def scroll_to_end(self) -> None:
        """Go to the end of the thread, and along with what arrives."""
        self.thread.scroll_to_end()

    def on_resize(self, event: events.Resize) -> None:
        """Keep most of a low window for the thread."""
        self.set_class(event.size.height < LOW, "-low")
        lines = min(10, max(3, event.size.height * 2 // 5))
        self.composer.styles.max_height = lines
        self.outputs.area.styles.max_height = min(6, lines)

    def on_composer_scroll_thread(self, event: Composer.ScrollThread) -> None:
        event.stop()
        if event.pages:
            self.thread.action_pages(event.pages)
        else:
            self.thread.scroll_to_end()

    def on_more_below(self, event: MoreBelow) -> None:
        event.stop()
        self.run_status.show_below(event.below)
