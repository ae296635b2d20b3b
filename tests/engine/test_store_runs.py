"""Runs, steps, and replies kept by key."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection, insert
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError

from playground_tui.engine.objects import run_object, step_object, thread_object
from playground_tui.engine.store import idempotency, runs, steps, threads
from playground_tui.engine.store.database import Database
from playground_tui.engine.store.idempotency import KeyReused
from playground_tui.engine.store.paging import Page
from playground_tui.engine.store.runs import ActiveRun
from playground_tui.engine.store.tables import ACTIVE_STATUSES
from playground_tui.engine.store.tables import runs as runs_table
from playground_tui.engine.store.unknown import Unknown

ENDED = ("completed", "incomplete", "failed", "cancelled", "expired")


def a_run(name: str, *, thread: str = "t", status: str = "queued") -> dict[str, Any]:
    fields = {"assistant_id": "asst_1", "created_at": 10, "expires_at": 610, "model": "m"}
    return {**run_object(thread_id=thread, run_id=name, **fields), "status": status}


@pytest.fixture
async def thread(database: Database) -> Database:
    """A database with the threads "t" and "u"."""

    def fill(c: Connection) -> None:
        for name in ("t", "u"):
            threads.insert(c, thread_object(created_at=10, thread_id=name))

    await database.write(fill)
    return database


@pytest.mark.parametrize("status", ACTIVE_STATUSES)
async def test_an_active_run_keeps_others_out_of_its_thread(thread: Database, status: str) -> None:
    await thread.write(lambda c: runs.insert(c, a_run("r1", status=status)))
    with pytest.raises(ActiveRun, match="Thread t already has an active run r1") as raised:
        await thread.write(lambda c: runs.insert(c, a_run("r2")))
    assert str(raised.value) == "Thread t already has an active run r1."
    await thread.write(lambda c: runs.insert(c, a_run("r3", thread="u")))


@pytest.mark.parametrize("status", ENDED)
async def test_a_run_that_ended_leaves_its_thread_free(thread: Database, status: str) -> None:
    await thread.write(lambda c: runs.insert(c, a_run("r1")))
    await thread.write(lambda c: runs.update(c, "r1", {"status": status}))
    await thread.write(lambda c: runs.insert(c, a_run("r2")))
    active = await thread.read(lambda c: runs.active(c, "t"))
    assert active is not None
    assert active["id"] == "r2"


async def test_of_ten_that_race_one_gets_the_thread(thread: Database) -> None:
    attempts = [thread.write(lambda c, n=n: runs.insert(c, a_run(f"r{n}"))) for n in range(10)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert sum(isinstance(outcome, ActiveRun) for outcome in outcomes) == 9


async def test_the_database_itself_refuses_a_second_active_run(thread: Database) -> None:
    def put(c: Connection, name: str) -> None:
        run = a_run(name)
        columns = {key: run[key] for key in ("id", "thread_id", "assistant_id", "status", "created_at")}
        c.execute(insert(runs_table).values(**columns, body=run))

    await thread.write(lambda c: put(c, "r1"))
    with pytest.raises(IntegrityError):
        await thread.write(lambda c: put(c, "r2"))


async def test_an_active_run_is_found_without_reading_the_ended_ones(thread: Database) -> None:
    statement = str(runs._ACTIVE.compile(dialect=sqlite.dialect()))

    def plan(c: Connection) -> str:
        return str(c.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", ("t",)).all())

    assert "USING INDEX uq_runs_active" in await thread.read(plan)


async def test_a_run_is_found_in_its_thread_and_by_its_id(thread: Database) -> None:
    run = a_run("r1")
    await thread.write(lambda c: runs.insert(c, run))
    assert await thread.read(lambda c: runs.get(c, "t", "r1")) == run
    assert await thread.read(lambda c: runs.get(c, "u", "r1")) is None
    assert await thread.read(lambda c: runs.find(c, "r1")) == run
    assert await thread.read(lambda c: runs.find(c, "r2")) is None
    with pytest.raises(Unknown, match="No run found with id 'r2'"):
        await thread.write(lambda c: runs.update(c, "r2", {}))


async def test_recovery_sees_the_active_runs_of_all_threads(thread: Database) -> None:
    await thread.write(lambda c: runs.insert(c, a_run("r1", status="completed")))
    await thread.write(lambda c: runs.insert(c, a_run("r2", status="cancelling")))
    await thread.write(lambda c: runs.insert(c, a_run("r3", thread="u", status="requires_action")))
    assert [run["id"] for run in await thread.read(runs.all_active)] == ["r2", "r3"]


async def test_runs_are_listed_by_thread(thread: Database) -> None:
    for number, name in enumerate(("t", "u", "t")):
        run = a_run(f"r{number}", thread=name, status="completed")
        await thread.write(lambda c, run=run: runs.insert(c, run))
    items, more = await thread.read(lambda c: runs.list_runs(c, "t", Page()))
    assert ([item["id"] for item in items], more) == (["r2", "r0"], False)


async def test_steps_of_a_run(thread: Database) -> None:
    run = a_run("r1")
    creation = {"message_creation": {"message_id": "msg_1"}}
    made = [
        step_object(run=run, step_type="message_creation", step_details=creation, created_at=1),
        step_object(run=run, step_type="tool_calls", step_details={"tool_calls": []}, created_at=1),
    ]

    def fill(c: Connection) -> None:
        runs.insert(c, run)
        for step in made:
            steps.insert(c, step)

    await thread.write(fill)
    changed = await thread.write(lambda c: steps.update(c, made[0]["id"], {"status": "completed"}))
    assert changed == {**made[0], "status": "completed"}
    assert await thread.read(lambda c: steps.get(c, "r1", made[0]["id"])) == changed
    assert await thread.read(lambda c: steps.get(c, "r2", made[0]["id"])) is None
    assert await thread.read(lambda c: steps.of_run(c, "r1")) == [changed, made[1]]
    assert await thread.read(lambda c: steps.list_steps(c, "r1", Page(limit=1))) == ([made[1]], True)
    with pytest.raises(Unknown, match="No run step found with id 'step_x'"):
        await thread.write(lambda c: steps.update(c, "step_x", {}))


async def test_a_reply_is_kept_for_a_day(database: Database) -> None:
    place = ("key", "/v1/threads", "digest")
    await database.write(lambda c: idempotency.keep(c, *place, {"id": "t1"}, now=1000))
    last = 1000 + idempotency.KEPT - 1
    assert await database.read(lambda c: idempotency.find(c, *place, now=last)) == {"id": "t1"}
    assert await database.read(lambda c: idempotency.find(c, *place, now=last + 1)) is None
    assert await database.read(lambda c: idempotency.find(c, "key", "/v1/assistants", "digest", now=1000)) is None


async def test_a_key_can_be_used_anew_after_a_day(database: Database) -> None:
    place = ("key", "/v1/threads", "digest")
    await database.write(lambda c: idempotency.keep(c, *place, {"id": "t1"}, now=1000))
    await database.write(lambda c: idempotency.keep(c, *place, {"id": "t2"}, now=1000 + idempotency.KEPT))
    found = await database.read(lambda c: idempotency.find(c, *place, now=1000 + idempotency.KEPT))
    assert found == {"id": "t2"}


async def test_a_key_that_came_with_another_request_is_refused(database: Database) -> None:
    await database.write(lambda c: idempotency.keep(c, "key", "/p", "digest", {"id": "t1"}, now=1000))
    with pytest.raises(KeyReused):
        await database.read(lambda c: idempotency.find(c, "key", "/p", "other", now=1001))
