"""Steps of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy import insert as insert_into
from sqlalchemy import update as update_table

from playground_tui.engine.store.paging import Page, page_rows
from playground_tui.engine.store.tables import steps
from playground_tui.engine.store.unknown import Unknown

# Built once: building a statement takes longer than running it.
_FIND = select(steps.c.body).where(steps.c.id == bindparam("step"))
_GET = _FIND.where(steps.c.run_id == bindparam("run"))
_OF_RUN = select(steps.c.body).where(steps.c.run_id == bindparam("run")).order_by(steps.c.seq)
_INSERT = insert_into(steps)
_UPDATE = update_table(steps).where(steps.c.id == bindparam("step")).values(body=bindparam("body"))


def insert(c: Connection, step: Mapping[str, Any]) -> None:
    """Store a new step."""
    columns = {key: step[key] for key in ("id", "run_id", "created_at")}
    c.execute(_INSERT, {**columns, "body": dict(step)})


def get(c: Connection, run_id: str, step_id: str) -> dict[str, Any] | None:
    """The step, or None if the run has none of this id."""
    return c.execute(_GET, {"step": step_id, "run": run_id}).scalar_one_or_none()


def require(c: Connection, run_id: str, step_id: str) -> dict[str, Any]:
    """The step. Raises Unknown."""
    step = get(c, run_id, step_id)
    if step is None:
        raise Unknown("run step", step_id)
    return step


def update(c: Connection, step_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Put `changes` over the step and return it. Raises Unknown."""
    body = c.execute(_FIND, {"step": step_id}).scalar_one_or_none()
    if body is None:
        raise Unknown("run step", step_id)
    step: dict[str, Any] = {**body, **changes}
    c.execute(_UPDATE, {"step": step_id, "body": step})
    return step


def of_run(c: Connection, run_id: str) -> list[dict[str, Any]]:
    """All steps of the run, oldest first."""
    return list(c.execute(_OF_RUN, {"run": run_id}).scalars())


def list_steps(c: Connection, run_id: str, page: Page) -> tuple[list[dict[str, Any]], bool]:
    """A page of the run's steps, and whether there are more. Raises UnknownCursor."""
    here = steps.c.run_id == run_id
    rows, more = page_rows(c, select(steps.c.body).where(here), page, steps, here)
    return [row.body for row in rows], more
