"""/v1/threads/{thread_id}/runs, and /v1/threads/runs. A run's events can be joined again at any time (an extension)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from playground_tui.engine import objects, resources
from playground_tui.engine.api import threads as threads_api
from playground_tui.engine.api.include import wants_content
from playground_tui.engine.api.requests import body_of, once, page_of, write_once
from playground_tui.engine.context import Engine, engine_of
from playground_tui.engine.errors import ApiError, Json
from playground_tui.engine.runs.live import shown
from playground_tui.engine.schemas import CreateRun, CreateThread, CreateThreadAndRun, ModifyRun, SubmitToolOutputs
from playground_tui.engine.sse import BEAT, STREAM_HEADERS
from playground_tui.engine.store import runs, threads
from playground_tui.engine.store.idempotency import Keep
from playground_tui.protocol import PROVIDER_HEADER

_EVENT_ID_DIGITS = 18
_AFTER = "_after"
"""Key of a kept reply: the newest event of the run before it."""


async def create(request: Request) -> Response:
    engine = engine_of(request)
    body = await body_of(request, CreateRun)
    thread_id, content, hint = request.path_params["thread_id"], wants_content(request), _hint(request)

    async def act(keep: Keep) -> dict[str, Any]:
        return await engine.runs.create(thread_id, body, provider_hint=hint, content=content, keep=keep)

    run = await once(request, act)
    if resources.bring_files(body.additional_messages):
        engine.search.wake()
    return _stream(engine, run["id"]) if body.stream else Json(run)


async def create_with_thread(request: Request) -> Response:
    engine = engine_of(request)
    body = await body_of(request, CreateThreadAndRun)

    async def act(keep: Keep) -> dict[str, Any]:
        thread, messages = threads_api.make(body.thread or CreateThread(), now=engine.now())
        return await engine.runs.create_with_thread(thread, messages, body, provider_hint=_hint(request), keep=keep)

    run = await once(request, act)
    thread = body.thread or CreateThread()
    if resources.bring_files(thread.messages, thread.tool_resources, body.tool_resources):
        engine.search.wake()
    return _stream(engine, run["id"]) if body.stream else Json(run)


async def index(request: Request) -> Response:
    page, thread_id = page_of(request), request.path_params["thread_id"]

    def find(c: Connection) -> tuple[list[dict[str, Any]], bool]:
        threads.require(c, thread_id)
        return runs.list_runs(c, thread_id, page)

    items, more = await engine_of(request).database.read(find)
    return Json(objects.list_object([shown(item) for item in items], has_more=more))


async def show(request: Request) -> Response:
    thread_id, run_id = request.path_params["thread_id"], request.path_params["run_id"]
    return Json(shown(await engine_of(request).database.read(lambda c: runs.require(c, thread_id, run_id))))


async def modify(request: Request) -> Response:
    engine = engine_of(request)
    thread_id, run_id = request.path_params["thread_id"], request.path_params["run_id"]
    given = (await body_of(request, ModifyRun)).given()
    changes = {"metadata": given["metadata"] or {}} if "metadata" in given else {}

    def change(c: Connection) -> dict[str, Any]:
        runs.require(c, thread_id, run_id)
        return shown(runs.update(c, run_id, changes))

    run = await write_once(request, change)
    engine.changes.publish("run", run_id, thread_id=thread_id, action="modified")
    return Json(run)


async def cancel(request: Request) -> Response:
    engine = engine_of(request)
    thread_id, run_id = request.path_params["thread_id"], request.path_params["run_id"]
    return Json(await once(request, lambda keep: engine.runs.cancel(thread_id, run_id, keep=keep)))


async def submit(request: Request) -> Response:
    engine = engine_of(request)
    body = await body_of(request, SubmitToolOutputs)
    thread_id, run_id = request.path_params["thread_id"], request.path_params["run_id"]
    outputs = [(given.tool_call_id, given.output) for given in body.tool_outputs]

    async def act(keep: Keep) -> dict[str, Any]:
        """Where the events of this round begin is kept with the reply: a later repetition has them too."""
        seen = {_AFTER: engine.runs.newest_event(run_id)}
        run = await engine.runs.submit(thread_id, run_id, outputs, keep=lambda c, reply: keep(c, {**reply, **seen}))
        return {**run, **seen}

    run = await once(request, act)
    return _stream(engine, run_id, after=run.get(_AFTER, 0)) if body.stream else Json(shown(run))


async def events(request: Request) -> Response:
    """The run's events after event `after` with their ids: those that were, then those to come."""
    engine = engine_of(request)
    thread_id, run_id = request.path_params["thread_id"], request.path_params["run_id"]
    after = request.query_params.get("after") or request.headers.get("Last-Event-ID") or "0"
    if not (after.isascii() and after.isdecimal() and len(after) <= _EVENT_ID_DIGITS):
        raise ApiError("Invalid 'after': it is the id of an event.", param="after")
    await engine.database.read(lambda c: runs.require(c, thread_id, run_id))
    return _stream(engine, run_id, after=int(after), numbered=True)


def _hint(request: Request) -> str | None:
    return request.headers.get(PROVIDER_HEADER) or None


def _stream(engine: Engine, run_id: str, *, after: int = 0, numbered: bool = False) -> Response:
    blocks = _blocks(engine, run_id, after, numbered=numbered)
    return StreamingResponse(blocks, media_type="text/event-stream", headers=STREAM_HEADERS)


async def _blocks(engine: Engine, run_id: str, after: int, *, numbered: bool) -> AsyncGenerator[bytes, None]:
    """What is there at a time goes out as one piece: at full speed a stream costs few writes."""
    async for batch in engine.runs.batches(run_id, after):
        if numbered:
            yield b"".join([event.numbered for event in batch]) or BEAT
        else:
            yield b"".join([event.plain for event in batch]) or BEAT


_ALL = "/v1/threads/{thread_id}/runs"
_ONE = f"{_ALL}/{{run_id}}"
ROUTES = [
    Route("/v1/threads/runs", create_with_thread, methods=["POST"]),
    Route(_ALL, index, methods=["GET"]),
    Route(_ALL, create, methods=["POST"]),
    Route(_ONE, show, methods=["GET"]),
    Route(_ONE, modify, methods=["POST"]),
    Route(f"{_ONE}/cancel", cancel, methods=["POST"]),
    Route(f"{_ONE}/submit_tool_outputs", submit, methods=["POST"]),
    Route(f"{_ONE}/events", events, methods=["GET"]),
]
