"""/v1/assistants, with restore, versions and the list of what was deleted as extensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground_tui.engine import objects, resources
from playground_tui.engine.api.requests import body_of, client_of, flag_of, page_of, write_once
from playground_tui.engine.context import engine_of
from playground_tui.engine.errors import Json
from playground_tui.engine.schemas import CreateAssistant, ModifyAssistant
from playground_tui.engine.store import assistants, versions
from playground_tui.engine.store.unknown import Unknown
from playground_tui.protocol import CLIENT_HEADER


def _shown(request: Request, assistant: Mapping[str, Any]) -> dict[str, Any]:
    """The assistant as this client is answered: the program's own screen tells "not given" (null) from 1."""
    return dict(assistant) if CLIENT_HEADER in request.headers else objects.present(assistant)


def _fields(body: ModifyAssistant) -> dict[str, Any]:
    """What was given, as it is kept: null stands for the empty value where the contract knows no null.

    The resources of its tools are settled in the transaction: see `_with_resources`.
    """
    fields = body.given()
    empty = {"metadata": {}, "response_format": "auto"}
    return fields | {key: value for key, value in empty.items() if key in fields and fields[key] is None}


def _with_resources(
    c: Connection, body: ModifyAssistant, before: Mapping[str, Any], *, now: int, elsewhere: bool
) -> dict[str, Any]:
    fields = _fields(body)
    if "tool_resources" in fields:
        known = before.get("tool_resources") or {}
        fields["tool_resources"] = resources.settle(c, body.tool_resources, known=known, now=now, elsewhere=elsewhere)
    return fields


async def create(request: Request) -> Response:
    engine = engine_of(request)
    body = await body_of(request, CreateAssistant)
    label, now, elsewhere = client_of(request), engine.now(), engine.providers.tools_elsewhere

    def make(c: Connection) -> dict[str, Any]:
        fields = _with_resources(c, body, {}, now=now, elsewhere=elsewhere)
        assistant = objects.assistant_object(fields, created_at=now)
        assistants.insert(c, assistant, client=label)
        return assistant

    assistant = await write_once(request, make)
    engine.changes.publish("assistant", assistant["id"], action="created")
    if resources.bring_files(None, body.tool_resources):
        engine.search.wake()
    return Json(_shown(request, assistant))


async def show(request: Request) -> Response:
    assistant_id = request.path_params["assistant_id"]
    assistant = await engine_of(request).database.read(lambda c: assistants.get(c, assistant_id))
    if assistant is None:
        raise Unknown("assistant", assistant_id)
    return Json(_shown(request, assistant))


async def index(request: Request) -> Response:
    page = page_of(request)
    listed = assistants.list_deleted if flag_of(request, "deleted") else assistants.list_assistants
    items, more = await engine_of(request).database.read(lambda c: listed(c, page))
    return Json(objects.list_object([_shown(request, item) for item in items], has_more=more))


async def modify(request: Request) -> Response:
    engine = engine_of(request)
    assistant_id = request.path_params["assistant_id"]
    body = await body_of(request, ModifyAssistant)
    label, now, elsewhere = client_of(request), engine.now(), engine.providers.tools_elsewhere

    def change(c: Connection) -> dict[str, Any]:
        before = assistants.get(c, assistant_id) or {}
        fields = _with_resources(c, body, before, now=now, elsewhere=elsewhere)
        return assistants.update(c, assistant_id, fields, at=now, client=label)

    assistant = await write_once(request, change)
    engine.changes.publish("assistant", assistant_id, action="modified")
    if resources.bring_files(None, body.tool_resources):
        engine.search.wake()
    return Json(_shown(request, assistant))


async def delete(request: Request) -> Response:
    engine = engine_of(request)
    assistant_id = request.path_params["assistant_id"]
    label = client_of(request)
    await engine.database.write(lambda c: assistants.delete(c, assistant_id, at=engine.now(), client=label))
    engine.changes.publish("assistant", assistant_id, action="deleted")
    return Json(objects.deleted_object("assistant", assistant_id))


async def restore(request: Request) -> Response:
    engine = engine_of(request)
    assistant_id = request.path_params["assistant_id"]
    label = client_of(request)
    restored = await engine.database.write(lambda c: assistants.restore(c, assistant_id, at=engine.now(), client=label))
    engine.changes.publish("assistant", assistant_id, action="restored")
    return Json(_shown(request, restored))


async def history(request: Request) -> Response:
    """The versions of an assistant, deleted or not, each without the assistant itself."""
    page = page_of(request)
    assistant_id = request.path_params["assistant_id"]
    items, more = await engine_of(request).database.read(lambda c: versions.list_versions(c, assistant_id, page))
    return Json(objects.list_object(items, has_more=more))


async def version(request: Request) -> Response:
    """One version by its id or number, with the assistant as it is kept: what was not given is null."""
    assistant_id, wanted = request.path_params["assistant_id"], request.path_params["version"]
    return Json(await engine_of(request).database.read(lambda c: versions.get(c, assistant_id, wanted)))


_ONE = "/v1/assistants/{assistant_id}"
ROUTES = [
    Route("/v1/assistants", index, methods=["GET"]),
    Route("/v1/assistants", create, methods=["POST"]),
    Route(_ONE, show, methods=["GET"]),
    Route(_ONE, modify, methods=["POST"]),
    Route(_ONE, delete, methods=["DELETE"]),
    Route(f"{_ONE}/restore", restore, methods=["POST"]),
    Route(f"{_ONE}/versions", history, methods=["GET"]),
    Route(f"{_ONE}/versions/{{version}}", version, methods=["GET"]),
]
