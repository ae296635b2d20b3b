"""Bodies nobody would think of: the answer is a whole object or the contract's error body, never a 5xx."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground_tui.engine import schemas
from tests.support.scripted import ScriptedEngine, scripted_engine

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.sampled_from(["auto", "function", "file_search", "user", "x" * 70, "\0", "\u2028", "asst_x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
"""Any JSON value."""
FUNCTION = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
SCHEMA_FORMAT = {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}
MESSAGE = {"role": "user", "content": "hello"}
RIGHT: dict[str, list[Any]] = {
    "model": ["rehearsal/echo", "nowhere/x", "/"],
    "assistant_id": ["{assistant}", "asst_none"],
    "name": ["Ann", None],
    "description": ["Somebody.", None],
    "instructions": ["Be kind.", None],
    "additional_instructions": ["More."],
    "tools": [[FUNCTION], [{"type": "code_interpreter"}, {"type": "file_search"}], None],
    "metadata": [{"a": "b"}, {}, None],
    "temperature": [0, 2.0, None],
    "top_p": [0.5, None],
    "response_format": ["auto", {"type": "text"}, SCHEMA_FORMAT, None],
    "reasoning_effort": ["low", None],
    "tool_resources": [{"file_search": {"vector_store_ids": ["vs_1"]}}, None],
    "role": ["user", "assistant"],
    "content": ["hello", [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]],
    "attachments": [[{"file_id": "file-1", "tools": [{"type": "file_search"}]}], None],
    "messages": [[MESSAGE], None],
    "additional_messages": [[MESSAGE], None],
    "thread": [{"messages": [MESSAGE]}, None],
    "stream": [True, False, None],
    "max_prompt_tokens": [256, 2**31 - 1],
    "max_completion_tokens": [256, 2**31 - 1],
    "truncation_strategy": [{"type": "last_messages", "last_messages": 2**31 - 1}, {"type": "auto"}],
    "tool_choice": ["none", "required", {"type": "function", "function": {"name": "look"}}],
    "parallel_tool_calls": [True, False],
    "tool_outputs": [[], [{"tool_call_id": "call_1", "output": "x"}]],
}
"""Values that the contract allows, by the name of the field."""
REQUESTS: list[tuple[str, type[schemas.Body]]] = [
    ("/assistants", schemas.CreateAssistant),
    ("/assistants/{assistant}", schemas.ModifyAssistant),
    ("/threads", schemas.CreateThread),
    ("/threads/{thread}", schemas.ModifyThread),
    ("/threads/{thread}/messages", schemas.CreateMessage),
    ("/threads/{thread}/messages/{message}", schemas.ModifyMessage),
    ("/threads/{thread}/runs", schemas.CreateRun),
    ("/threads/runs", schemas.CreateThreadAndRun),
    ("/threads/{thread}/runs/{run}", schemas.ModifyRun),
    ("/threads/{thread}/runs/{run}/submit_tool_outputs", schemas.SubmitToolOutputs),
]


def bodies(schema: type[schemas.Body]) -> st.SearchStrategy[Any]:
    """Bodies that the contract allows, half of them with up to two fields of any kind; and any JSON at all."""
    right = {name: st.sampled_from(RIGHT[name]) for name in schema.model_fields}
    required = {name: right.pop(name) for name, field in schema.model_fields.items() if field.is_required()}
    junk = st.dictionaries(st.sampled_from([*schema.model_fields, "nonsense"]), JUNK, max_size=2)
    whole = st.fixed_dictionaries(required, optional=right)
    wrong = st.builds(lambda body, fields: {**body, **fields}, whole, junk)
    return st.one_of(whole, wrong, wrong, JUNK)


REQUEST = st.sampled_from(REQUESTS).flatmap(lambda request: st.tuples(st.just(request[0]), bodies(request[1])))


@dataclass
class Target:
    """An engine with one of each thing, and the loop it lives in."""

    loop: asyncio.Runner
    scripted: ScriptedEngine
    ids: dict[str, str]

    def send(self, method: str, path: str, content: bytes | None = None) -> httpx2.Response:
        """A request; an answer that streams is read to its end."""
        return self.loop.run(self.scripted.http.request(method, path.format(**self.ids), content=content))


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    stack = AsyncExitStack()

    async def begin() -> tuple[ScriptedEngine, dict[str, str]]:
        scripted = await stack.enter_async_context(scripted_engine(tmp_path_factory.mktemp("fuzz")))
        thread, assistant = await scripted.thread("hello")
        run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
        await scripted.settled(run["id"])
        message = (await scripted.get(f"/threads/{thread}/messages"))["data"][0]["id"]
        return scripted, {"assistant": assistant, "thread": thread, "run": run["id"], "message": message}

    with asyncio.Runner() as loop:
        scripted, ids = loop.run(begin())
        yield Target(loop, scripted, ids)
        loop.run(stack.aclose())


def check(response: httpx2.Response, *allowed: int) -> None:
    """Whole answers, or the contract's error body."""
    assert response.status_code in allowed, (response.request.url, response.request.content, response.text)
    if response.status_code != 200:
        assert list(response.json()["error"]) == ["message", "type", "param", "code"]
    elif "event-stream" in response.headers["content-type"]:
        assert response.text.endswith("event: done\ndata: [DONE]\n\n")
    else:
        assert isinstance(response.json()["id"], str)


FUZZ = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@FUZZ
@given(request=REQUEST)
def test_no_body_breaks_the_engine(target: Target, request: tuple[str, Any]) -> None:
    path, body = request
    content = json.dumps(body).replace("{assistant}", target.ids["assistant"])
    check(target.send("POST", path, content.encode()), 200, 400, 404)


@FUZZ
@given(raw=st.binary(max_size=40), path=st.sampled_from([path for path, _ in REQUESTS]))
def test_no_bytes_break_the_engine(target: Target, raw: bytes, path: str) -> None:
    check(target.send("POST", path, raw), 200, 400)


ANY_ID = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/?#"), min_size=1, max_size=30)
LISTS = ["/assistants", "/threads", "/threads/{thread}/messages", "/threads/{thread}/runs"]


@FUZZ
@given(path=st.sampled_from(LISTS), query=st.dictionaries(st.sampled_from(["limit", "order", "after", "q"]), ANY_ID))
def test_no_page_breaks_the_engine(target: Target, path: str, query: dict[str, str]) -> None:
    response = target.send("GET", f"{path}?{httpx2.QueryParams(query)}".replace("{thread}", target.ids["thread"]))
    assert response.status_code in {200, 400}, response.text
    if response.status_code == 200:
        assert list(response.json()) == ["object", "data", "first_id", "last_id", "has_more"]
