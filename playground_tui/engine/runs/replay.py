"""The feed of a run made anew from the store: for runs that ended long ago, or that waited while the engine slept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from playground_tui.engine.runs import deltas
from playground_tui.engine.runs.endings import Event
from playground_tui.engine.runs.feed import Feed
from playground_tui.engine.runs.live import shown
from playground_tui.engine.store import messages, steps

Json = Mapping[str, Any]

_NOT_YET = (
    "required_action",
    "last_error",
    "cancelled_at",
    "failed_at",
    "completed_at",
    "expired_at",
    "incomplete_at",
    "incomplete_details",
    "usage",
)


def stored_events(c: Connection, run: Json) -> list[Event]:
    """The events of a run as far as the store knows them: each text and each call's arguments are one delta."""
    return [*_opening(run), *_steps(c, run), *_closing(run)]


def rebuilt(events: list[Event], *, first_id: int) -> Feed:
    """A feed at rest that has sent these events."""
    feed = Feed(first_id)
    for name, data in events:
        if name == deltas.MESSAGE_DELTA:
            feed.publish_text(data["id"], data["text"])
        else:
            feed.publish(name, shown(data))
    feed.rest()
    return feed


def _opening(run: Json) -> Iterator[Event]:
    queued = _earlier(run, "queued", "started_at")
    yield "thread.run.created", queued
    yield "thread.run.queued", queued
    if run["started_at"] is not None:
        yield "thread.run.in_progress", _earlier(run, "in_progress")


def _closing(run: Json) -> Iterator[Event]:
    if run["status"] not in {"queued", "in_progress"}:
        yield f"thread.run.{run['status']}", dict(run)


def _steps(c: Connection, run: Json) -> Iterator[Event]:
    for step in steps.of_run(c, run["id"]):
        begun = _earlier(step, "in_progress")
        if step["type"] == "tool_calls":
            begun["step_details"] = {"type": "tool_calls", "tool_calls": []}
        yield "thread.run.step.created", begun
        yield "thread.run.step.in_progress", begun
        yield from _calls(step) if step["type"] == "tool_calls" else _message(c, step)
        if step["status"] != "in_progress":
            yield f"thread.run.step.{step['status']}", step


def _calls(step: Json) -> Iterator[Event]:
    for index, call in enumerate(step["step_details"]["tool_calls"]):
        function = call["function"]
        delta = deltas.call_begun(step["id"], index, call["id"], function["name"], function["arguments"])
        yield deltas.STEP_DELTA, delta


def _message(c: Connection, step: Json) -> Iterator[Event]:
    message = messages.get(c, step["thread_id"], step["step_details"]["message_creation"]["message_id"])
    if message is None:
        return
    begun = {**_earlier(message, "in_progress"), "content": []}
    yield "thread.message.created", begun
    yield "thread.message.in_progress", begun
    if text := messages.text_of(message):
        yield deltas.MESSAGE_DELTA, {"id": message["id"], "text": text}
    if message["status"] != "in_progress":
        yield f"thread.message.{message['status']}", message


def _earlier(stored: Json, status: str, *unset: str) -> dict[str, Any]:
    """The object as it was in an earlier state."""
    later = {key: None for key in (*_NOT_YET, *unset) if key in stored}
    return {**stored, **later, "status": status}
