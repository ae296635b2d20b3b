"""The data directory while an engine lives in it: looked after, and made again when it was removed under its feet."""

from __future__ import annotations

import asyncio
import logging
import os

from playground_tui.address import EngineAddress
from playground_tui.engine.lock import DataLock, LockHeld
from playground_tui.engine.store.database import Database
from playground_tui.engine.store.failures import StoreFailed
from playground_tui.engine.store.opening import move_aside
from playground_tui.paths import Paths, private_directory, reason_of, set_aside

_log = logging.getLogger(__name__)


class Left(Exception):
    """The directory is not this engine's any longer."""


class Place:
    """The directory of `paths`, whose lock is held; `address` is what `engine.json` says there."""

    def __init__(self, paths: Paths, lock: DataLock, address: EngineAddress):
        self._paths = paths
        self._lock = lock
        self._address = address

    async def look(self, database: Database, *, in_use: bool) -> str:
        """Put back what is missing; what cannot be put back, in a sentence, "" when all is there.

        What was removed is put back for those who use it; while nobody does, whoever removed it meant it. Raises Left.
        """
        if self._lock.is_here() and database.is_here():
            self._say_where()
            return ""
        if not in_use or (self._lock.is_replaced() and not self._lock.is_removed()):
            raise Left
        if not self._lock.is_here() and not self._lock.is_removed():
            return (
                f"The data directory {self._paths.data} is out of reach: it was moved, or its disk taken away. "
                "The engine goes on with what it has open."
            )
        try:
            await self._put_back(database)
        except OSError as error:
            return f"The engine's data in {self._paths.data} was removed and is not written again: {reason_of(error)}."
        except StoreFailed as failure:
            return str(failure)
        return ""

    async def _put_back(self, database: Database) -> None:
        private_directory(self._paths.data)
        if not self._lock.is_here():
            await self._take_lock(database)
        if not database.is_here():
            await asyncio.to_thread(move_aside, database.path)
            await database.put_back()
        self._address.write(self._paths.engine_file)
        _log.warning("%s was removed: the store was written there again", self._paths.data)

    async def _take_lock(self, database: Database) -> None:
        """Own the directory again. When another engine was faster, what it cannot know is kept beside its store."""
        try:
            await asyncio.to_thread(self._lock.renew)
        except LockHeld:
            copy = self._paths.data / f"engine.left-by-{os.getpid()}.db"
            await database.write_copy(copy)
            _log.error("another engine lives in %s: what this one had is in %s", self._paths.data, copy)
            raise Left from None

    def _say_where(self) -> None:
        """Without `engine.json` the engine would hold the lock and be found by nobody."""
        written = EngineAddress.read(self._paths.engine_file)
        if written == self._address or (written is not None and written.is_elsewhere()):
            return
        try:
            if self._paths.engine_file.is_dir():
                set_aside(self._paths.engine_file)
            self._address.write(self._paths.engine_file)
        except OSError as error:
            _log.error("%s cannot be written: %s", self._paths.engine_file, reason_of(error))
