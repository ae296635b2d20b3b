"""What an assistant's run says, read from its feed as a model's answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from playground_tui.engine.completions.failures import run_failed
from playground_tui.engine.completions.wire import Events
from playground_tui.engine.context import Engine
from playground_tui.engine.errors import ApiError, not_found, store_failed
from playground_tui.engine.providers.base import (
    CallArguments,
    CallBegun,
    Finished,
    FinishReason,
    ProviderEvent,
    Refusal,
    Text,
    Usage,
)
from playground_tui.engine.runs.deltas import MESSAGE_DELTA, STEP_DELTA
from playground_tui.engine.runs.endings import kept_usage
from playground_tui.engine.runs.feed import FeedEvent
from playground_tui.engine.runs.states import CANCELLABLE
from playground_tui.engine.store import runs
from playground_tui.engine.store.failures import StoreFailed
from playground_tui.engine.store.unknown import Unknown

Json = Mapping[str, Any]

CUT = "thread.message.incomplete"

_TOLD = frozenset({MESSAGE_DELTA, STEP_DELTA, CUT})
"""The events that say something of the answer."""
_REASONS: Mapping[str, FinishReason] = {"requires_action": "tool_calls", "completed": "stop", "incomplete": "length"}
"""How an answer ended, by the state that its run has come to."""


@dataclass(slots=True)
class Answering:
    """A run that answers a completion, or goes on to answer one more after it waited for tool outputs."""

    engine: Engine
    thread_id: str
    run_id: str
    files_url: str
    """Where the engine's files are, for pictures in the answer."""
    after: int = 0
    """The run's newest event before this answer."""
    spent: Usage = field(default_factory=lambda: Usage(0, 0))
    """The run's tokens before this answer."""
    _handed_over: bool = False
    """Whether this answer was told whole, with calls: from then on the run is the next request's."""

    async def events(self) -> Events:
        """What the run says until it rests. Raises ApiError if it did not end well."""
        reader = Reader(self.files_url)
        try:
            async for batch in self.engine.runs.batches(self.run_id, self.after):
                if said := [event for received in batch for event in reader.take(received)]:
                    yield said
            yield [await self._finished(filtered=reader.filtered)]
        except StoreFailed as failure:
            raise store_failed(failure) from failure
        except Unknown as unknown:
            raise not_found(unknown) from unknown

    async def _finished(self, *, filtered: bool) -> Finished:
        run = await self._run()
        used = self._used(run)
        if filtered:
            return Finished("content_filter", used)
        if run["status"] not in _REASONS:
            raise run_failed(run)
        self._handed_over = run["status"] == "requires_action"
        return Finished(_REASONS[run["status"]], used)

    async def leave(self) -> None:
        """Nobody reads on: a run that still works, or waits for outputs that nobody was asked for, is cancelled.

        Its thread goes with its end, its sandbox now.
        While the store fails all of that has to come by itself: what was answered is no worse for it.
        """
        if not self._handed_over:
            with suppress(StoreFailed):
                await self._put_away()

    async def _put_away(self) -> None:
        run = await self._run()
        if run["status"] in CANCELLABLE:
            with suppress(ApiError, Unknown):  # it may end meanwhile
                await self.engine.runs.cancel(self.thread_id, self.run_id)
        await self.engine.interpreter.forget(self.thread_id)

    async def _run(self) -> Json:
        found = await self.engine.database.read(lambda c: runs.find(c, self.run_id))
        if found is None:
            raise Unknown("run", self.run_id)
        return found

    def _used(self, run: Json) -> Usage:
        usage = run.get("usage")
        told = Usage(usage["prompt_tokens"], usage["completion_tokens"]) if usage else kept_usage(run) or Usage(0, 0)
        return Usage(
            max(0, told.prompt_tokens - self.spent.prompt_tokens),
            max(0, told.completion_tokens - self.spent.completion_tokens),
        )


class Reader:
    """Turns the events of a run into those of a model. Texts of several messages stand apart by an empty line."""

    def __init__(self, files_url: str):
        self._files_url = files_url
        self._part: tuple[str, int] | None = None
        self._calls: dict[tuple[str, int], int] = {}
        self.filtered = False
        """Whether a content filter cut the answer."""

    def take(self, event: FeedEvent) -> Iterator[ProviderEvent]:
        """What one event says."""
        if event.name not in _TOLD:
            return
        told = json.loads(event.plain.partition(b"\ndata: ")[2])
        if event.name == CUT:
            self.filtered = told["incomplete_details"]["reason"] == "content_filter"
        elif event.name == MESSAGE_DELTA:
            for part in told["delta"]["content"]:
                yield from self._content(told["id"], part)
        else:
            yield from self._called(told["id"], told["delta"]["step_details"]["tool_calls"])

    def _content(self, message_id: str, part: Json) -> Iterator[ProviderEvent]:
        if part["type"] == "refusal":
            yield Refusal(part["refusal"])
            return
        text = self._linked(part["text"]) if part["type"] == "text" else self._picture(part)
        if not text:
            return
        place = (message_id, part["index"])
        if self._part not in (None, place):
            text = f"\n\n{text}"
        self._part = place
        yield Text(text)

    def _linked(self, text: Json) -> str:
        """The text with the addresses of files that it links to: those of a sandbox mean nothing elsewhere."""
        said: str = text["value"]
        for note in text.get("annotations") or ():
            if note["type"] == "file_path":
                said = said.replace(note["text"], self._address(note["file_path"]["file_id"]))
        return said

    def _picture(self, part: Json) -> str:
        file_id = part["image_file"]["file_id"]
        return f"![{file_id}]({self._address(file_id)})"

    def _address(self, file_id: str) -> str:
        return f"{self._files_url}/{file_id}/content"

    def _called(self, step_id: str, calls: Sequence[Json]) -> Iterator[ProviderEvent]:
        """Calls of the assistant's functions; what the engine calls itself is no concern of who asked."""
        for call in calls:
            if call.get("type") != "function":
                continue
            place, function = (step_id, call["index"]), call["function"]
            if place not in self._calls:
                self._calls[place] = len(self._calls)
                yield CallBegun(self._calls[place], call["id"], function["name"])
            if text := function.get("arguments"):
                yield CallArguments(self._calls[place], text)
