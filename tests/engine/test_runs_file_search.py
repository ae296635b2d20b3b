"""file_search inside a run: the model calls it, its step has the results, the run goes on by itself and cites."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from playground_tui.engine.providers.base import AssistantTurn, FunctionCall, Text, ToolOutput, Usage, UserTurn
from tests.support.scripted import ScriptedEngine, called, said, scripted_engine
from tests.support.tools import FILE_SEARCH, Tools, found, give_resources, give_tools

INCLUDE = "include[]=step_details.tool_calls[*].file_search.results[*].content"
QUERIES = ('{"queries": ["how', ' long?"]}')


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as engine:
        yield engine


@pytest.fixture
def tools(scripted: ScriptedEngine) -> Tools:
    return give_tools(scripted)


async def begin(scripted: ScriptedEngine, **assistant: Any) -> tuple[str, str]:
    """A thread with a vector store and an assistant that searches."""
    thread, made = await scripted.thread("How long?", **{"tools": [FILE_SEARCH], **assistant})
    await give_resources(scripted, "thread", thread, file_search={"vector_store_ids": ["vs_1"]})
    return thread, made


async def test_a_search_is_a_step_and_the_run_goes_on_to_a_cited_answer(scripted: ScriptedEngine, tools: Tools) -> None:
    tools.search.found = [found("a.md", "b.md")]
    answer = ["Two", " days【0:", "1†b.md】", "."]
    scripted.provider.answers = [called(("call_1", "file_search", QUERIES)), said(*answer, usage=Usage(30, 5))]
    thread, assistant = await begin(scripted)
    events = await scripted.events(f"/threads/{thread}/runs", assistant_id=assistant)
    assert [name for name, _ in events] == [
        "thread.run.created",
        "thread.run.queued",
        "thread.run.in_progress",
        "thread.run.step.created",
        "thread.run.step.in_progress",
        "thread.run.step.delta",
        "thread.run.step.delta",
        "thread.run.step.delta",
        "thread.run.step.completed",
        "thread.run.step.created",
        "thread.run.step.in_progress",
        "thread.message.created",
        "thread.message.in_progress",
        *["thread.message.delta"] * 4,
        "thread.message.completed",
        "thread.run.step.completed",
        "thread.run.completed",
        "done",
    ]
    step = json.loads(events[8][1])
    assert (step["status"], step["usage"]["total_tokens"]) == ("completed", 10)
    (call,) = step["step_details"]["tool_calls"]
    assert call == {
        "id": "call_1",
        "type": "file_search",
        "file_search": {
            "ranking_options": {"ranker": "auto", "score_threshold": 0.0},
            "queries": ["how long?"],
            "results": [
                {"file_id": "file-a.md", "file_name": "a.md", "score": 0.9},
                {"file_id": "file-b.md", "file_name": "b.md", "score": 0.8},
            ],
        },
    }
    message = json.loads(events[-4][1])
    annotation = {
        "type": "file_citation",
        "text": "【0:1†b.md】",
        "file_citation": {"file_id": "file-b.md"},
        "start_index": 8,
        "end_index": 18,
    }
    assert message["content"] == [
        {"type": "text", "text": {"value": "Two days【0:1†b.md】.", "annotations": [annotation]}}
    ]
    run = json.loads(events[-2][1])
    assert (run["status"], run["usage"]["total_tokens"]) == ("completed", 45)


async def test_the_model_gets_the_passages_with_their_markers(scripted: ScriptedEngine, tools: Tools) -> None:
    tools.search.found = [found("a.md")]
    scripted.provider.answers = [[Text("I look. "), *called(("call_1", "file_search", QUERIES))], said("So.")]
    thread, assistant = await begin(scripted)
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
    await scripted.settled(run["id"])
    first, second = scripted.provider.requests
    (function,) = first.tools
    assert function["function"]["name"] == "file_search"
    assert list(second.turns) == [
        UserTurn(("How long?",)),
        AssistantTurn("I look. ", (FunctionCall("call_1", "file_search", '{"queries": ["how long?"]}'),)),
        ToolOutput("call_1", "【0:0†a.md】\nText of a.md."),
    ]
    (request,) = tools.search.requests
    assert (request.queries, request.vector_store_ids, request.limit) == (["how long?"], ("vs_1",), 20)
    assert tools.search.waited == [(("vs_1",), 60.0)]
