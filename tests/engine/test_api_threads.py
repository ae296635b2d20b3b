"""/v1/threads and their messages as any client of the contract sees them."""

from __future__ import annotations

from typing import Any

import httpx2
from sqlalchemy import Connection

from playground_tui.engine.objects import run_object
from playground_tui.engine.store import runs
from playground_tui.engine.store.tables import ACTIVE_STATUSES
from tests.support.engine import RunningEngine
from tests.support.wait import until


async def make(api: httpx2.AsyncClient, *texts: str) -> str:
    """A thread with these messages of the user."""
    asked = [{"role": "user", "content": text} for text in texts]
    return str((await api.post("/threads", json={"messages": asked})).json()["id"])


async def put_run(engine: RunningEngine, thread_id: str, status: str) -> str:
    """A run in this state, which nobody plays."""
    run = run_object(thread_id=thread_id, assistant_id="asst_1", created_at=1, expires_at=2, model="m")

    def insert(c: Connection) -> None:
        runs.insert(c, {**run, "status": status})

    await engine.engine.database.write(insert)
    return str(run["id"])


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": {"value": value, "annotations": []}}


async def test_a_text_of_any_length_is_not_looked_for(api: httpx2.AsyncClient) -> None:
    assert (await api.get("/threads", params={"q": "x" * 1000})).json()["data"] == []
    refused = await api.get("/threads", params={"q": "x" * 1001})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "q")


async def test_a_thread_of_nothing_has_every_key(api: httpx2.AsyncClient) -> None:
    thread = (await api.post("/threads", headers={"Content-Type": "application/json"})).json()
    assert thread.pop("id").startswith("thread_")
    assert isinstance(thread.pop("created_at"), int)
    assert thread == {"object": "thread", "metadata": {}, "tool_resources": {}}


async def test_a_thread_can_be_changed(api: httpx2.AsyncClient) -> None:
    fields = {"metadata": {"a": "b"}, "tool_resources": {"code_interpreter": {}, "file_search": None}}
    made = (await api.post("/threads", json=fields)).json()
    path = f"/threads/{made['id']}"
    assert made["tool_resources"] == {"code_interpreter": {"file_ids": []}}
    assert (await api.post(path, json={"metadata": {"c": "d"}})).json() == {**made, "metadata": {"c": "d"}}
    emptied = {**made, "metadata": {}, "tool_resources": {}}
    assert (await api.post(path, json={"metadata": None, "tool_resources": None})).json() == emptied
    assert (await api.get(path)).json() == emptied


async def test_messages_given_with_the_thread_are_in_order(api: httpx2.AsyncClient) -> None:
    thread = await make(api, "one", "two", "three")
    listed = (await api.get(f"/threads/{thread}/messages", params={"order": "asc"})).json()
    assert [item["content"] for item in listed["data"]] == [[text("one")], [text("two")], [text("three")]]


async def test_a_message_has_every_key(api: httpx2.AsyncClient) -> None:
    thread = await make(api)
    fields = {"role": "user", "content": "hello", "metadata": {"a": "b"}}
    message = (await api.post(f"/threads/{thread}/messages", json=fields)).json()
    path = f"/threads/{thread}/messages/{message['id']}"
    assert (await api.get(path)).json() == message
    assert message.pop("id").startswith("msg_")
    created = message.pop("created_at")
    assert message == {
        "object": "thread.message",
        "thread_id": thread,
        "status": "completed",
        "incomplete_details": None,
        "completed_at": created,
        "incomplete_at": None,
        "role": "user",
        "content": [text("hello")],
        "assistant_id": None,
        "run_id": None,
        "attachments": [],
        "metadata": {"a": "b"},
    }


async def test_a_message_of_parts(api: httpx2.AsyncClient) -> None:
    thread = await make(api)
    sent = await api.post("/files", files={"file": ("a.png", b"a picture")}, data={"purpose": "vision"})
    file_id = sent.json()["id"]
    parts = [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        {"type": "image_file", "image_file": {"file_id": file_id, "detail": "low"}},
    ]
    attachments = [{"file_id": file_id, "tools": [{"type": "file_search"}, {"type": "code_interpreter"}]}]
    fields = {"role": "assistant", "content": parts, "attachments": attachments}
    message = (await api.post(f"/threads/{thread}/messages", json=fields)).json()
    assert message["content"] == [
        text("see"),
        {"type": "image_url", "image_url": {"detail": "auto", "url": "https://example.org/a.png"}},
        {"type": "image_file", "image_file": {"detail": "low", "file_id": file_id}},
    ]
    assert (message["role"], message["attachments"]) == ("assistant", attachments)


async def test_a_long_message_of_any_text_comes_back_whole(api: httpx2.AsyncClient) -> None:
    thread = await make(api)
    value = "[/b] \x1b[31m \u202e \u2028 \0 😀 " * 20_000
    message = (await api.post(f"/threads/{thread}/messages", json={"role": "user", "content": value})).json()
    assert message["content"] == [text(value)]


async def test_only_the_metadata_of_a_message_can_be_changed(api: httpx2.AsyncClient) -> None:
    thread = await make(api)
    path = f"/threads/{thread}/messages"
    made = (await api.post(path, json={"role": "user", "content": "x", "metadata": {"a": "b"}})).json()
    path += f"/{made['id']}"
    assert (await api.post(path)).json() == made
    assert (await api.post(path, json={"metadata": None})).json() == {**made, "metadata": {}}
    assert (await api.post(path, json={"content": "y"})).status_code == 400


async def test_a_deleted_message_is_gone(api: httpx2.AsyncClient) -> None:
    thread = await make(api, "one", "two")
    path = f"/threads/{thread}/messages"
    newest, oldest = (await api.get(path)).json()["data"]
    deleted = (await api.delete(f"{path}/{newest['id']}")).json()
    assert deleted == {"id": newest["id"], "object": "thread.message.deleted", "deleted": True}
    assert (await api.get(path)).json()["data"] == [oldest]
    missing = await api.get(f"{path}/{newest['id']}")
    assert missing.json()["error"]["message"] == f"No message found with id '{newest['id']}'."


async def test_messages_of_one_run_alone(api: httpx2.AsyncClient, engine: RunningEngine) -> None:
    assistant = (await api.post("/assistants", json={"model": "rehearsal/echo"})).json()["id"]
    thread = await make(api, "question")
    run = (await api.post(f"/threads/{thread}/runs", json={"assistant_id": assistant})).json()["id"]
    await until(lambda: not engine.engine.runs.active_count)
    answers = (await api.get(f"/threads/{thread}/messages", params={"run_id": run})).json()["data"]
    assert [(answer["role"], answer["run_id"]) for answer in answers] == [("assistant", run)]
    assert (await api.get(f"/threads/{thread}/messages", params={"run_id": "run_x"})).json()["data"] == []


async def test_no_message_while_a_run_is_active(api: httpx2.AsyncClient, engine: RunningEngine) -> None:
    for status in ACTIVE_STATUSES:
        thread = await make(api)
        run = await put_run(engine, thread, status)
        refused = await api.post(f"/threads/{thread}/messages", json={"role": "user", "content": "x"})
        sentence = f"Can't add messages to {thread} while a run {run} is active."
        assert (refused.status_code, refused.json()["error"]["message"]) == (400, sentence)


async def test_a_thread_has_one_active_run(api: httpx2.AsyncClient, engine: RunningEngine) -> None:
    assistant = (await api.post("/assistants", json={"model": "rehearsal/echo"})).json()["id"]
    thread = await make(api, "go")
    run = await put_run(engine, thread, "in_progress")
    refused = await api.post(f"/threads/{thread}/runs", json={"assistant_id": assistant})
    sentence = f"Thread {thread} already has an active run {run}."
    assert (refused.status_code, refused.json()["error"]["message"]) == (400, sentence)


async def test_an_unknown_thread_is_not_found(api: httpx2.AsyncClient) -> None:
    places = {
        "": ("GET", "POST", "DELETE"),
        "/restore": ("POST",),
        "/messages": ("GET",),
        "/messages/msg_1": ("GET", "POST", "DELETE"),
    }
    error = {"message": "No thread found with id 'thread_x'.", "type": "invalid_request_error"}
    for path, methods in places.items():
        for method in methods:
            response = await api.request(method, f"/threads/thread_x{path}")
            assert (response.status_code, response.json()) == (404, {"error": {**error, "param": None, "code": None}})


async def test_a_deleted_thread_takes_no_message_and_comes_back(api: httpx2.AsyncClient) -> None:
    thread = await make(api, "one")
    deleted = (await api.delete(f"/threads/{thread}")).json()
    assert deleted == {"id": thread, "object": "thread.deleted", "deleted": True}
    refused = await api.post(f"/threads/{thread}/messages", json={"role": "user", "content": "x"})
    assert refused.status_code == 404
    assert (await api.get("/threads")).json()["data"] == []
    assert (await api.post(f"/threads/{thread}/restore")).json()["id"] == thread
    assert len((await api.get(f"/threads/{thread}/messages")).json()["data"]) == 1


async def test_deleted_threads_are_listed_and_found(api: httpx2.AsyncClient) -> None:
    first, second, kept = await make(api, "the first"), await make(api, "the second"), await make(api, "kept")
    for thread in (second, first):
        await api.delete(f"/threads/{thread}")
    listed = (await api.get("/threads", params={"deleted": "true"})).json()["data"]
    assert {item["id"] for item in listed} == {first, second}
    assert {item["purge_at"] - item["deleted_at"] for item in listed} == {30 * 24 * 3600}
    found = (await api.get("/threads", params={"deleted": "true", "q": "SECOND"})).json()["data"]
    assert [(item["first_message"], item["message_count"]) for item in found] == [("the second", 1)]
    of_none = (await api.get("/threads", params={"deleted": "true", "assistant_id": "asst_x"})).json()["data"]
    assert of_none == []
    living = (await api.get("/threads")).json()["data"]
    assert [(item["id"], "deleted_at" in item) for item in living] == [(kept, False)]


async def test_deleting_a_thread_cancels_its_run(api: httpx2.AsyncClient, engine: RunningEngine) -> None:
    tool = {"type": "function", "function": {"name": "f"}}
    assistant = (await api.post("/assistants", json={"model": "rehearsal/tools", "tools": [tool]})).json()["id"]
    thread = await make(api, "go")
    run = (await api.post(f"/threads/{thread}/runs", json={"assistant_id": assistant})).json()["id"]
    assert (await api.delete(f"/threads/{thread}")).status_code == 200
    await until(lambda: not engine.engine.runs.active_count)
    await api.post(f"/threads/{thread}/restore")
    assert (await api.get(f"/threads/{thread}/runs/{run}")).json()["status"] == "cancelled"


async def test_deleting_a_thread_whose_run_is_ending_anyway(api: httpx2.AsyncClient, engine: RunningEngine) -> None:
    thread = await make(api)
    await put_run(engine, thread, "cancelling")
    assert (await api.delete(f"/threads/{thread}")).status_code == 200


async def test_the_list_of_threads_names_and_finds_them(api: httpx2.AsyncClient, engine: RunningEngine) -> None:
    await make(api, "about birds")
    fish = await make(api, "about fish", "and Whales")
    await put_run(engine, fish, "completed")
    first = (await api.get("/threads", params={"assistant_id": "asst_1"})).json()["data"]
    assert [(item["id"], item["first_message"], item["message_count"]) for item in first] == [(fish, "about fish", 2)]
    assert first[0]["assistant_ids"] == ["asst_1"]
    found = (await api.get("/threads", params={"q": "whale"})).json()["data"]
    assert [item["id"] for item in found] == [fish]
    page = (await api.get("/threads", params={"limit": 1})).json()
    assert page["has_more"]
    assert not (await api.get("/threads", params={"after": page["last_id"]})).json()["has_more"]
