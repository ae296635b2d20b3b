"""The engine's own tools beside functions, in many rounds, and ended at any moment."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from playground_tui.engine.providers.base import (
    AssistantTurn,
    CallArguments,
    CallBegun,
    Finished,
    FunctionCall,
    Text,
    ToolOutput,
    Usage,
    UserTurn,
)
from playground_tui.engine.runs.executor import ROUNDS
from playground_tui.engine.tools.base import CodeResult, Logs, MadeFile, Picture
from tests.support.scripted import Clock, Item, ScriptedEngine, called, parsed, said, scripted_engine
from tests.support.tools import CODE, FILE_SEARCH, Tools, found, give_resources, give_tools
from tests.support.wait import until

LOOK = {"type": "function", "function": {"name": "look"}}
EVERY_TOOL = [LOOK, FILE_SEARCH, CODE]
PRINT = ['{"code": "print(', '1)"}']


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as engine:
        yield engine


@pytest.fixture
def tools(scripted: ScriptedEngine) -> Tools:
    return give_tools(scripted)


async def begin(scripted: ScriptedEngine) -> tuple[str, str]:
    thread, assistant = await scripted.thread("hello", tools=EVERY_TOOL)
    await give_resources(scripted, "thread", thread, file_search={"vector_store_ids": ["vs_1"]})
    return thread, assistant


async def started(scripted: ScriptedEngine, **body: Any) -> str:
    """The path of a run that has begun."""
    thread, assistant = await begin(scripted)
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant, **body)
    return f"/threads/{thread}/runs/{run['id']}"


async def rested(scripted: ScriptedEngine, path: str) -> dict[str, Any]:
    await scripted.settled(path.rsplit("/", 1)[1])
    run: dict[str, Any] = await scripted.get(path)
    return run


async def steps_of(scripted: ScriptedEngine, path: str) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = (await scripted.get(f"{path}/steps?order=asc&limit=100"))["data"]
    return steps


def calls_of(step: dict[str, Any]) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = step["step_details"]["tool_calls"]
    return calls


MIXED = [
    *called(("call_1", "look", ["{}"]), ("call_2", "code_interpreter", PRINT), usage=None)[:-1],
    CallBegun(2, "call_3", "file_search"),
    CallBegun(3, "call_4", "look"),
    CallArguments(2, '{"queries": ["q"]}'),
    CallArguments(3, '{"a": 1}'),
    Finished("tool_calls", Usage(10, 2)),
]


async def test_own_tools_are_used_first_then_the_run_waits_for_functions(
    scripted: ScriptedEngine, tools: Tools
) -> None:
    tools.search.found = [found("a.md")]
    scripted.provider.answers = [MIXED, said("Blue【0:0†a.md】.")]
    thread, assistant = await begin(scripted)
    events = await scripted.events(f"/threads/{thread}/runs", assistant_id=assistant)
    names = [name for name, _ in events]
    assert names[3:5] == ["thread.run.step.created", "thread.run.step.in_progress"]
    assert set(names[5:-2]) == {"thread.run.step.delta"}
    assert names[-2:] == ["thread.run.requires_action", "done"]
    told = [json.loads(data)["delta"]["step_details"]["tool_calls"][0]["index"] for _, data in events[5:-2]]
    assert told == sorted(told)
    run = json.loads(events[-2][1])
    waiting = run["required_action"]["submit_tool_outputs"]["tool_calls"]
    assert [(call["id"], call["type"]) for call in waiting] == [("call_1", "function"), ("call_4", "function")]
    path = f"/threads/{thread}/runs/{run['id']}"
    (step,) = await steps_of(scripted, path)
    assert step["status"] == "in_progress"
    assert [call["type"] for call in calls_of(step)] == ["function", "code_interpreter", "file_search", "function"]
    given = [{"tool_call_id": call["id"], "output": call["id"]} for call in waiting]
    names = await scripted.names(f"{path}/submit_tool_outputs", tool_outputs=given)
    assert names[0] == "thread.run.step.completed"
    step, _ = await steps_of(scripted, path)
    assert (step["status"], step["usage"]["total_tokens"]) == ("completed", 12)
    assert list(scripted.provider.requests[-1].turns) == [
        UserTurn(("hello",)),
        AssistantTurn(
            "",
            (
                FunctionCall("call_1", "look", "{}"),
                FunctionCall("call_2", "code_interpreter", '{"code": "print(1)"}'),
                FunctionCall("call_3", "file_search", '{"queries": ["q"]}'),
                FunctionCall("call_4", "look", '{"a": 1}'),
            ),
        ),
        ToolOutput("call_1", "call_1"),
        ToolOutput("call_2", "ok"),
        ToolOutput("call_3", "【0:0†a.md】\nText of a.md."),
        ToolOutput("call_4", "call_4"),
    ]


async def test_a_run_that_waits_with_own_calls_done_waits_on_in_the_next_engine(tmp_path: Path) -> None:
    async with scripted_engine(tmp_path) as scripted:
        tools = give_tools(scripted)
        tools.search.found = [found("a.md")]
        tools.interpreter.results = [CodeResult([Picture(b"png")], [MadeFile("x.csv", b"x")])]
        scripted.provider.answers = [MIXED]
        path = await started(scripted)
        assert (await rested(scripted, path))["status"] == "requires_action"
    async with scripted_engine(tmp_path) as scripted:
        give_tools(scripted)
        events = parsed((await scripted.http.get(f"{path}/events")).text)
        deltas = [json.loads(data)["delta"] for name, data in events if name == "thread.run.step.delta"]
        told = [delta["step_details"]["tool_calls"][0] for delta in deltas]
        assert [call["type"] for call in told] == ["function", "code_interpreter", "file_search", "function"]
        assert [len(call["file_search"]["results"]) for call in told if call["type"] == "file_search"] == [1]
        scripted.provider.answers = [said("Blue【0:0†a.md】, sandbox:/mnt/data/x.csv")]
        given = [{"tool_call_id": call_id, "output": "x"} for call_id in ("call_1", "call_4")]
        await scripted.post(f"{path}/submit_tool_outputs", tool_outputs=given)
        assert (await rested(scripted, path))["status"] == "completed"
        thread = path.split("/")[2]
        message = (await scripted.get(f"/threads/{thread}/messages"))["data"][0]
        picture, text = message["content"]
        assert picture["type"] == "image_file"
        assert len(text["text"]["annotations"]) == 2
        assert len(message["attachments"]) == 1


async def test_rounds_of_own_tools_add_their_tokens(scripted: ScriptedEngine, tools: Tools) -> None:
    scripted.provider.answers = [
        called(("call_1", "code_interpreter", PRINT), usage=Usage(100, 200)),
        called(("call_1", "code_interpreter", PRINT), usage=Usage(10, 20)),
        said("Done.", usage=Usage(1, 2)),
    ]
    path = await started(scripted, max_completion_tokens=256)
    run = await rested(scripted, path)
    assert run["usage"] == {"prompt_tokens": 111, "completion_tokens": 222, "total_tokens": 333}
    assert [step["usage"]["total_tokens"] for step in await steps_of(scripted, path)] == [300, 30, 3]
    assert [request.max_completion_tokens for request in scripted.provider.requests] == [256, 56, 36]


@pytest.mark.parametrize(("limit", "usage"), [("completion", Usage(1, 256)), ("prompt", Usage(256, 1))])
async def test_a_run_whose_tokens_are_spent_by_its_tools_is_incomplete(
    scripted: ScriptedEngine, tools: Tools, limit: str, usage: Usage
) -> None:
    scripted.provider.answers = [called(("call_1", "code_interpreter", PRINT), usage=usage)]
    path = await started(scripted, **{f"max_{limit}_tokens": 256})
    run = await rested(scripted, path)
    assert (run["status"], run["incomplete_details"]) == ("incomplete", {"reason": f"max_{limit}_tokens"})
    assert [step["status"] for step in await steps_of(scripted, path)] == ["completed"]


async def test_a_model_that_calls_on_and_on_is_asked_to_answer(scripted: ScriptedEngine, tools: Tools) -> None:
    scripted.provider.answers = [called(("call_1", "code_interpreter", PRINT)) for _ in range(ROUNDS)]
    path = await started(scripted)
    assert (await rested(scripted, path))["status"] == "completed"
    choices = [request.tool_choice for request in scripted.provider.requests]
    assert choices == [*[None] * ROUNDS, "none"]


async def test_a_model_that_does_not_stop_calling_fails_the_run(scripted: ScriptedEngine, tools: Tools) -> None:
    scripted.provider.answers = [called(("call_1", "code_interpreter", PRINT)) for _ in range(ROUNDS + 2)]
    path = await started(scripted)
    run = await rested(scripted, path)
    assert run["last_error"]["message"] == f"The model called tools {ROUNDS} times in a row and did not answer."
    assert len(await steps_of(scripted, path)) == ROUNDS + 1


async def test_text_behind_calls_does_not_lose_what_code_made(scripted: ScriptedEngine, tools: Tools) -> None:
    tools.interpreter.results = [CodeResult([Picture(b"png")])]
    calling = called(("call_1", "code_interpreter", PRINT))
    scripted.provider.answers = [[*calling[:-1], Text("wait"), calling[-1]], said("See.")]
    path = await started(scripted)
    assert (await rested(scripted, path))["status"] == "completed"
    messages = (await scripted.get(f"/threads/{path.split('/')[2]}/messages?order=asc"))["data"]
    assert [[part["type"] for part in message["content"]] for message in messages] == [
        ["text"],
        ["text"],
        ["image_file", "text"],
    ]
    assert {step["status"] for step in await steps_of(scripted, path)} == {"completed"}


async def test_an_answer_cut_in_its_code_runs_none_of_it(scripted: ScriptedEngine, tools: Tools) -> None:
    begun = called(("call_1", "code_interpreter", ['{"code": "rm']))[:-1]
    scripted.provider.answers = [[*begun, Finished("length")]]
    path = await started(scripted)
    run = await rested(scripted, path)
    (step,) = await steps_of(scripted, path)
    assert (run["status"], step["status"], tools.interpreter.ran) == ("incomplete", "failed", [])
    assert calls_of(step)[0]["code_interpreter"] == {"input": "rm", "outputs": []}


# Ended at any moment


async def in_code(scripted: ScriptedEngine, tools: Tools) -> str:
    tools.interpreter.results = [CodeResult([Logs("1")]), asyncio.Event()]
    two = called(("call_1", "code_interpreter", PRINT), ("call_2", "code_interpreter", PRINT))
    scripted.provider.answers = [[Text("I run. "), *two]]
    path = await started(scripted)
    await until(lambda: len(tools.interpreter.ran) == 2)
    return path


async def in_search(scripted: ScriptedEngine, tools: Tools) -> str:
    tools.search.found = [found("a.md"), asyncio.Event()]
    two = called(("call_1", "file_search", ['["a"]']), ("call_2", "file_search", ['["b"]']))
    scripted.provider.answers = [[Text("I look. "), *two]]
    path = await started(scripted)
    await until(lambda: len(tools.search.requests) == 2)
    return path


async def in_arguments(scripted: ScriptedEngine, tools: Tools) -> str:
    scripted.provider.answers = [
        [Text("I run. "), CallBegun(0, "call_1", "code_interpreter"), CallArguments(0, '{"code": "x'), asyncio.Event()]
    ]
    path = await started(scripted)
    await until(lambda: scripted.engine.runs.newest_event(path.rsplit("/", 1)[1]) == 14)
    return path


async def in_answer(scripted: ScriptedEngine, tools: Tools) -> str:
    tools.interpreter.results = [CodeResult([Picture(b"png")])]
    answer: list[Item] = [Text("Here【0"), asyncio.Event()]
    scripted.provider.answers = [called(("call_1", "code_interpreter", PRINT)), answer]
    path = await started(scripted)
    await until(lambda: len(scripted.provider.requests) == 2)
    await until(lambda: scripted.engine.runs.newest_event(path.rsplit("/", 1)[1]) >= 15)
    return path


Moment = Callable[[ScriptedEngine, Tools], Awaitable[str]]
MOMENTS = [in_code, in_search, in_arguments, in_answer]


async def nothing_is_open(scripted: ScriptedEngine, path: str, ending: str) -> None:
    run = await rested(scripted, path)
    assert run["status"] == ending
    steps = await steps_of(scripted, path)
    assert (steps[0]["status"], steps[-1]["status"]) == ("completed", ending)
    assert all(step["usage"] for step in steps)
    messages = (await scripted.get(f"/threads/{run['thread_id']}/messages?run_id={run['id']}"))["data"]
    assert {message["status"] for message in messages} <= {"completed", "incomplete"}
    again = await scripted.post(f"/threads/{run['thread_id']}/runs", assistant_id=run["assistant_id"])
    assert (await rested(scripted, f"/threads/{run['thread_id']}/runs/{again['id']}"))["status"] == "completed"


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_run_is_cancelled_at_any_moment(scripted: ScriptedEngine, tools: Tools, moment: Moment) -> None:
    path = await moment(scripted, tools)
    await scripted.post(f"{path}/cancel")
    await nothing_is_open(scripted, path, "cancelled")
    assert tools.interpreter.cancelled == (moment is in_code)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_run_expires_at_any_moment(scripted: ScriptedEngine, tools: Tools, moment: Moment) -> None:
    path = await moment(scripted, tools)
    scripted.clock.time += 601
    scripted.engine.runs.expire_due()
    await nothing_is_open(scripted, path, "expired")


@pytest.mark.parametrize("moment", MOMENTS)
async def test_what_an_engine_left_at_any_moment_is_settled_by_the_next(tmp_path: Path, moment: Moment) -> None:
    first = tmp_path / "killed"
    first.mkdir()
    async with scripted_engine(first) as scripted:
        path = await moment(scripted, give_tools(scripted))
        for file in first.glob("engine.db*"):
            shutil.copy(file, tmp_path / file.name)
    async with scripted_engine(tmp_path, clock=Clock()) as scripted:
        give_tools(scripted)
        scripted.provider.answers = []
        await nothing_is_open(scripted, path, "failed")
        names = [name for name, _ in parsed((await scripted.http.get(f"{path}/events")).text)]
        assert names[-2:] == ["thread.run.failed", "done"]


async def test_what_a_cancelled_run_had_found_and_printed_is_kept(scripted: ScriptedEngine, tools: Tools) -> None:
    path = await in_code(scripted, tools)
    await scripted.post(f"{path}/cancel")
    await rested(scripted, path)
    (first, second) = calls_of((await steps_of(scripted, path))[-1])
    assert first["code_interpreter"]["outputs"] == [{"type": "logs", "logs": "1"}]
    assert second["code_interpreter"] == {"input": "print(1)", "outputs": []}


async def test_a_cancel_while_a_file_is_being_kept_leaves_it_in_the_step(
    scripted: ScriptedEngine, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping, add = asyncio.Event(), scripted.engine.files.add
    begun = asyncio.Event()

    async def slow(*given: Any) -> dict[str, Any]:
        begun.set()
        await keeping.wait()
        return await add(*given)

    monkeypatch.setattr(scripted.engine.files, "add", slow)
    tools.interpreter.results = [CodeResult([Picture(b"png")])]
    scripted.provider.answers = [called(("call_1", "code_interpreter", PRINT))]
    path = await started(scripted)
    await begun.wait()
    await scripted.post(f"{path}/cancel")
    keeping.set()
    assert (await rested(scripted, path))["status"] == "cancelled"
    (call,) = calls_of((await steps_of(scripted, path))[-1])
    assert [output["type"] for output in call["code_interpreter"]["outputs"]] == ["image"]
