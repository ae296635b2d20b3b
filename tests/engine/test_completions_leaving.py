"""Answers that end early: at a stop sequence, or because nobody waits for them any longer."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from playground_tui.engine.api import completions as completions_api
from playground_tui.engine.completions.answering import Answering
from playground_tui.engine.completions.stops import HeldText
from playground_tui.engine.providers.base import CallBegun, Finished, Text
from playground_tui.engine.store.failures import StoreFailed
from playground_tui.engine.store.unknown import Unknown
from tests.support.scripted import ScriptedEngine, called, said, scripted_engine
from tests.support.wait import until

PATH = "/chat/completions"
HELLO = {"role": "user", "content": "hello"}


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as engine:
        yield engine


@pytest.fixture
async def model(scripted: ScriptedEngine) -> str:
    return str((await scripted.post("/assistants", model="scripted"))["id"])


def passed(stops: list[str], *texts: str) -> tuple[str, bool]:
    """What is said of these fragments, and whether a sequence ended it."""
    held = HeldText(stops)
    events = [event for one in [*map(Text, texts), Finished("stop")] for event in held.take(one)]
    assert isinstance(events[-1], Finished)
    assert sum(isinstance(event, Finished) for event in events) == 1
    return "".join(event.text for event in events if isinstance(event, Text)), held.stopped


@pytest.mark.parametrize(
    ("stops", "texts", "said", "stopped"),
    [
        (["END"], ["one END two"], "one ", True),
        (["END"], ["one E", "N", "D", " two"], "one ", True),
        (["END"], ["one E", "N", "d"], "one ENd", False),
        (["END"], ["one EN"], "one EN", False),
        (["END"], ["ENEN", "D"], "EN", True),
        (["b", "a"], ["xab"], "x", True),
        (["\n\n", "\nQ"], ["a\n", "\nb"], "a", True),
        (["a"], ["a"], "", True),
    ],
)
def test_a_text_ends_before_the_first_sequence(stops, texts, said, stopped):
    assert passed(stops, *texts) == (said, stopped)


def test_what_was_held_back_comes_before_what_follows():
    held, call = HeldText(["END"]), CallBegun(0, "call_1", "f")
    assert [event for one in (Text("E"), call) for event in held.take(one)] == [Text("E"), call]


@pytest.mark.parametrize("stop", ["END", ["no", "END"]])
async def test_a_stop_sequence_ends_the_answer_and_its_run(scripted, model, stop):
    hold = asyncio.Event()
    scripted.provider.answers = [[Text("one E"), Text("ND two"), hold, *said()]]
    completion = await scripted.post(PATH, model=model, messages=[HELLO], stop=stop)
    [choice] = completion["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("one ", "stop")
    await until(lambda: scripted.provider.aborted == 1)
    await until(lambda: scripted.engine.runs.active_count == 0)
    assert (await scripted.get("/threads"))["data"] == []


async def test_a_run_whose_calls_a_stop_sequence_cut_off_waits_for_nobody(scripted, model, monkeypatch):
    leave = Answering.leave

    async def late(answering: Answering) -> None:
        async for event in scripted.follow(answering.run_id):
            if event.name == "thread.run.requires_action":
                break
        await leave(answering)

    monkeypatch.setattr(Answering, "leave", late)
    tool = {"type": "function", "function": {"name": "look_up"}}
    calls = called(("call_1", "look_up", ["{}"]))
    scripted.provider.answers = [[Text("one END two"), *calls]]
    completion = await scripted.post(PATH, model=model, messages=[HELLO], stop="END", tools=[tool])
    assert completion["choices"][0]["finish_reason"] == "stop"
    await until(lambda: scripted.engine.runs.active_count == 0)
    assert (await scripted.get("/threads"))["data"] == []


async def test_a_stop_sequence_ends_a_stream_too(scripted, model):
    hold = asyncio.Event()
    scripted.provider.answers = [[Text("one E"), Text("ND two"), hold, *said()]]
    stream = await scripted.sdk.chat.completions.create(model=model, messages=[HELLO], stop="END", stream=True)
    found = [chunk.choices[0] async for chunk in stream]
    assert "".join(one.delta.content or "" for one in found) == "one "
    assert found[-1].finish_reason == "stop"
    await until(lambda: scripted.provider.aborted == 1)


async def test_no_stop_sequence_is_none(scripted, model):
    for stop in (None, [], "", [""]):
        completion = await scripted.post(PATH, model=model, messages=[HELLO], stop=stop)
        assert completion["choices"][0]["message"]["content"] == "fine"


async def test_who_leaves_a_stream_ends_its_run(scripted, model):
    hold = asyncio.Event()
    scripted.provider.answers = [[Text("Hel"), hold, *said("lo")]]
    body = {"model": model, "messages": [HELLO], "stream": True}
    async with scripted.http.stream("POST", PATH, json=body) as response:
        async for line in response.aiter_lines():
            assert json.loads(line.removeprefix("data: "))["choices"][0]["delta"]["content"] == "Hel"
            break
    await until(lambda: scripted.provider.aborted == 1)
    await until(lambda: scripted.engine.runs.active_count == 0)
    assert await put_away(scripted, response.headers["x-playground-tui-thread"]) == "cancelled"


async def test_who_does_not_wait_for_an_answer_ends_its_run(scripted, model):
    hold = asyncio.Event()
    scripted.provider.answers = [[Text("Hel"), hold, *said("lo")]]
    asking = asyncio.create_task(scripted.http.post(PATH, json={"model": model, "messages": [HELLO]}))
    await until(lambda: scripted.engine.runs.active_count and scripted.provider.requests)
    [thread] = (await scripted.get("/threads"))["data"]
    asking.cancel()
    await asyncio.wait({asking})
    await until(lambda: scripted.provider.aborted == 1)
    await until(lambda: scripted.engine.runs.active_count == 0)
    assert await put_away(scripted, thread["id"]) == "cancelled"


async def put_away(scripted: ScriptedEngine, thread_id: str) -> Any:
    """The state of the only run in a thread that is out of sight."""
    assert (await scripted.get("/threads"))["data"] == []
    await scripted.post(f"/threads/{thread_id}/restore")
    [run] = (await scripted.get(f"/threads/{thread_id}/runs"))["data"]
    return run["status"]


async def test_a_thread_that_was_deleted_meanwhile_is_no_trouble(scripted, model):
    hold = asyncio.Event()
    scripted.provider.answers = [[Text("Hel"), hold, *said("lo")]]
    asking = asyncio.create_task(scripted.http.post(PATH, json={"model": model, "messages": [HELLO]}))
    await until(lambda: scripted.provider.requests)
    [thread] = (await scripted.get("/threads"))["data"]
    response = await scripted.http.delete(f"/threads/{thread['id']}")
    assert response.json()["deleted"]
    assert (await asking).json()["error"]["code"] == "run_cancelled"
    assert scripted.engine.runs.active_count == 0


async def test_an_engine_that_starts_after_a_crash_puts_the_thread_away(tmp_path, scripted, model):
    scripted.provider.answers = [[Text("Hel"), asyncio.Event()]]
    asking = asyncio.create_task(scripted.http.post(PATH, json={"model": model, "messages": [HELLO]}))
    await until(lambda: scripted.provider.requests)
    [thread] = (await scripted.get("/threads"))["data"]
    later = tmp_path / "later"
    later.mkdir()
    with closing(sqlite3.connect(tmp_path / "engine.db")) as now, closing(sqlite3.connect(later / "engine.db")) as kept:
        now.backup(kept)
    async with scripted_engine(later) as again:
        assert await put_away(again, thread["id"]) == "failed"
    asking.cancel()
    await asyncio.wait({asking})


@pytest.mark.parametrize(
    ("failure", "code"), [(StoreFailed("The disk is gone.", "disk"), "store_failed"), (Unknown("run", "run_1"), None)]
)
async def test_a_stream_whose_end_cannot_be_read_says_so(scripted, model, monkeypatch, failure, code):
    run, failures = Answering._run, [failure]

    async def fails_once(answering: Answering) -> Any:
        if failures:
            raise failures.pop()
        return await run(answering)

    monkeypatch.setattr(Answering, "_run", fails_once)
    response = await scripted.http.post(PATH, json={"model": model, "messages": [HELLO], "stream": True})
    *_, last, done, _ = response.text.split("\n\n")
    assert done == "data: [DONE]"
    kind = "server_error" if code else "invalid_request_error"
    error = {"message": str(failure), "type": kind, "param": None, "code": code}
    assert json.loads(last.removeprefix("data: ")) == {"error": error}


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_is_whole_stays_so_though_it_cannot_be_put_away(
    scripted, model, monkeypatch, caplog, stream
):
    run, reads = Answering._run, 0

    async def fails_at_the_end(answering: Answering) -> Any:
        nonlocal reads
        reads += 1
        if reads == 2:
            raise StoreFailed("The disk is gone.", "disk")
        return await run(answering)

    monkeypatch.setattr(Answering, "_run", fails_at_the_end)
    response = await scripted.http.post(PATH, json={"model": model, "messages": [HELLO], "stream": stream})
    assert response.status_code == 200
    assert "fine" in response.text and "error" not in response.text
    await until(lambda: reads == 2)
    await until(lambda: scripted.server.activity.connections == 0)
    assert not caplog.records


async def test_who_leaves_while_the_run_is_stored_ends_it(scripted, model, monkeypatch):
    stored, go_on = asyncio.Event(), asyncio.Event()
    create = scripted.engine.runs.create_with_thread

    async def slow(*given: Any, **more: Any) -> Any:
        run = await create(*given, **more)
        stored.set()
        await go_on.wait()
        return run

    left, gone = asyncio.Event(), completions_api._gone

    async def noticed(request: Any) -> None:
        await gone(request)
        left.set()

    monkeypatch.setattr(completions_api, "_gone", noticed)
    monkeypatch.setattr(scripted.engine.runs, "create_with_thread", slow)
    scripted.provider.answers = [[Text("Hel"), asyncio.Event()]]
    asking = asyncio.create_task(scripted.http.post(PATH, json={"model": model, "messages": [HELLO]}))
    await stored.wait()
    asking.cancel()
    await left.wait()
    for _ in range(5):  # whoever waits for that hears of it
        await asyncio.sleep(0)
    go_on.set()
    await until(lambda: scripted.engine.runs.active_count == 0)
