"""What becomes of the runs that an engine left active when it stopped."""

from __future__ import annotations

import json
import logging
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from playground_tui.engine.providers.base import Usage
from playground_tui.engine.runs.endings import Event, end_run, kept_usage
from playground_tui.engine.runs.replay import stored_events
from playground_tui.engine.runs.states import CANCELLED, STOPPED, run_ended, usage_object
from playground_tui.engine.store import runs

Waiting = tuple[dict[str, Any], list[Event]]

_log = logging.getLogger(__name__)


def end_abandoned(c: Connection, *, now: int) -> list[Waiting]:
    """End every run that nobody works on any longer: what was being cancelled is cancelled, the rest has failed.

    Text that was kept stays, as an incomplete message. Runs that wait for tool outputs go on waiting: they are
    returned with their events so far.

    A run that cannot be settled in the usual way fails by itself: one object that is not as it should be is no reason
    for an engine never to start again. What the database itself fails with is raised.
    """
    waiting: list[Waiting] = []
    for run in runs.all_active(c):
        try:
            with c.begin_nested():
                waiting += _settle(c, run, now)
        except (SQLAlchemyError, json.JSONDecodeError):
            raise
        except Exception:  # noqa: BLE001 - what nobody foresaw is caught here
            _log.exception("Run %s could not be settled for a reason nobody foresaw: it has failed", run["id"])
            runs.update(c, run["id"], run_ended(STOPPED, now, usage_object(Usage(0, 0))))
    return waiting


def _settle(c: Connection, run: dict[str, Any], now: int) -> list[Waiting]:
    if run["status"] == "requires_action":
        return [(run, stored_events(c, run))]
    ending = CANCELLED if run["status"] == "cancelling" else STOPPED
    end_run(c, run["id"], ending, now=now, usage=kept_usage(run))
    return []
