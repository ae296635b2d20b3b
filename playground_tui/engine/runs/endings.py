"""The end of a run in the store: what it left open is closed with it, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from playground_tui.engine.objects import text_part
from playground_tui.engine.providers.base import Usage
from playground_tui.engine.runs.states import Ending, message_ended, run_ended, step_ended, usage_object
from playground_tui.engine.store import messages, runs, steps, threads
from playground_tui.engine.store.unknown import Unknown

Event = tuple[str, dict[str, Any]]
"""The name of an event of the stream, and the stored object it carries."""

BORROWED = "_completion"
"""Key of a stored run whose thread was made for one chat completion: the thread goes out of sight with its end."""

_CALLS_CUT = "The answer was cut before its function calls were whole."


Contents = Mapping[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Loose:
    """What was said and is not in the store yet: content by message (empty: none so far), calls by step."""

    content: Contents = field(default_factory=dict)
    calls: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)


NOTHING_LOOSE = Loose()


def end_run(
    c: Connection,
    run_id: str,
    ending: Ending,
    *,
    now: int,
    usage: Usage | None,
    request_usage: Usage | None = None,
    loose: Loose = NOTHING_LOOSE,
    changes: Mapping[str, Any] | None = None,
) -> list[Event]:
    """Close the open messages and steps of a run and the run itself; the events of it in the contract's order.

    `usage` are the tokens of the run, `request_usage` those of its last request, `changes` what is stored in the run
    besides.
    """
    events: list[Event] = []
    for step in steps.of_run(c, run_id):
        if step["status"] == "in_progress":
            events += end_step(c, step, ending, now=now, usage=request_usage, loose=loose)
    tokens = usage_object(usage or Usage(0, 0))  # null is for a run that has not ended
    run = runs.update(c, run_id, {**(changes or {}), **run_ended(ending, now, tokens)})
    if BORROWED in run and threads.get(c, run["thread_id"]):
        threads.delete(c, run["thread_id"], at=now)
    return [*events, (f"thread.run.{ending.status}", run)]


def end_step(
    c: Connection,
    step: Mapping[str, Any],
    ending: Ending,
    *,
    now: int,
    usage: Usage | None,
    loose: Loose,
) -> list[Event]:
    """Close one step, its message first."""
    events: list[Event] = []
    if step["type"] == "message_creation":
        events += _end_message(c, step, ending, now, loose.content)
    elif ending.step_status == "completed":
        ending = replace(ending, step_status="failed", error=("server_error", _CALLS_CUT))
    tokens = usage_object(usage or kept_usage(step) or Usage(0, 0))
    changes = step_ended(ending, now, tokens)
    if step["id"] in loose.calls:
        changes["step_details"] = {"type": "tool_calls", "tool_calls": loose.calls[step["id"]]}
    done = steps.update(c, step["id"], changes)
    return [*events, (f"thread.run.step.{done['status']}", done)]


def noted_usage(usage: Usage | None) -> list[int] | None:
    """Tokens as they are noted; `kept_usage` reads them."""
    return [usage.prompt_tokens, usage.completion_tokens] if usage else None


def kept_usage(stored: Mapping[str, Any]) -> Usage | None:
    """The tokens noted in a run or a step that is not over: the API shows them at its end."""
    tokens = stored.get("_usage")
    return Usage(*tokens) if tokens else None


def _end_message(c: Connection, step: Mapping[str, Any], ending: Ending, now: int, loose: Contents) -> list[Event]:
    """A message that is there no more, lost with a damaged database, keeps its step and its run from no end."""
    message_id = step["step_details"]["message_creation"]["message_id"]
    changes = message_ended(ending, now)
    content = loose.get(message_id)
    if content or (content is not None and changes["status"] == "completed"):
        changes["content"] = content or [text_part("")]
    try:
        message = messages.update(c, message_id, changes)
    except Unknown:
        return []
    return [(f"thread.message.{message['status']}", message)]
