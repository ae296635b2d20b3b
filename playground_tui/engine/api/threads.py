"""/v1/threads, with the list and restore as extensions."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground_tui.engine import objects, resources
from playground_tui.engine.api.requests import body_of, flag_of, page_of, write_once
from playground_tui.engine.context import engine_of
from playground_tui.engine.errors import ApiError, Json
from playground_tui.engine.schemas import CreateThread, ModifyThread
from playground_tui.engine.store import runs, threads

QUERY_CHARACTERS = 1_000
"""Of a text that is looked for: SQLite takes no pattern of any length."""


def make(body: CreateThread, *, now: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The thread that a body asks for, still without resources for its tools, and its messages."""
    given = body.given()
    thread = objects.thread_object(created_at=now, metadata=given.get("metadata"))
    asked = given.get("messages") or ()
    return thread, [objects.given_message(one, thread_id=thread["id"], created_at=now) for one in asked]


async def create(request: Request) -> Response:
    engine = engine_of(request)
    body = await body_of(request, CreateThread)
    thread, first = make(body, now=engine.now())
    elsewhere, given = engine.providers.tools_elsewhere, [body.tool_resources]
    kept = await write_once(request, lambda c: resources.add_thread(c, thread, first, given, elsewhere=elsewhere))
    engine.changes.publish("thread", kept["id"], thread_id=kept["id"], action="created")
    if resources.bring_files(body.messages, body.tool_resources):
        engine.search.wake()
    return Json(kept)


async def show(request: Request) -> Response:
    thread_id = request.path_params["thread_id"]
    return Json(await engine_of(request).database.read(lambda c: threads.require(c, thread_id)))


async def index(request: Request) -> Response:
    page, deleted = page_of(request), flag_of(request, "deleted")
    assistant_id, q = request.query_params.get("assistant_id"), request.query_params.get("q", "")
    if len(q) > QUERY_CHARACTERS:
        raise ApiError(f"Invalid 'q': at most {QUERY_CHARACTERS:,} characters can be looked for.", param="q")
    items, more = await engine_of(request).database.read(
        lambda c: threads.list_threads(c, page, assistant_id=assistant_id or None, q=q, deleted=deleted)
    )
    return Json(objects.list_object(items, has_more=more))


def _changes(c: Connection, thread_id: str, body: ModifyThread, now: int, *, elsewhere: bool) -> dict[str, Any]:
    changes = body.given()
    if "tool_resources" in changes:
        known = threads.require(c, thread_id)["tool_resources"]
        changes["tool_resources"] = resources.settle(
            c,
            body.tool_resources,
            known=known,
            now=now,
            expires_after=resources.OF_A_THREAD,
            elsewhere=elsewhere,
        )
    if "metadata" in changes:
        changes["metadata"] = changes["metadata"] or {}
    return changes


async def modify(request: Request) -> Response:
    engine = engine_of(request)
    thread_id = request.path_params["thread_id"]
    body, now = await body_of(request, ModifyThread), engine.now()
    elsewhere = engine.providers.tools_elsewhere

    def change(c: Connection) -> dict[str, Any]:
        return threads.update(c, thread_id, _changes(c, thread_id, body, now, elsewhere=elsewhere))

    thread = await write_once(request, change)
    if resources.bring_files(None, body.tool_resources):
        engine.search.wake()
    engine.changes.publish("thread", thread_id, thread_id=thread_id, action="modified")
    return Json(thread)


async def delete(request: Request) -> Response:
    """Delete the thread; a run that is active in it is cancelled first, for nobody could see what it does."""
    engine = engine_of(request)
    thread_id, cancelled = request.path_params["thread_id"], ""
    while run_id := await engine.database.write(
        partial(_remove, thread_id=thread_id, besides=cancelled, at=engine.now())
    ):
        with suppress(ApiError):  # it ended, or is being cancelled, meanwhile
            await engine.runs.cancel(thread_id, run_id)
        cancelled = run_id
    await engine.interpreter.forget(thread_id)
    engine.changes.publish("thread", thread_id, thread_id=thread_id, action="deleted")
    return Json(objects.deleted_object("thread", thread_id))


def _remove(c: Connection, thread_id: str, besides: str, at: int) -> str:
    """Delete the thread, unless a run is active in it (`besides` the one that was cancelled): the id of that run."""
    threads.require(c, thread_id)
    run = runs.active(c, thread_id)
    if run is not None and run["id"] != besides:
        return str(run["id"])
    threads.delete(c, thread_id, at=at)
    return ""


async def restore(request: Request) -> Response:
    engine = engine_of(request)
    thread_id = request.path_params["thread_id"]
    thread = await engine.database.write(lambda c: threads.restore(c, thread_id))
    engine.changes.publish("thread", thread_id, thread_id=thread_id, action="restored")
    return Json(thread)


_ONE = "/v1/threads/{thread_id}"
ROUTES = [
    Route("/v1/threads", index, methods=["GET"]),
    Route("/v1/threads", create, methods=["POST"]),
    Route(_ONE, show, methods=["GET"]),
    Route(_ONE, modify, methods=["POST"]),
    Route(_ONE, delete, methods=["DELETE"]),
    Route(f"{_ONE}/restore", restore, methods=["POST"]),
]
