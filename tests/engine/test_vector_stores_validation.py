"""Bodies about vector stores that break a rule, and ids of nothing: refused by the contract's status and error body."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.scripted import ScriptedEngine, scripted_engine


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as running:
        yield running


async def files(engine: ScriptedEngine, count: int) -> list[str]:
    """The ids of new files."""
    made = [await engine.sdk.files.create(file=(f"{n}.md", b"text"), purpose="assistants") for n in range(count)]
    return [one.id for one in made]


async def refused(http: httpx2.AsyncClient, path: str, body: dict[str, Any], *, param: str | None = None) -> str:
    response = await http.post(path, json=body)
    error = response.json()["error"]
    assert (response.status_code, error["type"]) == (400, "invalid_request_error"), (body, response.text)
    assert error["param"] == param, (body, error)
    return str(error["message"])


LONG = {str(n): "x" for n in range(17)}
BROKEN_STORES: list[tuple[dict[str, Any], str | None]] = [
    ({"name": "x" * 257}, "name"),
    ({"description": "x" * 513}, "description"),
    ({"metadata": LONG}, "metadata"),
    ({"file_ids": ["f"] * 501}, "file_ids"),
    ({"file_ids": "f"}, "file_ids"),
    ({"file_ids": [""]}, "file_ids.0"),
    ({"expires_after": {"anchor": "created_at", "days": 1}}, "expires_after.anchor"),
    ({"expires_after": {"anchor": "last_active_at", "days": 0}}, "expires_after.days"),
    ({"expires_after": {"anchor": "last_active_at", "days": 366}}, "expires_after.days"),
    ({"expires_after": {"anchor": "last_active_at"}}, "expires_after.days"),
    ({"chunking_strategy": {"type": "other"}}, "chunking_strategy"),
    ({"chunking_strategy": {"type": "static"}}, "chunking_strategy.static"),
    ({"nonsense": 1}, "nonsense"),
]


async def test_a_store_that_breaks_a_rule_is_refused(engine: ScriptedEngine) -> None:
    for body, param in BROKEN_STORES:
        await refused(engine.http, "/vector_stores", body, param=param)
    assert (await engine.get("/vector_stores"))["data"] == []


@pytest.mark.parametrize(
    ("size", "overlap", "param"),
    [(99, 10, "max_chunk_size_tokens"), (4097, 10, "max_chunk_size_tokens"), (100, -1, "chunk_overlap_tokens")],
)
async def test_chunks_have_their_limits(engine: ScriptedEngine, size: int, overlap: int, param: str) -> None:
    sizes = {"max_chunk_size_tokens": size, "chunk_overlap_tokens": overlap}
    body = {"chunking_strategy": {"type": "static", "static": sizes}}
    await refused(engine.http, "/vector_stores", body, param=f"chunking_strategy.static.{param}")


async def test_chunks_overlap_by_half_at_most(engine: ScriptedEngine) -> None:
    sizes = {"max_chunk_size_tokens": 201, "chunk_overlap_tokens": 101}
    body: dict[str, Any] = {"chunking_strategy": {"type": "static", "static": sizes}}
    said = await refused(engine.http, "/vector_stores", body, param="chunking_strategy.static")
    assert "at most half" in said
    sizes["chunk_overlap_tokens"] = 100
    await engine.post("/vector_stores", **body)


BROKEN_ATTRIBUTES: list[tuple[Any, str]] = [
    (LONG, "attributes"),
    ({"k" * 65: 1}, f"attributes.{'k' * 65}"),
    ({"a": "x" * 513}, "attributes.a"),
    ({"a": None}, "attributes.a"),
    ({"a": ["x"]}, "attributes.a"),
    ({"a": {}}, "attributes.a"),
    ("a", "attributes"),
]


async def test_attributes_have_their_limits(engine: ScriptedEngine) -> None:
    store, (file_id,) = await engine.post("/vector_stores"), await files(engine, 1)
    path = f"/vector_stores/{store['id']}"
    await engine.post(f"{path}/files", file_id=file_id)
    for attributes, param in BROKEN_ATTRIBUTES:
        body = {"attributes": attributes}
        await refused(engine.http, f"{path}/files/{file_id}", body, param=param)
        await refused(engine.http, f"{path}/files", {"file_id": file_id, **body}, param=param)
        each = {"files": [{"file_id": file_id, **body}]}
        await refused(engine.http, f"{path}/file_batches", each, param=f"files.0.{param}")
    await refused(engine.http, f"{path}/files/{file_id}", {}, param="attributes")


async def test_a_number_beyond_all_numbers_is_refused(engine: ScriptedEngine) -> None:
    store, (file_id,) = await engine.post("/vector_stores"), await files(engine, 1)
    path = f"/vector_stores/{store['id']}/files"
    raw = f'{{"file_id": "{file_id}", "attributes": {{"a": 1e999}}}}'
    response = await engine.http.post(path, content=raw)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_json")
    large = await engine.post(path, file_id=file_id, attributes={"a": 10**30, "b": 2**63 - 1})
    assert large["attributes"] == {"a": 1e30, "b": 2**63 - 1}


BROKEN_BATCHES: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"file_ids": ["f"], "files": [{"file_id": "f"}]}, None),
    ({"file_ids": []}, "file_ids"),
    ({"files": []}, "files"),
    ({"files": [{"attributes": {}}]}, "files.0.file_id"),
    ({"files": ["f"]}, "files.0"),
]
BROKEN_SEARCHES: list[tuple[dict[str, Any], str | None]] = [
    ({}, "query"),
    ({"query": ""}, "query"),
    ({"query": []}, "query"),
    ({"query": ["x", ""]}, "query.1"),
    ({"query": 4}, "query"),
    ({"query": "x", "max_num_results": 0}, "max_num_results"),
    ({"query": "x", "max_num_results": 51}, "max_num_results"),
    ({"query": "x", "ranking_options": {"score_threshold": 1.1}}, "ranking_options.score_threshold"),
    ({"query": "x", "ranking_options": {"ranker": "best"}}, "ranking_options.ranker"),
    ({"query": "x", "filters": {"type": "like", "key": "a", "value": "b"}}, "filters"),
    ({"query": "x", "filters": {"type": "eq", "value": "b"}}, "filters.key"),
    ({"query": "x", "filters": {"type": "eq", "key": "a", "value": ["b"]}}, "filters.value"),
    ({"query": "x", "filters": {"type": "in", "key": "a", "value": "b"}}, "filters.value"),
    ({"query": "x", "filters": {"type": "or", "filters": [{"type": "and"}]}}, "filters.filters.0.filters"),
]


async def test_batches_and_searches_that_break_a_rule_are_refused(engine: ScriptedEngine) -> None:
    store = await engine.post("/vector_stores")
    for place, bodies in (("file_batches", BROKEN_BATCHES), ("search", BROKEN_SEARCHES)):
        for body, param in bodies:
            await refused(engine.http, f"/vector_stores/{store['id']}/{place}", body, param=param)


async def test_unknown_ids_are_not_found(engine: ScriptedEngine) -> None:
    store, (file_id,) = (await engine.post("/vector_stores"))["id"], await files(engine, 1)
    known, unknown = f"/vector_stores/{store}", "/vector_stores/vs_none"
    requests: list[tuple[str, str, Any, str]] = [
        ("POST", "/vector_stores", {"file_ids": [file_id, "file-none"]}, "file"),
        ("GET", unknown, None, "vector store"),
        ("POST", unknown, {}, "vector store"),
        ("DELETE", unknown, None, "vector store"),
        ("POST", f"{unknown}/search", {"query": "x"}, "vector store"),
        ("GET", f"{unknown}/files", None, "vector store"),
        ("POST", f"{unknown}/files", {"file_id": file_id}, "vector store"),
        ("DELETE", f"{unknown}/files/{file_id}", None, "vector store"),
        ("GET", f"{unknown}/files/{file_id}/content", None, "vector store"),
        ("POST", f"{unknown}/file_batches", {"file_ids": [file_id]}, "vector store"),
        ("GET", f"{unknown}/file_batches/vsfb_none", None, "vector store"),
        ("POST", f"{known}/files", {"file_id": "file-none"}, "file"),
        ("GET", f"{known}/files/{file_id}", None, "file"),
        ("POST", f"{known}/files/{file_id}", {"attributes": {}}, "file"),
        ("DELETE", f"{known}/files/{file_id}", None, "file"),
        ("GET", f"{known}/files/{file_id}/content", None, "file"),
        ("POST", f"{known}/file_batches", {"file_ids": ["file-none"]}, "file"),
        ("GET", f"{known}/file_batches/vsfb_none", None, "file batch"),
        ("POST", f"{known}/file_batches/vsfb_none/cancel", None, "file batch"),
        ("GET", f"{known}/file_batches/vsfb_none/files", None, "file batch"),
    ]
    for method, path, body, kind in requests:
        response = await engine.http.request(method, path, json=body)
        assert response.status_code == 404, (method, path, response.text)
        assert response.json()["error"]["message"].startswith(f"No {kind} found with id '"), (method, path)
    assert len((await engine.get("/vector_stores"))["data"]) == 1
