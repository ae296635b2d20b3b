"""One round of a run: ask the model with the thread so far, store and send the answer as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import Connection

from playground_tui.engine.providers.base import (
    CallArguments,
    CallBegun,
    Dropped,
    Finished,
    ModelRequest,
    ProviderError,
    ProviderEvent,
    Text,
    Usage,
)
from playground_tui.engine.providers.registry import ProviderRegistry
from playground_tui.engine.runs.answer import Answer
from playground_tui.engine.runs.endings import Event, Loose
from playground_tui.engine.runs.live import LiveRun
from playground_tui.engine.runs.prompt import fitted, history_limit, model_request, thread_turns
from playground_tui.engine.runs.states import (
    ANSWER_CUT,
    COMPLETED,
    FILTERED,
    PROMPT_SPENT,
    Ending,
    added,
    run_started,
    run_waits,
)
from playground_tui.engine.store import history, runs, steps

EVENTS_IN_A_ROW = 16
"""After so many events that were there at once, the others get a turn."""

_CUT = {"length": ANSWER_CUT, "content_filter": FILTERED}

Json = dict[str, Any]


async def play_round(live: LiveRun, providers: ProviderRegistry) -> Ending | None:
    """Ask the model once. How the run ends with that, or None: it waits for the outputs of function calls.

    Raises ProviderError, UnknownProvider and Interrupted; what is open then is for the caller to close.
    """
    provider, model = providers.resolve(live.run["model"], live.run.get("_provider"))
    thread, called = await live.around.database.read(lambda c: _history(c, live.run))
    live.newest_message = thread[-1].id if thread else ""
    await live.record(lambda c: _start(c, live, provider.name))
    turns = fitted(thread_turns(thread, called), live.run.get("max_prompt_tokens"))
    request = model_request(live.run, model, turns, first=all(step["run_id"] != live.id for step in called))
    left = _tokens_left(live, request)
    if isinstance(left, Ending):
        return left
    answer = Answer(live)
    try:
        finished = await _receive(live, answer, provider.stream(left))
        return await _finish(live, answer, finished)
    finally:
        await answer.take_message()


def _history(c: Connection, run: Json) -> tuple[list[history.Said], list[Json]]:
    thread_id = run["thread_id"]
    return history.thread_messages(c, thread_id, limit=history_limit(run)), history.tool_steps(c, thread_id)


def _start(c: Connection, live: LiveRun, provider: str) -> list[Event]:
    changes = {**live.noted(), **run_started(live.run, live.around.now()), "_provider": provider}
    return [("thread.run.in_progress", runs.update(c, live.id, changes))]


def _tokens_left(live: LiveRun, request: ModelRequest) -> ModelRequest | Ending:
    """The request with what earlier rounds left of the run's tokens, or the end of a run that has none left."""
    used = live.usage or Usage(0, 0)
    prompt_limit = live.run.get("max_prompt_tokens")
    if prompt_limit is not None and used.prompt_tokens >= prompt_limit:
        return PROMPT_SPENT
    if request.max_completion_tokens is None:
        return request
    left = request.max_completion_tokens - used.completion_tokens
    return replace(request, max_completion_tokens=left) if left > 0 else ANSWER_CUT


async def _receive(live: LiveRun, answer: Answer, stream: AsyncIterator[ProviderEvent]) -> Finished:
    """Store and send everything up to the end of the answer. Leaving early aborts the provider's request."""
    in_a_row = 0
    async with aclosing(cast("AsyncGenerator[ProviderEvent, None]", stream)) as events:
        live.park()
        async for event in events:
            live.unpark()
            if isinstance(event, Text) and answer.message:
                answer.message.add(event.text)
            elif isinstance(event, Finished):
                return event
            else:
                await _take(live, answer, event)
            in_a_row += 1
            if in_a_row >= EVENTS_IN_A_ROW:
                in_a_row = 0
                await asyncio.sleep(0)
            live.park()
    live.unpark()
    raise ProviderError("The provider ended its answer without saying that it was whole.")


async def _take(live: LiveRun, answer: Answer, event: ProviderEvent) -> None:
    match event:
        case Text(text):
            await answer.say(text)
        case CallBegun(index, call_id, name):
            (await answer.open_calls()).begin(index, call_id, name)
        case CallArguments(index, text):
            (await answer.open_calls()).add(index, text)
        case Dropped(parameter):
            live.note(f"{parameter} is not used by this model.")


async def _finish(live: LiveRun, answer: Answer, finished: Finished) -> Ending | None:
    live.usage = added(live.usage, finished.usage)
    live.request_usage = finished.usage
    if answer.calls is None and answer.message is None:
        await answer.say("")
    if finished.reason in _CUT:
        return _CUT[finished.reason]
    if answer.calls is None:
        return COMPLETED
    await _wait_for_outputs(live, answer, finished.usage)
    return None


async def _wait_for_outputs(live: LiveRun, answer: Answer, usage: Usage | None) -> None:
    assert answer.calls is not None
    said, calls, step_id = await answer.take_message(), answer.calls.whole(), answer.calls.step["id"]
    tokens = [usage.prompt_tokens, usage.completion_tokens] if usage else None

    def write(c: Connection) -> list[Event]:
        ended = answer.end_message(c, said, None)
        steps.update(c, step_id, {"step_details": {"type": "tool_calls", "tool_calls": calls}, "_usage": tokens})
        return [*ended, ("thread.run.requires_action", runs.update(c, live.id, {**live.noted(), **run_waits(calls)}))]

    await live.record_wait(write)
    live.loose = Loose
