"""A store that cannot be written: each request is told why, whoever watches hears of it, and it mends by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from playground_tui.engine.providers.base import Finished, Text
from playground_tui.engine.runs.live import LiveRun
from playground_tui.engine.runs.states import Ending
from playground_tui.engine.store import health as health_module
from playground_tui.engine.store.failures import StoreFailed, failure_of
from playground_tui.engine.store.opening import damage_mark
from tests.engine.test_runs_endings import begin, outcome, run_id
from tests.support.engine import RunningEngine
from tests.support.scripted import ScriptedEngine, scripted_engine
from tests.support.wait import until

FULL = "The engine cannot use its database: the disk is full."


@pytest.fixture
async def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ScriptedEngine]:
    monkeypatch.setattr("playground_tui.engine.runs.closing.RETRY_SECONDS", (0.01,))
    async with scripted_engine(tmp_path) as engine:
        yield engine


async def fill(engine: Any) -> None:
    """From now on the database cannot grow: SQLite answers as on a full disk."""
    await engine.database.write(lambda c: c.exec_driver_sql("PRAGMA max_page_count = 1").scalar())


async def make_room(engine: Any) -> None:
    loop = asyncio.get_running_loop()

    def grow() -> None:
        connection = engine.database._writing.raw_connection()
        connection.driver_connection.execute("PRAGMA max_page_count = 1000000")
        connection.close()

    await loop.run_in_executor(engine.database._writer, grow)


async def test_what_cannot_be_kept_is_refused_with_the_reason(
    engine: RunningEngine, api: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_module, "RETRY_SECONDS", 0.01)
    made = (await api.post("/assistants", json={"model": "rehearsal/echo"})).json()
    before = engine.engine.changes.last
    await fill(engine.engine)
    refused = await api.post(f"/assistants/{made['id']}", json={"instructions": "long " * 20_000})
    assert refused.status_code == 507
    assert refused.headers["x-should-retry"] == "false"
    assert refused.json()["error"] == {"message": FULL, "type": "server_error", "param": None, "code": "store_failed"}
    assert (await api.get(f"/assistants/{made['id']}")).json() == made
    assert engine.server.health.problem in {FULL, ""}  # a write that needs no room may have gone through
    assert engine.engine.changes.last > before
    await make_room(engine.engine)
    await until(lambda: engine.server.health.problem == "")
    assert (await api.post(f"/assistants/{made['id']}", json={"name": "later"})).status_code == 200


async def test_a_run_under_way_ends_with_words_and_its_text_kept(scripted: ScriptedEngine) -> None:
    goes_on = asyncio.Event()
    path = await begin(scripted, Text("so far"), goes_on, Text(" and a long rest" * 5000), Finished("stop"))
    await until(lambda: scripted.engine.runs.newest_event(run_id(path)) == 8)
    await fill(scripted.engine)
    goes_on.set()
    events = [event async for event in scripted.follow(run_id(path))]
    assert [event.name for event in events[-2:]] == ["error", "done"]
    await make_room(scripted.engine)
    await until(lambda: scripted.engine.runs.active_count == 0)
    left = await outcome(scripted, path)
    assert left["messages"][0][2].startswith("so far and a long rest")
    assert left["run"]["status"] in {"completed", "failed"}


async def test_a_run_ends_though_its_end_fails_once_for_a_reason_nobody_foresaw(
    scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_end, failures = LiveRun.record_end, [RuntimeError("nobody foresaw this")]

    async def fails_once(live: LiveRun, ending: Ending) -> None:
        if failures:
            raise failures.pop()
        await record_end(live, ending)

    monkeypatch.setattr(LiveRun, "record_end", fails_once)
    path = await begin(scripted, Text("so"), Finished("stop"))
    await until(lambda: scripted.engine.runs.active_count == 0)
    assert (await scripted.get(path))["status"] == "completed"


async def test_a_run_ends_whose_message_is_lost_while_it_is_written(scripted: ScriptedEngine) -> None:
    goes_on = asyncio.Event()
    path = await begin(scripted, Text("so"), goes_on, Finished("stop"))
    await until(lambda: scripted.engine.runs.newest_event(run_id(path)) == 8)
    lost = "DELETE FROM messages WHERE run_id IS NOT NULL"
    assert await scripted.engine.database.write(lambda c: c.exec_driver_sql(lost).rowcount) == 1
    goes_on.set()
    await until(lambda: scripted.engine.runs.active_count == 0)
    assert (await scripted.get(path))["status"] == "completed"


async def test_damage_that_is_met_ends_the_engine_for_the_next_one_to_mend(
    engine: RunningEngine, api: httpx2.AsyncClient
) -> None:
    made = (await api.post("/assistants", json={"model": "rehearsal/echo"})).json()
    await engine.engine.database.write(lambda c: c.exec_driver_sql("UPDATE assistants SET body = '{'").rowcount)
    failed = await api.get(f"/assistants/{made['id']}")
    assert failed.status_code == 507 and "is damaged (an entry cannot be read)" in failed.json()["error"]["message"]
    assert engine.server.stopping.is_set()
    assert damage_mark(engine.engine.database.path).exists()


async def test_damage_that_sql_meets_is_damage(scripted: ScriptedEngine) -> None:
    thread, assistant = await scripted.thread("hello")
    await scripted.engine.database.write(lambda c: c.exec_driver_sql("UPDATE messages SET body = '{'").rowcount)
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
    await scripted.settled(run["id"])
    error = (await scripted.run_of(thread, run["id"]))["last_error"]
    assert "is damaged (malformed JSON)" in error["message"]
    assert scripted.server.stopping.is_set()
    assert damage_mark(scripted.engine.database.path).exists()


def test_what_is_no_trouble_of_the_disk_is_none() -> None:
    path = Path("/x/engine.db")
    assert failure_of(IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE")), path) is None
    assert failure_of(ValueError("of the program"), path) is None
    with pytest.raises(sqlite3.OperationalError) as refused, closing(sqlite3.connect(":memory:")) as c:
        c.execute("SELECT * FROM x")
    assert failure_of(OperationalError("SELECT", {}, refused.value), path) is None
    unknown = failure_of(OperationalError("SELECT", {}, sqlite3.OperationalError("out of memory")), path)
    assert str(unknown) == "The engine cannot use its database: out of memory."
    undecodable = failure_of(sqlite3.OperationalError("Could not decode to UTF-8 column 'body'"), path)
    assert isinstance(undecodable, StoreFailed) and undecodable.cause == "damaged"
