"""/v1/vector_stores/{vector_store_id}/file_batches."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground_tui.engine import objects
from playground_tui.engine.api.requests import body_of, page_of, write_once
from playground_tui.engine.api.vector_store_files import status_of
from playground_tui.engine.context import engine_of
from playground_tui.engine.errors import Json
from playground_tui.engine.store import batches, files, store_files, vector_stores
from playground_tui.engine.vector_store_schemas import CreateBatch


async def create(request: Request) -> Response:
    engine, store_id = engine_of(request), request.path_params["vector_store_id"]
    wanted = (await body_of(request, CreateBatch)).wanted()
    now = engine.now()

    def add(c: Connection) -> dict[str, Any]:
        vector_stores.require_usable(c, store_id, now=now)
        files.require_all(c, [file.file_id for file in wanted])
        batch_id = objects.new_id("vsfb")
        batches.add(c, batch_id, store_id, wanted, now=now)
        vector_stores.touch(c, [store_id], at=now)
        return batches.require(c, store_id, batch_id)

    batch = await write_once(request, add)
    engine.search.wake()
    return Json(batch)


async def show(request: Request) -> Response:
    engine, store_id = engine_of(request), request.path_params["vector_store_id"]

    def find(c: Connection) -> dict[str, Any]:
        vector_stores.require_known(c, store_id)
        return batches.require(c, store_id, request.path_params["batch_id"])

    return Json(await engine.database.read(find))


async def cancel(request: Request) -> Response:
    store_id = request.path_params["vector_store_id"]

    def end(c: Connection) -> dict[str, Any]:
        vector_stores.require_known(c, store_id)
        return batches.cancel(c, store_id, request.path_params["batch_id"])

    return Json(await write_once(request, end))


async def index_files(request: Request) -> Response:
    engine, store_id = engine_of(request), request.path_params["vector_store_id"]
    page, status, batch_id = page_of(request), status_of(request), request.path_params["batch_id"]

    def find(c: Connection) -> tuple[list[dict[str, Any]], bool]:
        vector_stores.require_known(c, store_id)
        batches.require(c, store_id, batch_id)
        return store_files.list_files(c, store_id, page, status=status, batch_id=batch_id)

    items, more = await engine.database.read(find)
    return Json(objects.list_object(items, has_more=more))


_ALL = "/v1/vector_stores/{vector_store_id}/file_batches"
_ONE = f"{_ALL}/{{batch_id}}"
ROUTES = [
    Route(_ALL, create, methods=["POST"]),
    Route(_ONE, show, methods=["GET"]),
    Route(f"{_ONE}/cancel", cancel, methods=["POST"]),
    Route(f"{_ONE}/files", index_files, methods=["GET"]),
]
