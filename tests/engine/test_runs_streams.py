"""The events of a run: whole, in the contract's order, and there for whoever comes late."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from playground_tui.engine.providers.base import CallArguments, CallBegun, Finished, Text
from tests.support.scripted import ScriptedEngine, called, parsed, said, scripted_engine
from tests.support.wait import until

BEGUN = ["thread.run.created", "thread.run.queued", "thread.run.in_progress"]
MESSAGE_BEGUN = [
    "thread.run.step.created",
    "thread.run.step.in_progress",
    "thread.message.created",
    "thread.message.in_progress",
]
MESSAGE_DONE = ["thread.message.completed", "thread.run.step.completed"]
DELTA = "thread.message.delta"
STEP_DELTA = "thread.run.step.delta"
CALLS_BEGUN = ["thread.run.step.created", "thread.run.step.in_progress"]


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as engine:
        yield engine


def texts(events: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [json.loads(data)["delta"]["content"][0]["text"] for name, data in events if name == DELTA]


async def test_a_text(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    scripted.provider.answers = [said("Hel", "lo ", "you")]
    events = await scripted.events(f"/threads/{thread}/runs", assistant_id=assistant)
    names = [name for name, _ in events]
    assert names == [*BEGUN, *MESSAGE_BEGUN, DELTA, DELTA, DELTA, *MESSAGE_DONE, "thread.run.completed", "done"]
    assert texts(events) == [{"value": "Hel", "annotations": []}, {"value": "lo "}, {"value": "you"}]
    objects = {name: json.loads(data) for name, data in events[:-1]}
    assert events[-1][1] == "[DONE]"
    assert objects["thread.message.created"]["content"] == []
    assert objects["thread.message.completed"]["content"] == [
        {"type": "text", "text": {"value": "Hello you", "annotations": []}}
    ]
    stored = await scripted.get(f"/threads/{thread}/messages/{objects['thread.message.created']['id']}")
    assert stored == objects["thread.message.completed"]
    assert await scripted.run_of(thread, objects["thread.run.created"]["id"]) == objects["thread.run.completed"]
    assert [objects[f"thread.run.{state}"]["status"] for state in ("created", "queued", "in_progress")] == [
        "queued",
        "queued",
        "in_progress",
    ]


async def test_a_thread_that_comes_with_its_run_is_told_first(scripted: ScriptedEngine) -> None:
    _, assistant = await scripted.thread()
    body = {"assistant_id": assistant, "thread": {"messages": [{"role": "user", "content": "hello"}]}}
    events = await scripted.events("/threads/runs", **body)
    assert [name for name, _ in events[:2]] == ["thread.created", "thread.run.created"]
    thread = json.loads(events[0][1])
    assert thread == await scripted.get(f"/threads/{thread['id']}")


async def test_an_empty_answer_is_a_message_all_the_same(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    scripted.provider.answers = [[Finished("stop")]]
    events = await scripted.events(f"/threads/{thread}/runs", assistant_id=assistant)
    assert [name for name, _ in events] == [*BEGUN, *MESSAGE_BEGUN, *MESSAGE_DONE, "thread.run.completed", "done"]
    message = json.loads(dict(events)["thread.message.completed"])
    assert message["content"][0]["text"]["value"] == ""
    none = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    assert json.loads(dict(events)["thread.run.completed"])["usage"] == none


async def test_calls_of_functions(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    calls = called(("call_1", "look", ['{"at":', '"sky"}']), ("call_2", "listen", []))
    scripted.provider.answers = [calls]
    events = await scripted.events(f"/threads/{thread}/runs", assistant_id=assistant)
    names = [name for name, _ in events]
    assert names == [*BEGUN, *CALLS_BEGUN, *[STEP_DELTA] * 4, "thread.run.requires_action", "done"]
    deltas = [json.loads(data)["delta"]["step_details"]["tool_calls"][0] for name, data in events if name == STEP_DELTA]
    assert deltas == [
        {
            "index": 0,
            "id": "call_1",
            "type": "function",
            "function": {"name": "look", "arguments": "", "output": None},
        },
        {"index": 0, "type": "function", "function": {"arguments": '{"at":'}},
        {"index": 0, "type": "function", "function": {"arguments": '"sky"}'}},
        {
            "index": 1,
            "id": "call_2",
            "type": "function",
            "function": {"name": "listen", "arguments": "", "output": None},
        },
    ]
    run = json.loads(dict(events)["thread.run.requires_action"])
    path = f"/threads/{thread}/runs/{run['id']}/submit_tool_outputs"
    outputs = [{"tool_call_id": "call_2", "output": "silence"}, {"tool_call_id": "call_1", "output": "blue"}]
    scripted.provider.answers = [said("Blue.")]
    assert await scripted.names(path, tool_outputs=outputs) == [
        "thread.run.step.completed",
        "thread.run.queued",
        "thread.run.in_progress",
        *MESSAGE_BEGUN,
        DELTA,
        *MESSAGE_DONE,
        "thread.run.completed",
        "done",
    ]


async def test_text_before_a_call_is_whole_when_the_call_begins_and_text_after_it_is_another_message(
    scripted: ScriptedEngine,
) -> None:
    thread, assistant = await scripted.thread("hello")
    answer = [Text("I look. "), CallBegun(0, "", "look"), CallArguments(0, "{}"), Text("Now."), Finished("stop")]
    scripted.provider.answers = [list(answer)]
    events = await scripted.events(f"/threads/{thread}/runs", assistant_id=assistant)
    assert [name for name, _ in events] == [
        *BEGUN,
        *MESSAGE_BEGUN,
        DELTA,
        *MESSAGE_DONE,
        *CALLS_BEGUN,
        STEP_DELTA,
        STEP_DELTA,
        *MESSAGE_BEGUN,
        DELTA,
        *MESSAGE_DONE,
        "thread.run.requires_action",
        "done",
    ]
    action = json.loads(dict(events)["thread.run.requires_action"])["required_action"]
    (call,) = action["submit_tool_outputs"]["tool_calls"]
    assert call["id"].startswith("call_")


async def test_each_state_is_in_the_store_before_it_is_told(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    scripted.provider.answers = [said("one", " two")]
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
    states = ["queued", "in_progress", "completed"]
    seen = []
    async for event in scripted.follow(run["id"]):
        told = json.loads(event.plain.split(b"data: ", 1)[1]) if event.name != "done" else {}
        if told.get("object") == "thread.run":
            stored = await scripted.run_of(thread, run["id"])
            seen.append((states.index(told["status"]), states.index(stored["status"])))
    assert [told for told, _ in seen] == [0, 0, 1, 2]
    assert all(stored >= told for told, stored in seen)


async def test_the_text_so_far_is_in_the_store_while_it_comes(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    held = asyncio.Event()
    scripted.provider.answers = [[Text("so "), Text("far"), held, Finished("stop")]]
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
    stored = ""
    async with asyncio.timeout(10):
        while stored != "so far":
            message = (await scripted.get(f"/threads/{thread}/messages"))["data"][0]
            stored = message["content"][0]["text"]["value"] if message["run_id"] == run["id"] else ""
            await asyncio.sleep(0)
    held.set()
    await scripted.settled(run["id"])


async def test_the_text_is_kept_again_when_the_store_works_again(
    scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    thread, assistant = await scripted.thread("hello")
    held = asyncio.Event()
    scripted.provider.answers = [[Text("so "), Text("far"), held, Finished("stop")]]
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
    await until(lambda: scripted.engine.runs.newest_event(run["id"]) == 9)

    async def broken(_fn: Any) -> Any:
        raise OSError("Input/output error")

    with monkeypatch.context() as failing:
        failing.setattr(scripted.engine.database, "write", broken)
        await until(lambda: "could not be kept" in caplog.text)
    stored = ""
    async with asyncio.timeout(10):
        while stored != "so far":
            message = (await scripted.get(f"/threads/{thread}/messages"))["data"][0]
            stored = message["content"][0]["text"]["value"]
    held.set()
    await scripted.settled(run["id"])


async def test_a_client_that_goes_away_changes_nothing(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    held = asyncio.Event()
    scripted.provider.answers = [[Text("one"), held, Text(" two"), Finished("stop")]]
    body = {"assistant_id": assistant, "stream": True}
    async with scripted.http.stream("POST", f"/threads/{thread}/runs", json=body) as response:
        async for line in response.aiter_lines():
            if line == f"event: {DELTA}":
                break
    (run,) = (await scripted.get(f"/threads/{thread}/runs"))["data"]
    assert run["status"] == "in_progress"
    held.set()
    await scripted.settled(run["id"])
    messages = (await scripted.get(f"/threads/{thread}/messages?run_id={run['id']}"))["data"]
    assert [(message["status"], message["content"][0]["text"]["value"]) for message in messages] == [
        ("completed", "one two")
    ]
    assert scripted.provider.aborted == 0


async def test_a_run_can_be_joined_while_it_goes_on(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    held = asyncio.Event()
    scripted.provider.answers = [[Text("one"), Text(" two"), held, Text(" three"), Finished("stop")]]
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
    await until(lambda: scripted.engine.runs.newest_event(run["id"]) == 9)
    joined = asyncio.create_task(scripted.http.get(f"/threads/{thread}/runs/{run['id']}/events?after=3"))
    again = asyncio.create_task(
        scripted.http.get(f"/threads/{thread}/runs/{run['id']}/events", headers={"Last-Event-ID": "8"})
    )
    await until(lambda: scripted.server.activity.connections >= 2)
    held.set()
    events = parsed((await joined).text)
    assert [name for name, _ in events] == [
        *MESSAGE_BEGUN,
        *[DELTA] * len(texts(events)),
        *MESSAGE_DONE,
        "thread.run.completed",
        "done",
    ]
    assert "".join(part["value"] for part in texts(events)) == "one two three"
    assert "".join(part["value"] for part in texts(parsed((await again).text))) == " two three"
    ids = [int(line[4:]) for line in (await joined).text.split("\n") if line.startswith("id: ")]
    assert ids == sorted(set(ids))
    assert ids[0] == 4


async def test_a_run_that_nobody_remembers_is_told_from_the_store(
    scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground_tui.engine.runs.service.FEED_KEPT_SECONDS", 0.0)
    thread, assistant = await scripted.thread("hello")
    scripted.provider.answers = [called(("call_1", "look", ["{}"])), said("one", " two")]
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
    await scripted.settled(run["id"])
    path = f"/threads/{thread}/runs/{run['id']}"
    await scripted.post(f"{path}/submit_tool_outputs", tool_outputs=[{"tool_call_id": "call_1", "output": "blue"}])
    await until(lambda: scripted.engine.runs.newest_event(run["id"]) == 0)
    stream = (await scripted.http.get(f"{path}/events?after=40")).text
    events = parsed(stream)
    assert [name for name, _ in events] == [
        *BEGUN,
        *CALLS_BEGUN,
        STEP_DELTA,
        "thread.run.step.completed",
        *MESSAGE_BEGUN,
        DELTA,
        *MESSAGE_DONE,
        "thread.run.completed",
        "done",
    ]
    assert texts(events) == [{"value": "one two", "annotations": []}]
    assert stream.startswith("id: 41\n")
    begun, ended = json.loads(events[0][1]), json.loads(events[-2][1])
    assert (begun["status"], begun["started_at"], begun["completed_at"], begun["usage"]) == ("queued", None, None, None)
    assert ended == await scripted.run_of(thread, run["id"])


async def test_a_message_that_was_deleted_is_left_out_of_what_is_told_from_the_store(
    scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground_tui.engine.runs.service.FEED_KEPT_SECONDS", 0.0)
    thread, assistant = await scripted.thread("hello")
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
    await scripted.settled(run["id"])
    message = (await scripted.get(f"/threads/{thread}/messages"))["data"][0]
    await scripted.http.delete(f"/threads/{thread}/messages/{message['id']}")
    await until(lambda: scripted.engine.runs.newest_event(run["id"]) == 0)
    events = parsed((await scripted.http.get(f"/threads/{thread}/runs/{run['id']}/events")).text)
    assert [name for name, _ in events] == [
        *BEGUN,
        *CALLS_BEGUN,
        "thread.run.step.completed",
        "thread.run.completed",
        "done",
    ]


async def test_many_runs_at_once_all_keep_their_order(scripted: ScriptedEngine) -> None:
    count, fragments = 20, [f"{number} " for number in range(100)]
    scripted.provider.answers = [said(*fragments) for _ in range(count)]
    made = [await scripted.thread("hello") for _ in range(count)]
    streams = await asyncio.gather(
        *(scripted.events(f"/threads/{thread}/runs", assistant_id=assistant) for thread, assistant in made)
    )
    for events in streams:
        assert "".join(part["value"] for part in texts(events)) == "".join(fragments)
        assert [name for name, _ in events][-2:] == ["thread.run.completed", "done"]
    assert scripted.engine.runs.active_count == 0
