"""/v1/chat/completions: assistants and models answer any program that speaks Chat Completions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from playground_tui.engine.api.requests import json_of, validated
from playground_tui.engine.completion_schemas import CreateCompletion
from playground_tui.engine.completions.assistants import Asked
from playground_tui.engine.completions.direct import model_request, translated
from playground_tui.engine.completions.failures import unknown_model
from playground_tui.engine.completions.passing import NoChatCompletions, passed
from playground_tui.engine.completions.stops import until_stop
from playground_tui.engine.completions.wire import Chunks, Events, Head, stream, whole
from playground_tui.engine.context import engine_of
from playground_tui.engine.errors import ApiError, Json
from playground_tui.engine.objects import new_id
from playground_tui.engine.providers.registry import UnknownProvider
from playground_tui.engine.providers.streaming import HttpProvider
from playground_tui.engine.sse import STREAM_HEADERS
from playground_tui.protocol import PROVIDER_HEADER

RUN_HEADER = "X-Playground-Tui-Run"
THREAD_HEADER = "X-Playground-Tui-Thread"
GONE = 499
"""The status of an answer that nobody waits for any longer (nobody reads it either)."""

Leave = Callable[[], Awaitable[None]]


async def create(request: Request) -> Response:
    given = await json_of(request)
    if not isinstance(given, Mapping):
        raise ApiError("Invalid body: an object is expected.", code="invalid_type")
    return await _while_connected(request, _respond(request, _model(given), given))


async def _respond(request: Request, model: str, given: Mapping[str, Any]) -> Response:
    if model.startswith("asst_"):
        return await _by_assistant(request, validated(CreateCompletion, given))
    return await _by_model(request, model, given)


def _model(given: Mapping[str, Any]) -> str:
    """Raises ApiError."""
    if "model" not in given:
        raise ApiError("Missing required parameter: 'model'.", param="model", code="missing_required_parameter")
    model = given["model"]
    if not isinstance(model, str) or not model:
        raise ApiError("Invalid 'model': the id of a model is expected.", param="model", code="invalid_type")
    return model


async def _by_assistant(request: Request, body: CreateCompletion) -> Response:
    """The assistant's answer. Whoever goes away before it is whole ends its run."""
    files_url = str(request.url.replace(path="/v1/files", query=""))
    asked = await Asked.of(engine_of(request), body, files_url=files_url, hint=request.headers.get(PROVIDER_HEADER))
    answering = await asked.begin()
    headers = {RUN_HEADER: answering.run_id, THREAD_HEADER: answering.thread_id}
    return await _answer(request, body, answering.events(), answering.leave, headers)


async def _by_model(request: Request, model: str, given: Mapping[str, Any]) -> Response:
    try:
        provider, own = engine_of(request).providers.resolve(model, request.headers.get(PROVIDER_HEADER))
    except UnknownProvider as error:
        raise unknown_model(str(error)) from error
    if isinstance(provider, HttpProvider):
        try:
            return await passed(provider, {**given, "model": own})
        except NoChatCompletions:
            pass  # it has the Responses API alone, or nothing at all, which it will say
    body = validated(CreateCompletion, given)
    return await _answer(request, body, translated(provider, model_request(body, own)), _nothing_to_leave, {})


async def _answer(
    request: Request, body: CreateCompletion, events: Events, leave: Leave, headers: dict[str, str]
) -> Response:
    head = Head(new_id("chatcmpl").replace("_", "-"), engine_of(request).now(), body.model)
    if body.stops:
        events = until_stop(events, body.stops)
    if not body.stream:
        try:
            return _json(await whole(events, head), headers)
        finally:
            await leave()
    try:
        blocks = await stream(events, Chunks(head, body.wants_usage))
    except BaseException:
        await leave()
        raise
    headers = STREAM_HEADERS | headers
    return StreamingResponse(blocks, media_type="text/event-stream", headers=headers, background=BackgroundTask(leave))


async def _while_connected(request: Request, response: Coroutine[Any, Any, Response]) -> Response:
    """The response, unless who asked goes away first: then it is not made to its end."""
    coming, gone = asyncio.create_task(response), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({coming, gone}, return_when=asyncio.FIRST_COMPLETED)
        return coming.result() if coming.done() else Response(status_code=GONE)
    finally:
        for task in (coming, gone):
            task.cancel()
        await asyncio.wait({coming, gone})


async def _gone(request: Request) -> None:
    """Returns when the connection has been closed by the other side."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _json(completion: dict[str, Any], headers: dict[str, str]) -> Response:
    response = Json(completion)
    response.headers.update(headers)
    return response


async def _nothing_to_leave() -> None:
    """A provider's stream is closed with its reading."""


ROUTES = [Route("/v1/chat/completions", create, methods=["POST"])]
