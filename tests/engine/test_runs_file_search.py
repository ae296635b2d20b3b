"""file_search inside a run: the model calls it, its step has the results, the run goes on by itself and cites."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from openai.types.beta.threads.runs import FileSearchToolCall

from playground_tui.engine.providers.base import AssistantTurn, FunctionCall, Text, ToolOutput, Usage, UserTurn
from tests.support.scripted import ScriptedEngine, called, parsed, said, scripted_engine
from tests.support.tools import FILE_SEARCH, Tools, found, give_resources, give_tools, keep_file
from tests.support.wait import until

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


async def ended(scripted: ScriptedEngine, thread: str, **body: Any) -> dict[str, Any]:
    """A run that has ended."""
    run = await scripted.post(f"/threads/{thread}/runs", **body)
    await scripted.settled(run["id"])
    return await scripted.run_of(thread, run["id"])


def results_of(step: dict[str, Any]) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = step["step_details"]["tool_calls"][0]["file_search"]["results"]
    return results


async def test_the_text_that_was_found_is_shown_to_who_asks_for_it(scripted: ScriptedEngine, tools: Tools) -> None:
    tools.search.found = [found("a.md")]
    scripted.provider.answers = [called(("call_1", "file_search", QUERIES)), said("So.")]
    thread, assistant = await begin(scripted)
    run = await ended(scripted, thread, assistant_id=assistant)
    path = f"/threads/{thread}/runs/{run['id']}/steps"
    plain = (await scripted.get(path))["data"][-1]
    whole = (await scripted.get(f"{path}?{INCLUDE}"))["data"][-1]
    assert "content" not in results_of(plain)[0]
    assert results_of(whole)[0]["content"] == [{"type": "text", "text": "Text of a.md."}]
    assert await scripted.get(f"{path}/{plain['id']}?{INCLUDE}") == whole
    assert await scripted.get(f"{path}/{plain['id']}") == plain
    for url in (path, f"{path}/{plain['id']}"):
        refused = await scripted.get(f"{url}?include[]=everything", status=400)
        assert refused["error"]["param"] == "include[]"


@pytest.mark.parametrize("asked", [True, False])
async def test_a_stream_has_the_text_that_was_found_if_it_was_asked_for(
    scripted: ScriptedEngine, tools: Tools, asked: bool
) -> None:
    tools.search.found = [found("a.md")]
    scripted.provider.answers = [called(("call_1", "file_search", QUERIES)), said("So.")]
    thread, assistant = await begin(scripted)
    query = f"?{INCLUDE}" if asked else ""
    events = await scripted.events(f"/threads/{thread}/runs{query}", assistant_id=assistant)
    run_id = json.loads(events[0][1])["id"]
    again = parsed((await scripted.http.get(f"/threads/{thread}/runs/{run_id}/events")).text)
    for told in (events, again):
        texts = [data for name, data in told if name.startswith("thread.run.step") and "Text of a.md." in data]
        assert len(texts) == (2 if asked else 0)


async def test_the_official_sdk_reads_the_stream(scripted: ScriptedEngine, tools: Tools) -> None:
    tools.search.found = [found("a.md")]
    scripted.provider.answers = [called(("call_1", "file_search", QUERIES)), said("So【0:0†a.md】.")]
    thread, assistant = await begin(scripted)
    runs = scripted.sdk.beta.threads.runs
    async with runs.stream(thread_id=thread, assistant_id=assistant) as stream:
        (message,) = await stream.get_final_messages()
        steps = await stream.get_final_run_steps()
    (part,) = message.content
    assert part.type == "text"
    assert [note.text for note in part.text.annotations] == ["【0:0†a.md】"]
    (call,) = steps[0].step_details.tool_calls  # type: ignore[union-attr]
    assert isinstance(call, FileSearchToolCall)
    assert [result.file_id for result in call.file_search.results or ()] == ["file-a.md"]


async def test_the_tools_options_are_used(scripted: ScriptedEngine, tools: Tools) -> None:
    ranking = {"ranker": "default_2024_08_21", "score_threshold": 0.25}
    tool = {"type": "file_search", "file_search": {"max_num_results": 3, "ranking_options": ranking}}
    scripted.provider.answers = [called(("call_1", "file_search", QUERIES)), said("So.")]
    thread, assistant = await begin(scripted, tools=[tool])
    await give_resources(scripted, "assistant", assistant, file_search={"vector_store_ids": ["vs_2"]})
    run = await ended(scripted, thread, assistant_id=assistant)
    (request,) = tools.search.requests
    assert (request.limit, request.ranker, request.score_threshold) == (3, "default_2024_08_21", 0.25)
    assert request.vector_store_ids == ("vs_2", "vs_1")
    step = (await scripted.get(f"/threads/{thread}/runs/{run['id']}/steps"))["data"][-1]
    assert step["step_details"]["tool_calls"][0]["file_search"]["ranking_options"] == ranking


async def outputs(scripted: ScriptedEngine, thread: str, assistant: str, arguments: str) -> str:
    """What the model is told of a search with these arguments."""
    scripted.provider.answers = [called(("call_1", "file_search", [arguments])), said("So.")]
    await ended(scripted, thread, assistant_id=assistant)
    told = [turn for turn in scripted.provider.requests[-1].turns if isinstance(turn, ToolOutput)]
    return told[-1].output


async def test_a_search_that_finds_nothing_says_why(scripted: ScriptedEngine, tools: Tools) -> None:
    thread, assistant = await begin(scripted)
    assert await outputs(scripted, thread, assistant, '{"query": "x"}') == "(nothing was found)"
    tools.search.settles = False
    assert (await outputs(scripted, thread, assistant, '["x"]')).endswith("still being indexed and were not searched.)")
    assert "give `queries`" in await outputs(scripted, thread, assistant, "{}")
    assert [request.queries for request in tools.search.requests] == [["x"], ["x"]]
    await give_resources(scripted, "thread", thread)
    assert "There are no files to search." in await outputs(scripted, thread, assistant, "how long")


async def test_a_model_gets_as_many_passages_as_its_tokens_allow(scripted: ScriptedEngine, tools: Tools) -> None:
    thread, assistant = await begin(scripted)
    tools.search.found = [found("a.md", "b.md", text="x" * 1800 + "{}")]
    scripted.provider.answers = [called(("call_1", "file_search", QUERIES)), said("So.")]
    await ended(scripted, thread, assistant_id=assistant, max_prompt_tokens=1000)
    (told,) = [turn for turn in scripted.provider.requests[-1].turns if isinstance(turn, ToolOutput)]
    assert told.output.startswith("【0:0†a.md】\nxxx")
    assert told.output.endswith("\n\n(1 more passages are left out here.)")


async def test_searches_are_counted_over_the_thread_and_old_ones_are_told_in_brief(
    scripted: ScriptedEngine, tools: Tools
) -> None:
    thread, assistant = await begin(scripted)
    tools.search.found = [found("a.md", text="x" * 10_000 + "{}"), found("b.md"), found("c.md")]
    two = called(("call_2", "file_search", QUERIES), ("call_3", "file_search", QUERIES))
    cited = said("【0:0†a.md】【2:0†c.md】【9:9†b.md】【9:9†d.md】【7】")
    scripted.provider.answers = [called(("call_1", "file_search", QUERIES)), said("So."), two, cited]
    await ended(scripted, thread, assistant_id=assistant)
    run = await ended(scripted, thread, assistant_id=assistant)
    told = [turn.output for turn in scripted.provider.requests[-1].turns if isinstance(turn, ToolOutput)]
    assert [(len(text), text[:10]) for text in told] == [
        (4000, "【0:0†a.md】"),
        (24, "【1:0†b.md】"),
        (24, "【2:0†c.md】"),
    ]
    (message,) = (await scripted.get(f"/threads/{thread}/messages?run_id={run['id']}"))["data"]
    notes = message["content"][0]["text"]["annotations"]
    assert [note["file_citation"]["file_id"] for note in notes] == ["file-a.md", "file-c.md", "file-b.md"]


async def test_a_function_of_the_same_name_stays_the_users(scripted: ScriptedEngine, tools: Tools) -> None:
    function = {"type": "function", "function": {"name": "file_search"}}
    scripted.provider.answers = [
        called(("call_1", "file_search_2", QUERIES)),
        called(("call_2", "file_search", ["{}"])),
    ]
    thread, assistant = await begin(scripted, tools=[function, FILE_SEARCH, FILE_SEARCH])
    run = await ended(scripted, thread, assistant_id=assistant)
    names = [tool["function"]["name"] for tool in scripted.provider.requests[0].tools]
    assert names == ["file_search", "file_search_2"]
    assert run["status"] == "requires_action"
    assert len(tools.search.requests) == 1
    (turn,) = [turn for turn in scripted.provider.requests[1].turns if isinstance(turn, AssistantTurn)]
    assert turn.calls[0].name == "file_search_2"


async def test_a_search_can_be_demanded_once(scripted: ScriptedEngine, tools: Tools) -> None:
    scripted.provider.answers = [called(("call_1", "file_search", QUERIES)), said("So.")]
    thread, assistant = await begin(scripted)
    await ended(scripted, thread, assistant_id=assistant, tool_choice=FILE_SEARCH)
    choices = [request.tool_choice for request in scripted.provider.requests]
    assert choices == [{"type": "function", "function": {"name": "file_search"}}, None]


async def test_the_model_is_told_which_files_there_are(scripted: ScriptedEngine, tools: Tools) -> None:
    from playground_tui.engine.store.tables import vector_store_files, vector_stores

    thread, assistant = await begin(scripted)
    file_id = await keep_file(scripted, "a.md")

    def index(c: Any) -> None:
        store = {"id": "vs_1", "created_at": 1, "last_active_at": 1, "body": {}}
        c.execute(vector_stores.insert(), store)
        kept = {"id": file_id, "vector_store_id": "vs_1", "created_at": 1, "status": "completed", "usage_bytes": 1}
        c.execute(vector_store_files.insert(), {**kept, "body": {}})

    await scripted.engine.database.write(index)
    await ended(scripted, thread, assistant_id=assistant)
    (tool,) = scripted.provider.requests[0].tools
    assert tool["function"]["description"].endswith("Files: a.md.")


async def test_a_search_that_fails_fails_the_run(scripted: ScriptedEngine, tools: Tools) -> None:
    tools.search.found = [RuntimeError("broken")]
    scripted.provider.answers = [called(("call_1", "file_search", QUERIES))]
    thread, assistant = await begin(scripted)
    run = await ended(scripted, thread, assistant_id=assistant)
    assert (run["status"], run["last_error"]["code"]) == ("failed", "server_error")
    (step,) = (await scripted.get(f"/threads/{thread}/runs/{run['id']}/steps"))["data"]
    assert (step["status"], step["step_details"]["tool_calls"][0]["file_search"]) == (
        "failed",
        {"queries": ["how long?"]},
    )


async def test_a_deleted_assistant_takes_its_files_with_it(scripted: ScriptedEngine, tools: Tools) -> None:
    hold = asyncio.Event()
    scripted.provider.answers = [
        [hold, *called(("call_1", "file_search", QUERIES))],
        called(("call_2", "file_search", QUERIES)),
    ]
    thread, assistant = await begin(scripted)
    await give_resources(scripted, "assistant", assistant, file_search={"vector_store_ids": ["vs_2"]})
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
    await until(lambda: scripted.provider.requests)
    await scripted.http.delete(f"/assistants/{assistant}")
    hold.set()
    await scripted.settled(run["id"])
    assert (await scripted.run_of(thread, run["id"]))["status"] == "completed"
    assert [request.vector_store_ids for request in tools.search.requests] == [("vs_2", "vs_1"), ("vs_1",)]
