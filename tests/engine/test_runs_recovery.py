"""What an engine leaves behind when it stops, and what the next one makes of it."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from playground_tui.engine.providers.base import Finished, Text
from playground_tui.engine.store.opening import damage_mark
from tests.support.scripted import Clock, Item, ScriptedEngine, called, parsed, said, scripted_engine
from tests.support.wait import until


async def left_mid_run(directory: Path, *answer: Item, kept: bool = True, cancel: bool = False) -> str:
    """Put a store into `directory` as an engine leaves it that is killed during this answer; the run's path."""
    first = directory / "killed"
    first.mkdir()
    async with scripted_engine(first) as scripted:
        scripted.provider.answers = [list(answer)]
        thread, assistant = await scripted.thread("hello")
        run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
        path = f"/threads/{thread}/runs/{run['id']}"
        if kept:
            await until_kept(scripted, thread)
        if cancel:
            await leave_cancelling(scripted, path)
        copy_store(first, directory)
    return path


async def until_kept(scripted: ScriptedEngine, thread: str) -> None:
    """Wait until the text so far is in the store."""
    async with asyncio.timeout(10):
        while (await newest_content(scripted, thread)) != TEXT_KEPT[0][2]:
            await asyncio.sleep(0.01)


async def newest_content(scripted: ScriptedEngine, thread: str) -> Any:
    return (await scripted.get(f"/threads/{thread}/messages"))["data"][0]["content"]


async def leave_cancelling(scripted: ScriptedEngine, path: str) -> None:
    from playground_tui.engine.store import runs

    run_id = path.rsplit("/", 1)[1]
    await scripted.engine.database.write(lambda c: runs.update(c, run_id, {"status": "cancelling"}))


def copy_store(source: Path, target: Path) -> None:
    for file in source.glob("engine.db*"):
        shutil.copy(file, target / file.name)


async def ended(scripted: ScriptedEngine, path: str) -> tuple[dict[str, Any], list[Any], list[Any]]:
    run = await scripted.get(path)
    messages = (await scripted.get(f"/threads/{run['thread_id']}/messages?run_id={run['id']}"))["data"]
    steps = (await scripted.get(f"{path}/steps"))["data"]
    told = [(one["status"], one["incomplete_details"]["reason"], one["content"]) for one in messages]
    return run, told, [step["status"] for step in steps]


TEXT_KEPT = [("incomplete", "run_failed", [{"type": "text", "text": {"value": "so", "annotations": []}}])]


async def test_a_run_that_was_under_way_has_failed_and_its_text_is_kept(tmp_path: Path) -> None:
    path = await left_mid_run(tmp_path, Text("so"), asyncio.Event())
    async with scripted_engine(tmp_path) as scripted:
        run, messages, steps = await ended(scripted, path)
        assert run["last_error"] == {"code": "server_error", "message": "the engine stopped"}
        assert (run["status"], run["failed_at"]) == ("failed", 1_700_000_000)
        assert (messages, steps) == (TEXT_KEPT, ["failed"])
        events = parsed((await scripted.http.get(f"{path}/events")).text)
        assert [name for name, _ in events[-4:]] == [
            "thread.message.incomplete",
            "thread.run.step.failed",
            "thread.run.failed",
            "done",
        ]
        again = await scripted.post(f"/threads/{run['thread_id']}/runs", assistant_id=run["assistant_id"])
        await scripted.settled(again["id"])


async def test_the_first_text_anybody_saw_is_kept_by_an_engine_killed_at_once(tmp_path: Path) -> None:
    first = tmp_path / "killed"
    first.mkdir()
    async with scripted_engine(first) as scripted:
        scripted.provider.answers = [[Text("so"), asyncio.Event()]]
        thread, assistant = await scripted.thread("hello")
        run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
        async for event in scripted.follow(run["id"]):
            if event.name == "thread.message.delta":
                copy_store(first, tmp_path)
                break
    async with scripted_engine(tmp_path) as scripted:
        _, messages, _ = await ended(scripted, f"/threads/{thread}/runs/{run['id']}")
    assert messages == TEXT_KEPT


async def test_a_run_that_was_being_cancelled_is_cancelled(tmp_path: Path) -> None:
    path = await left_mid_run(tmp_path, Text("so"), asyncio.Event(), cancel=True)
    async with scripted_engine(tmp_path) as scripted:
        run, messages, steps = await ended(scripted, path)
    assert (run["status"], run["cancelled_at"], run["last_error"]) == ("cancelled", 1_700_000_000, None)
    assert ([reason for _, reason, _ in messages], steps) == (["run_cancelled"], ["cancelled"])


async def test_a_run_that_had_not_begun_to_speak_has_failed(tmp_path: Path) -> None:
    path = await left_mid_run(tmp_path, asyncio.Event(), kept=False)
    async with scripted_engine(tmp_path) as scripted:
        run, messages, steps = await ended(scripted, path)
    assert (run["status"], messages, steps) == ("failed", [], [])


async def test_an_engine_that_stops_ends_its_runs_with_all_their_text(tmp_path: Path) -> None:
    async with scripted_engine(tmp_path) as scripted:
        scripted.provider.answers = [[Text("s"), Text("o"), asyncio.Event(), Finished("stop")]]
        thread, assistant = await scripted.thread("hello")
        body = {"assistant_id": assistant}
        stream = asyncio.create_task(scripted.events(f"/threads/{thread}/runs", **body))
        await until(lambda: scripted.engine.runs.active_count and scripted.provider.requests)
        (run,) = (await scripted.get(f"/threads/{thread}/runs"))["data"]
        await until(lambda: scripted.engine.runs.newest_event(run["id"]) == 9)
        await scripted.engine.runs.stop()
        assert [name for name, _ in await stream][-2:] == ["thread.run.failed", "done"]
        refused = await scripted.post(f"/threads/{thread}/runs", status=503, **body)
        assert refused["error"]["message"] == "The engine is stopping."
        assert scripted.provider.aborted == 1
    async with scripted_engine(tmp_path) as scripted:
        run, messages, steps = await ended(scripted, f"/threads/{thread}/runs/{run['id']}")
    assert (run["status"], messages, steps) == ("failed", TEXT_KEPT, ["failed"])


async def test_a_key_makes_one_run_though_the_engine_dies_right_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"Idempotency-Key": "once"}
    async with scripted_engine(tmp_path) as scripted:
        scripted.provider.answers = [[asyncio.Event()]]
        thread, assistant = await scripted.thread("hello")
        write, writes = scripted.engine.database.write, 0

        async def first_alone(fn: Any) -> Any:
            nonlocal writes
            writes += 1
            if writes > 1:
                raise OSError("killed")
            return await write(fn)

        monkeypatch.setattr(scripted.engine.database, "write", first_alone)
        path = f"/threads/{thread}/runs"
        run = await scripted.post(path, headers=headers, assistant_id=assistant)
        monkeypatch.undo()
    async with scripted_engine(tmp_path) as scripted:
        assert (await scripted.post(path, headers=headers, assistant_id=assistant))["id"] == run["id"]
        assert [one["id"] for one in (await scripted.get(path))["data"]] == [run["id"]]


async def test_an_engine_stops_though_its_store_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with scripted_engine(tmp_path) as scripted:
        scripted.provider.answers = [[Text("so"), asyncio.Event()]]
        thread, assistant = await scripted.thread("hello")
        run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
        await until(lambda: scripted.engine.runs.newest_event(run["id"]) == 8)

        async def broken(_fn: Any) -> Any:
            raise OSError("Input/output error")

        monkeypatch.setattr(scripted.engine.database, "write", broken)
        async with asyncio.timeout(5):
            await scripted.engine.runs.stop()
        monkeypatch.undo()
    async with scripted_engine(tmp_path) as scripted:
        assert (await scripted.run_of(thread, run["id"]))["last_error"]["message"] == "the engine stopped"


async def test_a_run_that_waits_for_outputs_waits_on_and_goes_on(tmp_path: Path) -> None:
    async with scripted_engine(tmp_path) as scripted:
        scripted.provider.answers = [called(("call_1", "look", ["{}"]))]
        thread, assistant = await scripted.thread("hello")
        run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
        await scripted.settled(run["id"])
        path = f"/threads/{thread}/runs/{run['id']}"
    async with scripted_engine(tmp_path) as scripted:
        assert scripted.engine.runs.active_count == 1
        refused = await scripted.post(f"/threads/{thread}/runs", status=400, assistant_id=assistant)
        assert refused["error"]["message"] == f"Thread {thread} already has an active run {run['id']}."
        events = parsed((await scripted.http.get(f"{path}/events?after=5")).text)
        assert [name for name, _ in events] == [
            "thread.run.created",
            "thread.run.queued",
            "thread.run.in_progress",
            "thread.run.step.created",
            "thread.run.step.in_progress",
            "thread.run.step.delta",
            "thread.run.requires_action",
            "done",
        ]
        scripted.provider.answers = [said("Blue.")]
        outputs = [{"tool_call_id": "call_1", "output": "blue"}]
        names = await scripted.names(f"{path}/submit_tool_outputs", tool_outputs=outputs)
        assert (names[0], names[-2:]) == ("thread.run.step.completed", ["thread.run.completed", "done"])
        ended_run = await scripted.get(path)
        assert ended_run["usage"] == {"prompt_tokens": 14, "completion_tokens": 6, "total_tokens": 20}


async def test_a_run_that_waited_past_its_time_expires_in_the_next_engine(tmp_path: Path) -> None:
    clock = Clock()
    async with scripted_engine(tmp_path, clock=clock) as scripted:
        scripted.provider.answers = [called(("call_1", "look", ["{}"]))]
        thread, assistant = await scripted.thread("hello")
        run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
        await scripted.settled(run["id"])
    clock.time += 601
    async with scripted_engine(tmp_path, clock=clock) as scripted:
        await until(lambda: scripted.engine.runs.active_count == 0)
        found = await scripted.run_of(thread, run["id"])
        assert (found["status"], found["expires_at"]) == ("expired", 1_700_000_600)


def spoil(directory: Path, rows: str) -> None:
    """Let rows of the store be unreadable, and the next start save what is left."""
    with closing(sqlite3.connect(directory / "engine.db")) as c, c:
        assert c.execute(f"UPDATE {rows}").rowcount == 1
    damage_mark(directory / "engine.db").touch()


@pytest.mark.parametrize(
    ("lost", "left"),
    [
        ("messages SET body = '{' WHERE run_id IS NOT NULL", ("failed", [], ["failed"])),
        ("steps SET body = '{'", ("failed", TEXT_KEPT, [])),
    ],
)
async def test_a_run_of_which_a_part_is_lost_has_failed(tmp_path: Path, lost: str, left: Any) -> None:
    path = await left_mid_run(tmp_path, Text("so"), asyncio.Event())
    spoil(tmp_path, lost)
    async with scripted_engine(tmp_path) as scripted:
        run, messages, steps = await ended(scripted, path)
    assert (run["status"], messages, steps) == left


async def test_a_message_whose_run_is_lost_has_ended(tmp_path: Path) -> None:
    path = await left_mid_run(tmp_path, Text("so"), asyncio.Event())
    spoil(tmp_path, "runs SET body = '{'")
    async with scripted_engine(tmp_path) as scripted:
        (message, _) = (await scripted.get(f"{path.partition('/runs/')[0]}/messages"))["data"]
    assert (message["status"], message["incomplete_details"]) == ("incomplete", {"reason": "run_failed"})


async def test_a_run_that_is_not_as_it_should_be_fails_by_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = await left_mid_run(tmp_path, Text("so"), asyncio.Event())
    with closing(sqlite3.connect(tmp_path / "engine.db")) as c, c:
        c.execute("UPDATE steps SET body = json_remove(body, '$.step_details')")
    async with scripted_engine(tmp_path) as scripted:
        run = await scripted.get(path)
        assert scripted.engine.runs.active_count == 0
    assert (run["status"], run["last_error"]["message"]) == ("failed", "the engine stopped")
    assert "for a reason nobody foresaw" in caplog.text
