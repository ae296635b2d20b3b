"""/v1/threads/{thread_id}/runs/{run_id}/steps."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground_tui.engine import objects
from playground_tui.engine.api.include import wants_content
from playground_tui.engine.api.requests import page_of
from playground_tui.engine.context import engine_of
from playground_tui.engine.errors import Json
from playground_tui.engine.runs.live import shown
from playground_tui.engine.store import runs, steps


async def index(request: Request) -> Response:
    page, content = page_of(request), wants_content(request)
    thread_id, run_id = request.path_params["thread_id"], request.path_params["run_id"]

    def find(c: Connection) -> tuple[list[dict[str, Any]], bool]:
        runs.require(c, thread_id, run_id)
        return steps.list_steps(c, run_id, page)

    items, more = await engine_of(request).database.read(find)
    return Json(objects.list_object([shown(item, content=content) for item in items], has_more=more))


async def show(request: Request) -> Response:
    thread_id, run_id = request.path_params["thread_id"], request.path_params["run_id"]
    step_id, content = request.path_params["step_id"], wants_content(request)

    def find(c: Connection) -> dict[str, Any]:
        runs.require(c, thread_id, run_id)
        return steps.require(c, run_id, step_id)

    return Json(shown(await engine_of(request).database.read(find), content=content))


_ALL = "/v1/threads/{thread_id}/runs/{run_id}/steps"
ROUTES = [
    Route(_ALL, index, methods=["GET"]),
    Route(f"{_ALL}/{{step_id}}", show, methods=["GET"]),
]
