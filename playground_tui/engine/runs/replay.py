"""The feed of a run made anew from the store: for runs that ended long ago, or that waited while the engine slept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from playground_tui.engine.runs import deltas
from playground_tui.engine.runs.endings import Event
from playground_tui.engine.runs.feed import Feed
from playground_tui.engine.runs.live import CONTENT, shown
from playground_tui.engine.runs.tools.stored import whole_delta
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


def rebuilt(events: list[Event], *, first_id: int, content: bool) -> Feed:
    """A feed at rest that has sent these events; `content`: with the text of what searches found."""
    feed = Feed(first_id)
    for name, data in events:
        if "text" in data:
            feed.publish_text(data["id"], data["text"]["value"], data["annotations"], index=data["index"])
        else:
            feed.publish(name, shown(data, content=content))
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
        yield from _calls(run, step) if step["type"] == "tool_calls" else _message(c, step)
        if step["status"] != "in_progress":
            yield f"thread.run.step.{step['status']}", step


def _calls(run: Json, step: Json) -> Iterator[Event]:
    for index, call in enumerate(step["step_details"]["tool_calls"]):
        said = whole_delta(call, content=bool(run.get(CONTENT)))
        yield deltas.STEP_DELTA, deltas.step_delta(step["id"], {"index": index, **said})


def _message(c: Connection, step: Json) -> Iterator[Event]:
    message = messages.get(c, step["thread_id"], step["step_details"]["message_creation"]["message_id"])
    if message is None:
        return
    begun = {**_earlier(message, "in_progress"), "content": []}
    yield "thread.message.created", begun
    yield "thread.message.in_progress", begun
    for index, part in enumerate(message["content"]):
        if part["type"] != "text" or part["text"]["value"]:
            yield deltas.MESSAGE_DELTA, _content(message["id"], index, part)
    if message["status"] != "in_progress":
        yield f"thread.message.{message['status']}", message


def _content(message_id: str, index: int, part: Json) -> dict[str, Any]:
    """A part of a message as it came; a text is told by its feed."""
    if part["type"] == "image_file":
        return deltas.picture(message_id, index, part["image_file"]["file_id"])
    if part["type"] == "refusal":
        return deltas.refusal(message_id, index, part["refusal"])
    annotations = [{"index": place, **one} for place, one in enumerate(part["text"]["annotations"])]
    return {"id": message_id, "index": index, "text": part["text"], "annotations": annotations}


def _earlier(stored: Json, status: str, *unset: str) -> dict[str, Any]:
    """The object as it was in an earlier state."""
    later = {key: None for key in (*_NOT_YET, *unset) if key in stored}
    return {**stored, **later, "status": status}
