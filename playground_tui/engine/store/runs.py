"""Runs of a thread. The database itself keeps a thread from having two active ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy import insert as insert_into
from sqlalchemy import update as update_table

from playground_tui.engine.store import threads
from playground_tui.engine.store.paging import Page, page_rows
from playground_tui.engine.store.tables import ACTIVE_STATUSES, IS_ACTIVE, runs
from playground_tui.engine.store.unknown import Unknown

# Built once: building a statement takes longer than running it.
_FIND = select(runs.c.body).where(runs.c.id == bindparam("run"))
_GET = _FIND.where(runs.c.thread_id == bindparam("thread"))
_ACTIVE = select(runs.c.body).where(runs.c.thread_id == bindparam("thread"), IS_ACTIVE)
_INSERT = insert_into(runs)
_UPDATE = (
    update_table(runs).where(runs.c.id == bindparam("run")).values(status=bindparam("status"), body=bindparam("body"))
)


class ActiveRun(Exception):
    """The thread has an active run already. `str(error)` is the contract's sentence."""

    def __init__(self, thread_id: str, run_id: str):
        super().__init__(f"Thread {thread_id} already has an active run {run_id}.")


def insert(c: Connection, run: Mapping[str, Any]) -> None:
    """Store a new run and note its assistant in the thread. Raises ActiveRun."""
    thread_id, assistant_id, at = run["thread_id"], run["assistant_id"], run["created_at"]
    other = active(c, thread_id)
    if other is not None and run["status"] in ACTIVE_STATUSES:
        raise ActiveRun(thread_id, other["id"])
    columns = {key: run[key] for key in ("id", "thread_id", "assistant_id", "status", "created_at")}
    c.execute(_INSERT, {**columns, "body": dict(run)})
    threads.note_run(c, thread_id, assistant_id, at=at)


def get(c: Connection, thread_id: str, run_id: str) -> dict[str, Any] | None:
    """The run, or None if the thread has none of this id."""
    return c.execute(_GET, {"run": run_id, "thread": thread_id}).scalar_one_or_none()


def require(c: Connection, thread_id: str, run_id: str) -> dict[str, Any]:
    """The run. Raises Unknown for the thread or the run."""
    threads.require(c, thread_id)
    run = get(c, thread_id, run_id)
    if run is None:
        raise Unknown("run", run_id)
    return run


def find(c: Connection, run_id: str) -> dict[str, Any] | None:
    """The run in whatever thread, or None."""
    return c.execute(_FIND, {"run": run_id}).scalar_one_or_none()


def active(c: Connection, thread_id: str) -> dict[str, Any] | None:
    """The thread's active run, or None."""
    return c.execute(_ACTIVE, {"thread": thread_id}).scalar_one_or_none()


def all_active(c: Connection) -> list[dict[str, Any]]:
    """The active runs of all threads, oldest first."""
    query = select(runs.c.body).where(IS_ACTIVE).order_by(runs.c.seq)
    return list(c.execute(query).scalars())


def update(c: Connection, run_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Put `changes` over the run and return it. Raises Unknown."""
    before = find(c, run_id)
    if before is None:
        raise Unknown("run", run_id)
    run = {**before, **changes}
    c.execute(_UPDATE, {"run": run_id, "status": run["status"], "body": run})
    return run


def list_runs(c: Connection, thread_id: str, page: Page) -> tuple[list[dict[str, Any]], bool]:
    """A page of the thread's runs, and whether there are more. Raises UnknownCursor."""
    here = runs.c.thread_id == thread_id
    rows, more = page_rows(c, select(runs.c.body).where(here), page, runs, here)
    return [row.body for row in rows], more
