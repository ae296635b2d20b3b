"""The feed of one run: its events in order, rendered once, replayed and tailed by any number of readers.

A state event is kept as it is. The text deltas of a message are kept as one growing text, so that a long answer costs
its length and not its number of tokens; a reader that is far behind gets what it missed as one delta.
"""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from json import JSONEncoder
from typing import Any

from playground_tui.engine.runs import deltas
from playground_tui.engine.runs.growing import GrowingText
from playground_tui.engine.sse import BEAT_SECONDS

RECENT_EVENTS = 64
"""A reader that is at most so many events behind gets each of them; one further behind gets deltas joined."""
DONE = "done"

_encode = JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One event. `plain` is its server-sent-events block without an `id:` line; `id` counts from 1 within the feed."""

    id: int
    name: str
    plain: bytes

    @property
    def numbered(self) -> bytes:
        """The block with its `id:` line, for readers that can join again."""
        return b"id: %d\n%b" % (self.id, self.plain)


def render(name: str, data: Mapping[str, Any]) -> bytes:
    """One server-sent-events block of the contract."""
    return f"event: {name}\ndata: {_encode(data)}\n\n".encode()


_DONE_BLOCK = b"event: done\ndata: [DONE]\n\n"


@dataclass(slots=True)
class _MessageText:
    """The text deltas of one message. `ids` and `ends` tell after which event the text was how long."""

    message_id: str
    head: str
    """How each block of its deltas begins."""
    text: GrowingText = field(default_factory=GrowingText)
    annotations: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """Each with the id of the event that brought it."""
    ids: array[int] = field(default_factory=lambda: array("Q"))
    ends: array[int] = field(default_factory=lambda: array("Q"))

    @property
    def id(self) -> int:
        return self.ids[-1]

    def add(self, event_id: int, text: str, annotations: Sequence[dict[str, Any]]) -> None:
        if annotations:
            self.annotations += [(event_id, annotation) for annotation in annotations]
        self.ends.append((self.ends[-1] if self.ends else 0) + len(text))
        self.ids.append(event_id)
        self.text.add(text)

    def after(self, event_id: int) -> FeedEvent:
        """What came after event `event_id`, as one delta with the id of the newest."""
        known = bisect_right(self.ids, event_id)
        start = self.ends[known - 1] if known else 0
        text = self.text.whole()[start:]
        annotations = [annotation for at, annotation in self.annotations if at > event_id]
        block = deltas.text_block(self.head, text, first=not known, annotations=annotations)
        return FeedEvent(self.id, deltas.MESSAGE_DELTA, block)


class Feed:
    """The events of one run. All of it belongs to the event loop's thread."""

    def __init__(self, first_id: int = 1) -> None:
        self._entries: list[FeedEvent | _MessageText] = []
        self._recent: deque[FeedEvent] = deque(maxlen=RECENT_EVENTS)
        self._waiting: set[asyncio.Future[bool]] = set()
        self._first_id = first_id
        self.last_id = first_id - 1
        """The id of the newest event; `first_id - 1` before there is one."""

    def publish(self, name: str, data: Mapping[str, Any]) -> None:
        """Send one event (a change of state, or a delta of a step)."""
        self._add(name, render(name, data))

    def publish_text(
        self, message_id: str, text: str, annotations: Sequence[dict[str, Any]] = (), *, index: int = 0
    ) -> None:
        """Send more text of a message, with the annotations that stand in it (each with its `index`)."""
        growing = self._entries[-1] if self._entries else None
        if not isinstance(growing, _MessageText) or growing.message_id != message_id:
            growing = _MessageText(message_id, deltas.text_head(message_id, index))
            self._entries.append(growing)
        block = deltas.text_block(growing.head, text, first=not growing.ids, annotations=annotations)
        event = FeedEvent(self.last_id + 1, deltas.MESSAGE_DELTA, block)
        growing.add(event.id, text, annotations)
        self._send(event)

    def rest(self) -> None:
        """Send `done`: streams end here. A run that waits for tool outputs may go on later."""
        self._add(DONE, _DONE_BLOCK)

    def forget_recent(self) -> None:
        """Keep the texts joined alone: for a run that has ended and whose readers have had its end."""
        self._recent.clear()
        for entry in self._entries:
            if isinstance(entry, _MessageText):
                entry.text.whole()

    async def batches(self, after: int = 0, *, beat: float = BEAT_SECONDS) -> AsyncIterator[list[FeedEvent]]:
        """The events after `after`, all that are there at a time, up to the `done` that ends the stream.

        An empty batch is a beat: nothing has happened for `beat` seconds. An unknown `after` replays everything.
        """
        cursor = after if self._first_id <= after <= self.last_id else self._first_id - 1
        batch = self._replay(cursor)
        while True:
            if batch:
                cursor = batch[-1].id
                yield batch
                if batch[-1].name == DONE:
                    return
            if cursor == self.last_id and not await self._news(beat):
                yield []
            batch = self._since(cursor)

    def _add(self, name: str, block: bytes) -> None:
        event = FeedEvent(self.last_id + 1, name, block)
        self._entries.append(event)
        self._send(event)

    def _send(self, event: FeedEvent) -> None:
        self.last_id = event.id
        self._recent.append(event)
        if self._waiting:
            for waiter in self._waiting:
                if not waiter.done():
                    waiter.set_result(True)
            self._waiting.clear()

    def _replay(self, cursor: int) -> list[FeedEvent]:
        """Everything after `cursor`, joined; a `done` that was passed when the run went on is left out."""
        events = [event for event in self._joined(cursor) if event.name != DONE or event.id == self.last_id]
        if not events and self._entries and self.last_id == cursor:
            newest = self._entries[-1]
            return [newest] if isinstance(newest, FeedEvent) and newest.name == DONE else []
        return events

    def _since(self, cursor: int) -> list[FeedEvent]:
        """Everything after `cursor` up to the first `done`."""
        behind = self.last_id - cursor
        if behind <= len(self._recent):
            events = list(islice(self._recent, len(self._recent) - behind, None))
        else:
            events = list(self._joined(cursor))
        end = next((index for index, event in enumerate(events, 1) if event.name == DONE), len(events))
        return events[:end]

    def _joined(self, cursor: int) -> Iterator[FeedEvent]:
        for entry in self._entries:
            if entry.id > cursor:
                yield entry.after(cursor) if isinstance(entry, _MessageText) else entry

    async def _news(self, seconds: float) -> bool:
        """Wait for the next event; False when `seconds` went by without one."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiting.add(waiter)
        timer = loop.call_later(seconds, _give_up, waiter)
        try:
            return await waiter
        finally:
            timer.cancel()
            self._waiting.discard(waiter)


def _give_up(waiter: asyncio.Future[bool]) -> None:
    if not waiter.done():
        waiter.set_result(False)
