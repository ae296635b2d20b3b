"""What a thread's earlier runs did with tools, for the prompt of its next one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from playground_tui.engine.store.tables import runs, steps


def tool_steps(c: Connection, thread_id: str) -> list[dict[str, Any]]:
    """The tool_calls steps of all runs of the thread, oldest first."""
    made = select(steps.c.body).join(runs, runs.c.id == steps.c.run_id).where(runs.c.thread_id == thread_id)
    called = made.where(steps.c.body["type"].as_string() == "tool_calls")
    return list(c.execute(called.order_by(steps.c.seq)).scalars())
