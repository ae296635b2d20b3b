"""Bodies of chat completions that are refused, each with its sentence; and no body at all that breaks the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.scripted import ScriptedEngine, scripted_engine

PATH = "/chat/completions"
HELLO = {"role": "user", "content": "hello"}


@pytest.fixture
async def model(api: httpx2.AsyncClient) -> str:
    return str((await api.post("/assistants", json={"model": "rehearsal/tools"})).json()["id"])


@pytest.mark.parametrize(
    ("body", "param", "said"),
    [
        ({"messages": []}, "messages", "at least 1"),
        ({"messages": "hello"}, "messages", "list"),
        ({"messages": [{}]}, "messages.0", "role"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages.0", "its role must be one of"),
        ({"messages": [{"role": "user"}]}, "messages.0.content", "Missing"),
        ({"messages": [{"role": "user", "content": None}]}, "messages.0.content", "list"),
        ({"messages": [{"role": "user", "content": []}]}, "messages.0.content", "at least 1"),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]},
            "messages.0.content.0",
            "one of 'text', 'image_url'",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages.0.content.0.text", "Missing"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.tool_call_id", "Missing"),
        ({"n": 2}, "n", "one answer"),
        ({"n": 0}, "n", "one answer"),
        ({"logprobs": True}, "logprobs", "cannot be given"),
        ({"modalities": ["text", "audio"]}, "modalities", "text"),
        ({"temperature": 3}, "temperature", "less than or equal to 2"),
        ({"top_p": -1}, "top_p", "greater than or equal to 0"),
        ({"max_tokens": 0}, "max_tokens", "greater than or equal to 1"),
        ({"stop": ["x"] * 17}, "stop", "at most 16"),
        ({"stop": 7}, "stop", ""),
        ({"tools": [{"type": "web_search"}]}, "tools.0.type", "function"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools.0.function.name", "match"),
        ({"tool_choice": "always"}, "tool_choice", "required"),
        ({"response_format": {"type": "xml"}}, "response_format", "one of"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "Missing"),
        ({"stream": "yes"}, "stream", "boolean"),
        ({"metadata": {"a": 1}}, "metadata.a", "string"),
    ],
)
async def test_what_is_wrong_is_said(api, model, body, param, said):
    response = await api.post(PATH, json={"model": model, "messages": [HELLO], **body})
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["param"], error["type"]) == (param, "invalid_request_error")
    assert said in error["message"]


@pytest.mark.parametrize(
    ("content", "param"),
    [
        (b"", "model"),
        (b"{}", "model"),
        (b"[]", None),
        (b"{", None),
        (b'{"model": 7}', "model"),
        (b'{"model": ""}', "model"),
        (b'{"model": null, "messages": []}', "model"),
    ],
)
async def test_a_body_without_a_model_is_refused(api, content, param):
    response = await api.post(PATH, content=content)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param


async def test_other_methods_are_refused(api):
    assert (await api.get(PATH)).status_code == 405
    assert (await api.post("/chat")).status_code == 404


async def test_the_engine_does_not_ask_itself(api, model):
    response = await api.post(PATH, json={"model": model, "messages": [HELLO]}, headers={"X-Playground-Tui-Hops": "1"})
    assert response.status_code == 400


CALL_IDS = st.sampled_from(["a", "b"])
LEAVES = st.none() | st.booleans() | st.integers(-2, 300) | st.floats(0, 2) | st.text(max_size=4)
CALLS = st.lists(
    st.fixed_dictionaries(
        {"id": CALL_IDS, "function": st.fixed_dictionaries({"name": st.just("f"), "arguments": st.just("{}")})}
    ),
    max_size=2,
)
MESSAGES = st.lists(
    st.one_of(
        st.fixed_dictionaries({"role": st.sampled_from(["user", "system", "developer", "odd"]), "content": LEAVES}),
        st.fixed_dictionaries({"role": st.just("assistant"), "content": LEAVES, "tool_calls": CALLS}),
        st.fixed_dictionaries({"role": st.just("tool"), "content": st.text(max_size=3), "tool_call_id": CALL_IDS}),
    ),
    max_size=4,
)
BODIES = st.fixed_dictionaries(
    {"messages": MESSAGES},
    optional={
        name: LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(st.sampled_from(["type", "name"]), LEAVES)
        for name in (
            "stream", "temperature", "top_p", "max_tokens", "max_completion_tokens", "stop", "n", "tools",
            "tool_choice", "response_format", "stream_options", "metadata", "reasoning_effort", "modalities",
        )
    },
)  # fmt: skip


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Any], tuple[httpx2.Response, list[Any]]]]:
    """Sends a body to an assistant: the answer, and the threads that are in sight then."""
    stack = AsyncExitStack()

    async def begin() -> tuple[ScriptedEngine, str]:
        scripted = await stack.enter_async_context(scripted_engine(tmp_path_factory.mktemp("bodies")))
        return scripted, (await scripted.post("/assistants", model="scripted"))["id"]

    async def ask(body: Any) -> tuple[httpx2.Response, list[Any]]:
        response = await scripted.http.post(PATH, json={"model": model, **body})
        return response, (await scripted.get("/threads"))["data"]

    with asyncio.Runner() as loop:
        scripted, model = loop.run(begin())
        yield lambda body: loop.run(ask(body))
        loop.run(stack.aclose())


@settings(max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(body=BODIES)
def test_no_body_breaks_the_engine(asked: Callable[[Any], tuple[httpx2.Response, list[Any]]], body: Any) -> None:
    response, threads = asked(body)
    assert response.status_code in {200, 400}, response.text
    if response.status_code == 400:
        assert list(response.json()["error"]) == ["message", "type", "param", "code"]
    elif "event-stream" in response.headers["content-type"]:
        assert response.text.endswith("data: [DONE]\n\n")
    else:
        assert response.json()["choices"][0]["message"]["content"] == "fine"
    assert threads == []
