"""What a model is told of a thread: its messages and what its earlier runs did with tools. Two queries, no more."""

from __future__ import annotations

from itertools import starmap
from typing import Any, NamedTuple

from sqlalchemy import JSON, Connection, case, select, type_coerce

from playground_tui.engine.store.tables import messages, runs, steps


class Said(NamedTuple):
    """One message. `text` is its whole content where that is one text; else `parts` is the content as it is kept."""

    id: str
    created_at: int
    role: str
    text: str | None
    parts: list[dict[str, Any]] | None = None


def thread_messages(c: Connection, thread_id: str, *, limit: int | None = None) -> list[Said]:
    """The newest `limit` messages of the thread (None: all), oldest first.

    A long thread has thousands of them: what is not needed is not read, and a mere text is not parsed as JSON.
    """
    body = messages.c.body
    text = body[("content", 0, "text", "value")].as_string()
    more = body[("content", 1, "type")].as_string()
    parts = case((text.is_(None) | more.is_not(None), body["content"]))
    said = select(messages.c.id, messages.c.created_at, body["role"].as_string(), text, type_coerce(parts, JSON))
    living = said.where(messages.c.thread_id == thread_id, messages.c.deleted_at.is_(None))
    newest = c.execute(living.order_by(messages.c.seq.desc()).limit(limit)).all()
    return list(starmap(Said, reversed(newest)))


def tool_steps(c: Connection, thread_id: str) -> list[dict[str, Any]]:
    """The tool_calls steps of all runs of the thread, oldest first."""
    made = select(steps.c.body).join(runs, runs.c.id == steps.c.run_id).where(runs.c.thread_id == thread_id)
    called = made.where(steps.c.body["type"].as_string() == "tool_calls")
    return list(c.execute(called.order_by(steps.c.seq)).scalars())
