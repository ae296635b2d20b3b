"""The end of a run is stored, however often the store fails before."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from playground_tui.engine.runs.live import LiveRun
from playground_tui.engine.runs.states import Ending
from playground_tui.engine.store.failures import StoreFailed

RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Pauses between attempts to store the end of a run when the store fails; the last is repeated."""

_log = logging.getLogger(__name__)


async def store_end(live: LiveRun, ending: Ending, stopping: asyncio.Event) -> bool:
    """Try until the end is stored; False if the engine stopped before."""
    attempt = 0
    while not await _stored(live, ending):
        if stopping.is_set():
            return False
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
        attempt += 1
    return True


async def _stored(live: LiveRun, ending: Ending) -> bool:
    try:
        await live.record_end(ending)
    except (StoreFailed, SQLAlchemyError, OSError) as error:
        _log.error("The end of run %s could not be stored: %s", live.id, error)
    except Exception:  # noqa: BLE001 - what nobody foresaw is caught here
        _log.exception("The end of run %s could not be stored for a reason nobody foresaw", live.id)
    else:
        return True
    live.tell_store_failed()
    return False
