"""An answer as Chat Completions has it: one object, or the chunks of a stream."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from playground_tui.engine.errors import ApiError
from playground_tui.engine.providers.base import CallArguments, CallBegun, Finished, ProviderEvent, Refusal, Text, Usage
from playground_tui.engine.runs.states import usage_object
from playground_tui.engine.sse import with_beats

Events = AsyncGenerator[Sequence[ProviderEvent], None]
"""What a model says, all that is there at a time. Ends with `Finished`, or raises ApiError."""

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Head:
    """What every chunk of an answer begins with. `created` is in Unix seconds."""

    id: str
    created: int
    model: str
    """As it was asked for."""

    def object(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def data(payload: Any) -> bytes:
    """One block of the stream."""
    return b"data: " + json.dumps(payload, separators=(",", ":")).encode() + b"\n\n"


@dataclass(slots=True)
class Chunks:
    """The chunks of one answer. With `wants_usage` each says that it has none, and one more at the end has it."""

    head: Head
    wants_usage: bool = False
    _begun: bool = False

    def take(self, event: ProviderEvent) -> Iterator[bytes]:
        """The chunks of one event."""
        match event:
            case Text(text):
                yield self._chunk(self._role("") | {"content": text})
            case Refusal(text):
                yield self._chunk(self._role(None) | {"refusal": text})
            case CallBegun(index, call_id, name):
                called = {"id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
                yield self._chunk(self._role(None) | {"tool_calls": [{"index": index, **called}]})
            case CallArguments(index, text):
                yield self._chunk({"tool_calls": [{"index": index, "function": {"arguments": text}}]})
            case Finished(reason, usage):
                yield self._chunk(self._role(""), reason)
                if self.wants_usage and usage:
                    yield data(
                        {**self.head.object("chat.completion.chunk"), "choices": [], "usage": usage_object(usage)}
                    )
                yield DONE

    def _role(self, content: str | None) -> dict[str, Any]:
        """What the first delta begins with; nothing later."""
        begun, self._begun = self._begun, True
        return {} if begun else {"role": "assistant", "content": content, "refusal": None}

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        usage = {"usage": None} if self.wants_usage else {}
        return data({**self.head.object("chat.completion.chunk"), "choices": [choice], **usage})


async def stream(events: Events, chunks: Chunks) -> AsyncIterator[bytes]:
    """The blocks of a stream, with a comment when nothing came for a while.

    Returns with the first of them: an answer that fails before raises its ApiError here, and not in the stream.
    """
    blocks = with_beats(_blocks(events, chunks))
    return _rest(await anext(blocks), blocks)


async def _blocks(events: Events, chunks: Chunks) -> AsyncGenerator[bytes, None]:
    async with aclosing(events):
        async for batch in events:
            if block := b"".join(block for event in batch for block in chunks.take(event)):
                yield block


async def _rest(first: bytes, blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    try:
        async for block in blocks:
            yield block
    except ApiError as error:
        yield data(error.body) + DONE


@dataclass(slots=True)
class _Call:
    id: str
    name: str
    arguments: list[str] = field(default_factory=list)

    def whole(self) -> dict[str, Any]:
        function = {"name": self.name, "arguments": "".join(self.arguments)}
        return {"id": self.id, "type": "function", "function": function}


@dataclass(slots=True)
class Whole:
    """An answer put together."""

    texts: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    calls: dict[int, _Call] = field(default_factory=dict)
    reason: str = "stop"
    usage: Usage | None = None

    def take(self, batch: Iterable[ProviderEvent]) -> None:
        for event in batch:
            match event:
                case Text(text):
                    self.texts.append(text)
                case Refusal(text):
                    self.refusals.append(text)
                case CallBegun(index, call_id, name):
                    self.calls[index] = _Call(call_id, name)
                case CallArguments(index, text):
                    self.calls[index].arguments.append(text)
                case Finished(reason, usage):
                    self.reason, self.usage = reason, usage

    def object(self, head: Head) -> dict[str, Any]:
        """The completion."""
        text, refusal = "".join(self.texts), "".join(self.refusals)
        calls = [call.whole() for call in self.calls.values()]
        message: dict[str, Any] = {"role": "assistant", "content": text or (None if calls or refusal else "")}
        message |= {"refusal": refusal or None, "annotations": []} | ({"tool_calls": calls} if calls else {})
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.reason}
        completion = {**head.object("chat.completion"), "choices": [choice]}
        return completion | ({"usage": usage_object(self.usage)} if self.usage else {})


async def whole(events: Events, head: Head) -> dict[str, Any]:
    """The completion, once it is there. Raises ApiError."""
    answer = Whole()
    async with aclosing(events):
        async for batch in events:
            answer.take(batch)
    return answer.object(head)
