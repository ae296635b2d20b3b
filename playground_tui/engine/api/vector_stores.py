"""/v1/vector_stores."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground_tui.engine import objects
from playground_tui.engine.api.requests import body_of, page_of, write_once
from playground_tui.engine.context import engine_of
from playground_tui.engine.errors import Json
from playground_tui.engine.store import files, store_files, vector_stores
from playground_tui.engine.tools.base import Found, SearchRequest
from playground_tui.engine.vector_store_schemas import (
    CreateVectorStore,
    ModifyVectorStore,
    Search,
    SearchRanking,
    wanted,
)


async def create(request: Request) -> Response:
    engine = engine_of(request)
    body = await body_of(request, CreateVectorStore)
    now = engine.now()
    fields = {key: getattr(body, key) for key in ("name", "description", "metadata")}
    policy = body.expires_after.given() if body.expires_after else None

    def make(c: Connection) -> dict[str, Any]:
        files.require_all(c, body.file_ids or ())
        store = objects.vector_store_object(**fields, created_at=now, expires_after=policy)
        vector_stores.insert(c, store)
        store_files.add(c, store["id"], wanted(body.file_ids or (), body.chunking_strategy), now=now)
        return vector_stores.require(c, store["id"], now=now)

    store = await write_once(request, make)
    engine.search.wake()
    return Json(store)


async def show(request: Request) -> Response:
    engine, store_id = engine_of(request), request.path_params["vector_store_id"]
    return Json(await engine.database.read(lambda c: vector_stores.require(c, store_id, now=engine.now())))


async def index(request: Request) -> Response:
    engine, page = engine_of(request), page_of(request)
    items, more = await engine.database.read(lambda c: vector_stores.list_stores(c, page, now=engine.now()))
    return Json(objects.list_object(items, has_more=more))


async def modify(request: Request) -> Response:
    engine, store_id = engine_of(request), request.path_params["vector_store_id"]
    changes = (await body_of(request, ModifyVectorStore)).given()
    empty: dict[str, Any] = {"name": "", "metadata": {}}
    changes |= {key: value for key, value in empty.items() if key in changes and changes[key] is None}
    now = engine.now()
    return Json(await write_once(request, lambda c: vector_stores.update(c, store_id, changes, now=now)))


async def delete(request: Request) -> Response:
    engine, store_id = engine_of(request), request.path_params["vector_store_id"]
    await engine.database.write(lambda c: vector_stores.remove(c, store_id, at=engine.now()))
    engine.search.wake()
    return Json(objects.deleted_object("vector_store", store_id))


async def search(request: Request) -> Response:
    engine, store_id = engine_of(request), request.path_params["vector_store_id"]
    body = await body_of(request, Search)
    await engine.database.read(lambda c: vector_stores.require_usable(c, store_id, now=engine.now()))
    ranking = body.ranking_options or SearchRanking()
    asked = SearchRequest(
        queries=body.query,
        vector_store_ids=[store_id],
        limit=body.max_num_results,
        ranker=ranking.ranker,
        score_threshold=ranking.score_threshold,
        filters=body.filters.given() if body.filters else None,
    )
    found = await engine.search.search(asked)
    return Json(
        {
            "object": "vector_store.search_results.page",
            "search_query": body.query,
            "data": [_result(one) for one in found],
            "has_more": False,
            "next_page": None,
        }
    )


def _result(found: Found) -> dict[str, Any]:
    return {
        "file_id": found.file_id,
        "filename": found.filename,
        "score": found.score,
        "attributes": dict(found.attributes),
        "content": [{"type": "text", "text": found.text}],
    }


_ONE = "/v1/vector_stores/{vector_store_id}"
ROUTES = [
    Route("/v1/vector_stores", index, methods=["GET"]),
    Route("/v1/vector_stores", create, methods=["POST"]),
    Route(_ONE, show, methods=["GET"]),
    Route(_ONE, modify, methods=["POST"]),
    Route(_ONE, delete, methods=["DELETE"]),
    Route(f"{_ONE}/search", search, methods=["POST"]),
]
