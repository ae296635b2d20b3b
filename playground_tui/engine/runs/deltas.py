"""The delta events of a stream, rendered without building their objects: they are the bulk of its events.

The rules are the hosted API's: the first delta of a text carries `annotations: []` and no delta ever a null one; the
name of a function stands in the first delta of its call alone, since clients join the pieces of every string.
"""

from __future__ import annotations

import json
from typing import Any

MESSAGE_DELTA = "thread.message.delta"
STEP_DELTA = "thread.run.step.delta"


def text_block(message_id: str, text: str, *, first: bool) -> bytes:
    """The server-sent-events block of a text delta."""
    annotations = ',"annotations":[]' if first else ""
    return (
        f'event: thread.message.delta\ndata: {{"id":"{message_id}","object":"thread.message.delta","delta":{{"content":'
        f'[{{"index":0,"type":"text","text":{{"value":{json.dumps(text)}{annotations}}}}}]}}}}\n\n'
    ).encode()


def call_begun(step_id: str, index: int, call_id: str, name: str, arguments: str = "") -> dict[str, Any]:
    """The first delta of function call `index` of a step."""
    function = {"name": name, "arguments": arguments, "output": None}
    return _step_delta(step_id, {"index": index, "id": call_id, "type": "function", "function": function})


def call_arguments(step_id: str, index: int, text: str) -> dict[str, Any]:
    """More of the arguments of function call `index`."""
    return _step_delta(step_id, {"index": index, "type": "function", "function": {"arguments": text}})


def _step_delta(step_id: str, call: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": step_id,
        "object": "thread.run.step.delta",
        "delta": {"step_details": {"type": "tool_calls", "tool_calls": [call]}},
    }
