"""What becomes of the runs that an engine left active when it stopped."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from playground_tui.engine.runs.endings import Event, end_run, kept_usage
from playground_tui.engine.runs.replay import stored_events
from playground_tui.engine.runs.states import CANCELLED, STOPPED
from playground_tui.engine.store import runs

Waiting = tuple[dict[str, Any], list[Event]]


def end_abandoned(c: Connection, *, now: int) -> list[Waiting]:
    """End every run that nobody works on any longer: what was being cancelled is cancelled, the rest has failed.

    Text that was kept stays, as an incomplete message. Runs that wait for tool outputs go on waiting: they are
    returned with their events so far.
    """
    waiting: list[Waiting] = []
    for run in runs.all_active(c):
        if run["status"] == "requires_action":
            waiting.append((run, stored_events(c, run)))
        else:
            ending = CANCELLED if run["status"] == "cancelling" else STOPPED
            end_run(c, run["id"], ending, now=now, usage=kept_usage(run))
    return waiting
