"""Function tools: the run waits for exactly the outputs it asked for, as often as the model calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from playground_tui.engine.providers.base import AssistantTurn, FunctionCall, Text, ToolOutput, Usage, UserTurn
from playground_tui.engine.runs import requests
from tests.support.scripted import ScriptedEngine, called, parsed, said, scripted_engine
from tests.support.wait import until

FUNCTION = {"type": "function", "function": {"name": "look"}}


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as engine:
        yield engine


async def begin(scripted: ScriptedEngine, **body: Any) -> tuple[str, dict[str, Any]]:
    """A run that rests: its path and what it is then."""
    thread, assistant = await scripted.thread("hello", tools=[FUNCTION])
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant, **body)
    path = f"/threads/{thread}/runs/{run['id']}"
    await scripted.settled(run["id"])
    return path, await scripted.get(path)


async def submit(scripted: ScriptedEngine, path: str, outputs: dict[str, str]) -> dict[str, Any]:
    """Submit and wait until the run rests again."""
    given = [{"tool_call_id": call_id, "output": output} for call_id, output in outputs.items()]
    queued = await scripted.post(f"{path}/submit_tool_outputs", tool_outputs=given)
    assert (queued["status"], queued["required_action"]) == ("queued", None)
    await scripted.settled(queued["id"])
    run: dict[str, Any] = await scripted.get(path)
    return run


async def refusal(scripted: ScriptedEngine, path: str, *call_ids: str) -> str:
    given = [{"tool_call_id": call_id, "output": "x"} for call_id in call_ids]
    refused = await scripted.post(f"{path}/submit_tool_outputs", status=400, tool_outputs=given)
    sentence: str = refused["error"]["message"]
    return sentence


async def test_a_waiting_run_names_its_calls_and_their_outputs_are_null(scripted: ScriptedEngine) -> None:
    scripted.provider.answers = [called(("call_1", "look", ['{"at": ', '"sky"}']))]
    path, run = await begin(scripted)
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at": "sky"}'}}
    assert (run["status"], run["usage"]) == ("requires_action", None)
    assert run["required_action"] == {
        "type": "submit_tool_outputs",
        "submit_tool_outputs": {"tool_calls": [call]},
    }
    (step,) = (await scripted.get(f"{path}/steps"))["data"]
    waiting = {**call, "function": {**call["function"], "output": None}}
    assert step["step_details"] == {"type": "tool_calls", "tool_calls": [waiting]}
    assert (step["status"], step["usage"], step["completed_at"]) == ("in_progress", None, None)
    assert not [key for key in (*step, *run) if key.startswith("_")]


async def test_rounds_of_calls_end_in_an_answer_and_their_tokens_are_summed(scripted: ScriptedEngine) -> None:
    scripted.provider.answers = [
        [Text("Wait. "), *called(("call_1", "look", ["{}"]), usage=Usage(10, 1))],
        called(("call_2", "look", []), ("call_3", "look", ["{}"]), usage=Usage(20, 2)),
        said("Blue.", usage=Usage(30, 3)),
    ]
    path, run = await begin(scripted, tool_choice="required")
    assert run["status"] == "requires_action"
    run = await submit(scripted, path, {"call_1": "blue"})
    assert run["status"] == "requires_action"
    run = await submit(scripted, path, {"call_3": "", "call_2": "bluer"})
    assert (run["status"], run["usage"]) == (
        "completed",
        {"prompt_tokens": 60, "completion_tokens": 6, "total_tokens": 66},
    )
    steps = (await scripted.get(f"{path}/steps?order=asc"))["data"]
    assert [(step["type"], step["status"], step["usage"]["total_tokens"]) for step in steps] == [
        ("message_creation", "completed", 0),
        ("tool_calls", "completed", 11),
        ("tool_calls", "completed", 22),
        ("message_creation", "completed", 33),
    ]
    outputs = [[call["function"]["output"] for call in step["step_details"]["tool_calls"]] for step in steps[1:3]]
    assert outputs == [["blue"], ["bluer", ""]]
    last = scripted.provider.requests[-1]
    assert list(last.turns) == [
        UserTurn(("hello",)),
        AssistantTurn("Wait. ", (FunctionCall("call_1", "look", "{}"),)),
        ToolOutput("call_1", "blue"),
        AssistantTurn("", (FunctionCall("call_2", "look", "{}"), FunctionCall("call_3", "look", "{}"))),
        ToolOutput("call_2", "bluer"),
        ToolOutput("call_3", ""),
    ]
    assert [request.tool_choice for request in scripted.provider.requests] == ["required", None, None]


async def test_a_later_run_sees_what_earlier_ones_called(scripted: ScriptedEngine) -> None:
    scripted.provider.answers = [called(("call_1", "look", ["{}"])), said("Blue.")]
    path, run = await begin(scripted)
    await submit(scripted, path, {"call_1": "blue"})
    thread = run["thread_id"]
    await scripted.post(f"/threads/{thread}/messages", role="user", content="sure?")
    again = await scripted.post(f"/threads/{thread}/runs", assistant_id=run["assistant_id"])
    await scripted.settled(again["id"])
    assert list(scripted.provider.requests[-1].turns) == [
        UserTurn(("hello",)),
        AssistantTurn("", (FunctionCall("call_1", "look", "{}"),)),
        ToolOutput("call_1", "blue"),
        AssistantTurn("Blue."),
        UserTurn(("sure?",)),
    ]


async def test_exactly_the_waiting_calls_are_taken(scripted: ScriptedEngine) -> None:
    scripted.provider.answers = [called(("call_1", "look", []), ("call_2", "look", []))]
    path, _ = await begin(scripted)
    expected = "Expected tool outputs for call_ids ['call_1', 'call_2'], got "
    assert await refusal(scripted, path) == f"{expected}[]"
    assert await refusal(scripted, path, "call_1") == f"{expected}['call_1']"
    assert await refusal(scripted, path, "call_1", "call_1") == f"{expected}['call_1', 'call_1']"
    assert await refusal(scripted, path, "call_2", "call_1", "call_3") == f"{expected}['call_2', 'call_1', 'call_3']"
    assert (await submit(scripted, path, {"call_2": "b", "call_1": "a"}))["status"] == "completed"


async def test_a_run_that_does_not_wait_takes_no_outputs(scripted: ScriptedEngine) -> None:
    path, _ = await begin(scripted)
    assert await refusal(scripted, path, "call_1") == 'Runs in status "completed" do not accept tool outputs.'


async def test_calls_with_one_id_get_different_ones(scripted: ScriptedEngine) -> None:
    scripted.provider.answers = [called(("call_1", "look", []), ("call_1", "look", []), ("", "look", []))]
    _, run = await begin(scripted)
    ids = [call["id"] for call in run["required_action"]["submit_tool_outputs"]["tool_calls"]]
    assert ids[0] == "call_1"
    assert len(set(ids)) == 3
    assert all(call_id.startswith("call_") for call_id in ids)


async def test_a_call_that_was_never_answered_is_not_shown_to_the_model_again(scripted: ScriptedEngine) -> None:
    scripted.provider.answers = [called(("call_1", "look", []))]
    path, run = await begin(scripted)
    await scripted.post(f"{path}/cancel")
    await scripted.settled(run["id"])
    again = await scripted.post(f"/threads/{run['thread_id']}/runs", assistant_id=run["assistant_id"])
    await scripted.settled(again["id"])
    assert list(scripted.provider.requests[-1].turns) == [UserTurn(("hello",))]


async def test_a_later_round_is_told_as_much_of_the_thread_as_is_left_of_the_prompt_tokens(
    scripted: ScriptedEngine,
) -> None:
    scripted.provider.answers = [called(("call_1", "look", []), usage=Usage(700, 1)), said("x", usage=Usage(200, 1))]
    thread, assistant = await scripted.thread("old " * 400, "hello", tools=[FUNCTION])
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant, max_prompt_tokens=1000)
    path = f"/threads/{thread}/runs/{run['id']}"
    await scripted.settled(run["id"])
    assert (await submit(scripted, path, {"call_1": "blue"}))["status"] == "completed"
    told = [[turn for turn in request.turns if isinstance(turn, UserTurn)] for request in scripted.provider.requests]
    assert told == [[UserTurn(("old " * 400,)), UserTurn(("hello",))], [UserTurn(("hello",))]]


async def test_the_tokens_of_a_run_are_spent_over_its_rounds(scripted: ScriptedEngine) -> None:
    scripted.provider.answers = [called(("call_1", "look", []), usage=Usage(100, 200)), said("x", usage=Usage(5, 5))]
    path, _ = await begin(scripted, max_completion_tokens=256)
    assert (await submit(scripted, path, {"call_1": "blue"}))["status"] == "completed"
    assert [request.max_completion_tokens for request in scripted.provider.requests] == [256, 56]


@pytest.mark.parametrize(("limit", "usage"), [("completion", Usage(1, 256)), ("prompt", Usage(256, 1))])
async def test_a_run_whose_tokens_are_spent_is_incomplete(scripted: ScriptedEngine, limit: str, usage: Usage) -> None:
    scripted.provider.answers = [called(("call_1", "look", []), usage=usage)]
    path, _ = await begin(scripted, **{f"max_{limit}_tokens": 256})
    run = await submit(scripted, path, {"call_1": "blue"})
    assert (run["status"], run["incomplete_details"]) == ("incomplete", {"reason": f"max_{limit}_tokens"})
    assert len(scripted.provider.requests) == 1


async def test_outputs_that_come_as_the_time_is_over_end_the_run_once(
    scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_outputs = requests.take_outputs

    async def too_late(*given: Any) -> None:
        await take_outputs(*given)
        scripted.clock.time += 601
        scripted.engine.runs.expire_due()

    monkeypatch.setattr(requests, "take_outputs", too_late)
    scripted.provider.answers = [called(("call_1", "look", ["{}"])), said("too late")]
    path, run = await begin(scripted)
    after = scripted.engine.runs.newest_event(run["id"])
    outputs = [{"tool_call_id": "call_1", "output": "blue"}]
    await scripted.post(f"{path}/submit_tool_outputs", tool_outputs=outputs)
    await until(lambda: not scripted.engine.runs.active_count)
    events = [event.name async for event in scripted.follow(run["id"], after)]
    assert events == ["thread.run.step.completed", "thread.run.queued", "thread.run.expired", "done"]
    assert len(scripted.provider.requests) == 1


async def test_an_engine_that_stops_takes_no_outputs(scripted: ScriptedEngine) -> None:
    scripted.provider.answers = [called(("call_1", "look", ["{}"]))]
    path, _ = await begin(scripted)
    await scripted.engine.runs.stop()
    outputs = [{"tool_call_id": "call_1", "output": "blue"}]
    refused = await scripted.post(f"{path}/submit_tool_outputs", status=503, tool_outputs=outputs)
    assert refused["error"]["message"] == "The engine is stopping."
    assert (await scripted.get(path))["status"] == "requires_action"


async def test_a_repeated_submit_streams_what_the_first_one_did(scripted: ScriptedEngine) -> None:
    waits = called(("call_1", "look", ["{}"])), called(("call_2", "look", ["{}"]))
    scripted.provider.answers = [*map(list, waits), said("Blue.")]
    path, _ = await begin(scripted)
    submitting, told = f"{path}/submit_tool_outputs", []
    for call_id, key in (("call_1", "one"), ("call_2", "two"), ("call_2", "two")):
        body = {"tool_outputs": [{"tool_call_id": call_id, "output": "blue"}], "stream": True}
        response = await scripted.http.post(submitting, json=body, headers={"Idempotency-Key": key})
        told.append([name for name, _ in parsed(response.text)])
    assert told[0][-2:] == ["thread.run.requires_action", "done"]
    assert (told[1][0], told[1][-2:]) == ("thread.run.step.completed", ["thread.run.completed", "done"])
    assert told[2] == told[1]
    body["stream"] = False
    kept = await scripted.http.post(submitting, json=body, headers={"Idempotency-Key": "three"})
    assert kept.status_code == 400
