"""Every way a run ends: nothing stays in progress, what was said is kept, and the thread is free again."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from playground_tui.engine.errors import ApiError
from playground_tui.engine.providers.base import CallArguments, CallBegun, Dropped, Finished, ProviderError, Text, Usage
from tests.support.scripted import Item, ScriptedEngine, called, said, scripted_engine
from tests.support.wait import until


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as engine:
        yield engine


async def begin(scripted: ScriptedEngine, *answer: Item, **body: Any) -> str:
    """A run that plays this answer: its path."""
    scripted.provider.answers = [list(answer)]
    thread, assistant = await scripted.thread("hello")
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant, **body)
    return f"/threads/{thread}/runs/{run['id']}"


def run_id(path: str) -> str:
    return path.rsplit("/", 1)[1]


async def outcome(scripted: ScriptedEngine, path: str) -> dict[str, Any]:
    """What is left of a run that has ended, in the API's words; its thread takes the next one."""
    names = await scripted.settled(run_id(path))
    run = await scripted.get(path)
    thread = f"/threads/{run['thread_id']}"
    messages = (await scripted.get(f"{thread}/messages?run_id={run['id']}"))["data"]
    steps = (await scripted.get(f"{path}/steps"))["data"]
    scripted.provider.answers.clear()
    again = await scripted.post(f"{thread}/runs", assistant_id=run["assistant_id"])
    await scripted.settled(again["id"])
    return {
        "run": run,
        "messages": [
            (one["status"], (one["incomplete_details"] or {}).get("reason"), text_of(one)) for one in messages
        ],
        "steps": [(step["type"], step["status"]) for step in steps],
        "step": steps[0] if steps else None,
        "last": names[-4:],
    }


def text_of(message: dict[str, Any]) -> str:
    return "".join(part["text"]["value"] for part in message["content"])


async def test_a_run_is_cancelled_while_it_speaks(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, Text("so far"), asyncio.Event())
    await until(lambda: scripted.engine.runs.newest_event(run_id(path)) == 8)
    scripted.clock.time += 9
    cancelling = await scripted.post(f"{path}/cancel")
    assert cancelling["status"] == "cancelling"
    left = await outcome(scripted, path)
    assert (left["run"]["status"], left["run"]["cancelled_at"]) == ("cancelled", 1_700_000_009)
    assert (left["run"]["completed_at"], left["run"]["last_error"]) == (None, None)
    assert left["messages"] == [("incomplete", "run_cancelled", "so far")]
    assert left["steps"] == [("message_creation", "cancelled")]
    assert left["step"]["cancelled_at"] == 1_700_000_009
    assert left["last"] == [
        "thread.message.incomplete",
        "thread.run.step.cancelled",
        "thread.run.cancelled",
        "done",
    ]
    assert scripted.provider.aborted == 1


async def test_a_run_that_is_cancelled_still_says_what_was_not_used(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, Dropped("temperature"), Text("so far"), asyncio.Event(), temperature=0.5)
    await until(lambda: scripted.engine.runs.newest_event(run_id(path)) > 6)
    cancelling = await scripted.post(f"{path}/cancel")
    left = await outcome(scripted, path)
    notes = "temperature is not used by this model."
    assert (cancelling["playground_notes"], left["run"]["playground_notes"]) == (notes, notes)


async def test_a_run_is_cancelled_before_the_model_says_anything(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, asyncio.Event())
    await until(lambda: scripted.provider.requests)
    await scripted.post(f"{path}/cancel")
    left = await outcome(scripted, path)
    assert (left["run"]["status"], left["messages"], left["steps"]) == ("cancelled", [], [])
    assert left["last"] == ["thread.run.in_progress", "thread.run.cancelling", "thread.run.cancelled", "done"]


async def test_a_run_is_cancelled_as_soon_as_it_is_made(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, asyncio.Event())
    assert (await scripted.post(f"{path}/cancel"))["status"] == "cancelling"
    assert (await outcome(scripted, path))["run"]["status"] == "cancelled"


async def test_a_run_is_cancelled_while_it_calls_a_function(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, CallBegun(0, "call_1", "look"), CallArguments(0, "{"), asyncio.Event())
    await until(lambda: scripted.engine.runs.newest_event(run_id(path)) == 7)
    await scripted.post(f"{path}/cancel")
    left = await outcome(scripted, path)
    assert (left["run"]["status"], left["steps"]) == ("cancelled", [("tool_calls", "cancelled")])
    (call,) = left["step"]["step_details"]["tool_calls"]
    assert call["function"] == {"name": "look", "arguments": "{", "output": None}


async def test_a_run_is_cancelled_while_it_waits_for_outputs(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, *called(("call_1", "look", [])))
    await scripted.settled(run_id(path))
    cancelling = await scripted.post(f"{path}/cancel")
    assert (cancelling["status"], cancelling["required_action"]) == ("cancelling", None)
    left = await outcome(scripted, path)
    assert (left["run"]["status"], left["steps"]) == ("cancelled", [("tool_calls", "cancelled")])
    assert left["run"]["usage"]["total_tokens"] == left["step"]["usage"]["total_tokens"] == 10
    assert left["last"] == ["thread.run.cancelling", "thread.run.step.cancelled", "thread.run.cancelled", "done"]


async def test_a_model_that_never_pauses_is_cancelled_too(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, *(Text("x") for _ in range(200_000)), Finished("stop"))
    await until(lambda: scripted.engine.runs.newest_event(run_id(path)) > 100)
    await scripted.post(f"{path}/cancel")
    left = await outcome(scripted, path)
    assert left["run"]["status"] == "cancelled"
    assert 0 < len(left["messages"][0][2]) < 200_000


async def test_only_what_goes_on_can_be_cancelled_and_once(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, Text("so far"), asyncio.Event())
    await until(lambda: scripted.provider.requests)
    answers = await asyncio.gather(*(scripted.http.post(f"{path}/cancel") for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400]
    await scripted.settled(run_id(path))
    refused = await scripted.post(f"{path}/cancel", status=400)
    assert refused["error"]["message"] == "Cannot cancel run with status 'cancelled'."


async def test_a_run_expires_while_it_speaks(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, Text("so far"), asyncio.Event())
    await until(lambda: scripted.engine.runs.newest_event(run_id(path)) == 8)
    scripted.clock.time += 599
    scripted.engine.runs.expire_due()
    assert (await scripted.get(path))["status"] == "in_progress"
    scripted.clock.time += 1
    left = await outcome(scripted, path)
    assert (left["run"]["status"], left["run"]["expires_at"]) == ("expired", 1_700_000_600)
    assert left["messages"] == [("incomplete", "run_expired", "so far")]
    assert (left["steps"], left["step"]["expired_at"]) == ([("message_creation", "expired")], 1_700_000_600)
    assert left["last"] == ["thread.message.incomplete", "thread.run.step.expired", "thread.run.expired", "done"]
    assert scripted.provider.aborted == 1


async def test_a_run_expires_while_it_waits_for_outputs(scripted: ScriptedEngine) -> None:
    scripted.engine.run_expires_after = 5
    path = await begin(scripted, *called(("call_1", "look", [])))
    await scripted.settled(run_id(path))
    scripted.clock.time += 5
    scripted.engine.runs.expire_due()
    given = [{"tool_call_id": "call_1", "output": "late"}]
    refused = await scripted.post(f"{path}/submit_tool_outputs", status=400, tool_outputs=given)
    assert refused["error"]["message"] == 'Runs in status "expired" do not accept tool outputs.'
    left = await outcome(scripted, path)
    assert (left["run"]["status"], left["steps"]) == ("expired", [("tool_calls", "expired")])


async def test_a_provider_that_fails_fails_the_run_and_its_text_is_kept(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, Text("so far"), ProviderError("openai says: slow down", code="rate_limit_exceeded"))
    left = await outcome(scripted, path)
    error = {"code": "rate_limit_exceeded", "message": "openai says: slow down"}
    assert (left["run"]["status"], left["run"]["failed_at"]) == ("failed", 1_700_000_000)
    assert left["run"]["last_error"] == left["step"]["last_error"] == error
    assert left["messages"] == [("incomplete", "run_failed", "so far")]
    assert left["steps"] == [("message_creation", "failed")]
    assert left["last"] == ["thread.message.incomplete", "thread.run.step.failed", "thread.run.failed", "done"]


async def test_a_provider_that_fails_at_once_leaves_no_message(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, ProviderError("too long", code="invalid_prompt"))
    left = await outcome(scripted, path)
    assert left["run"]["last_error"] == {"code": "invalid_prompt", "message": "too long"}
    assert (left["messages"], left["steps"]) == ([], [])


async def test_a_step_calls_an_invalid_prompt_the_servers_error(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, Text("so"), ProviderError("too long", code="invalid_prompt"))
    left = await outcome(scripted, path)
    assert left["step"]["last_error"] == {"code": "server_error", "message": "too long"}


async def test_an_answer_that_just_stops_fails_the_run(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, Text("so far"))
    left = await outcome(scripted, path)
    assert left["run"]["last_error"] == {
        "code": "server_error",
        "message": "The provider ended its answer without saying that it was whole.",
    }
    assert left["messages"] == [("incomplete", "run_failed", "so far")]


async def test_a_failure_nobody_foresaw_is_logged_and_fails_the_run(
    scripted: ScriptedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    path = await begin(scripted, ZeroDivisionError("private"))
    left = await outcome(scripted, path)
    sentence = "The engine failed on this run (ZeroDivisionError). Its log says more."
    assert left["run"]["last_error"] == {"code": "server_error", "message": sentence}
    assert "private" in caplog.text


async def test_a_provider_that_breaks_off_by_itself_fails_the_run(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, Text("so far"), asyncio.CancelledError())
    left = await outcome(scripted, path)
    assert left["run"]["last_error"]["message"] == "The request to the provider was broken off."
    assert left["messages"] == [("incomplete", "run_failed", "so far")]


async def test_an_answer_cut_at_its_length_is_incomplete(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, Text("so far"), Finished("length", Usage(5, 300)), max_completion_tokens=300)
    left = await outcome(scripted, path)
    assert (left["run"]["status"], left["run"]["last_error"]) == ("incomplete", None)
    assert left["run"]["incomplete_details"] == {"reason": "max_completion_tokens"}
    assert left["run"]["usage"]["total_tokens"] == 305
    assert left["messages"] == [("incomplete", "max_tokens", "so far")]
    assert left["steps"] == [("message_creation", "completed")]
    assert left["last"] == ["thread.message.incomplete", "thread.run.step.completed", "thread.run.incomplete", "done"]


@pytest.mark.parametrize(("limit", "usage"), [("prompt", Usage(257, 1)), ("completion", Usage(1, 257))])
async def test_a_whole_answer_that_took_more_tokens_than_it_had_is_kept_and_the_run_incomplete(
    scripted: ScriptedEngine, limit: str, usage: Usage
) -> None:
    path = await begin(scripted, *said("whole", usage=usage), **{f"max_{limit}_tokens": 256})
    left = await outcome(scripted, path)
    assert left["run"]["incomplete_details"] == {"reason": f"max_{limit}_tokens"}
    assert left["messages"] == [("completed", None, "whole")]
    assert left["last"] == ["thread.message.completed", "thread.run.step.completed", "thread.run.incomplete", "done"]
    path = await begin(scripted, *said("whole", usage=Usage(256, 256)), **{f"max_{limit}_tokens": 256})
    assert (await outcome(scripted, path))["run"]["status"] == "completed"


@pytest.mark.parametrize("long", ["message", "instructions"])
async def test_a_prompt_that_cannot_be_made_to_fit_is_not_sent(scripted: ScriptedEngine, long: str) -> None:
    words = {"message": "hello", "instructions": "Be brief.", long: "word " * 1000}
    thread, assistant = await scripted.thread(words["message"], instructions=words["instructions"])
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant, max_prompt_tokens=1000)
    left = await outcome(scripted, f"/threads/{thread}/runs/{run['id']}")
    assert left["run"]["incomplete_details"] == {"reason": "max_prompt_tokens"}
    assert (left["messages"], left["steps"]) == ([], [])
    assert left["last"][1:] == ["thread.run.in_progress", "thread.run.incomplete", "done"]
    assert len(scripted.provider.requests) == 1  # that of the run which shows that the thread is free


async def test_calls_cut_at_their_length_are_not_waited_for(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, CallBegun(0, "call_1", "look"), CallArguments(0, '{"a'), Finished("length"))
    left = await outcome(scripted, path)
    assert (left["run"]["status"], left["run"]["required_action"]) == ("incomplete", None)
    assert left["steps"] == [("tool_calls", "failed")]
    assert left["step"]["last_error"]["message"] == "The answer was cut before its function calls were whole."


async def test_a_filtered_answer_fails_the_run_and_says_so_at_the_message(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, Text("so far"), Finished("content_filter"))
    left = await outcome(scripted, path)
    assert left["run"]["last_error"]["message"] == "The provider's content filter stopped the answer."
    assert left["messages"] == [("incomplete", "content_filter", "so far")]
    assert left["steps"] == [("message_creation", "failed")]


async def test_nothing_is_asked_of_a_run_whose_thread_was_deleted(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, Text("so far"), asyncio.Event())
    thread = path.split("/runs/")[0]
    assert (await scripted.http.delete(thread)).status_code == 200
    await scripted.settled(path.rsplit("/", 1)[1])
    for request, body in {"cancel": {}, "submit_tool_outputs": {"tool_outputs": []}}.items():
        refused = await scripted.post(f"{path}/{request}", status=404, **body)
        assert refused["error"]["message"] == f"No thread found with id '{thread.rsplit('/', 1)[1]}'."
    await scripted.post(f"{thread}/restore")
    assert (await scripted.get(path))["status"] == "cancelled"


async def test_a_run_that_comes_while_its_thread_is_deleted_is_not_left_behind_in_it(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    scripted.provider.answers = [[asyncio.Event()]]
    waiting, busy, free = scripted.engine.database._writer._work_queue.qsize, threading.Event(), threading.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(scripted.engine.database.write(lambda c: (busy.set(), free.wait())))
        await until(busy.is_set)
        created = group.create_task(scripted.http.post(f"/threads/{thread}/runs", json={"assistant_id": assistant}))
        await until(lambda: waiting() == 1)
        deleted = group.create_task(scripted.http.delete(f"/threads/{thread}"))
        await until(lambda: waiting() == 2)
        free.set()
    assert (created.result().status_code, deleted.result().status_code) == (200, 200)
    run = created.result().json()["id"]
    await asyncio.wait_for(scripted.settled(run), 10)
    await scripted.post(f"/threads/{thread}/restore")
    assert (await scripted.run_of(thread, run))["status"] == "cancelled"


async def test_a_deleted_assistant_leaves_its_runs(scripted: ScriptedEngine) -> None:
    path = await begin(scripted, *said("fine"))
    await scripted.settled(run_id(path))
    run = await scripted.get(path)
    await scripted.http.delete(f"/assistants/{run['assistant_id']}")
    assert await scripted.get(path) == run


async def test_a_store_that_fails_is_said_and_the_end_is_stored_when_it_works_again(
    scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("playground_tui.engine.runs.closing.RETRY_SECONDS", (0.0,))
    held = asyncio.Event()
    path = await begin(scripted, Text("so far"), held, Finished("stop"))
    await until(lambda: scripted.engine.runs.newest_event(run_id(path)) == 8)
    write = scripted.engine.database.write
    failures = 0

    async def full_disk(_fn: Any) -> Any:
        nonlocal failures
        failures += 1
        raise OSError("No space left on device")

    monkeypatch.setattr(scripted.engine.database, "write", full_disk)
    held.set()
    events = [event async for event in scripted.follow(run_id(path))]
    assert [event.name for event in events[-2:]] == ["error", "done"]
    assert json.loads(events[-2].plain.split(b"data: ")[1])["message"].startswith("The engine cannot write")
    await until(lambda: failures > 3)
    assert (await scripted.get(path))["status"] == "in_progress"
    monkeypatch.setattr(scripted.engine.database, "write", write)
    await until(lambda: scripted.engine.runs.active_count == 0)
    left = await outcome(scripted, path)
    assert (left["run"]["status"], left["messages"]) == ("completed", [("completed", None, "so far")])
    assert "No space left on device" in caplog.text


async def test_a_run_that_ends_while_it_is_looked_up_is_refused_by_its_end(
    scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await begin(scripted, *called(("call_1", "look", [])))
    await scripted.settled(run_id(path))
    read = scripted.engine.database.read

    async def overtaken(fn: Any) -> Any:
        found = await read(fn)
        monkeypatch.undo()
        scripted.clock.time += 601
        scripted.engine.runs.expire_due()
        await until(lambda: scripted.engine.runs.active_count == 0)
        return found

    monkeypatch.setattr(scripted.engine.database, "read", overtaken)
    with pytest.raises(ApiError, match='Runs in status "expired" do not accept tool outputs'):
        await scripted.engine.runs.submit(path.split("/")[2], run_id(path), [("call_1", "late")])


async def test_a_run_that_waits_for_the_first_visitor_can_be_cancelled(
    scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = asyncio.Event()

    async def wait(_model: str) -> None:
        reached.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(scripted.engine.providers, "wait_for_visitor", wait)
    thread, assistant = await scripted.thread("hello")
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
    await reached.wait()
    await scripted.post(f"/threads/{thread}/runs/{run['id']}/cancel")
    await scripted.settled(run["id"])
    assert (await scripted.run_of(thread, run["id"]))["status"] == "cancelled"
