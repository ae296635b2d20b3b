"""Server-sent events: bytes to events, and a run's raw events to the typed ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any, NamedTuple

from playground_tui.assistants.deltas import added
from playground_tui.assistants.errors import Malformed
from playground_tui.assistants.events import Event, MessageChanged, RunChanged, ServerError, StepChanged, TextDelta
from playground_tui.assistants.objects import (
    ACTIVE_STATUSES,
    Json,
    Message,
    Run,
    Step,
    object_of,
    objects_of,
    part_text,
    text_of,
    whole_of,
)

REST = 0.03
"""Seconds in which tokens gather: less than anybody sees, and more than a token takes."""
WAITED = 0.001
"""Seconds from which on a chunk was not there yet when it was asked for."""
LARGEST_EVENT = 64 * 2**20
"""Bytes of one event. A server that sends more without an end is not listened to."""


class RawEvent(NamedTuple):
    """One server-sent event: its name ("" when it has none), its id ("" likewise) and its data, not yet read."""

    name: str
    id: str
    data: bytes


class EventReader:
    """Cuts a stream of bytes into server-sent events, whatever their line ends and however they are split."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._after_return = False

    def feed(self, chunk: bytes) -> Iterator[RawEvent]:
        """The events completed by these bytes. Raises Malformed for an event beyond all measure."""
        self._buffer += self._with_newlines(chunk)
        start = 0
        while (end := self._buffer.find(b"\n\n", max(start, self._searched))) >= 0:
            block = bytes(self._buffer[start:end])
            start = self._searched = end + 2
            if event := read_event(block):
                yield event
        del self._buffer[:start]
        self._searched = max(0, len(self._buffer) - 1)
        if len(self._buffer) > LARGEST_EVENT:
            raise Malformed("The server sent an event without an end.")

    def rest(self) -> Iterator[RawEvent]:
        """The event a server left without its empty line as it closed."""
        if event := read_event(bytes(self._buffer)):
            yield event
        self._buffer.clear()
        self._searched = 0

    def _with_newlines(self, chunk: bytes) -> bytes:
        if self._after_return:
            chunk = chunk.removeprefix(b"\n")
        self._after_return = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in chunk else chunk


def read_event(block: bytes) -> RawEvent | None:
    """The event in the lines of one block; None for comments alone."""
    name = identity = b""
    data: list[bytes] = []
    for line in block.split(b"\n"):
        field_name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        match field_name:
            case b"data":
                data.append(value)
            case b"event":
                name = value
            case b"id":
                identity = value
            case _:
                pass
    if not data and not name:
        return None
    return RawEvent(name.decode(errors="replace"), identity.decode(errors="replace"), b"\n".join(data))


async def read_events(chunks: AsyncIterator[bytes]) -> AsyncIterator[RawEvent]:
    """The server-sent events in a stream of bytes."""
    reader = EventReader()
    async for chunk in chunks:
        for event in reader.feed(chunk):
            yield event
    for event in reader.rest():
        yield event


async def in_gusts(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The same chunks. After one that had to be waited for, others are let come together for REST.

    Each look at a socket costs as much as many tokens; a server that is ahead is never waited for.
    """
    asked = monotonic()
    async for chunk in chunks:
        waited = monotonic() - asked
        yield chunk
        if waited > WAITED:
            await asyncio.sleep(REST)
        asked = monotonic()


async def with_pauses(chunks: AsyncGenerator[bytes, None], seconds: float) -> AsyncGenerator[bytes, None]:
    """The same chunks, and an empty one after so many seconds without any."""
    coming = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(chunks))
            await asyncio.wait({coming}, timeout=seconds)
            if not coming.done():
                yield b""
                continue
            done, coming = coming, None
            try:
                chunk = done.result()
            except StopAsyncIteration:
                return
            yield chunk
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


def read_data(data: bytes) -> Json:
    """The JSON object of an event; an empty one for anything else, so that a half event changes nothing."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


@dataclass(slots=True)
class _Text:
    """What this stream has told of one message."""

    pieces: list[str] = field(default_factory=list)
    part: int = 0
    closed: bool = False


class RunEvents:
    """Reads the raw events of one run into typed events, and forgives what servers do to them.

    Events of another run, events that come late (a state before the one already known, text after the end of its
    message), twice or half are dropped. `run` is the run as last told, `done` whether the server ended the stream.
    """

    def __init__(self, thread_id: str, run_id: str = "") -> None:
        self.thread_id = thread_id
        self.run_id = run_id
        self.run: Run | None = None
        self.done = False
        self._texts: dict[str, _Text] = {}
        self._steps: dict[str, dict[str, Any]] = {}

    def read(self, event: RawEvent) -> Iterator[Event]:
        """The typed events of one raw event, in order; often one, sometimes none."""
        if event.data.startswith(b"[DONE]"):
            self.done = True
            return
        name, body = event.name, read_data(event.data)
        if not name:  # some servers wrap the name into the data
            name, body = text_of(body, "event"), object_of(body, "data")
        match name.split("."):
            case ["thread", "message", "delta"]:
                yield from self._delta(body)
            case ["thread", "message", _]:
                yield from self._message(Message.from_json(body))
            case ["thread", "run", "step", "delta"]:
                yield from self._step_delta(body)
            case ["thread", "run", "step", _]:
                yield from self._step(body)
            case ["thread", "run", _]:
                yield from self._run(Run.from_json(body))
            case ["error"]:
                yield ServerError(text_of(object_of(body, "error"), "message") or text_of(body, "message"))
            case ["done"]:
                self.done = True
            case _:
                pass

    def _run(self, run: Run) -> Iterator[Event]:
        if not run.id or not self._ours(run.id, run.thread_id):
            return
        self.run_id = run.id
        if self.run is None or _may_follow(self.run, run):
            self.run = run
            yield RunChanged(run)

    def _step(self, body: Json) -> Iterator[Event]:
        step = Step.from_json(body)
        known = self._steps.get(step.id, {})
        if not step.id or not self._ours(step.run_id, "") or known.get("status") in _STEP_ENDS:
            return
        if step.status == "in_progress" and known:  # what the deltas told of it is newer
            body = {**body, "step_details": known.get("step_details")}
        self._steps[step.id] = dict(body)
        yield StepChanged(Step.from_json(body))

    def _step_delta(self, body: Json) -> Iterator[Event]:
        """A step with what the delta adds to its tool calls."""
        known = self._steps.get(text_of(body, "id"))
        details = object_of(object_of(body, "delta"), "step_details")
        if known is None or known.get("status") in _STEP_ENDS or not objects_of(details, "tool_calls"):
            return
        known["step_details"] = added(object_of(known, "step_details"), details)
        yield StepChanged(Step.from_json(known))

    def _message(self, message: Message) -> Iterator[Event]:
        known = self._texts.get(message.id)
        if not message.id or not self._ours(message.run_id, message.thread_id) or (known and known.closed):
            return
        ended = message.status != "in_progress"
        if known is None:
            self._texts[message.id] = _Text([message.text] if message.text else [], closed=ended)
            yield MessageChanged(message)
        elif ended:
            known.closed = True
            yield MessageChanged(message if message.text else replace(message, text="".join(known.pieces)))

    def _delta(self, body: Json) -> Iterator[Event]:
        message_id = text_of(body, "id")
        if not message_id:
            return
        known = self._texts.get(message_id)
        if known is None:
            known = self._texts[message_id] = _Text()
            yield MessageChanged(_begun(message_id, self.thread_id, self.run_id))
        text = "" if known.closed else _delta_text(body, known)
        if text:
            known.pieces.append(text)
            yield TextDelta(message_id, text)

    def _ours(self, run_id: str, thread_id: str) -> bool:
        same_run = not run_id or not self.run_id or run_id == self.run_id
        return same_run and thread_id in ("", self.thread_id)


_STEP_ENDS = frozenset({"completed", "failed", "cancelled", "expired"})


def _may_follow(before: Run, after: Run) -> bool:
    """Whether a run can come from one state into the other; late and repeated events cannot."""
    if before.status not in ACTIVE_STATUSES or before.raw == after.raw:
        return False
    return after.status in _NEXT.get(before.status, ()) or after.status not in ACTIVE_STATUSES


_NEXT = {
    "queued": ("queued", "in_progress", "requires_action", "cancelling"),
    "in_progress": ("in_progress", "requires_action", "cancelling"),
    "requires_action": ("requires_action", "queued", "in_progress", "cancelling"),
    "cancelling": ("cancelling",),
}


def _delta_text(body: Json, known: _Text) -> str:
    """The text of a delta. A further content part begins with the empty line that joins the parts of a message."""
    pieces: list[str] = []
    for part in objects_of(object_of(body, "delta"), "content"):
        text = part_text(part)
        index = whole_of(part, "index") or 0
        if text and index > known.part:
            known.part = index
            text = "\n\n" + text if known.pieces or pieces else text
        pieces.append(text)
    return "".join(pieces)


def _begun(message_id: str, thread_id: str, run_id: str) -> Message:
    return Message(message_id, "assistant", thread_id=thread_id, run_id=run_id, status="in_progress")
