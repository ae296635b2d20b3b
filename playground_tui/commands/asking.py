"""One question and what comes of it: which assistant answers, the events of its run, and the result."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from playground_tui.assistants.conversation import Conversation
from playground_tui.assistants.errors import AssistantsError, NotFound
from playground_tui.assistants.events import (
    Event,
    MessageChanged,
    Reconnecting,
    Retrying,
    RunChanged,
    ServerError,
    TextDelta,
)
from playground_tui.assistants.objects import Assistant, Run
from playground_tui.assistants.run_words import duration
from playground_tui.assistants.sent import PICTURE, SentFile, use_of
from playground_tui.assistants.versions import TEMPORARY
from playground_tui.cache.known import KnownServer
from playground_tui.cache.state import ThreadEntry
from playground_tui.commands.output import CleanStream, Connect, WrongUsage, connected, find_assistant, print_text
from playground_tui.config import Settings
from playground_tui.paths import Paths
from playground_tui.text import shorten

if TYPE_CHECKING:
    from playground_tui.assistants.client import AssistantsClient


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of whom. `key` makes repetitions harmless."""

    text: str
    assistant: str | None
    model: str | None
    thread_id: str | None
    key: str
    files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of it. `error` is a sentence, or "" when the answer is whole."""

    error: str = ""
    text: str = ""
    thread_id: str | None = None
    run: Run | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    """The files and pictures made for the answer: names by id, "" where the answer gives none."""

    def answer(self) -> dict[str, Any]:
        usage = self.run.usage if self.run else None
        return {
            "text": self.text,
            "usage": {
                name: getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens", "total_tokens")
            },
            "model": self.run.model if self.run else "",
            "thread_id": self.thread_id,
            "run_id": self.run.id if self.run else None,
            "files": [{"id": file_id, "name": name} for file_id, name in self.files.items()],
        }

    def failure(self) -> dict[str, Any]:
        return {"error": self.error, "thread_id": self.thread_id, "run_id": self.run.id if self.run else None}


class Asking:
    """Asks once. With `stream_to` the answer's text is written there as it comes; words go to `err`."""

    def __init__(self, question: Question, settings: Settings, paths: Paths, *, stream_to: TextIO | None, err: TextIO):
        self._question = question
        self._known = partial(KnownServer, paths.cache, settings.server, on_problem=partial(print_text, file=err))
        self._answer = Answer(None if stream_to is None else CleanStream(stream_to))
        self._err = err
        self._conversation: Conversation | None = None
        self._stopped_for = ""

    async def ask(self, connect: Connect) -> None:
        """Ask and follow the run until it rests. Raises AssistantsError, LaunchError, WrongUsage."""
        async with connected(connect) as client, self._answering(client) as (assistant, overrides):
            files = await self._uploaded(client, assistant)
            overrides.update(_with_tools(assistant, files))
            self._conversation = conversation = Conversation(client, self._question.thread_id)
            sent = conversation.send(
                self._question.text, assistant.id, key=self._question.key, overrides=overrides, files=files
            )
            try:
                async with aclosing(sent) as events:
                    async for event in events:
                        self._take(event)
            finally:
                self._answer.end()
                self._name_files()
                self._note_thread(client, assistant.id)
            if conversation.run and conversation.run.status == "requires_action":
                await self._stop_for_functions(conversation)

    async def cancel(self) -> bool:
        """Cancel the run at the server. False when nothing was sent yet, so that there is nothing to wait for."""
        if self._conversation is None:
            return False
        if await self._conversation.cancel() is None:
            self._conversation.stop_waiting()
        return True

    def asked(self, error: str = "") -> Asked:
        """What came of it so far; `error` goes before what the run's state says."""
        conversation = self._conversation
        run = conversation.run if conversation else None
        thread_id = conversation.thread_id if conversation else self._question.thread_id
        why = error or self._stopped_for or why_not_whole(run)
        return Asked(why, self._answer.text, thread_id, run, self._answer.files)

    # --- who answers

    @asynccontextmanager
    async def _answering(self, client: AssistantsClient) -> AsyncIterator[tuple[Assistant, dict[str, Any]]]:
        """The assistant that answers, and what its run overrides."""
        wanted, model = self._question.assistant, self._question.model
        if model and model.startswith("asst_"):
            if wanted:
                raise WrongUsage("An assistant's model cannot be an assistant: give -a or -m asst_..., not both.")
            wanted, model = model, None
        if model and not wanted:
            async with self._bare_model(client, model) as assistant:
                yield assistant, {}
            return
        assistant = await find_assistant(client, wanted) if wanted else await self._last(client)
        yield assistant, {"model": model} if model else {}

    @asynccontextmanager
    async def _bare_model(self, client: AssistantsClient, model: str) -> AsyncIterator[Assistant]:
        fields = {"model": model, "name": shorten(f"ask {model}", 256), "metadata": TEMPORARY}
        assistant = await client.create_assistant(fields, key=f"{self._question.key}-assistant")
        try:
            yield assistant
        finally:
            with suppress(AssistantsError):
                await client.delete_assistant(assistant.id)

    async def _last(self, client: AssistantsClient) -> Assistant:
        last = self._known().state.last_assistant
        if last is None:
            raise WrongUsage("Who should answer? Name an assistant with -a or a model with -m.")
        try:
            assistant = await client.retrieve_assistant(last)
        except NotFound:
            raise WrongUsage("The assistant last used is gone: name one with -a or a model with -m.") from None
        print_text(f"assistant: {assistant.name or assistant.id} ({assistant.id})", self._err)
        return assistant

    async def _uploaded(self, client: AssistantsClient, assistant: Assistant) -> list[SentFile]:
        """The question's files at the server, each for the tool that has most use of it."""
        files = []
        for path in self._question.files:
            stored = await client.files.upload(path)
            files.append(SentFile(stored.id, (use_of(path, assistant.tool_types),)))
        return files

    # --- what happens

    def _take(self, event: Event) -> None:
        self._answer.take(event)
        match event:
            case Reconnecting(reason=reason, delay=delay):
                print_text(f"{reason} Looking for the run again in {duration(math.ceil(delay))}.", self._err)
            case Retrying(reason=reason, delay=delay):
                print_text(f"{reason} Trying again in {duration(math.ceil(delay))}.", self._err)
            case ServerError(message=message):
                print_text(message, self._err)
            case RunChanged(run=run) if run.notes and not run.active:
                print_text(run.notes, self._err)

    def _name_files(self) -> None:
        for file_id, name in self._answer.files.items():
            print_text(f"made: {name or file_id} (playground-tui files download {file_id})", self._err)

    async def _stop_for_functions(self, conversation: Conversation) -> None:
        calls = conversation.run.waiting_for if conversation.run else ()
        names = ", ".join(call.name or call.type for call in calls)
        self._stopped_for = f"The assistant calls functions ({names}), which ask cannot answer: the run was cancelled."
        await conversation.cancel()

    def _note_thread(self, client: AssistantsClient, assistant_id: str) -> None:
        thread_id = self._conversation.thread_id if self._conversation else None
        if not thread_id or thread_id == self._question.thread_id:
            return
        print_text(f"thread: {thread_id}", self._err)
        if not client.is_engine:
            first = shorten(self._question.text, 120)
            self._known().add_thread(ThreadEntry(thread_id, assistant_id, first, 2, time.time()))


def _with_tools(assistant: Assistant, files: Sequence[SentFile]) -> dict[str, Any]:
    """What a run overrides so that it can use these files: the assistant's tools, and those they need besides."""
    needed = dict.fromkeys(use for file in files for use in file.uses if use != PICTURE)
    missing = [{"type": use} for use in needed if use not in assistant.tool_types]
    return {"tools": [*(assistant.raw.get("tools") or ()), *missing]} if missing else {}


class Answer:
    """The text of the run's messages, written as it comes, each piece once also when a stream begins anew."""

    def __init__(self, stream: CleanStream | None):
        self._stream = stream
        self._texts: dict[str, str] = {}
        self._written: dict[str, str] = {}
        self.files: dict[str, str] = {}
        """The files and pictures made, names by id."""

    @property
    def text(self) -> str:
        return "\n\n".join(text for text in self._texts.values() if text)

    def take(self, event: Event) -> None:
        match event:
            case TextDelta(message_id=message_id, text=text):
                self._now(message_id, self._texts.get(message_id, "") + text)
            case MessageChanged(message=message) if message.role == "assistant":
                self._now(message.id, message.text)
                self.files |= message.made_files

    def end(self) -> None:
        if self._stream:
            self._stream.end()

    def _now(self, message_id: str, text: str) -> None:
        self._texts[message_id] = text
        written = self._written.get(message_id)
        if self._stream is None or not text or (written and written.startswith(text)):
            return
        if written is None and self._written:
            self._stream.write("\n\n")
        if written and not text.startswith(written):
            self._stream.write("\n")
            written = ""
        self._stream.write(text[len(written or "") :])
        self._written[message_id] = text


def why_not_whole(run: Run | None) -> str:
    """Why a run that rests has no whole answer, in a sentence, or ""."""
    if run is None:
        return "The run did not begin."
    why = {
        "completed": "",
        "incomplete": f"The answer is not whole: {run.incomplete_reason.replace('_', ' ') or 'no reason was given'}.",
        "failed": f"The run failed: {run.error_message or run.error_code or 'no reason was given.'}",
        "expired": "The run took too long and expired at the server.",
        "cancelled": "The run was cancelled.",
        "cancelling": "The run was cancelled.",
    }
    return why.get(run.status, f"The run stopped in the state {run.status}.")
