"""/v1/threads/{thread_id}/messages."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground_tui.engine import objects, resources
from playground_tui.engine.api.requests import body_of, page_of, write_once
from playground_tui.engine.context import engine_of
from playground_tui.engine.errors import ApiError, Json
from playground_tui.engine.schemas import CreateMessage, ModifyMessage
from playground_tui.engine.store import messages, runs, threads


def _add(c: Connection, message: dict[str, Any]) -> dict[str, Any]:
    thread_id = message["thread_id"]
    threads.require(c, thread_id)
    run = runs.active(c, thread_id)
    if run is not None:
        raise ApiError(f"Can't add messages to {thread_id} while a run {run['id']} is active.")
    resources.add_message(c, message)
    return message


async def create(request: Request) -> Response:
    engine = engine_of(request)
    thread_id = request.path_params["thread_id"]
    given = (await body_of(request, CreateMessage)).given()
    message = objects.given_message(given, thread_id=thread_id, created_at=engine.now())
    kept = await write_once(request, lambda c: _add(c, message))
    engine.changes.publish("message", kept["id"], thread_id=thread_id, action="created")
    if kept["attachments"]:
        engine.search.wake()
    return Json(kept)


async def show(request: Request) -> Response:
    thread_id, message_id = request.path_params["thread_id"], request.path_params["message_id"]

    def find(c: Connection) -> dict[str, Any]:
        threads.require(c, thread_id)
        return messages.require(c, thread_id, message_id)

    return Json(await engine_of(request).database.read(find))


async def index(request: Request) -> Response:
    page = page_of(request)
    thread_id, run_id = request.path_params["thread_id"], request.query_params.get("run_id")

    def find(c: Connection) -> tuple[list[dict[str, Any]], bool]:
        threads.require(c, thread_id)
        return messages.list_messages(c, thread_id, page, run_id=run_id or None)

    items, more = await engine_of(request).database.read(find)
    return Json(objects.list_object(items, has_more=more))


async def modify(request: Request) -> Response:
    engine = engine_of(request)
    thread_id, message_id = request.path_params["thread_id"], request.path_params["message_id"]
    given = (await body_of(request, ModifyMessage)).given()
    changes = {"metadata": given["metadata"] or {}} if "metadata" in given else {}

    def change(c: Connection) -> dict[str, Any]:
        threads.require(c, thread_id)
        messages.require(c, thread_id, message_id)
        return messages.update(c, message_id, changes)

    message = await write_once(request, change)
    engine.changes.publish("message", message_id, thread_id=thread_id, action="modified")
    return Json(message)


async def delete(request: Request) -> Response:
    engine = engine_of(request)
    thread_id, message_id = request.path_params["thread_id"], request.path_params["message_id"]

    def remove(c: Connection) -> None:
        threads.require(c, thread_id)
        messages.delete(c, thread_id, message_id, at=engine.now())

    await engine.database.write(remove)
    engine.changes.publish("message", message_id, thread_id=thread_id, action="deleted")
    return Json(objects.deleted_object("thread.message", message_id))


_ALL = "/v1/threads/{thread_id}/messages"
_ONE = f"{_ALL}/{{message_id}}"
ROUTES = [
    Route(_ALL, index, methods=["GET"]),
    Route(_ALL, create, methods=["POST"]),
    Route(_ONE, show, methods=["GET"]),
    Route(_ONE, modify, methods=["POST"]),
    Route(_ONE, delete, methods=["DELETE"]),
]
