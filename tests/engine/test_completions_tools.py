"""Tool outputs that come back to an assistant: to the run that waits for them, or to a new one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from playground_tui.engine.check.store import check_store
from playground_tui.engine.completions.answering import Answering
from playground_tui.engine.providers.base import (
    AssistantTurn,
    Finished,
    FunctionCall,
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
TURNS = [
    UserTurn(("hello",)),
    AssistantTurn("", (FunctionCall("call_1", "look_up", '{"a":1}'),)),
    ToolOutput("call_1", "one"),
]
"""The conversation once the first call has its output."""


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as engine:
        yield engine


@pytest.fixture
async def model(scripted: ScriptedEngine) -> str:
    """An assistant whose model first calls a function."""
    scripted.provider.answers = [called(("call_1", "look_up", ['{"a":1}']), usage=Usage(20, 5))]
    return str((await scripted.post("/assistants", model="scripted", tools=[LOOK_UP]))["id"])


async def ask(scripted: ScriptedEngine, model: str, *messages: dict[str, Any], **body: Any) -> dict[str, Any]:
    """The completion, with the id of its run."""
    response = await scripted.http.post(PATH, json={"model": model, "messages": messages, **body})
    assert response.status_code == 200, response.text
    completion: dict[str, Any] = response.json()
    return {**completion, "run": response.headers["x-playground-tui-run"], **completion["choices"][0]}


async def waiting_thread(scripted: ScriptedEngine) -> dict[str, Any]:
    [thread] = (await scripted.get("/threads"))["data"]
    [run] = (await scripted.get(f"/threads/{thread['id']}/runs"))["data"]
    assert run["status"] == "requires_action"
    return {"thread_id": thread["id"], "id": run["id"]}


def output(text: str, call_id: str = "call_1") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": text}


async def test_outputs_go_to_the_run_that_waits_for_them(scripted, model):
    first = await ask(scripted, model, HELLO)
    assert first["finish_reason"] == "tool_calls"
    assert first["message"]["content"] is None
    assert first["usage"] == {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
    assert (await waiting_thread(scripted))["id"] == first["run"]
    scripted.provider.answers = [said("done", usage=Usage(30, 4))]
    second = await ask(scripted, model, HELLO, first["message"], output("one"))
    assert second["run"] == first["run"]
    assert (second["message"]["content"], second["finish_reason"]) == ("done", "stop")
    assert second["usage"] == {"prompt_tokens": 30, "completion_tokens": 4, "total_tokens": 34}
    assert scripted.provider.requests[-1].turns == TURNS
    assert (await scripted.get("/threads"))["data"] == []


async def test_a_run_takes_outputs_as_often_as_it_waits(scripted, model):
    said_so_far = [HELLO]
    runs = []
    for index in range(3):
        scripted.provider.answers = [called((f"call_{index}", "look_up", ["{}"]))]
        answer = await ask(scripted, model, *said_so_far)
        said_so_far += [answer["message"], output("one", f"call_{index}")]
        runs.append(answer["run"])
    last = await ask(scripted, model, *said_so_far)
    assert {*runs, last["run"]} == {runs[0]}
    assert last["message"]["content"] == "fine"


async def test_the_stream_of_the_second_answer_has_nothing_of_the_first(scripted, model):
    first = await ask(scripted, model, HELLO)
    messages = [HELLO, first["message"], output("one")]
    stream = await scripted.sdk.chat.completions.create(model=model, messages=messages, stream=True)  # type: ignore[call-overload]
    deltas = [chunk.choices[0].delta async for chunk in stream]
    assert [delta.content for delta in deltas] == ["fine", None]
    assert not any(delta.tool_calls for delta in deltas)


async def test_the_first_stream_may_end_late(scripted, model, monkeypatch):
    """Its reader has the calls, and may come back with their outputs before the engine has put the stream away."""
    leave, go_on, left = Answering.leave, asyncio.Event(), asyncio.Event()

    async def late(answering: Answering) -> None:
        await go_on.wait()
        await leave(answering)
        left.set()

    with monkeypatch.context() as patched:
        patched.setattr(Answering, "leave", late)
        first = await scripted.sdk.chat.completions.create(model=model, messages=[HELLO], stream=True)
        async for chunk in first:
            if chunk.choices[0].finish_reason:
                break
        working = asyncio.Event()
        scripted.provider.answers = [[Text("do"), working, Text("ne"), Finished("stop", None)]]
        calls = [{"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"a":1}'}}]
        messages = [HELLO, {"role": "assistant", "content": None, "tool_calls": calls}, output("one")]
        asking = asyncio.create_task(ask(scripted, model, *messages))
        await until(lambda: len(scripted.provider.requests) == 2)
        await first.close()
        go_on.set()
        await left.wait()
    working.set()
    assert (await asking)["message"]["content"] == "done"


async def test_settings_of_the_second_request_hold_from_then_on(scripted, model):
    first = await ask(scripted, model, HELLO, max_tokens=50, temperature=1)
    await ask(scripted, model, HELLO, first["message"], output("one"), max_tokens=60, temperature=0.5, tools=[LOOK_UP])
    request = scripted.provider.requests[-1]
    assert (request.max_completion_tokens, request.temperature) == (60, 0.5)
    assert list(request.tools) == [LOOK_UP]


async def test_another_conversation_begins_anew(scripted, model):
    first = await ask(scripted, model, HELLO)
    changed = {"role": "user", "content": "hello there"}
    second = await ask(scripted, model, changed, first["message"], output("one"))
    assert second["run"] != first["run"]
    assert scripted.provider.requests[-1].turns == [UserTurn(("hello there",)), *TURNS[1:]]
    assert (await waiting_thread(scripted))["id"] == first["run"]


async def test_changed_arguments_begin_anew(scripted, model):
    first = await ask(scripted, model, HELLO)
    first["message"]["tool_calls"][0]["function"]["arguments"] = "{}"
    second = await ask(scripted, model, HELLO, first["message"], output("one"))
    assert second["run"] != first["run"]


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "look_up"}}])
async def test_a_forced_call_needs_a_run_of_its_own_and_ends_the_one_that_waits(scripted, model, choice):
    first = await ask(scripted, model, HELLO)
    second = await ask(scripted, model, HELLO, first["message"], output("one"), tool_choice=choice)
    assert second["run"] != first["run"]
    assert scripted.provider.requests[-1].tool_choice == choice
    assert scripted.provider.requests[-1].turns == TURNS
    await until(lambda: scripted.engine.runs.active_count == 0)
    assert (await scripted.get("/threads"))["data"] == []


async def test_more_than_outputs_ends_the_run_that_waits(scripted, model):
    first = await ask(scripted, model, HELLO)
    second = await ask(scripted, model, HELLO, first["message"], output("one"), {"role": "user", "content": "and?"})
    assert second["run"] != first["run"]
    assert scripted.provider.requests[-1].turns == [*TURNS, UserTurn(("and?",))]
    await until(lambda: scripted.engine.runs.active_count == 0)
    assert (await scripted.get("/threads"))["data"] == []


async def test_a_run_that_expired_meanwhile_is_not_needed(scripted, model):
    first = await ask(scripted, model, HELLO)
    await waiting_thread(scripted)
    scripted.clock.time += 601
    scripted.engine.runs.expire_due()
    await until(lambda: scripted.engine.runs.active_count == 0)
    assert (await scripted.get("/threads"))["data"] == []
    second = await ask(scripted, model, HELLO, first["message"], output("one"))
    assert (second["message"]["content"], second["run"] != first["run"]) == ("fine", True)
    assert scripted.provider.requests[-1].turns == TURNS


async def test_the_same_outputs_twice_give_two_answers(scripted, model):
    first = await ask(scripted, model, HELLO)
    for _ in range(2):
        answer = await ask(scripted, model, HELLO, first["message"], output("one"))
        assert answer["message"]["content"] == "fine"
    assert scripted.provider.requests[-1].turns == TURNS
    assert (await scripted.get("/threads"))["data"] == []


async def test_an_engine_that_starts_again_still_takes_the_outputs(tmp_path):
    async with scripted_engine(tmp_path) as scripted:
        scripted.provider.answers = [called(("call_1", "look_up", ['{"a":1}']))]
        model = (await scripted.post("/assistants", model="scripted", tools=[LOOK_UP]))["id"]
        first = await ask(scripted, model, HELLO)
    async with scripted_engine(tmp_path) as scripted:
        second = await ask(scripted, model, HELLO, first["message"], output("one"))
        assert (second["message"]["content"], second["run"]) == ("fine", first["run"])
        assert (await scripted.get("/threads"))["data"] == []


async def test_what_is_left_in_the_store_is_sound(scripted, model, tmp_path):
    first = await ask(scripted, model, HELLO)
    for more in ([], [{"role": "user", "content": "and?"}]):
        await ask(scripted, model, HELLO, first["message"], output("one"), *more)
    scripted.provider.answers = [called(("call_1", "look_up", ["{}"]))]
    await ask(scripted, model, HELLO)
    now = int(scripted.clock())
    report = await scripted.engine.database.read(lambda c: check_store(c, tmp_path / "files", now=now))
    assert report.findings == []


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([HELLO, output("one")], "messages.1.tool_call_id"),
        ([HELLO, {"role": "assistant", "content": "hi"}, output("one")], "messages.2.tool_call_id"),
    ],
)
async def test_an_output_without_its_call_is_refused(scripted, model, messages, param):
    body = await scripted.post(PATH, status=400, model=model, messages=messages)
    assert body["error"]["param"] == param
    assert "must follow" in body["error"]["message"]


async def test_a_call_without_its_output_is_refused(scripted, model):
    call = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    for rest in ([], [HELLO]):
        messages = [HELLO, {"role": "assistant", "tool_calls": [call]}, *rest]
        body = await scripted.post(PATH, status=400, model=model, messages=messages)
        assert "These had no output: call_1." in body["error"]["message"]
    assert (await scripted.get("/threads"))["data"] == []


async def test_a_choice_of_no_tool_is_refused(scripted, model):
    choice = {"type": "function", "function": {"name": "nothing"}}
    body = await scripted.post(PATH, status=400, model=model, messages=[HELLO], tool_choice=choice)
    assert body["error"]["message"] == "Tool choice 'nothing' is none of the tools."
