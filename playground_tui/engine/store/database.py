"""The database file: one writer thread, a few readers, and the schema brought up to date when it is opened."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from playground_tui.protocol import SCHEMA

T = TypeVar("T")
Journal = Literal["WAL", "DELETE"]

_READERS = 3
_BUSY_MILLISECONDS = 5000
_JOURNAL_BYTES = 16 * 1024 * 1024


class StoreError(Exception):
    """The database cannot be used. `str(error)` is a sentence for a person."""


class NewerDatabase(StoreError):
    """A newer version of the program made the database: it is left untouched."""


class UnreadableDatabase(StoreError):
    """The file is not a database, or it cannot be read or written."""


_BROKEN = ("file is not a database", "malformed")
"""What SQLite says of a file that no waiting and no room on the disk will mend."""


class Database:
    """The engine's database. Functions given to `read` and `write` run in threads and take a connection."""

    def __init__(self, path: Path, journal: Journal):
        self.path = path
        self._reading = _sql_engine(path, journal, begin="BEGIN", connections=_READERS)
        self._writing = _sql_engine(path, journal, begin="BEGIN IMMEDIATE", connections=1)
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-writer")

    @classmethod
    def open(cls, path: Path, *, journal: Journal = "WAL") -> Self:
        """Open or make the database at `path` (mode 0600) and bring its schema up to date.

        `journal` is DELETE on a network filesystem. Raises NewerDatabase, UnreadableDatabase.
        """
        try:
            revision = _prepare(path)
            database = cls(path, journal)
            if revision != SCHEMA:
                database._upgrade()
        except (OSError, sqlite3.Error, SQLAlchemyError) as error:
            broken = any(words in str(error) for words in _BROKEN)
            advice = " Move it elsewhere to begin with an empty one." if broken else ""
            raise UnreadableDatabase(f"The database {path} cannot be used: {error}.{advice}") from error
        return database

    def _upgrade(self) -> None:
        from playground_tui.engine.store.migrate import upgrade  # noqa: PLC0415 - alembic is slow to import

        with self._writing.begin() as connection:
            upgrade(connection, SCHEMA)

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Call `fn` in a reader's thread, within one snapshot of the database."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, _within, self._reading, fn)

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Call `fn` in the writer's thread as one transaction; what it raises undoes it.

        Once begun it ends, also when the caller is cancelled meanwhile.
        """
        return await asyncio.get_running_loop().run_in_executor(self._writer, _within, self._writing, fn)

    def close(self) -> None:
        """Finish the writes under way and close the file."""
        self._writer.shutdown()
        self._readers.shutdown()
        self._reading.dispose()
        self._writing.dispose()


def _within(engine: Engine, fn: Callable[[Connection], T]) -> T:
    with engine.begin() as connection:
        return fn(connection)


def _prepare(path: Path) -> str:
    """Make the file if there is none, and return the revision of its schema ("" for an empty one)."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    revision = revision_of(path)
    if revision > SCHEMA:
        raise NewerDatabase(
            f"The database {path} was made by a newer version of playground-tui (schema {revision}, this one knows"
            f" {SCHEMA}): install that version again, or use another data directory."
        )
    return revision


def revision_of(path: Path) -> str:
    """The revision of a database's schema, "" for an empty file. Raises sqlite3.Error."""
    with closing(sqlite3.connect(path)) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = known and connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else ""


def _sql_engine(path: Path, journal: Journal, *, begin: str, connections: int) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=os.fspath(path)),
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        connect_args={"check_same_thread": False, "isolation_level": None},
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
