"""/v1/vector_stores/{vector_store_id}/files."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground_tui.engine import objects
from playground_tui.engine.api.requests import body_of, page_of, write_once
from playground_tui.engine.context import engine_of
from playground_tui.engine.errors import ApiError, Json
from playground_tui.engine.store import files, store_files, vector_stores
from playground_tui.engine.vector_store_schemas import CreateStoreFile, ModifyStoreFile


def status_of(request: Request) -> store_files.Status | None:
    """The status that the query's `filter` asks for. Raises ApiError."""
    given = request.query_params.get("filter")
    if not given:
        return None
    for status in store_files.STATUSES:
        if status == given:
            return status
    known = ", ".join(store_files.STATUSES)
    raise ApiError(f"Invalid 'filter': it is one of {known}.", param="filter", code="invalid_value")


async def create(request: Request) -> Response:
    engine, store_id = engine_of(request), request.path_params["vector_store_id"]
    wanted = (await body_of(request, CreateStoreFile)).wanted()
    now = engine.now()

    def add(c: Connection) -> dict[str, Any]:
        vector_stores.require_usable(c, store_id, now=now)
        files.require_all(c, [wanted.file_id])
        store_files.add(c, store_id, [wanted], now=now)
        vector_stores.touch(c, [store_id], at=now)
        return store_files.require(c, store_id, wanted.file_id)

    file = await write_once(request, add)
    engine.search.wake()
    return Json(file)


async def show(request: Request) -> Response:
    engine, store_id = engine_of(request), request.path_params["vector_store_id"]

    def find(c: Connection) -> dict[str, Any]:
        vector_stores.require_known(c, store_id)
        return store_files.require(c, store_id, request.path_params["file_id"])

    return Json(await engine.database.read(find))


async def index(request: Request) -> Response:
    engine, store_id = engine_of(request), request.path_params["vector_store_id"]
    page, status = page_of(request), status_of(request)

    def find(c: Connection) -> tuple[list[dict[str, Any]], bool]:
        vector_stores.require_known(c, store_id)
        return store_files.list_files(c, store_id, page, status=status)

    items, more = await engine.database.read(find)
    return Json(objects.list_object(items, has_more=more))


async def modify(request: Request) -> Response:
    store_id = request.path_params["vector_store_id"]
    attributes = (await body_of(request, ModifyStoreFile)).attributes or {}

    def change(c: Connection) -> dict[str, Any]:
        vector_stores.require_known(c, store_id)
        return store_files.set_attributes(c, store_id, request.path_params["file_id"], attributes)

    return Json(await write_once(request, change))


async def delete(request: Request) -> Response:
    engine = engine_of(request)
    store_id, file_id = request.path_params["vector_store_id"], request.path_params["file_id"]

    def remove(c: Connection) -> None:
        vector_stores.require_known(c, store_id)
        store_files.remove(c, store_id, file_id, at=engine.now())

    await engine.database.write(remove)
    engine.search.wake()
    return Json(objects.deleted_object("vector_store.file", file_id))


async def content(request: Request) -> Response:
    engine, store_id = engine_of(request), request.path_params["vector_store_id"]

    def find(c: Connection) -> list[str]:
        vector_stores.require_known(c, store_id)
        return store_files.text(c, store_id, request.path_params["file_id"])

    data = [{"type": "text", "text": text} for text in await engine.database.read(find)]
    page = {"object": "vector_store.file_content.page", "data": data, "has_more": False, "next_page": None}
    return Json(page)


_ALL = "/v1/vector_stores/{vector_store_id}/files"
_ONE = f"{_ALL}/{{file_id}}"
ROUTES = [
    Route(_ALL, index, methods=["GET"]),
    Route(_ALL, create, methods=["POST"]),
    Route(_ONE, show, methods=["GET"]),
    Route(_ONE, modify, methods=["POST"]),
    Route(_ONE, delete, methods=["DELETE"]),
    Route(f"{_ONE}/content", content, methods=["GET"]),
]
