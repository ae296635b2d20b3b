"""What tools work on: resources of assistants, threads and runs, and what attachments make of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.scripted import ScriptedEngine, scripted_engine
from tests.support.tools import ScriptedSearch

NOW = 1_700_000_000
DAY = 24 * 3600
SEARCH, CODE = {"type": "file_search"}, {"type": "code_interpreter"}
WEEK = {"anchor": "last_active_at", "days": 7}
SMALL = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}}


class CountedSearch(ScriptedSearch):
    """Counts how often it is told of new files."""

    woken = 0

    def wake(self) -> None:
        self.woken += 1


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as running:
        running.engine.search, indexing = CountedSearch(), running.engine.search  # type: ignore[assignment]
        yield running
        running.engine.search = indexing


def woken(engine: ScriptedEngine) -> int:
    search: Any = engine.engine.search
    return int(search.woken)


async def files(engine: ScriptedEngine, count: int) -> list[str]:
    made = [await engine.sdk.files.create(file=(f"{n}.md", b"text"), purpose="assistants") for n in range(count)]
    return [one.id for one in made]


def attached(*given: tuple[str, list[dict[str, str]]]) -> list[dict[str, Any]]:
    return [{"file_id": file_id, "tools": tools} for file_id, tools in given]


def asked(*given: tuple[str, list[dict[str, str]]]) -> dict[str, Any]:
    """A message with these attachments."""
    return {"role": "user", "content": "hello", "attachments": attached(*given)}


async def store_of(engine: ScriptedEngine, owner: dict[str, Any]) -> dict[str, Any]:
    """The one vector store of an assistant or a thread."""
    (store_id,) = owner["tool_resources"]["file_search"]["vector_store_ids"]
    found: dict[str, Any] = await engine.get(f"/vector_stores/{store_id}")
    return found


async def inside(engine: ScriptedEngine, store: dict[str, Any]) -> list[str]:
    return [one["id"] for one in (await engine.get(f"/vector_stores/{store['id']}/files?order=asc"))["data"]]


async def refused(engine: ScriptedEngine, path: str, status: int, **body: Any) -> dict[str, Any]:
    response = await engine.http.post(path, json=body)
    assert response.status_code == status, response.text
    error: dict[str, Any] = response.json()["error"]
    return error


@pytest.mark.parametrize("path", ["/assistants", "/threads"])
async def test_resources_come_back_as_they_were_given(engine: ScriptedEngine, path: str) -> None:
    ids, store = await files(engine, 2), (await engine.post("/vector_stores"))["id"]
    fields: dict[str, Any] = {"model": "m"} if path == "/assistants" else {}
    resources = {"code_interpreter": {"file_ids": ids}, "file_search": {"vector_store_ids": [store]}}
    made = await engine.post(path, **fields, tool_resources=resources)
    assert made["tool_resources"] == resources
    one = f"{path}/{made['id']}"
    assert await engine.get(one) == made
    doubled = {"code_interpreter": {"file_ids": [ids[0], ids[0]]}}
    assert (await engine.post(one, tool_resources=doubled))["tool_resources"] == {
        "code_interpreter": {"file_ids": ids[:1]}
    }
    empty: dict[str, Any] = {"code_interpreter": {"file_ids": []}, "file_search": {"vector_store_ids": []}}
    assert (await engine.post(one, tool_resources={"code_interpreter": {}, "file_search": {}}))[
        "tool_resources"
    ] == empty
    assert (await engine.post(one, metadata={"a": "b"}))["tool_resources"] == empty
    assert (await engine.post(one, tool_resources=None))["tool_resources"] == {}


@pytest.mark.parametrize(("path", "policy"), [("/assistants", None), ("/threads", WEEK)])
async def test_a_vector_store_is_made_on_the_way(
    engine: ScriptedEngine, path: str, policy: dict[str, Any] | None
) -> None:
    ids = await files(engine, 2)
    fields: dict[str, Any] = {"model": "m"} if path == "/assistants" else {}
    inline = {"file_ids": ids, "chunking_strategy": SMALL, "metadata": {"a": "b"}}
    made = await engine.post(path, **fields, tool_resources={"file_search": {"vector_stores": [inline]}})
    store = await store_of(engine, made)
    assert (store["metadata"], store["status"], store.get("expires_after")) == ({"a": "b"}, "in_progress", policy)
    listed = (await engine.get(f"/vector_stores/{store['id']}/files?order=asc"))["data"]
    assert [(one["id"], one["chunking_strategy"]) for one in listed] == [(file_id, SMALL) for file_id in ids]
    assert woken(engine) == 1
    other = await engine.post(f"{path}/{made['id']}", tool_resources={"file_search": {"vector_stores": [{}]}})
    assert (await store_of(engine, other))["file_counts"]["total"] == 0
    assert woken(engine) == 2


@pytest.mark.parametrize("path", ["/assistants", "/threads"])
async def test_what_is_not_there_is_not_taken(engine: ScriptedEngine, path: str) -> None:
    (file_id,), store = await files(engine, 1), (await engine.post("/vector_stores"))["id"]
    fields: dict[str, Any] = {"model": "m"} if path == "/assistants" else {}
    kept = {"code_interpreter": {"file_ids": [file_id]}, "file_search": {"vector_store_ids": [store]}}
    made = await engine.post(path, **fields, tool_resources=kept)
    for resources, sentence in [
        ({"code_interpreter": {"file_ids": ["file-x"]}}, "No file found with id 'file-x'."),
        ({"file_search": {"vector_store_ids": ["vs_x"]}}, "No vector store found with id 'vs_x'."),
        ({"file_search": {"vector_stores": [{"file_ids": ["file-x"]}]}}, "No file found with id 'file-x'."),
    ]:
        for place in (path, f"{path}/{made['id']}"):
            error = await refused(engine, place, 404, **fields, tool_resources=resources)
            assert error["message"] == sentence
    assert len((await engine.get("/vector_stores"))["data"]) == 1
    await engine.http.delete(f"/files/{file_id}")
    await engine.http.delete(f"/vector_stores/{store}")
    assert await engine.get(f"{path}/{made['id']}") == made
    assert (await engine.post(f"{path}/{made['id']}", tool_resources=kept))["tool_resources"] == kept


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"code_interpreter": {"file_ids": ["f"] * 21}}, "code_interpreter.file_ids"),
    ({"file_search": {"vector_store_ids": ["a", "b"]}}, "file_search.vector_store_ids"),
    ({"file_search": {"vector_stores": [{}, {}]}}, "file_search.vector_stores"),
    ({"file_search": {"vector_stores": [{}], "vector_store_ids": ["a"]}}, "file_search"),
    ({"file_search": {"vector_stores": [{"file_ids": ["f"] * 501}]}}, "file_search.vector_stores.0.file_ids"),
    ({"file_search": {"vector_stores": [{"name": "x"}]}}, "file_search.vector_stores.0.name"),
    (
        {"file_search": {"vector_stores": [{"chunking_strategy": {"type": "x"}}]}},
        "file_search.vector_stores.0.chunking_strategy",
    ),
    ({"web": {}}, "web"),
]


async def test_resources_that_break_a_rule_are_refused(engine: ScriptedEngine) -> None:
    for resources, param in BROKEN:
        error = await refused(engine, "/threads", 400, tool_resources=resources)
        assert error["param"] == f"tool_resources.{param}"


async def test_attachments_become_the_threads_resources(engine: ScriptedEngine) -> None:
    both, searched, run = await files(engine, 3)
    given = [(both, [SEARCH, CODE]), (searched, [SEARCH]), (run, [CODE])]
    thread = await engine.post("/threads", messages=[asked(*given)])
    path = f"/threads/{thread['id']}"
    (message,) = (await engine.get(f"{path}/messages"))["data"]
    assert message["attachments"] == attached(*given)
    assert thread["tool_resources"]["code_interpreter"] == {"file_ids": [both, run]}
    store = await store_of(engine, thread)
    assert (store["expires_after"], store["expires_at"]) == (WEEK, NOW + 7 * DAY)
    assert await inside(engine, store) == [both, searched]
    assert await engine.get(path) == thread
    assert woken(engine) == 1


async def test_more_attachments_extend_them(engine: ScriptedEngine) -> None:
    first, second, third = await files(engine, 3)
    thread = await engine.post("/threads", messages=[asked((first, [SEARCH])), asked((second, [SEARCH, CODE]))])
    store = await store_of(engine, thread)
    engine.clock.time += 60
    message = await engine.post(f"/threads/{thread['id']}/messages", **asked((third, [SEARCH, CODE]), (first, [CODE])))
    assert message["attachments"] == attached((third, [SEARCH, CODE]), (first, [CODE]))
    after = await engine.get(f"/threads/{thread['id']}")
    assert after["tool_resources"]["code_interpreter"] == {"file_ids": [second, third, first]}
    extended = await store_of(engine, after)
    assert (extended["id"], extended["last_active_at"]) == (store["id"], NOW + 60)
    assert await inside(engine, extended) == [first, second, third]
    assert woken(engine) == 2


async def test_attachments_go_into_the_store_that_the_thread_was_given(engine: ScriptedEngine) -> None:
    (file_id,), store = await files(engine, 1), await engine.post("/vector_stores")
    resources = {"file_search": {"vector_store_ids": [store["id"]]}}
    thread = await engine.post("/threads", tool_resources=resources, messages=[asked((file_id, [SEARCH]))])
    assert thread["tool_resources"] == resources
    assert await inside(engine, store) == [file_id]


@pytest.mark.parametrize("ended", ["expired", "deleted"])
async def test_a_store_that_takes_nothing_gets_a_successor(engine: ScriptedEngine, ended: str) -> None:
    first, second = await files(engine, 2)
    thread = await engine.post("/threads", messages=[asked((first, [SEARCH]))])
    store = await store_of(engine, thread)
    if ended == "expired":
        engine.clock.time += 7 * DAY
    else:
        await engine.http.delete(f"/vector_stores/{store['id']}")
    await engine.post(f"/threads/{thread['id']}/messages", **asked((second, [SEARCH])))
    successor = await store_of(engine, await engine.get(f"/threads/{thread['id']}"))
    assert successor["id"] != store["id"]
    assert await inside(engine, successor) == [second]


async def test_a_message_with_a_file_of_nowhere_is_not_made(engine: ScriptedEngine) -> None:
    (file_id,) = await files(engine, 1)
    thread = await engine.post("/threads")
    path = f"/threads/{thread['id']}/messages"
    picture = {"type": "image_file", "image_file": {"file_id": "file-x"}}
    for body in (
        asked((file_id, [SEARCH]), ("file-x", [CODE])),
        asked(("file-x", [])),
        {"role": "user", "content": [picture]},
    ):
        assert (await refused(engine, path, 404, **body))["message"] == "No file found with id 'file-x'."
        assert (await refused(engine, "/threads", 404, messages=[body]))["message"] == "No file found with id 'file-x'."
    for attachment in ({"tools": [SEARCH]}, {"file_id": None}):
        error = await refused(engine, path, 400, role="user", content="x", attachments=[attachment])
        assert error["param"] == "attachments.0.file_id"
    assert (await engine.get(path))["data"] == []
    assert await engine.get(f"/threads/{thread['id']}") == thread
    assert (await engine.get("/vector_stores"))["data"] == []


async def test_a_thread_has_twenty_files_for_code(engine: ScriptedEngine) -> None:
    ids = await files(engine, 21)
    thread = await engine.post("/threads", messages=[asked(*((file_id, [CODE]) for file_id in ids[:20]))])
    path = f"/threads/{thread['id']}/messages"
    error = await refused(engine, path, 400, **asked((ids[20], [SEARCH, CODE])))
    assert (error["message"], error["param"]) == (
        "A thread has at most 20 files for code_interpreter.",
        "attachments",
    )
    assert len((await engine.get(path))["data"]) == 1
    await engine.post(path, **asked((ids[19], [CODE]), (ids[20], [])))


async def test_additional_messages_of_a_run_bring_their_attachments(engine: ScriptedEngine) -> None:
    (file_id,) = await files(engine, 1)
    thread_id, assistant_id = await engine.thread("hello")
    body: dict[str, Any] = {"assistant_id": assistant_id, "additional_messages": [asked((file_id, [SEARCH]))]}
    names = [name for name, _ in await engine.events(f"/threads/{thread_id}/runs", **body)]
    assert names[-2:] == ["thread.run.completed", "done"]
    assert await inside(engine, await store_of(engine, await engine.get(f"/threads/{thread_id}"))) == [file_id]
    unknown: dict[str, Any] = {"assistant_id": assistant_id, "additional_messages": [asked(("file-x", []))]}
    await refused(engine, f"/threads/{thread_id}/runs", 404, **unknown)
    assert len((await engine.get(f"/threads/{thread_id}/runs"))["data"]) == 1
    assert woken(engine) == 1


async def test_what_brings_no_files_starts_no_indexing(engine: ScriptedEngine) -> None:
    thread_id, assistant_id = await engine.thread("hello")
    await engine.post(f"/assistants/{assistant_id}", name="x")
    await engine.post(f"/threads/{thread_id}", metadata={})
    await engine.post(f"/threads/{thread_id}/messages", role="user", content="hello")
    body: dict[str, Any] = {"assistant_id": assistant_id}
    await engine.events(f"/threads/{thread_id}/runs", **body)
    await engine.events("/threads/runs", thread={"messages": [{"role": "user", "content": "hello"}]}, **body)
    assert woken(engine) == 0


async def test_a_run_with_a_thread_of_its_own_gives_it_all_resources(engine: ScriptedEngine) -> None:
    first, second, third = await files(engine, 3)
    _, assistant_id = await engine.thread()
    store = await engine.post("/vector_stores")
    before = woken(engine)
    events = await engine.events(
        "/threads/runs",
        assistant_id=assistant_id,
        thread={"messages": [asked((first, [SEARCH]))], "tool_resources": {"code_interpreter": {"file_ids": [second]}}},
        tool_resources={
            "code_interpreter": {"file_ids": [second, third]},
            "file_search": {"vector_store_ids": [store["id"]]},
        },
    )
    name, data = events[0]
    assert name == "thread.created"
    thread = json.loads(data)
    assert thread["tool_resources"] == {
        "code_interpreter": {"file_ids": [second, third]},
        "file_search": {"vector_store_ids": [store["id"]]},
    }
    assert await engine.get(f"/threads/{thread['id']}") == thread
    assert await inside(engine, store) == [first]
    body: dict[str, Any] = {"assistant_id": assistant_id, "thread": {"messages": [asked(("file-x", []))]}}
    await refused(engine, "/threads/runs", 404, **body)
    assert woken(engine) == before + 1
