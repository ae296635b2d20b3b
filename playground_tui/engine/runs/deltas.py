"""The delta events of a stream, rendered without building their objects: they are the bulk of its events.

The rules are the hosted API's: the first delta of a text carries `annotations` ([] where there are none) and no delta
ever a null one; the id of a call and the name of its function stand in its first delta alone, since clients join the
pieces of every string.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

MESSAGE_DELTA = "thread.message.delta"
STEP_DELTA = "thread.run.step.delta"


def text_head(message_id: str, index: int) -> str:
    """How each server-sent-events block of a text's deltas begins; `index` is its place in the message's content."""
    return (
        f'event: thread.message.delta\ndata: {{"id":"{message_id}","object":"thread.message.delta","delta":{{"content":'
        f'[{{"index":{index},"type":"text","text":{{"value":'
    )


def text_block(head: str, text: str, *, first: bool, annotations: Sequence[dict[str, Any]] = ()) -> bytes:
    """The block of a text delta."""
    noted = f',"annotations":{json.dumps(list(annotations))}' if annotations else ',"annotations":[]' if first else ""
    return f"{head}{json.dumps(text)}{noted}}}}}]}}}}\n\n".encode()


def picture(message_id: str, index: int, file_id: str) -> dict[str, Any]:
    """The delta that brings a picture as part `index` of a message's content."""
    part = {"index": index, "type": "image_file", "image_file": {"file_id": file_id, "detail": "auto"}}
    return {"id": message_id, "object": "thread.message.delta", "delta": {"content": [part]}}


def refusal(message_id: str, index: int, text: str) -> dict[str, Any]:
    """A delta of a refusal as part `index` of a message's content."""
    part = {"index": index, "type": "refusal", "refusal": text}
    return {"id": message_id, "object": "thread.message.delta", "delta": {"content": [part]}}


def step_delta(step_id: str, call: dict[str, Any]) -> dict[str, Any]:
    """A delta of one call of a step."""
    return {
        "id": step_id,
        "object": "thread.run.step.delta",
        "delta": {"step_details": {"type": "tool_calls", "tool_calls": [call]}},
    }
