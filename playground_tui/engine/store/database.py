"""The database file: one writer thread, a few readers, and what becomes of a failure of either."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from playground_tui.engine.store.failures import StoreFailed, failure_of

T = TypeVar("T")
Journal = Literal["WAL", "DELETE"]

_READERS = 3
_BUSY_MILLISECONDS = 5000
_JOURNAL_BYTES = 16 * 1024 * 1024
_PAGES_AT_ONCE = 1000


class Database:
    """The engine's database at `path`, which is there and up to date: see `store.opening`.

    Functions given to `read` and `write` run in threads and take a connection. `on_outcome` is called in the event
    loop's thread after each of them: with None after a write that was done, with the failure after one that was not.
    """

    def __init__(self, path: Path, journal: Journal):
        """All connections are made now: one that is made later would not find a file that was removed meanwhile, while
        those that are open keep it. Raises SQLAlchemyError, sqlite3.Error."""
        self.path = path
        self.on_outcome: Callable[[StoreFailed | None], None] = _ignore
        self._reading = sql_engine(path, journal, begin="BEGIN", connections=_READERS)
        self._writing = sql_engine(path, journal, begin="BEGIN IMMEDIATE", connections=1)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    def _connect(self) -> None:
        with ExitStack() as stack:
            for engine, connections in ((self._writing, 1), (self._reading, _READERS)):
                for _ in range(connections):
                    stack.enter_context(engine.connect())
        self._is = _identity(self.path)

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Call `fn` in a reader's thread, within one snapshot of the database. Raises StoreFailed."""
        return await self._done(self._readers, self._reading, fn)

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Call `fn` in the writer's thread as one transaction; what it raises undoes it. Raises StoreFailed.

        Once begun it ends, also when the caller is cancelled meanwhile.
        """
        done = await self._done(self._writer, self._writing, fn)
        self.on_outcome(None)
        return done

    async def _done(self, threads: ThreadPoolExecutor, engine: Engine, fn: Callable[[Connection], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, self._within, engine, fn)
        except StoreFailed as failure:
            self.on_outcome(failure)
            raise

    def _within(self, engine: Engine, fn: Callable[[Connection], T]) -> T:
        with _told(self.path), engine.begin() as connection:
            return fn(connection)

    def is_here(self) -> bool:
        """Whether the file in use is still the one at `path`."""
        return self._is is not None and _identity(self.path) == self._is

    async def put_back(self) -> None:
        """Make the file at `path` again from what is open, and go on with that one. Raises OSError, StoreFailed."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self._put_back)

    def _put_back(self) -> None:
        new = self.path.with_name(f"{self.path.name}.new")
        try:
            self._copy_to(new)
            new.replace(self.path)
        finally:
            new.unlink(missing_ok=True)
        self._writing.dispose()
        self._reading.dispose()
        with _told(self.path):
            self._connect()

    async def write_copy(self, target: Path) -> None:
        """Write everything that is open into a new file, mode 0600. Raises OSError, StoreFailed."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self._copy_to, target)

    def _copy_to(self, target: Path) -> None:
        target.unlink(missing_ok=True)
        target.touch(mode=0o600)
        with _told(target), closing(sqlite3.connect(target)) as copy, closing(self._writing.raw_connection()) as own:
            source: sqlite3.Connection = own.driver_connection  # type: ignore[assignment]
            source.backup(copy, pages=_PAGES_AT_ONCE)

    def close(self) -> None:
        """Finish the writes under way and close the file."""
        self._writer.shutdown()
        self._readers.shutdown()
        self._reading.dispose()
        self._writing.dispose()


def _ignore(_outcome: StoreFailed | None) -> None:
    """For a database whose failures are told by what they raise alone."""


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Failures of the database at `path` become StoreFailed, those of the program stay what they are."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, json.JSONDecodeError) as error:
        failure = failure_of(error, path)
        if failure is None:
            raise
        raise failure from error


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def uri(path: Path, mode: Literal["ro", "rw"]) -> str:
    """What SQLite is given to open a file that is there, whatever letters its path has."""
    return f"file:{quote(os.fsencode(path))}?mode={mode}"


def sql_engine(path: Path, journal: Journal, *, begin: str, connections: int) -> Engine:
    """Connections to the database at `path`, whose transactions begin with the statement `begin`."""

    def connect() -> sqlite3.Connection:
        # mode=rw: never makes an empty database in the place of one that has gone.
        return sqlite3.connect(uri(path, "rw"), uri=True, check_same_thread=False, isolation_level=None)

    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        json_serializer=partial(json.dumps, separators=(",", ":")),
    )

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: Any) -> None:
        for pragma in (
            f"busy_timeout = {_BUSY_MILLISECONDS}",
            f"journal_mode = {journal}",
            "synchronous = NORMAL",
            "foreign_keys = ON",
            f"journal_size_limit = {_JOURNAL_BYTES}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
