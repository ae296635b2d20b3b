"""Runs are made at once, one at a time in a thread, with the assistant's settings or the request's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from playground_tui.engine.providers.base import AssistantTurn, Dropped, Finished, ImagePart, Text, UserTurn
from playground_tui.engine.schemas import CreateRun
from tests.support.scripted import ScriptedEngine, said, scripted_engine
from tests.support.tools import give_tools
from tests.support.wait import until

FUNCTION = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as engine:
        yield engine


async def finished(scripted: ScriptedEngine, thread: str, **body: Any) -> dict[str, Any]:
    run = await scripted.post(f"/threads/{thread}/runs", **body)
    await scripted.settled(run["id"])
    return await scripted.run_of(thread, run["id"])


async def test_a_run_is_answered_as_queued_with_every_key_while_the_model_still_works(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello", instructions="be kind")
    held = asyncio.Event()
    scripted.provider.answers = [[held, *said("hi")]]
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
    scripted.clock.time += 5
    held.set()
    await scripted.settled(run["id"])
    expected = {
        "id": run["id"],
        "object": "thread.run",
        "created_at": 1_700_000_000,
        "thread_id": thread,
        "assistant_id": assistant,
        "status": "queued",
        "required_action": None,
        "last_error": None,
        "expires_at": 1_700_000_600,
        "started_at": None,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": None,
        "incomplete_details": None,
        "model": "scripted",
        "instructions": "be kind",
        "tools": [],
        "metadata": {},
        "usage": None,
        "temperature": 1.0,
        "top_p": 1.0,
        "max_prompt_tokens": None,
        "max_completion_tokens": None,
        "truncation_strategy": {"type": "auto", "last_messages": None},
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "response_format": "auto",
        "reasoning_effort": None,
    }
    assert run == expected
    ended = await scripted.run_of(thread, run["id"])
    assert ended == {
        **expected,
        "status": "completed",
        "expires_at": None,
        "started_at": ended["started_at"],
        "completed_at": 1_700_000_005,
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }


async def test_of_ten_racing_runs_one_is_made(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    held = asyncio.Event()
    scripted.provider.answers = [[held, *said("hi")]]
    body = {"assistant_id": assistant, "additional_messages": [{"role": "user", "content": "more"}]}
    responses = await asyncio.gather(*(scripted.http.post(f"/threads/{thread}/runs", json=body) for _ in range(10)))
    (made,) = [response.json() for response in responses if response.status_code == 200]
    refused = [response.json()["error"] for response in responses if response.status_code != 200]
    sentence = f"Thread {thread} already has an active run {made['id']}."
    assert refused == [{"message": sentence, "type": "invalid_request_error", "param": None, "code": None}] * 9
    held.set()
    await scripted.settled(made["id"])
    assert len(scripted.provider.requests) == 1
    messages = (await scripted.get(f"/threads/{thread}/messages"))["data"]
    assert [message["role"] for message in messages] == ["assistant", "user", "user"]
    assert (await finished(scripted, thread, assistant_id=assistant))["status"] == "completed"


async def test_a_thread_takes_no_message_while_its_run_is_active(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    held = asyncio.Event()
    scripted.provider.answers = [[held, *said("hi")]]
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
    refused = await scripted.post(f"/threads/{thread}/messages", status=400, role="user", content="and")
    assert refused["error"]["message"] == f"Can't add messages to {thread} while a run {run['id']} is active."
    held.set()
    await scripted.settled(run["id"])
    await scripted.post(f"/threads/{thread}/messages", role="user", content="and")


async def test_the_request_goes_over_the_assistant(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello", instructions="be kind", temperature=0.1, tools=[FUNCTION])
    schema = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
    run = await finished(
        scripted,
        thread,
        assistant_id=assistant,
        model="rehearsal/other",
        instructions="be short",
        additional_instructions="and quick",
        additional_messages=[{"role": "assistant", "content": "before"}, {"role": "user", "content": "after"}],
        tools=[{**FUNCTION, "function": {**FUNCTION["function"], "name": "seek"}}],
        temperature=0.7,
        top_p=0.9,
        response_format=schema,
        reasoning_effort="low",
        tool_choice="none",
        parallel_tool_calls=False,
        max_completion_tokens=500,
        truncation_strategy={"type": "last_messages", "last_messages": 2},
        metadata={"k": "v"},
    )
    (request,) = scripted.provider.requests
    assert (request.model, request.instructions) == ("other", "be short\n\nand quick")
    assert list(request.turns) == [AssistantTurn("before"), UserTurn(("after",))]
    assert [tool["function"]["name"] for tool in request.tools] == ["seek"]
    assert (request.temperature, request.top_p, request.reasoning_effort) == (0.7, 0.9, "low")
    assert (request.response_format, request.tool_choice, request.parallel_tool_calls) == (schema, "none", False)
    assert request.max_completion_tokens == 500
    assert (run["model"], run["metadata"], run["temperature"]) == ("rehearsal/other", {"k": "v"}, 0.7)


async def test_what_is_null_or_missing_comes_from_the_assistant(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello", instructions="be kind", top_p=0.3, tools=[FUNCTION])
    await finished(scripted, thread, assistant_id=assistant, instructions=None, model=None, tools=None)
    await finished(scripted, thread, assistant_id=assistant, tools=[], instructions="")
    first, second = scripted.provider.requests
    assert (first.instructions, first.top_p, first.temperature, len(first.tools)) == ("be kind", 0.3, None, 1)
    assert (second.instructions, len(second.tools)) == ("", 0)


async def test_an_assistant_without_instructions_runs(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    assert (await finished(scripted, thread, assistant_id=assistant))["status"] == "completed"
    assert scripted.provider.requests[0].instructions == ""


async def test_an_image_of_a_message_reaches_the_model(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread()
    image = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
    content = [{"type": "text", "text": "see"}, image]
    await scripted.post(f"/threads/{thread}/messages", role="user", content=content)
    await finished(scripted, thread, assistant_id=assistant)
    assert list(scripted.provider.requests[0].turns) == [UserTurn(("see", ImagePart("https://x/y.png")))]


async def test_the_thread_of_a_run_can_come_with_it(scripted: ScriptedEngine) -> None:
    _, assistant = await scripted.thread()
    run = await scripted.post(
        "/threads/runs",
        assistant_id=assistant,
        thread={"messages": [{"role": "user", "content": "hello"}], "metadata": {"k": "v"}},
    )
    await scripted.settled(run["id"])
    assert (await scripted.get(f"/threads/{run['thread_id']}"))["metadata"] == {"k": "v"}
    assert list(scripted.provider.requests[0].turns) == [UserTurn(("hello",))]


async def test_of_a_run_that_cannot_be_made_nothing_is_kept(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread()
    refused = await scripted.post("/threads/runs", status=404, assistant_id="asst_gone", thread={})
    assert refused["error"]["message"] == "No assistant found with id 'asst_gone'."
    assert len((await scripted.get("/threads"))["data"]) == 1
    body = {"assistant_id": assistant, "additional_messages": [{"role": "user", "content": "x"}]}
    refused = await scripted.post("/threads/thread_gone/runs", status=404, **body)
    assert refused["error"]["message"] == "No thread found with id 'thread_gone'."
    assert scripted.engine.runs.active_count == 0
    assert (await scripted.get(f"/threads/{thread}/runs"))["data"] == []


async def test_a_run_goes_to_the_provider_that_the_visitor_named_if_its_model_names_none(
    scripted: ScriptedEngine,
) -> None:
    thread, assistant = await scripted.thread("hello")
    headers = {"X-Playground-Tui-Provider": "elsewhere"}
    run = await scripted.post(f"/threads/{thread}/runs", headers=headers, assistant_id=assistant)
    await scripted.settled(run["id"])
    ended = await scripted.run_of(thread, run["id"])
    assert ended["status"] == "failed"
    assert ended["last_error"] == {"code": "server_error", "message": "Provider elsewhere is not configured."}


async def test_the_engines_own_tools_are_told_as_functions(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello", tools=[{"type": "file_search"}, FUNCTION])
    await finished(scripted, thread, assistant_id=assistant)
    assert [tool["function"]["name"] for tool in scripted.provider.requests[0].tools] == ["file_search", "look"]


async def test_what_a_model_does_not_take_is_said(scripted: ScriptedEngine) -> None:
    give_tools(scripted).interpreter.missing = "Install bubblewrap."
    thread, assistant = await scripted.thread("hello", tools=[{"type": "code_interpreter"}])
    scripted.provider.answers = [
        [Dropped("temperature"), Dropped("top_p"), Dropped("top_p"), Text("hi"), Finished("stop")]
    ]
    run = await finished(scripted, thread, assistant_id=assistant, temperature=0.5, top_p=0.5)
    assert run["playground_notes"] == (
        "The run went on without code_interpreter: Install bubblewrap."
        " temperature is not used by this model. top_p is not used by this model."
    )
    assert scripted.provider.requests[0].tools == []


async def test_a_run_is_begun_though_who_asked_for_it_is_gone(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    asking = asyncio.create_task(scripted.engine.runs.create(thread, CreateRun(assistant_id=assistant)))
    while not scripted.engine.runs.active_count:
        await asyncio.sleep(0)
    asking.cancel()
    await until(lambda: scripted.engine.runs.active_count == 0)
    (run,) = (await scripted.get(f"/threads/{thread}/runs"))["data"]
    assert (asking.cancelled(), run["status"]) == (True, "completed")


async def test_the_same_request_sent_twice_makes_one_run(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    headers = {"Idempotency-Key": "once"}
    first = await scripted.post(f"/threads/{thread}/runs", headers=headers, assistant_id=assistant)
    await scripted.settled(first["id"])
    assert await scripted.post(f"/threads/{thread}/runs", headers=headers, assistant_id=assistant) == first
    assert len(scripted.provider.requests) == 1


async def test_metadata_changed_during_a_run_stay(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    held = asyncio.Event()
    scripted.provider.answers = [[held, *said("hi")]]
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant, metadata={"a": "1"})
    await until(lambda: scripted.provider.requests)
    changed = await scripted.post(f"/threads/{thread}/runs/{run['id']}", metadata={"b": "2"})
    assert (changed["metadata"], changed["temperature"]) == ({"b": "2"}, 1.0)
    assert (await scripted.post(f"/threads/{thread}/runs/{run['id']}"))["metadata"] == {"b": "2"}
    held.set()
    await scripted.settled(run["id"])
    ended = await scripted.run_of(thread, run["id"])
    assert (ended["metadata"], ended["status"]) == ({"b": "2"}, "completed")


async def test_runs_and_steps_are_listed_and_found(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    made = [await finished(scripted, thread, assistant_id=assistant) for _ in range(3)]
    page = await scripted.get(f"/threads/{thread}/runs?limit=2")
    assert [run["id"] for run in page["data"]] == [made[2]["id"], made[1]["id"]]
    assert (page["has_more"], page["data"][0]) == (True, made[2])
    steps = await scripted.get(f"/threads/{thread}/runs/{made[0]['id']}/steps")
    (step,) = steps["data"]
    assert await scripted.get(f"/threads/{thread}/runs/{made[0]['id']}/steps/{step['id']}") == step
    message_id = step["step_details"]["message_creation"]["message_id"]
    assert step == {
        "id": step["id"],
        "object": "thread.run.step",
        "created_at": 1_700_000_000,
        "assistant_id": assistant,
        "thread_id": thread,
        "run_id": made[0]["id"],
        "type": "message_creation",
        "status": "completed",
        "step_details": {"type": "message_creation", "message_creation": {"message_id": message_id}},
        "last_error": None,
        "expired_at": None,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": 1_700_000_000,
        "metadata": {},
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }


async def test_what_is_not_there_is_said_in_the_contracts_words(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    run = await finished(scripted, thread, assistant_id=assistant)
    sentences = {
        f"/threads/{thread}/runs/run_gone": "No run found with id 'run_gone'.",
        f"/threads/{thread}/runs/run_gone/steps": "No run found with id 'run_gone'.",
        f"/threads/{thread}/runs/run_gone/events": "No run found with id 'run_gone'.",
        f"/threads/{thread}/runs/{run['id']}/steps/step_gone": "No run step found with id 'step_gone'.",
        f"/threads/thread_gone/runs/{run['id']}": "No thread found with id 'thread_gone'.",
        "/threads/thread_gone/runs": "No thread found with id 'thread_gone'.",
    }
    assert {path: (await scripted.get(path, status=404))["error"]["message"] for path in sentences} == sentences
    refused = await scripted.get(f"/threads/{thread}/runs/{run['id']}/events?after=x", status=400)
    assert refused["error"]["param"] == "after"
    for path, body in {"cancel": {}, "submit_tool_outputs": {"tool_outputs": []}}.items():
        refused = await scripted.post(f"/threads/{thread}/runs/run_gone/{path}", status=404, **body)
        assert refused["error"]["message"] == "No run found with id 'run_gone'."


async def test_runs_and_messages_are_told_to_those_who_watch(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    since = scripted.engine.changes.last
    run = await finished(scripted, thread, assistant_id=assistant)
    told = []
    async for block in scripted.engine.changes.subscribe(since):
        if b"data: " in block:
            change = json.loads(block.split(b"data: ", 1)[1])
            told.append((change["kind"], change["action"]))
            assert change["thread_id"] == thread
            if len(told) == 5:
                break
    assert told == [
        ("run", "created"),
        ("run", "modified"),
        ("message", "created"),
        ("message", "modified"),
        ("run", "modified"),
    ]
    assert run["status"] == "completed"
