"""An assistant asked by Chat Completions: what its model gets, what comes back, and what is left in the store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from playground_tui.engine.providers.base import (
    AssistantTurn,
    CallArguments,
    CallBegun,
    Finished,
    FunctionCall,
    ImagePart,
    ProviderError,
    Text,
    ToolOutput,
    Usage,
    UserTurn,
)
from tests.support.scripted import ScriptedEngine, called, said, scripted_engine
from tests.support.wait import until

PATH = "/chat/completions"
LOOK_UP = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
HELLO = {"role": "user", "content": "hello"}


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as engine:
        yield engine


async def assistant(scripted: ScriptedEngine, **fields: Any) -> str:
    return str((await scripted.post("/assistants", model="scripted", **fields))["id"])


async def chunks(scripted: ScriptedEngine, **body: Any) -> list[Any]:
    """The data of a stream, `[DONE]` left out (it must be there)."""
    response = await scripted.http.post(PATH, json={"messages": [HELLO], **body, "stream": True})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    *blocks, done, end = response.text.split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    return [json.loads(block.removeprefix("data: ")) for block in blocks]


async def threads(scripted: ScriptedEngine) -> list[str]:
    return [thread["id"] for thread in (await scripted.get("/threads"))["data"]]


async def test_an_answer_is_a_completion(scripted):
    model = await assistant(scripted, instructions="Be kind.", temperature=0.2)
    scripted.provider.answers = [said("Hel", "lo", usage=Usage(11, 2))]
    completion = await scripted.post(PATH, model=model, messages=[HELLO])
    assert completion.pop("id").startswith("chatcmpl-")
    assert completion == {
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello", "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 2, "total_tokens": 13},
    }
    [request] = scripted.provider.requests
    assert (request.instructions, request.temperature, request.turns) == (
        "Be kind.",
        0.2,
        [UserTurn(("hello",))],
    )


async def test_system_messages_add_to_the_instructions_and_the_rest_is_the_thread(scripted):
    model = await assistant(scripted, instructions="Be kind.")
    url = "data:image/png;base64,AAAA"
    await scripted.post(
        PATH,
        model=model,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Look"}, image(url, detail="low")]},
            {"role": "assistant", "content": [{"type": "text", "text": "A cat."}]},
            {"role": "assistant", "content": None, "refusal": "No more."},
            {"role": "developer", "content": [{"type": "text", "text": "In French."}]},
            {"role": "user", "content": "", "name": "ann"},
        ],
    )
    [request] = scripted.provider.requests
    assert request.instructions == "Be kind.\n\nBe brief.\n\nIn French."
    assert request.turns == [
        UserTurn(("Look", ImagePart(url, "low"))),
        AssistantTurn("A cat."),
        AssistantTurn("No more."),
        UserTurn(("",)),
    ]


def image(url: str, **more: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


async def test_settings_of_the_request_go_before_the_assistants(scripted):
    model = await assistant(scripted, temperature=0.2, top_p=0.5, tools=[LOOK_UP])
    schema = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}, "strict": True}}
    await scripted.post(
        PATH,
        model=model,
        messages=[HELLO],
        temperature=0,
        max_tokens=900,
        max_completion_tokens=5,
        response_format=schema,
        reasoning_effort="low",
        tool_choice="none",
        parallel_tool_calls=False,
        seed=7,
        frequency_penalty=0.1,
        top_k=4,
        user="ann",
        n=1,
        logprobs=False,
        modalities=["text"],
    )
    [request] = scripted.provider.requests
    assert (request.temperature, request.top_p, request.max_completion_tokens) == (0, 0.5, 5)
    assert (request.response_format, request.reasoning_effort) == (schema, "low")
    assert (request.tool_choice, request.parallel_tool_calls) == ("none", False)


async def test_functions_of_the_request_join_the_assistants(scripted):
    mine = {"type": "function", "function": {"name": "look_up", "description": "mine"}}
    other = {"type": "function", "function": {"name": "other"}}
    model = await assistant(scripted, tools=[LOOK_UP, {"type": "function", "function": {"name": "kept"}}])
    await scripted.post(PATH, model=model, messages=[HELLO], tools=[mine, other])
    [request] = scripted.provider.requests
    assert [tool["function"] for tool in request.tools] == [{"name": "kept"}, mine["function"], other["function"]]


async def test_more_functions_than_a_run_may_name_are_taken(scripted):
    tools = [{"type": "function", "function": {"name": f"f{index}"}} for index in range(60)]
    await scripted.post(PATH, model=await assistant(scripted), messages=[HELLO], tools=tools)
    assert len(scripted.provider.requests[0].tools) == 60


async def test_the_thread_goes_out_of_sight_with_the_answer(scripted):
    model = await assistant(scripted)
    seen = scripted.engine.changes.last
    response = await scripted.http.post(PATH, json={"model": model, "messages": [HELLO]})
    thread_id = response.headers["x-playground-tui-thread"]
    assert await threads(scripted) == []
    assert thread_told(scripted, seen, thread_id) == ["created", "deleted"]
    restored = await scripted.post(f"/threads/{thread_id}/restore")
    run_id = response.headers["x-playground-tui-run"]
    assert (await scripted.run_of(restored["id"], run_id))["status"] == "completed"


def thread_told(scripted: ScriptedEngine, seen: int, thread_id: str) -> list[str]:
    """What was told of the thread itself to who watches for changes."""
    told = [json.loads(block.partition(b"\ndata: ")[2]) for block in scripted.engine.changes._since(seen)]
    return [change["action"] for change in told if (change["kind"], change["id"]) == ("thread", thread_id)]


async def test_metadata_is_the_runs(scripted):
    response = await scripted.http.post(
        PATH, json={"model": await assistant(scripted), "messages": [HELLO], "metadata": {"a": "b"}}
    )
    thread_id, run_id = (response.headers[f"x-playground-tui-{name}"] for name in ("thread", "run"))
    await scripted.post(f"/threads/{thread_id}/restore")
    assert (await scripted.run_of(thread_id, run_id))["metadata"] == {"a": "b"}


async def test_a_stream_has_the_chunks_that_clients_read(scripted):
    model = await assistant(scripted)
    scripted.provider.answers = [said("Hel", "lo")]
    first, second, last = await chunks(scripted, model=model)
    assert {key: first[key] for key in ("object", "model", "created")} == {
        "object": "chat.completion.chunk",
        "model": model,
        "created": 1_700_000_000,
    }
    assert first["id"] == second["id"] == last["id"]
    assert [one["choices"] for one in (first, second, last)] == [
        [choice({"role": "assistant", "content": "Hel", "refusal": None})],
        [choice({"content": "lo"})],
        [choice({}, "stop")],
    ]
    assert "usage" not in first


def choice(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}


async def test_usage_comes_in_a_chunk_of_its_own_when_asked_for(scripted):
    *others, last = await chunks(
        scripted, model=await assistant(scripted), stream_options={"include_usage": True, "include_obfuscation": False}
    )
    assert [one["usage"] for one in others] == [None, None]
    assert (last["choices"], last["usage"]["total_tokens"]) == ([], 10)


async def test_calls_are_streamed_as_they_are_made(scripted):
    model = await assistant(scripted, tools=[LOOK_UP])
    answer = called(("call_1", "look_up", ['{"a"', ":1}"]), ("call_2", "look_up", ["{}"]))
    scripted.provider.answers = [[Text("Wait."), *answer]]
    deltas = [one["choices"][0] for one in await chunks(scripted, model=model)]
    assert [found["delta"].get("tool_calls") for found in deltas] == [
        None,
        [begun(0, "call_1")],
        [{"index": 0, "function": {"arguments": '{"a"'}}],
        [{"index": 0, "function": {"arguments": ":1}"}}],
        [begun(1, "call_2")],
        [{"index": 1, "function": {"arguments": "{}"}}],
        None,
    ]
    assert deltas[-1]["finish_reason"] == "tool_calls"


def begun(index: int, call_id: str) -> dict[str, Any]:
    return {"index": index, "id": call_id, "type": "function", "function": {"name": "look_up", "arguments": ""}}


@pytest.mark.parametrize(
    ("reason", "told"), [("length", "length"), ("content_filter", "content_filter"), ("stop", "stop")]
)
@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_was_cut_says_so(scripted, reason, told, stream):
    scripted.provider.answers = [[Text("Hel"), Finished(reason, Usage(7, 3))]]
    model = await assistant(scripted)
    if stream:
        found = (await chunks(scripted, model=model))[-1]
    else:
        found = await scripted.post(PATH, model=model, messages=[HELLO])
        assert found["choices"][0]["message"]["content"] == "Hel"
    assert found["choices"][0]["finish_reason"] == told
    assert await threads(scripted) == []


async def test_calls_that_were_cut_are_no_calls_to_make(scripted):
    model = await assistant(scripted, tools=[LOOK_UP])
    scripted.provider.answers = [
        [CallBegun(0, "call_1", "look_up"), CallArguments(0, '{"a'), Finished("length", Usage(7, 3))]
    ]
    [found] = (await scripted.post(PATH, model=model, messages=[HELLO]))["choices"]
    assert found["finish_reason"] == "length"


async def test_an_empty_answer_is_an_empty_text(scripted):
    scripted.provider.answers = [said()]
    model = await assistant(scripted)
    [found] = (await scripted.post(PATH, model=model, messages=[HELLO]))["choices"]
    assert found["message"]["content"] == ""
    scripted.provider.answers = [said()]
    [found] = await chunks(scripted, model=model)
    assert found["choices"] == [choice({"role": "assistant", "content": "", "refusal": None}, "stop")]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("rate_limit_exceeded", 429, "rate_limit_error"),
        ("invalid_prompt", 400, "invalid_request_error"),
        ("server_error", 502, "server_error"),
    ],
)
async def test_a_failure_before_the_first_text_is_a_failed_request(scripted, stream, code, status, kind):
    scripted.provider.answers = [[ProviderError("No luck.", code=code)]]
    body = await scripted.post(PATH, status=status, model=await assistant(scripted), messages=[HELLO], stream=stream)
    assert body == {"error": {"message": "No luck.", "type": kind, "param": None, "code": code}}
    assert await threads(scripted) == []


async def test_a_failure_after_it_is_told_in_the_stream(scripted):
    scripted.provider.answers = [[Text("Hel"), ProviderError("No luck.")]]
    first, last = await chunks(scripted, model=await assistant(scripted))
    assert first["choices"][0]["delta"]["content"] == "Hel"
    assert last["error"]["message"] == "No luck."


async def test_who_asks_an_assistant_that_is_not_there_is_told(scripted):
    body = await scripted.post(PATH, status=404, model="asst_none", messages=[HELLO])
    assert body["error"] == {
        "message": "No assistant found with id 'asst_none'.",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }


async def test_an_assistant_whose_provider_is_not_there_makes_no_thread(scripted):
    made = await scripted.post("/assistants", model="ollama/qwen3")
    body = await scripted.post(PATH, status=404, model=made["id"], messages=[HELLO])
    assert "ollama" in body["error"]["message"]
    assert await threads(scripted) == []


async def test_a_run_that_is_cancelled_by_somebody_fails_the_request(scripted):
    model = await assistant(scripted)
    hold = asyncio.Event()
    scripted.provider.answers = [[Text("Hel"), hold, *said("lo")]]
    asking = asyncio.create_task(scripted.http.post(PATH, json={"model": model, "messages": [HELLO]}))
    await until(lambda: scripted.provider.requests)
    [thread_id] = await threads(scripted)
    [run] = (await scripted.get(f"/threads/{thread_id}/runs"))["data"]
    await scripted.post(f"/threads/{thread_id}/runs/{run['id']}/cancel")
    response: httpx2.Response = await asking
    assert (response.status_code, response.json()["error"]["code"]) == (503, "run_cancelled")


async def test_earlier_calls_of_the_conversation_are_replayed(scripted):
    model = await assistant(scripted, tools=[LOOK_UP])
    call = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"a":1}'}}
    again = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": ""}}
    response = await scripted.http.post(
        PATH,
        json={
            "model": model,
            "messages": [
                HELLO,
                {"role": "assistant", "content": "Wait.", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "one"}]},
                {"role": "assistant", "content": "", "tool_calls": [again]},
                {"role": "tool", "tool_call_id": "call_1", "content": "two"},
                {"role": "assistant", "content": "Done."},
                {"role": "user", "content": "thanks"},
            ],
        },
    )
    [request] = scripted.provider.requests
    assert request.turns == [
        UserTurn(("hello",)),
        AssistantTurn("Wait.", (FunctionCall("call_1", "look_up", '{"a":1}'),)),
        ToolOutput("call_1", "one"),
        AssistantTurn("", (FunctionCall("call_1", "look_up", "{}"),)),
        ToolOutput("call_1", "two"),
        AssistantTurn("Done."),
        UserTurn(("thanks",)),
    ]
    thread_id = response.headers["x-playground-tui-thread"]
    await scripted.post(f"/threads/{thread_id}/restore")
    runs = (await scripted.get(f"/threads/{thread_id}/runs?order=asc"))["data"]
    assert {run["status"] for run in runs} == {"completed"}
    assert len(runs) == 2
