"""A new run: the assistant's settings with what the request puts over them, stored if the thread is free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from playground_tui.engine import resources
from playground_tui.engine.objects import given_message, run_object
from playground_tui.engine.runs.endings import Event
from playground_tui.engine.runs.live import shown
from playground_tui.engine.schemas import CreateRun, CreateThreadAndRun
from playground_tui.engine.store import assistants, runs, threads
from playground_tui.engine.store.idempotency import Keep
from playground_tui.engine.store.unknown import Unknown

Json = Mapping[str, Any]

_FROM_ASSISTANT = ("model", "instructions", "tools", "temperature", "top_p", "response_format", "reasoning_effort")
_OF_THE_RUN = (
    "metadata",
    "max_prompt_tokens",
    "max_completion_tokens",
    "truncation_strategy",
    "tool_choice",
    "parallel_tool_calls",
)


def store_thread(
    c: Connection, thread: Json, first: Sequence[Json], body: CreateThreadAndRun, *, elsewhere: bool
) -> list[Event]:
    """Make the thread of a run that brings its own, with its first messages.

    What the run's own tools are given beyond the assistant's stays with the thread. `elsewhere`: the files may be a
    provider's. Raises Unknown, ApiError.
    """
    given = [body.thread.tool_resources if body.thread else None, body.tool_resources]
    stored = resources.add_thread(c, thread, first, given, elsewhere=elsewhere)
    return [("thread.created", stored), *(("thread.message.created", dict(message)) for message in first)]


def store_run(
    c: Connection,
    body: CreateRun | CreateThreadAndRun,
    *,
    thread_id: str,
    run_id: str,
    now: int,
    expires_after: int,
    noted: Json,
    keep: Keep,
) -> list[Event]:
    """Store the run and its additional messages. `noted` is what the engine notes in it, `keep` keeps the reply.

    Raises Unknown for the thread or the assistant, and ActiveRun.
    """
    threads.require(c, thread_id)
    assistant = assistants.get(c, body.assistant_id)
    if assistant is None:
        raise Unknown("assistant", body.assistant_id)
    given = body.given()
    asked = given.get("additional_messages") or ()
    added = [given_message(one, thread_id=thread_id, created_at=now) for one in asked]
    for message in added:
        resources.add_message(c, message)
    run = run_object(
        thread_id=thread_id,
        assistant_id=assistant["id"],
        run_id=run_id,
        created_at=now,
        expires_at=now + expires_after,
        **_settings(assistant, given),
    )
    run |= noted
    runs.insert(c, run)
    keep(c, shown(run))
    created = [("thread.message.created", message) for message in added]
    return [*created, ("thread.run.created", run), ("thread.run.queued", run)]


def _settings(assistant: Json, given: Json) -> dict[str, Any]:
    """What is given for the run goes over what the assistant has; null counts as not given."""
    settings = {key: given.get(key) for key in _OF_THE_RUN}
    for key in _FROM_ASSISTANT:
        settings[key] = assistant.get(key) if given.get(key) is None else given[key]
    if more := given.get("additional_instructions"):
        settings["instructions"] = "\n\n".join(filter(None, (settings["instructions"], more)))
    settings["tools"] = settings["tools"] or []
    return settings
