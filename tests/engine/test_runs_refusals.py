"""A model that refuses: its words are a content part of their own, streamed, kept and told again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from playground_tui.engine.providers.base import AssistantTurn, Finished, Refusal, Text, UserTurn
from tests.support.scripted import Item, ScriptedEngine, parsed, scripted_engine

REFUSES: list[Item] = [Refusal("I cannot "), Refusal("help."), Finished("stop")]
REFUSAL = {"type": "refusal", "refusal": "I cannot help."}
TEXT = {"type": "text", "text": {"value": "Well. ", "annotations": []}}


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as engine:
        yield engine


def parts(events: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """What the deltas of messages bring."""
    deltas = [json.loads(data)["delta"]["content"] for name, data in events if name == "thread.message.delta"]
    return [part for content in deltas for part in content]


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        (REFUSES, [REFUSAL]),
        ([Text("Well. "), *REFUSES], [TEXT, REFUSAL]),
        ([*REFUSES[:2], Text("Well. "), Finished("stop")], [REFUSAL, TEXT]),
    ],
)
async def test_a_refusal_is_a_part_of_the_message(
    scripted: ScriptedEngine, answer: list[Item], content: list[dict[str, Any]]
) -> None:
    scripted.provider.answers = [list(answer)]
    thread, assistant = await scripted.thread("hello")
    events = await scripted.events(f"/threads/{thread}/runs", assistant_id=assistant)
    places = {part["type"]: part["index"] for part in parts(events)}
    assert places == {part["type"]: place for place, part in enumerate(content)}
    said = [part["refusal"] for part in parts(events) if part["type"] == "refusal"]
    assert said == ["I cannot ", "help."]
    message = (await scripted.get(f"/threads/{thread}/messages"))["data"][0]
    assert (message["status"], message["content"]) == ("completed", content)
    assert json.loads(dict(events)["thread.message.completed"]) == message


async def test_the_official_client_puts_a_refusal_together(scripted: ScriptedEngine) -> None:
    scripted.provider.answers = [list(REFUSES)]
    thread, assistant = await scripted.thread("hello")
    async with scripted.sdk.beta.threads.runs.stream(thread_id=thread, assistant_id=assistant) as stream:
        (message,) = await stream.get_final_messages()
    assert [part.to_dict() for part in message.content] == [REFUSAL]


async def test_a_refusal_is_replayed_and_told_to_the_model_later(tmp_path: Path) -> None:
    async with scripted_engine(tmp_path) as scripted:
        scripted.provider.answers = [list(REFUSES)]
        thread, assistant = await scripted.thread("hello")
        run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
        await scripted.settled(run["id"])
    async with scripted_engine(tmp_path) as scripted:
        replayed = parsed((await scripted.http.get(f"/threads/{thread}/runs/{run['id']}/events")).text)
        assert parts(replayed) == [{"index": 0, **REFUSAL}]
        again = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
        await scripted.settled(again["id"])
        (request,) = scripted.provider.requests
        assert request.turns == [UserTurn(("hello",)), AssistantTurn("I cannot help.")]


async def test_a_chat_completion_has_the_refusal_where_clients_look(scripted: ScriptedEngine) -> None:
    scripted.provider.answers = [list(REFUSES), list(REFUSES)]
    made = await scripted.post("/assistants", model="scripted")
    body = {"model": made["id"], "messages": [{"role": "user", "content": "hello"}]}
    (choice,) = (await scripted.post("/chat/completions", **body))["choices"]
    assert (choice["message"]["content"], choice["message"]["refusal"]) == (None, "I cannot help.")
    response = await scripted.http.post("/chat/completions", json={**body, "stream": True})
    blocks = [block.removeprefix("data: ") for block in response.text.split("\n\n") if block]
    deltas = [json.loads(block)["choices"][0]["delta"] for block in blocks[:-1]]
    assert "".join(delta.get("refusal") or "" for delta in deltas) == "I cannot help."
