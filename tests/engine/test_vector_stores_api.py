"""/v1/vector_stores as programs use it, while nothing is indexed: the test ends the files itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection

from playground_tui.engine.file_objects import file_object
from playground_tui.engine.store import files as files_store
from playground_tui.engine.store import store_files
from playground_tui.engine.tools.base import Found
from tests.support.scripted import ScriptedEngine, scripted_engine
from tests.support.tools import ScriptedSearch

NOW = 1_700_000_000
DAY = 24 * 3600
NOTHING = {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0}
SMALL = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}}


@pytest.fixture
async def search() -> ScriptedSearch:
    return ScriptedSearch()


@pytest.fixture
async def engine(tmp_path: Path, search: ScriptedSearch) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as running:
        running.engine.search, indexing = search, running.engine.search  # type: ignore[assignment]
        yield running
        running.engine.search = indexing


@pytest.fixture
def http(engine: ScriptedEngine) -> httpx2.AsyncClient:
    return engine.http


async def files(engine: ScriptedEngine, count: int) -> list[str]:
    """The ids of new files."""
    made = [await engine.sdk.files.create(file=(f"{n}.md", b"text"), purpose="assistants") for n in range(count)]
    return [one.id for one in made]


async def finish(engine: ScriptedEngine) -> None:
    """Complete the files that wait."""

    def act(c: Connection) -> None:
        for one in store_files.in_progress(c):
            store_files.finish(c, one.seq, "completed", usage_bytes=10)

    await engine.engine.database.write(act)


async def refused(http: httpx2.AsyncClient, path: str, body: dict[str, Any], *, param: str | None = None) -> str:
    response = await http.post(path, json=body)
    error = response.json()["error"]
    assert (response.status_code, error["type"]) == (400, "invalid_request_error"), (body, response.text)
    assert error["param"] == param, (body, error)
    return str(error["message"])


async def test_a_store_of_nothing_has_every_key(engine: ScriptedEngine) -> None:
    made = await engine.post("/vector_stores")
    assert made.pop("id").startswith("vs_")
    assert made == {
        "object": "vector_store",
        "created_at": NOW,
        "name": "",
        "metadata": {},
        "status": "completed",
        "usage_bytes": 0,
        "file_counts": NOTHING,
        "last_active_at": NOW,
        "expires_at": None,
    }


async def test_a_store_with_everything(engine: ScriptedEngine) -> None:
    ids = await files(engine, 2)
    policy = {"anchor": "last_active_at", "days": 2}
    fields: dict[str, Any] = {"name": "Ann", "description": "D", "metadata": {"a": "b"}, "expires_after": policy}
    made = await engine.post("/vector_stores", file_ids=ids, chunking_strategy=SMALL, **fields)
    assert {key: made[key] for key in fields} == fields
    assert (made["status"], made["file_counts"]) == ("in_progress", {**NOTHING, "in_progress": 2, "total": 2})
    assert made["expires_at"] == NOW + 2 * DAY
    inside = (await engine.get(f"/vector_stores/{made['id']}/files?order=asc"))["data"]
    assert inside == [
        {
            "id": file_id,
            "object": "vector_store.file",
            "usage_bytes": 0,
            "created_at": NOW,
            "vector_store_id": made["id"],
            "status": "in_progress",
            "last_error": None,
            "chunking_strategy": SMALL,
            "attributes": {},
        }
        for file_id in ids
    ]
    await finish(engine)
    done = await engine.get(f"/vector_stores/{made['id']}")
    assert (done["status"], done["usage_bytes"], done["file_counts"]["completed"]) == ("completed", 20, 2)


async def test_a_store_can_be_changed_and_expires(engine: ScriptedEngine) -> None:
    made = await engine.post("/vector_stores", name="one", metadata={"a": "b"})
    path = f"/vector_stores/{made['id']}"
    assert await engine.post(path, headers={"Content-Type": "application/json"}) == made
    policy = {"anchor": "last_active_at", "days": 1}
    changed = await engine.post(path, name="two", expires_after=policy)
    assert changed == {**made, "name": "two", "expires_after": policy, "expires_at": NOW + DAY}
    engine.clock.time += DAY
    assert (await engine.get("/vector_stores"))["data"] == [{**changed, "status": "expired"}]
    (file_id,) = await files(engine, 1)
    for place, body in (("files", {"file_id": file_id}), ("file_batches", {"file_ids": [file_id]})):
        assert "is expired" in await refused(engine.http, f"{path}/{place}", body)
    assert "is expired" in await refused(engine.http, f"{path}/search", {"query": "x"})
    emptied = await engine.post(path, name=None, metadata=None, expires_after=None)
    assert emptied == {**made, "name": "", "metadata": {}}


async def test_lists_go_on_behind_what_was_deleted(engine: ScriptedEngine) -> None:
    ids = [(await engine.post("/vector_stores", name=str(n)))["id"] for n in range(5)]
    found = []
    async for store in engine.sdk.vector_stores.list(limit=2):
        found.append(store.id)
        gone = await engine.sdk.vector_stores.delete(store.id)
        assert (gone.id, gone.object, gone.deleted) == (store.id, "vector_store.deleted", True)
    assert found == ids[::-1]
    assert await engine.get("/vector_stores") == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }
    store = await engine.post("/vector_stores", file_ids=await files(engine, 3))
    inside = engine.sdk.vector_stores.files
    async for file in inside.list(store["id"], limit=1):
        assert (await inside.delete(file.id, vector_store_id=store["id"])).object == "vector_store.file.deleted"
    assert (await engine.get(f"/vector_stores/{store['id']}"))["file_counts"] == NOTHING


async def test_a_file_of_a_store(engine: ScriptedEngine) -> None:
    store, (file_id,) = await engine.post("/vector_stores"), await files(engine, 1)
    path = f"/vector_stores/{store['id']}/files"
    engine.clock.time += 5
    attributes = {"text": "x" * 512, "whole": 2, "part": 0.5, "yes": True, "k" * 64: ""}
    put = await engine.post(path, file_id=file_id, attributes=attributes, chunking_strategy=SMALL)
    assert (put["attributes"], put["chunking_strategy"], put["created_at"]) == (attributes, SMALL, NOW + 5)
    assert await engine.get(f"{path}/{file_id}") == put
    assert (await engine.get(f"/vector_stores/{store['id']}"))["last_active_at"] == NOW + 5
    assert (await engine.post(f"{path}/{file_id}", attributes={"a": 1}))["attributes"] == {"a": 1}
    assert (await engine.post(f"{path}/{file_id}", attributes=None))["attributes"] == {}
    assert (await engine.get(f"{path}/{file_id}/content")) == {
        "object": "vector_store.file_content.page",
        "data": [],
        "has_more": False,
        "next_page": None,
    }
    assert (await engine.get(f"{path}?filter=in_progress"))["first_id"] == file_id
    assert (await engine.get(f"{path}?filter=completed"))["data"] == []
    response = await engine.http.get(f"{path}?filter=deleted")
    assert (response.status_code, response.json()["error"]["param"]) == (400, "filter")
    gone = await engine.http.delete(f"{path}/{file_id}", headers={"Content-Type": "application/json"})
    assert gone.json() == {"id": file_id, "object": "vector_store.file.deleted", "deleted": True}
    assert (await engine.sdk.files.retrieve(file_id)).id == file_id


async def test_a_batch_of_files(engine: ScriptedEngine) -> None:
    store, ids = await engine.post("/vector_stores"), await files(engine, 3)
    path = f"/vector_stores/{store['id']}/file_batches"
    batch = await engine.post(path, file_ids=ids[:2], attributes={"a": 1}, chunking_strategy=SMALL)
    assert batch.pop("id").startswith("vsfb_")
    assert batch == {
        "object": "vector_store.files_batch",
        "created_at": NOW,
        "vector_store_id": store["id"],
        "status": "in_progress",
        "file_counts": {**NOTHING, "in_progress": 2, "total": 2},
    }
    one = {"file_id": ids[2], "attributes": {"b": 2}, "chunking_strategy": {"type": "auto"}}
    second = await engine.post(path, files=[one, {"file_id": ids[0]}], attributes={"ignored": 1})
    listed = (await engine.get(f"{path}/{second['id']}/files?order=asc"))["data"]
    assert [(file["id"], file["attributes"]) for file in listed] == [(ids[2], {"b": 2}), (ids[0], {"a": 1})]
    assert listed[0]["chunking_strategy"]["static"]["max_chunk_size_tokens"] == 800
    cancelled = await engine.post(f"{path}/{second['id']}/cancel")
    assert (cancelled["status"], cancelled["file_counts"]["cancelled"]) == ("cancelled", 2)
    assert await engine.get(f"{path}/{second['id']}") == cancelled
    await finish(engine)
    assert (await engine.get(f"{path}/{second['id']}/files?filter=completed"))["data"] == []
    whole = await engine.get(f"/vector_stores/{store['id']}")
    assert whole["file_counts"] == {**NOTHING, "completed": 1, "cancelled": 2, "total": 3}


async def test_two_thousand_files_are_put_in_at_once(engine: ScriptedEngine) -> None:
    ids = [f"file-{number}" for number in range(2000)]
    fields: dict[str, Any] = {"filename": "a", "purpose": "assistants", "size": 1, "created_at": NOW}

    def fill(c: Connection) -> None:
        for file_id in ids:
            files_store.add(c, file_object(file_id=file_id, **fields))

    await engine.engine.database.write(fill)
    store = await engine.post("/vector_stores")
    batch = await engine.post(f"/vector_stores/{store['id']}/file_batches", file_ids=ids)
    assert batch["file_counts"]["total"] == 2000
    await refused(
        engine.http, f"/vector_stores/{store['id']}/file_batches", {"file_ids": [*ids, "x"]}, param="file_ids"
    )


async def test_a_key_makes_one_store(engine: ScriptedEngine) -> None:
    key = {"Idempotency-Key": "k"}
    made = [await engine.post("/vector_stores", headers=key, name="one") for _ in range(2)]
    assert made[0] == made[1]
    assert len((await engine.get("/vector_stores"))["data"]) == 1


async def test_a_search_asks_for_what_the_body_says(engine: ScriptedEngine, search: ScriptedSearch) -> None:
    store = await engine.post("/vector_stores")
    search.found = [[Found("file-1", "a.md", 0.5, "Words.", {"a": 1})]]
    filters = {
        "type": "and",
        "filters": [{"type": "eq", "key": "a", "value": 1}, {"type": "nin", "key": "b", "value": ["x", 2]}],
    }
    ranking = {"ranker": "none", "score_threshold": 0.25}
    body: dict[str, Any] = {
        "query": ["one", "two"],
        "filters": filters,
        "max_num_results": 3,
        "ranking_options": ranking,
    }
    page = await engine.post(f"/vector_stores/{store['id']}/search", **body, rewrite_query=True)
    assert page == {
        "object": "vector_store.search_results.page",
        "search_query": ["one", "two"],
        "data": [
            {
                "file_id": "file-1",
                "filename": "a.md",
                "score": 0.5,
                "attributes": {"a": 1},
                "content": [{"type": "text", "text": "Words."}],
            }
        ],
        "has_more": False,
        "next_page": None,
    }
    (asked,) = search.requests
    assert (asked.queries, asked.vector_store_ids, asked.limit) == (["one", "two"], [store["id"]], 3)
    assert (asked.ranker, asked.score_threshold, asked.filters) == ("none", 0.25, filters)
    assert (await engine.post(f"/vector_stores/{store['id']}/search", query="one"))["search_query"] == ["one"]
    assert (search.requests[1].limit, search.requests[1].ranker, search.requests[1].filters) == (10, "auto", None)
