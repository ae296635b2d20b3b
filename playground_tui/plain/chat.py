"""The open thread in lines with a label each: `you:`, `assistant:`, `tool:`, `status:`."""

from __future__ import annotations

import math
import queue
from collections.abc import Callable, Iterable, Mapping, Sequence

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
from playground_tui.assistants.objects import Message, Run, Step, ToolCall
from playground_tui.assistants.run_words import duration
from playground_tui.cache.state import WaitingMessage
from playground_tui.desk.message_files import Names, Sources
from playground_tui.desk.panes import AttachmentsFront
from playground_tui.plain.sentences import Sentences
from playground_tui.plain.wording import (
    LONGEST_ARGUMENTS,
    PICTURE,
    answer_of,
    call_line,
    call_name,
    file_lines,
    is_whole,
    message_lines,
    status_line,
)
from playground_tui.text import shorten

GLIMPSE = 5
"""Lines of a message that are read when its thread is opened."""
ANSWER = "assistant: "
GLANCE = 0.1
"""Seconds between looks whether something has ended, where nothing is to be said."""


class Voice:
    """Lines to be said, from any thread, in order; the terminal's thread says them."""

    def __init__(self) -> None:
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def say(self, line: str) -> None:
        self._lines.put(line)

    def next(self, seconds: float) -> str | None:
        """The next line, waited for so long; 0 does not wait."""
        try:
            return self._lines.get(timeout=seconds) if seconds else self._lines.get_nowait()
        except queue.Empty:
            return None


class Composer:
    """The message being written. `text` is what stands in the line, or waits to be offered in it."""

    def __init__(self) -> None:
        self.text = ""
        self.submit: Callable[[str], None] = lambda text: None
        """Sends a text."""
        self.sent: list[str] = []

    @property
    def draft(self) -> str:
        return self.text

    @property
    def written(self) -> str:
        return self.text

    def load(self, text: str) -> None:
        self.text = text

    def take(self) -> str:
        text, self.text = self.text, ""
        return text

    def take_in(self, before: str, text: str) -> None:
        """Put `text` in place of `before`; where something else stands by now, above it."""
        if self.text == before:
            self.text = text
        elif text != before:
            self.give_back(text)

    def give_back(self, text: str) -> None:
        self.text = f"{text}\n{self.text}" if self.text.strip() else text

    def send(self) -> None:
        self.submit(self.take())


class Outputs:
    """The outputs of function calls that are being typed."""

    def __init__(self) -> None:
        self.typed: Mapping[str, str] = {}

    def load(self, typed: Mapping[str, str]) -> None:
        self.typed = dict(typed)

    def note(self, key: str, text: str) -> None:
        """What is typed of one is this now."""
        self.typed = {**self.typed, key: text}


class PlainChat:
    """Tells what happens on the open thread. `name_wanted` is called when a file is told of whose name is not known."""

    def __init__(
        self, voice: Voice, attachments: AttachmentsFront, name_wanted: Callable[[], object] = lambda: None
    ) -> None:
        self.names = Names(asked=name_wanted)
        self.composer = Composer()
        self.outputs = Outputs()
        self.attachments = attachments
        self.thread_id: str | None = None
        self.more = False
        """Whether the server has older messages than those read."""
        self._voice = voice
        self._messages: dict[str, Message] = {}
        self._said: dict[str, _Saying] = {}
        self._calls: dict[str, ToolCall] = {}
        self._status = ""
        self.run: Run | None = None
        """The latest run told of."""
        self.waiting: Sequence[WaitingMessage] = ()
        self.sending = ""
        """What is under way without a run."""

    @property
    def wanted_names(self) -> Mapping[str, object]:
        """The ids of files that were told of and have no name yet."""
        return self.names.wanted

    def show_name(self, file_id: str, name: str) -> None:
        """From now on the file is told by its name."""
        self.names.learn(file_id, name)

    def to_composer(self) -> None:
        """The prompt for a message comes by itself."""

    # The thread

    def show_thread(self, thread_id: str | None, messages: Sequence[Message], *, more: bool, read: bool = True) -> None:
        """The thread as it is now. Of the one that is open, what is new is said."""
        if thread_id != self.thread_id:
            self.forget()
        known, self.thread_id, self.more = self._messages, thread_id, more
        new = [message for message in messages if message.id not in known]
        there = {message.id: message for message in messages}
        self._messages = known | there if more else there
        if known:
            self._read(new)
        elif messages and read:
            self._open_with(messages)

    def forget(self) -> None:
        """Nothing of this thread is known any longer."""
        self.thread_id, self.more = None, False
        self._messages, self._said, self._calls, self._status = {}, {}, {}, ""

    def _open_with(self, messages: Sequence[Message]) -> None:
        count = f"{'more than ' if self.more else ''}{len(messages)}"
        noun = "message" if count == "1" else "messages"
        tail = messages[-2:]
        how = "" if len(tail) == len(messages) else " These are the last two; /read reads all."
        self._voice.say(f"This thread has {count} {noun}.{how}")
        for message in tail:
            lines = self.lines(message)
            for line in lines[:GLIMPSE]:
                self._voice.say(line)
            if len(lines) > GLIMPSE:
                self._voice.say(f"{len(lines) - GLIMPSE} more lines of this message: /read reads them.")

    def _read(self, messages: Iterable[Message]) -> None:
        for message in messages:
            for line in self.lines(message):
                self._voice.say(line)

    def prepend(self, messages: Sequence[Message], *, more: bool) -> None:
        """Older messages, which are read."""
        self.more = more
        self._messages = {message.id: message for message in messages} | self._messages
        self._read(messages)

    def messages(self) -> list[Message]:
        return list(self._messages.values())

    def lines(self, message: Message) -> list[str]:
        """A message of the thread as it is read."""
        return message_lines(message, self.names)

    def made_files(self) -> list[str]:
        """The ids of the files and pictures made in this thread, oldest first."""
        found: dict[str, None] = {}
        for message in self._messages.values():
            for file_id, name in message.made_files.items():
                self.names.learn(file_id, name)
                found[file_id] = None
        pictures = (output.image for call in self._calls.values() for output in call.outputs if output.image)
        return list(found | dict.fromkeys(pictures))

    # The run

    def apply(self, event: Event) -> None:
        match event:
            case TextDelta(message_id, text):
                self._saying(message_id).more(text)
            case ThreadCreated(thread_id):
                self.thread_id = thread_id
            case MessageAccepted(message):
                self._messages[message.id] = message
            case MessageChanged(message):
                self._message(message)
            case RunChanged(run):
                self.show_run(run)
            case StepChanged(step):
                self._step(step)
            case Reconnecting(reason, attempt, delay):
                self._finish()
                self._voice.say(
                    f"status: connection lost. {reason} The run goes on. Attempt {attempt} in "
                    f"{duration(math.ceil(delay))}, ctrl+c stops."
                )
            case Retrying(what, reason, attempt, delay):
                self._voice.say(
                    f"status: {what}. {reason} Attempt {attempt} in {duration(math.ceil(delay))}, ctrl+c stops."
                )
            case Reconnected():
                self._voice.say("status: connected again.")
            case ServerError(message=sentence):
                self._voice.say(f"status: {sentence}")

    def _saying(self, message_id: str) -> _Saying:
        if message_id not in self._said:
            self._said[message_id] = _Saying(self._voice)
        return self._said[message_id]

    def _message(self, message: Message) -> None:
        if message.role == "user":
            if message.id not in self._messages:
                self._read([message])
        else:
            self._saying(message.id).whole(message.text)
            if message.status != "in_progress":
                self._saying(message.id).end(message, self.names)
        self._messages[message.id] = message

    def _finish(self) -> None:
        for saying in self._said.values():
            saying.finish()

    def show_run(self, run: Run | None) -> None:
        """Say the run's state where it has changed."""
        self.run, self.sending = run, ""
        if run is not None and not run.active:
            self.outputs.load({})
        begun = run is not None and run.status in ("queued", "in_progress")
        if run is not None and begun and self._status == f"{run.id} requires_action":
            return  # it is read again from its beginning
        status = "" if run is None else f"{run.id} {run.status}"
        changed, self._status = status != self._status, status
        if run is None or not changed or run.status == "queued":
            return
        if run.status != "in_progress":
            self._finish()
        self._calls.update({call.id: call for call in run.waiting_for})
        self._voice.say(status_line(run))

    def answered(self) -> None:
        """The outputs the run waited for are given: it goes on."""
        self._status = ""

    def show_runs(self, runs: Sequence[Run]) -> None:
        """The newest run's state, where it is one to act on."""
        self.run = runs[0] if runs else None
        if runs and (runs[0].active or runs[0].status in ("failed", "expired", "incomplete")):
            self.show_run(runs[0])

    def show_steps(self, steps: Sequence[Step]) -> None:
        """Tools of earlier runs were told of when they ran; a thread is read without them."""
        for step in steps:
            self._calls.update({call.id: call for call in step.tool_calls})

    def _step(self, step: Step) -> None:
        for call in step.tool_calls:
            for result in call.results or ():
                self.names.learn(result.file_id, result.file_name)
            before = self._calls.get(call.id)
            ready = step.status != "in_progress" or call.output is not None or is_whole(call)
            if before is None and ready:
                self._finish()
                self._voice.say(call_line(call))
            answer = answer_of(call)
            if answer and ready and (before is None or answer != answer_of(before)):
                self._voice.say(f"tool: {call_name(call)} answered: {shorten(answer, LONGEST_ARGUMENTS)}")
            if ready:
                self._calls[call.id] = call

    # Beside the thread

    def show_waiting(self, waiting: Sequence[WaitingMessage]) -> None:
        self.waiting = tuple(waiting)

    def show_sending(self, what: str) -> None:
        self.sending = what

    def show_problem(self, sentence: str) -> None:
        if sentence:
            self._voice.say(f"problem: {sentence}")


class _Saying:
    """One message of the assistant while it is written."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._text = ""
        self._begin()

    def _begin(self) -> None:
        self._sentences: Sentences | None = None
        self._sources = Sources(picture=PICTURE)
        self._label = ANSWER
        self._ended = False

    def more(self, text: str) -> None:
        if not text:
            return
        self._sentences = self._sentences or Sentences()
        self._text += text
        self._say(self._sentences.feed(self._sources.feed(text)))

    def whole(self, text: str) -> None:
        """All of the text so far. Where it is another than was said it is said anew; of an empty one nothing is."""
        if text.startswith(self._text):
            self.more(text[len(self._text) :])
        elif not self._text.startswith(text):
            self.finish()
            self._text = ""
            self._begin()
            self.more(text)

    def finish(self) -> None:
        """Say what is left."""
        if self._sentences is not None:
            self._say(self._sentences.feed(self._sources.rest()))
            self._say(self._sentences.end())

    def end(self, message: Message, names: Names) -> None:
        """Say what is left, and the files that the message names."""
        self.finish()
        if not self._ended:
            self._ended = True
            for line in file_lines(message, self._sources, names):
                self._voice.say(line)

    def _say(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._voice.say(self._label + line)
            self._label = ""
