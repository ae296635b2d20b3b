"""A run under way: ask the model with the thread so far, store and send its answer as it comes, carry out its calls of
the engine's own tools, and ask again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Literal, cast

from sqlalchemy import Connection

from playground_tui.engine.providers.base import (
    CallArguments,
    CallBegun,
    Cited,
    Dropped,
    Finished,
    HostedCode,
    HostedSearch,
    ModelRequest,
    Provider,
    ProviderError,
    ProviderEvent,
    Refusal,
    Text,
    ToolHost,
    ToolsRefused,
    Usage,
)
from playground_tui.engine.providers.registry import ProviderRegistry
from playground_tui.engine.runs.answer import Answer
from playground_tui.engine.runs.called import carry_out
from playground_tui.engine.runs.endings import Event, Loose
from playground_tui.engine.runs.ground import Ground, read_ground
from playground_tui.engine.runs.live import LiveRun
from playground_tui.engine.runs.plain import can_do_without, look_up
from playground_tui.engine.runs.prompt import prompt_tokens
from playground_tui.engine.runs.states import (
    ANSWER_CUT,
    FILTERED,
    PROMPT_SPENT,
    Ending,
    added,
    answered,
    failed,
    run_started,
)
from playground_tui.engine.runs.tools.hosted import HostedTools
from playground_tui.engine.runs.tools.perform import OwnTools
from playground_tui.engine.store import runs

EVENTS_IN_A_ROW = 16
"""After so many events that were there at once, the others get a turn."""
ROUNDS = 30
"""So often in a row a model may call the engine's own tools; then it is asked to answer without any."""

_CUT = {"length": ANSWER_CUT, "content_filter": FILTERED}

Json = dict[str, Any]


async def play(live: LiveRun, providers: ProviderRegistry, tools: OwnTools) -> Ending | None:
    """Ask the model until it has answered. How the run ends with that, or None: it waits for outputs of functions.

    Raises ProviderError, UnknownProvider and Interrupted; what is open then is for the caller to close.
    """
    plain = False
    for rounds in range(ROUNDS + 1):
        try:
            result = await _round(live, providers, tools, last=rounds == ROUNDS, plain=plain)
        except ToolsRefused:
            live.unpark()
            if plain or not can_do_without(live.run):
                raise
            plain, result = True, await look_up(live, tools)
        if result == "waits":
            return None
        if result != "again":
            return result
    return failed("server_error", f"The model called tools {ROUNDS} times in a row and did not answer.")


async def _round(
    live: LiveRun, providers: ProviderRegistry, tools: OwnTools, *, last: bool, plain: bool
) -> Ending | Literal["waits", "again"]:
    """Ask the model once. `last`: it is to answer without tools; `plain`: it knows none."""
    live.park()
    await providers.wait_for_visitor(live.run["model"])
    live.unpark()
    provider, model = providers.resolve(live.run["model"], live.run.get("_provider"))
    live.request_usage, live.loose = None, Loose
    ground = await read_ground(live, tools, _host(provider, live.run))
    if isinstance(ground, Ending):
        return ground
    live.newest_message = ground.newest_message
    if live.status == "queued":
        await live.record(lambda c: _start(c, live, provider.name))
    room = _prompt_room(live)
    left = _tokens_left(live, ground.request(live.run, model, room, plain=plain), room)
    if isinstance(left, Ending):
        return left
    if last and left.tools:
        left = replace(left, tool_choice="none")
    left = replace(left, tools_needed=not can_do_without(live.run))
    answer = Answer(live, ground.offer, ground.brings)
    hosted = HostedTools(live, answer, tools, ground.searches if ground.hosted else 0)
    try:
        finished = await _receive(live, answer, hosted, provider.stream(left))
        return await _finish(live, answer, finished, ground, tools)
    finally:
        await answer.take_message()


def _host(provider: Provider, run: Json) -> str:
    """The name of the provider if it brings the run's tools but functions."""
    own = any(tool["type"] != "function" for tool in run["tools"])
    return provider.name if own and isinstance(provider, ToolHost) and provider.hosts_tools else ""


def _start(c: Connection, live: LiveRun, provider: str) -> list[Event]:
    changes = {**live.noted(), **run_started(live.run, live.around.now()), "_provider": provider}
    return [("thread.run.in_progress", runs.update(c, live.id, changes))]


def _prompt_room(live: LiveRun) -> int | None:
    """How many prompt tokens earlier rounds left of the run's; None where it has no limit."""
    limit: int | None = live.run.get("max_prompt_tokens")
    return None if limit is None else limit - (live.usage or Usage(0, 0)).prompt_tokens


def _tokens_left(live: LiveRun, request: ModelRequest, room: int | None) -> ModelRequest | Ending:
    """The request with what earlier rounds left of the run's tokens, or the end of a run that has too few left."""
    if room is not None and (room <= 0 or prompt_tokens(request.instructions, request.turns) > room):
        return PROMPT_SPENT
    if request.max_completion_tokens is None:
        return request
    left = request.max_completion_tokens - (live.usage or Usage(0, 0)).completion_tokens
    return replace(request, max_completion_tokens=left) if left > 0 else ANSWER_CUT


async def _receive(
    live: LiveRun, answer: Answer, hosted: HostedTools, stream: AsyncIterator[ProviderEvent]
) -> Finished:
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
                await _take(live, answer, hosted, event)
            in_a_row += 1
            if in_a_row >= EVENTS_IN_A_ROW:
                in_a_row = 0
                await asyncio.sleep(0)
            live.park()
    live.unpark()
    raise ProviderError("The provider ended its answer without saying that it was whole.")


async def _take(live: LiveRun, answer: Answer, hosted: HostedTools, event: ProviderEvent) -> None:
    match event:
        case Text(text):
            await answer.say(text)
        case Refusal(text):
            await answer.refuse(text)
        case CallBegun(index, call_id, name):
            (await answer.open_calls()).begin(index, call_id, name)
        case CallArguments(index, text):
            (await answer.open_calls()).add(index, text)
        case HostedSearch() | HostedCode() | Cited():
            await hosted.take(event)
        case Dropped(parameter):
            live.note(f"{parameter} is not used by this model.")


async def _finish(
    live: LiveRun, answer: Answer, finished: Finished, ground: Ground, tools: OwnTools
) -> Ending | Literal["waits", "again"]:
    live.usage = added(live.usage, finished.usage)
    live.request_usage = finished.usage
    if answer.calls is None and answer.message is None:
        await answer.say("")
    if finished.reason in _CUT:
        return _CUT[finished.reason]
    if answer.calls is None:
        return answered(live.run, live.usage)
    return await carry_out(live, answer, finished.usage, ground, tools)
