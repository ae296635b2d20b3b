"""Whether the store works: what is wrong with it is told until a write succeeds, which is tried again and again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import Connection

from playground_tui.engine.store.database import Database
from playground_tui.engine.store.failures import StoreFailed

RETRY_SECONDS = 2.0
"""Seconds between two attempts to write to a store that failed."""
_log = logging.getLogger(__name__)


class StoreHealth:
    """It belongs to the event loop's thread.

    `on_change` is called when the problem is another one or over, `on_damage` when something in the file is broken.
    """

    def __init__(self, database: Database, on_change: Callable[[], None], on_damage: Callable[[], None]):
        self._failure = ""
        self._outside = ""
        self._database = database
        self._on_change = on_change
        self._on_damage = on_damage
        self._mending: asyncio.Task[None] | None = None
        database.on_outcome = self._note

    @property
    def problem(self) -> str:
        """What is wrong, in a sentence, "" when nothing is."""
        return self._outside or self._failure

    def say_outside(self, problem: str) -> None:
        """What is wrong with the place the store is in; "" when nothing is any more."""
        before, self._outside = self.problem, problem
        self._told(before)

    def _told(self, before: str) -> None:
        if self.problem == before:
            return
        if self.problem:
            _log.error("%s", self.problem)
        else:
            _log.warning("the store works again")
        self._on_change()

    async def stop(self) -> None:
        """No more attempts."""
        if self._mending is not None:
            self._mending.cancel()
            with suppress(asyncio.CancelledError):
                await self._mending

    def _note(self, failure: StoreFailed | None) -> None:
        before, self._failure = self.problem, str(failure or "")
        self._told(before)
        if failure is None:
            return
        if failure.cause == "damaged":
            self._on_damage()
        elif self._mending is None or self._mending.done():
            self._mending = asyncio.create_task(self._mend(), name="store works again")

    async def _mend(self) -> None:
        while self._failure:
            await asyncio.sleep(RETRY_SECONDS)
            with suppress(StoreFailed):
                await self._database.write(_write_something)


def _write_something(c: Connection) -> None:
    """A write that changes nothing but must reach the disk."""
    version = c.exec_driver_sql("PRAGMA user_version").scalar_one()
    c.exec_driver_sql(f"PRAGMA user_version = {version}")
