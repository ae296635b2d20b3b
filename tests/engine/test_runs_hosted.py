"""Tools that the provider brings itself: what it is asked, and the steps, citations and files that come of it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from playground_tui.engine.check.store import check_store
from tests.support.engine import RunningEngine
from tests.support.provider_server import ProviderServer, answer, error, raw, stream
from tests.support.provider_wire import event

PNG = b"\x89PNG\r\n\x1a\n..."
SEARCH = {"type": "file_search", "file_search": {"max_num_results": 5, "ranking_options": {"score_threshold": 0.5}}}
CODE = {"type": "code_interpreter"}
RESOURCES = {
    "file_search": {"vector_store_ids": ["vs_theirs"]},
    "code_interpreter": {"file_ids": ["file-theirs"]},
}
FOUND = {"file_id": "file-1", "filename": "guide.md", "score": 0.7, "text": "Feed it.", "attributes": {}}


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as server:
        yield server


@pytest.fixture
async def hosted(engine: RunningEngine, server: ProviderServer) -> RunningEngine:
    """The engine with a provider that brings its tools."""
    entry = {"name": "remote", "kind": "responses", "base_url": server.base_url, "api_key": "k", "origin": "config"}
    await engine.settle(providers=[{**entry, "tools": "provider"}], default_provider="remote")
    server.requests.clear()
    return engine


async def ran(api: httpx2.AsyncClient, *tools: Any, resources: Any = RESOURCES, **body: Any) -> dict[str, Any]:
    """A run that rests, with its `events`, `steps` and `messages`, the oldest first."""
    made = await ok(api.post("/assistants", json={"model": "gpt", "tools": tools, "tool_resources": resources}))
    thread = await ok(api.post("/threads", json={"messages": [{"role": "user", "content": "What does it eat?"}]}))
    path = f"/threads/{thread['id']}/runs"
    response = await api.post(path, json={"assistant_id": made["id"], "stream": True, **body})
    assert response.status_code == 200, response.text
    blocks = [block.split("\n") for block in response.text.strip().split("\n\n")]
    events = [(name.removeprefix("event: "), data.removeprefix("data: ")) for name, data in blocks]
    run = json.loads(events[-2][1])
    include = "include[]=step_details.tool_calls[*].file_search.results[*].content"
    steps = (await ok(api.get(f"{path}/{run['id']}/steps?order=asc&{include}")))["data"]
    messages = (await ok(api.get(f"/threads/{thread['id']}/messages?order=asc")))["data"]
    return {**run, "events": events, "steps": steps, "messages": messages}


async def ok(asking: Any) -> Any:
    response = await asking
    assert response.status_code == 200, response.text
    return response.json()


def item(kind: str, **fields: Any) -> bytes:
    whole = {"type": kind, "id": f"{kind}_1", "status": "completed", **fields}
    return event({"type": "response.output_item.done", "output_index": 0, "item": whole})


def text(delta: str) -> bytes:
    return event({"type": "response.output_text.delta", "output_index": 1, "delta": delta})


def note(**annotation: Any) -> bytes:
    return event({"type": "response.output_text.annotation.added", "annotation": annotation})


def end() -> bytes:
    usage = {"input_tokens": 7, "output_tokens": 3}
    return event({"type": "response.completed", "response": {"status": "completed", "output": [], "usage": usage}})


async def test_the_provider_is_asked_for_its_own_tools(hosted, api, server):
    function = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    run = await ran(api, SEARCH, CODE, function)
    assert run["status"] == "completed"
    asked = server.posts[0].json
    assert [tool["type"] for tool in asked["tools"]] == ["function", "file_search", "code_interpreter"]
    assert asked["tools"][1:] == [
        {
            "type": "file_search",
            "vector_store_ids": ["vs_theirs"],
            "max_num_results": 5,
            "ranking_options": {"score_threshold": 0.5},
        },
        {"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["file-theirs"]}},
    ]
    assert asked["include"] == ["file_search_call.results", "code_interpreter_call.outputs"]


async def test_code_needs_no_files_and_a_search_needs_a_store(hosted, api, server):
    await ran(api, SEARCH, CODE, resources=None)
    assert server.posts[0].json["tools"] == [{"type": "code_interpreter", "container": {"type": "auto"}}]


@pytest.mark.parametrize(
    ("choice", "asked"),
    [
        ({"type": "file_search"}, {"type": "file_search"}),
        ("required", "required"),
        ("none", "none"),
        ("auto", None),
    ],
)
async def test_one_of_them_can_be_chosen(hosted, api, server, choice, asked):
    await ran(api, SEARCH, tool_choice=choice)
    assert server.posts[0].json.get("tool_choice") == asked


async def test_a_search_is_a_step_and_its_citations_annotations(hosted, api, server):
    server.script(
        stream(
            item("file_search_call", queries=["diet"], results=[FOUND]),
            text("It eats "),
            text("bees."),
            note(type="file_citation", file_id="file-1", filename="guide.md", index=12),
            note(type="url_citation", url="https://example.com"),
            end(),
        )
    )
    run = await ran(api, SEARCH)
    searched, said = run["steps"]
    [call] = searched["step_details"]["tool_calls"]
    assert (searched["status"], searched["type"]) == ("completed", "tool_calls")
    assert call == {
        "id": "file_search_call_1",
        "type": "file_search",
        "file_search": {
            "ranking_options": {"ranker": "auto", "score_threshold": 0.0},
            "queries": ["diet"],
            "results": [
                {
                    "file_id": "file-1",
                    "file_name": "guide.md",
                    "score": 0.7,
                    "content": [{"type": "text", "text": "Feed it."}],
                }
            ],
        },
    }
    assert said["type"] == "message_creation"
    [part] = run["messages"][-1]["content"]
    assert part["text"] == {
        "value": "It eats bees.",
        "annotations": [
            {
                "type": "file_citation",
                "text": "",
                "file_citation": {"file_id": "file-1"},
                "start_index": 12,
                "end_index": 12,
            }
        ],
    }
    assert run["usage"]["total_tokens"] == 10
    database, now = hosted.engine.database, hosted.engine.now()
    report = await database.read(lambda c: check_store(c, database.path.with_name("files"), now=now))
    assert report.findings == []
    assert [name.removeprefix("thread.") for name, _ in run["events"]] == [
        "run.created", "run.queued", "run.in_progress",
        "run.step.created", "run.step.in_progress", "run.step.delta", "run.step.completed",
        "run.step.created", "run.step.in_progress", "message.created", "message.in_progress",
        "message.delta", "message.delta", "message.delta",
        "message.completed", "run.step.completed", "run.completed", "done",
    ]  # fmt: skip


async def test_code_is_a_step_and_what_it_made_files_of_the_engine(hosted, api, server):
    picture = f"data:image/png;base64,{b64encode(PNG).decode()}"
    outputs = [{"type": "logs", "logs": "5\n"}, {"type": "image", "url": picture}]
    server.routes["/v1/containers/cntr_1/files/cfile_1/content"] = raw(200, b"1,2", "text/csv")
    answered = "See [x](sandbox:/mnt/data/x.csv)."
    server.script(
        stream(
            text("Let me see."),
            item("code_interpreter_call", code="plot()", container_id="cntr_1", outputs=outputs),
            text(answered),
            note(
                type="container_file_citation",
                container_id="cntr_1",
                file_id="cfile_1",
                filename="x.csv",
                start_index=8,
                end_index=31,
            ),
            end(),
        )
    )
    run = await ran(api, CODE)
    first, coded, _ = run["steps"]
    assert first["type"] == "message_creation"
    code = coded["step_details"]["tool_calls"][0]["code_interpreter"]
    figure = code["outputs"][1]["image"]["file_id"]
    assert code == {
        "input": "plot()",
        "outputs": [{"type": "logs", "logs": "5\n"}, {"type": "image", "image": {"file_id": figure}}],
    }
    _, before, after = run["messages"]
    assert before["content"][0]["text"]["value"] == "Let me see."
    image, part = after["content"]
    assert image["image_file"]["file_id"] == figure
    [annotation] = part["text"]["annotations"]
    assert (annotation["type"], annotation["text"]) == ("file_path", "sandbox:/mnt/data/x.csv")
    made = annotation["file_path"]["file_id"]
    assert (await api.get(f"/files/{made}/content")).content == b"1,2"
    assert (await api.get(f"/files/{figure}/content")).content == PNG


async def test_a_file_that_cannot_be_had_is_only_named(hosted, api, server):
    place = {"container_id": "c", "file_id": "f", "filename": "x", "start_index": 0, "end_index": 1}
    server.script(stream(text("x"), note(type="container_file_citation", **place), end()))
    run = await ran(api, CODE)
    assert run["status"] == "completed"
    assert run["messages"][-1]["content"][0]["text"] == {"value": "x", "annotations": []}


@pytest.mark.parametrize(
    ("url", "logs"),
    [
        ("https://example.com/a.png", ["(A picture: https://example.com/a.png)"]),
        ("data:image/png;base64,%%%", []),
        ("", []),
    ],
)
async def test_a_picture_that_is_not_there_is_named(hosted, api, server, url, logs):
    server.script(stream(item("code_interpreter_call", outputs=[{"type": "image", "url": url}]), text("x"), end()))
    run = await ran(api, CODE)
    code = run["steps"][0]["step_details"]["tool_calls"][0]["code_interpreter"]
    assert code == {"input": "", "outputs": [{"type": "logs", "logs": one} for one in logs]}


async def test_an_answer_that_is_not_streamed_has_the_steps_too(hosted, api, server):
    message = {"type": "message", "content": [{"type": "output_text", "text": "Bees."}]}
    call = {"type": "file_search_call", "id": "fs_1", "queries": ["diet"], "results": None}
    body = {"object": "response", "status": "completed", "output": [call, message]}
    server.script(raw(200, json.dumps(body).encode(), "application/json"))
    run = await ran(api, SEARCH)
    assert [step["type"] for step in run["steps"]] == ["tool_calls", "message_creation"]
    assert run["messages"][-1]["content"][0]["text"]["value"] == "Bees."


async def test_what_was_done_is_told_in_the_next_run(hosted, api, server):
    server.script(stream(item("file_search_call", queries=["diet"], results=[FOUND]), text("Bees."), end()))
    run = await ran(api, SEARCH)
    path = f"/threads/{run['thread_id']}"
    await ok(api.post(f"{path}/messages", json={"role": "user", "content": "and?"}))
    await api.post(f"{path}/runs", json={"assistant_id": run["assistant_id"], "stream": True})
    told = server.posts[-1].json["input"]
    assert [one["type"] for one in told] == [
        "message",
        "function_call",
        "function_call_output",
        "message",
        "message",
    ]
    assert "Feed it." in told[2]["output"]


async def test_files_of_the_engine_are_no_files_of_the_provider(hosted, api, server):
    store = await ok(api.post("/vector_stores", json={}))
    run = await ran(api, SEARCH, resources={"file_search": {"vector_store_ids": [store["id"]]}})
    assert run["status"] == "failed"
    assert store["id"] in run["last_error"]["message"]
    assert "[providers.remote]" in run["last_error"]["message"]
    assert server.posts == []


async def test_a_provider_without_responses_brings_no_tools(hosted, api, server):
    server.script(error(404, "no route"))
    run = await ran(api, CODE)
    assert run["status"] == "failed"
    assert 'tools = "provider"' in run["last_error"]["message"]


async def test_functions_alone_need_no_tools_of_the_provider(hosted, api, server):
    function = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    run = await ran(api, function)
    assert run["status"] == "completed"
    assert "include" not in server.posts[0].json


async def test_ids_of_others_are_refused_where_no_provider_brings_tools(engine, api):
    for body in ({"model": "m", "tool_resources": RESOURCES}, {"model": "m", "tool_resources": {}}):
        status = (await api.post("/assistants", json=body)).status_code
        assert status == (404 if body["tool_resources"] else 200)


async def test_the_engines_tools_are_the_default(engine, api, server):
    entry = {"name": "remote", "kind": "responses", "base_url": server.base_url, "api_key": "k", "origin": "config"}
    await engine.settle(providers=[entry], default_provider="remote")
    server.script(answer("Hello"))
    await ran(api, SEARCH, resources=None)
    assert [tool["type"] for tool in server.posts[0].json["tools"]] == ["function"]
