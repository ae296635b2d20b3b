"""Models asked by Chat Completions: passed on as it is to a provider that speaks it, translated for others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from tests.support.engine import RunningEngine
from tests.support.provider_server import Call, ProviderServer, answer, cut, error, hang, raw, stream
from tests.support.provider_wire import data
from tests.support.wait import until

PATH = "/chat/completions"
HELLO = {"role": "user", "content": "hello"}
WHOLE = {"id": "chatcmpl-1", "object": "chat.completion", "choices": [{"index": 0, "message": {"content": "hi"}}]}


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as server:
        yield server


@pytest.fixture
async def connected(engine: RunningEngine, server: ProviderServer) -> RunningEngine:
    """The engine with two providers at one server: `local` (chat) and `remote` (responses)."""
    both = [("local", "chat"), ("remote", "responses")]
    entries = [
        {"name": name, "kind": kind, "base_url": server.base_url, "api_key": "sk-secret-key"} for name, kind in both
    ]
    await engine.settle(providers=[{**entry, "origin": "config"} for entry in entries])
    server.requests.clear()
    return engine


def whole(**more: Any) -> Any:
    return raw(200, json.dumps({**WHOLE, **more}).encode(), "application/json")


@pytest.mark.parametrize("provider", ["local", "remote"])
async def test_a_request_goes_on_as_it_is_and_so_does_the_answer(connected, api, server, provider):
    server.script(whole(model="qwen3", extra={"a": 1}))
    body = {"messages": [HELLO, {"role": "odd", "content": None}], "top_k": 4, "n": 2, "nested": [{"a": None}]}
    response = await api.post(PATH, json={"model": f"{provider}/qwen3", **body})
    assert response.status_code == 200
    assert response.json() == {**WHOLE, "model": "qwen3", "extra": {"a": 1}}
    [asked] = server.posts
    assert asked.path == "/v1/chat/completions"
    assert asked.json == {"model": "qwen3", **body}
    assert asked.headers["authorization"] == "Bearer sk-secret-key"
    assert asked.headers["x-playground-tui-hops"] == "1"


async def test_a_stream_is_passed_on_byte_for_byte(connected, api, server):
    pieces = [
        b": odd\n\n",
        data({"choices": [], "x": "\u00e9"})[:20],
        data({"choices": [], "x": "\u00e9"})[20:],
        b"data: [DONE]\n\n",
    ]
    server.script(stream(*pieces))
    response = await api.post(PATH, json={"model": "local/qwen3", "messages": [HELLO], "stream": True})
    assert response.headers["content-type"] == "text/event-stream"
    assert response.content == b"".join(pieces)


async def test_a_stream_arrives_while_it_is_made(connected, api, server):
    hold = asyncio.Event()
    server.script(answer("Hel", "lo", hold=hold))
    body = {"model": "local/qwen3", "messages": [HELLO], "stream": True}
    async with api.stream("POST", PATH, json=body) as response:
        lines = response.aiter_lines()
        first = [line async for line in until_text(lines, "lo")]
        assert not hold.is_set()
        hold.set()
        rest = [line async for line in lines]
    assert "Hel" in "".join(first)
    assert rest[-2:] == ["data: [DONE]", ""]


async def until_text(lines: AsyncIterator[str], text: str) -> AsyncIterator[str]:
    async for line in lines:
        yield line
        if f'"{text}"' in line:
            return


async def test_an_error_is_the_providers_with_its_status(connected, api, server):
    server.script(
        error(429, "slow down", code="rate_limit_exceeded", headers={"retry-after": "7", "x-ratelimit-limit": "1"})
    )
    response = await api.post(PATH, json={"model": "local/qwen3", "messages": [HELLO]})
    assert response.status_code == 429
    assert response.json()["error"] == {
        "message": "slow down",
        "type": "invalid_request_error",
        "param": None,
        "code": "rate_limit_exceeded",
    }
    assert (response.headers["retry-after"], response.headers["x-ratelimit-limit"]) == ("7", "1")


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("reply", "status", "said"),
    [
        (raw(500, b"<html>oops</html>"), 500, "local has a problem of its own (500)"),
        (raw(400, b'{"detail": "no such thing"}', "application/json"), 400, "no such thing"),
        (raw(400, b'{"error": {"message": "out of range", "limit": NaN}}', "application/json"), 400, "out of range"),
        (raw(302, b"", headers={"location": "http://elsewhere/"}), 502, "redirect"),
        (raw(200, b"<html>hello</html>"), 502, "a web page"),
        (error(401, "Incorrect key: sk-secret-key"), 401, "Incorrect key: [key]"),
        (error(404, "no such model", code="model_not_found"), 404, "no such model"),
    ],
)
async def test_what_is_no_answer_is_an_error_in_the_contracts_form(
    connected, api, server, reply, status, said, streamed
):
    server.script(reply)
    response = await api.post(PATH, json={"model": "local/qwen3", "messages": [HELLO], "stream": streamed})
    assert response.status_code == status
    body = response.json()["error"]
    assert {"message", "type", "param", "code"} <= body.keys()
    assert said in body["message"]
    assert "sk-secret-key" not in response.text


async def test_a_provider_that_cannot_be_reached_is_said(connected, api, server):
    await server.stop()
    response = await api.post(PATH, json={"model": "local/qwen3", "messages": [HELLO]})
    assert response.status_code == 502
    assert "cannot be reached" in response.json()["error"]["message"]


async def test_a_stream_that_breaks_ends_with_an_error(connected, api, server):
    server.script(cut("Hel"))
    response = await api.post(PATH, json={"model": "local/qwen3", "messages": [HELLO], "stream": True})
    *_, last, done, end = response.text.split("\n\n")
    assert "broke the connection" in json.loads(last.removeprefix("data: "))["error"]["message"]
    assert (done, end) == ("data: [DONE]", "")


async def test_who_leaves_ends_the_providers_request(connected, api, server):
    hold = asyncio.Event()
    server.script(answer("Hel", hold=hold))
    body = {"model": "local/qwen3", "messages": [HELLO], "stream": True}
    async with api.stream("POST", PATH, json=body) as response:
        async for _ in response.aiter_lines():
            break
    await until(lambda: server.aborted == 1)


async def test_who_leaves_before_the_answer_ends_the_request_too(connected, api, server):
    server.script(hang())
    asking = asyncio.create_task(api.post(PATH, json={"model": "local/qwen3", "messages": [HELLO]}))
    await until(lambda: server.posts)
    asking.cancel()
    await asyncio.wait({asking})
    await until(lambda: server.aborted == 1)


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_provider_without_chat_completions_is_asked_by_responses(connected, api, server, streamed):
    server.script(error(404, "no route"), answer("Hel", "lo", calls=[Call("f", '{"a": 1}')]))
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    body = {"model": "remote/qwen3", "messages": [{"role": "system", "content": "Be kind."}, HELLO], "tools": tools}
    options = {"stream_options": {"include_usage": True}} if streamed else {}
    response = await api.post(PATH, json={**body, "temperature": 0.5, "max_tokens": 9, "stream": streamed, **options})
    assert response.status_code == 200
    assert [request.path for request in server.posts] == ["/v1/chat/completions", "/v1/responses"]
    asked = server.posts[-1].json
    assert (asked["instructions"], asked["temperature"], asked["max_output_tokens"]) == ("Be kind.", 0.5, 9)
    found = streamed_choices(response.text) if streamed else response.json()
    assert found["choices"][0]["finish_reason"] == "tool_calls"
    assert found["usage"]["total_tokens"] == 10


def streamed_choices(text: str) -> dict[str, Any]:
    *_, choices, usage, done, _ = text.split("\n\n")
    assert done == "data: [DONE]"
    return {**json.loads(choices.removeprefix("data: ")), "usage": json.loads(usage.removeprefix("data: "))["usage"]}


async def test_a_server_with_neither_says_what_it_says(connected, api, server):
    server.fallback = error(404, "no route")
    response = await api.post(PATH, json={"model": "remote/qwen3", "messages": [HELLO]})
    assert response.status_code == 404
    assert "does not know the model or the address" in response.json()["error"]["message"]


async def test_the_rehearsal_is_translated(api):
    body = {"model": "rehearsal/echo", "messages": [HELLO], "temperature": 0.5}
    completion = (await api.post(PATH, json=body)).json()
    assert completion["model"] == "rehearsal/echo"
    assert "no language model is connected" in completion["choices"][0]["message"]["content"]
    assert "| temperature | `0.5` |" in completion["choices"][0]["message"]["content"]
    assert completion["usage"]["total_tokens"] > 0


async def test_a_stop_sequence_ends_a_translated_answer(api):
    body = {"model": "rehearsal/markdown", "messages": [HELLO], "stop": ["\n"]}
    [choice] = (await api.post(PATH, json=body)).json()["choices"]
    assert choice["finish_reason"] == "stop"
    assert "\n" not in choice["message"]["content"]


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_model_the_rehearsal_does_not_have_is_said(api, streamed):
    response = await api.post(PATH, json={"model": "rehearsal/none", "messages": [HELLO], "stream": streamed})
    assert response.status_code == 404
    assert "it has echo" in response.json()["error"]["message"]


async def test_a_provider_that_is_not_configured_is_said(api):
    response = await api.post(PATH, json={"model": "ollama/qwen3", "messages": [HELLO]})
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"


async def test_a_bare_model_goes_to_the_visitors_provider(connected, api, server):
    server.script(whole())
    headers = {"X-Playground-Tui-Provider": "local"}
    response = await api.post(PATH, json={"model": "org/qwen3", "messages": [HELLO]}, headers=headers)
    assert response.status_code == 200
    assert server.posts[0].json["model"] == "org/qwen3"


async def test_the_list_of_models_has_the_assistants(api: httpx2.AsyncClient):
    made = (await api.post("/assistants", json={"model": "m", "name": "N", "metadata": {"category": "work"}})).json()
    plain = (await api.post("/assistants", json={"model": "m"})).json()
    gone = (await api.post("/assistants", json={"model": "m"})).json()
    await api.delete(f"/assistants/{gone['id']}")
    listed = (await api.get("/models")).json()["data"]
    assert [model["id"] for model in listed if model["owned_by"] == "rehearsal"]
    assert [model for model in listed if model["owned_by"] == "assistant"] == [
        entry(plain, name=None, category=None),
        entry(made, name="N", category="work"),
    ]
    assert (await api.get(f"/models/{made['id']}")).json() == entry(made, name="N", category="work")
    assert (await api.get(f"/models/{gone['id']}")).status_code == 404
    assert (await api.get("/models/rehearsal/echo")).json()["owned_by"] == "rehearsal"
    assert (await api.delete(f"/models/{made['id']}")).status_code == 403


def entry(assistant: dict[str, Any], **more: str | None) -> dict[str, Any]:
    head = {"id": assistant["id"], "object": "model", "created": assistant["created_at"], "owned_by": "assistant"}
    return {**head, **more}


async def test_the_sdk_reads_a_translated_stream(engine: RunningEngine, tmp_path: Path):
    address = await engine.tcp()
    async with openai.AsyncOpenAI(base_url=address.base_url, api_key=address.key, max_retries=0) as sdk:
        messages: Any = [HELLO]
        async with sdk.chat.completions.stream(model="rehearsal/echo", messages=messages) as found:
            completion = await found.get_final_completion()
    assert "hello" in (completion.choices[0].message.content or "")
