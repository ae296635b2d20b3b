"""The bytes that model providers stream: Chat Completions chunks and Responses events, built from one small script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Call:
    """One function call the scripted model makes."""

    name: str
    arguments: str = "{}"
    id: str = "call_1"


@dataclass(frozen=True)
class Answer:
    """What a scripted model says: `fragments` of text, then `calls`, then the end.

    `finish` is Chat Completions' word: stop, length, content_filter, tool_calls. `usage` is (prompt, completion).
    """

    fragments: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    finish: str = "stop"
    usage: tuple[int, int] | None = (7, 3)
    model: str = "scripted"


def data(payload: Any) -> bytes:
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


def event(payload: dict[str, Any]) -> bytes:
    return f"event: {payload['type']}\n".encode() + data(payload)


def chunk(answer: Answer, delta: dict[str, Any], finish: str | None = None) -> bytes:
    """One Chat Completions chunk."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return data(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": answer.model,
            "choices": [choice],
        }
    )


def chat_head(answer: Answer) -> Iterator[bytes]:
    """The role, the text and the calls: everything before the end."""
    yield chunk(answer, {"role": "assistant", "content": ""})
    for fragment in answer.fragments:
        yield chunk(answer, {"content": fragment})
    for index, call in enumerate(answer.calls):
        head = {"name": call.name, "arguments": ""}
        yield chunk(answer, {"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": head}]})
        for piece in halves(call.arguments):
            yield chunk(answer, {"tool_calls": [{"index": index, "function": {"arguments": piece}}]})


def chat_tail(answer: Answer) -> Iterator[bytes]:
    """Finish reason, usage, `[DONE]`."""
    yield chunk(answer, {}, "tool_calls" if answer.calls else answer.finish)
    if answer.usage is not None:
        prompt, completion = answer.usage
        usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        yield data({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def responses_head(answer: Answer) -> Iterator[bytes]:
    """Events of the Responses API up to the last output item."""
    yield event({"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}})
    if answer.fragments:
        item = {"id": "msg_1", "type": "message", "role": "assistant", "content": []}
        place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        yield event({"type": "response.output_item.added", "output_index": 0, "item": item})
        yield event({"type": "response.content_part.added", "part": {"type": "output_text", "text": ""}, **place})
    for fragment in answer.fragments:
        yield event(
            {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0}
            | {"delta": fragment}
        )
    for index, call in enumerate(answer.calls, start=1 if answer.fragments else 0):
        yield from responses_call(index, call)


def responses_call(index: int, call: Call) -> Iterator[bytes]:
    item = {"id": f"fc_{index}", "type": "function_call", "call_id": call.id, "name": call.name, "arguments": ""}
    yield event({"type": "response.output_item.added", "output_index": index, "item": item})
    for piece in halves(call.arguments):
        kind = "response.function_call_arguments.delta"
        yield event({"type": kind, "item_id": f"fc_{index}", "output_index": index, "delta": piece})
    kind = "response.function_call_arguments.done"
    yield event({"type": kind, "item_id": f"fc_{index}", "output_index": index, "arguments": call.arguments})
    done = item | {"arguments": call.arguments, "status": "completed"}
    yield event({"type": "response.output_item.done", "output_index": index, "item": done})


def responses_tail(answer: Answer) -> Iterator[bytes]:
    """The event that ends the response, with its usage."""
    response: dict[str, Any] = {"id": "resp_1", "status": "completed", "output": []}
    if answer.usage is not None:
        prompt, completion = answer.usage
        response["usage"] = {"input_tokens": prompt, "output_tokens": completion, "total_tokens": prompt + completion}
    if answer.finish in {"length", "content_filter"}:
        reason = "max_output_tokens" if answer.finish == "length" else "content_filter"
        response |= {"status": "incomplete", "incomplete_details": {"reason": reason}}
    yield event({"type": f"response.{response['status']}", "response": response})


def halves(text: str) -> list[str]:
    middle = len(text) // 2
    return [piece for piece in (text[:middle], text[middle:]) if piece]
