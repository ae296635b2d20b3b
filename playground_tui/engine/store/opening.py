"""Opening the database: made where there is none, brought up to date, and set aside where it is broken.

A database that a newer version made is left untouched. What is broken is never overwritten: it lies beside the new one
under a name with its date, and what could be read of it is in the new one.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from playground_tui.engine.store.database import Database, Journal, sql_engine, uri
from playground_tui.engine.store.failures import NewerDatabase, StoreFailed, UnreadableDatabase, failure_of
from playground_tui.engine.store.salvage import Salvaged, copy_readable, mend
from playground_tui.paths import is_usable, set_aside
from playground_tui.protocol import SCHEMA

LONGEST_CHECK = 1.0
"""Seconds that a start may look for broken pages; in a large database the rest is found when it is read."""
PATIENCE = 5.0
"""Seconds to wait for another program that holds the database."""
_STEPS = 10_000
_COMPANIONS = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Opened:
    """`notice` says what was broken and what became of it, in sentences; "" where nothing was.

    `is_new`: what lies beside the database may belong to another one, which is not there or set aside.
    """

    database: Database
    notice: str
    is_new: bool


def damage_mark(path: Path) -> Path:
    """The file that is there when the database was seen to be damaged; the next start makes a new one of it."""
    return path.with_name(f"{path.name}.damaged")


def open_store(path: Path, *, journal: Journal = "WAL") -> Opened:
    """Open the database at `path` (mode 0600), whatever lies there. `journal` is DELETE on a network filesystem.

    Raises NewerDatabase, UnreadableDatabase (the disk does not let it be read or written).
    """
    try:
        notices = _clear_the_way(path)
        is_new = not path.exists()
        if is_new and _saved(path).exists():
            notices.append(_taken_up(path))
        elif is_new:
            _make(path, SCHEMA)
        elif why := _what_is_wrong(path):
            notices.append(_renewed(path, why))
            is_new = True
        is_new |= _brought_up_to_date_or_renewed(path, journal, notices)
        database = Database(path, journal)
        damage_mark(path).unlink(missing_ok=True)
        _saved(path).unlink(missing_ok=True)
    except (OSError, sqlite3.Error, SQLAlchemyError, StoreFailed) as error:
        raise UnreadableDatabase(_unusable(path, error)) from error
    return Opened(database, " ".join(notices), is_new)


def _unusable(path: Path, error: Exception) -> str:
    failure = failure_of(error, path)
    if failure is not None:
        return f"{str(failure).removesuffix('.')} ({path})."
    return f"The database {path} cannot be used: {getattr(error, 'strerror', None) or error}."


def revision_of(path: Path) -> str:
    """The revision of a database's schema, "" where there is none. Reads alone. Raises sqlite3.Error."""
    with closing(_reading(path)) as connection:
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = known and connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(uri(path, "ro"), uri=True, timeout=PATIENCE)


# --- what is there


def _clear_the_way(path: Path) -> list[str]:
    """Set aside what is no file or another user's, in the database's place or those of its journals, and journals of a
    database that is not there, which would be taken for those of the next; what was done."""
    notices = []
    for place in (path, *(path.with_name(path.name + suffix) for suffix in _COMPANIONS)):
        # SQLite follows a link to a database, not one to a journal.
        if os.path.lexists(place) and not (is_usable(place, links=place == path) and path.exists()):
            notices.append(f"{place} could not be used: it was set aside as {move_aside(place).name}.")
    return notices


def move_aside(path: Path) -> Path:
    """Set a database aside, if one is there, with its journals: it can still be opened. Raises OSError."""
    target = set_aside(path) if os.path.lexists(path) else path
    for suffix in _COMPANIONS:
        companion = path.with_name(path.name + suffix)
        if target != path and os.path.lexists(companion):
            companion.rename(target.with_name(target.name + suffix))
    return target


def _what_is_wrong(path: Path) -> str:
    """Why the file is not to be used as it is, "" when it is sound. Raises NewerDatabase, and sqlite3.Error for the
    disk."""
    try:
        if not path.stat().st_size:
            return "it is empty"
        revision = revision_of(path)
        if revision > SCHEMA:
            raise NewerDatabase(
                f"The database {path} was made by a newer version of playground-tui (schema {revision}, this one knows"
                f" {SCHEMA}): install that version again, or use another data directory."
            )
        if not revision:
            return "it is not a database of this program"
        if damage_mark(path).exists():
            return "something in it could not be read"
        return _broken_pages(path)
    except sqlite3.Error as error:
        failure = failure_of(error, path)
        if failure is not None and failure.cause == "damaged":
            return str(error)
        raise


def _broken_pages(path: Path) -> str:
    """What SQLite finds wrong with the file in the time there is, "" when nothing."""
    end = time.monotonic() + LONGEST_CHECK
    with closing(_reading(path)) as connection:
        connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        try:
            words = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname == "SQLITE_INTERRUPT":
                return ""
            raise
    return "" if words == "ok" else " ".join(words.replace("*** in database main ***", "").split())


# --- what is made


def _make(path: Path, revision: str) -> None:
    """A new database of that revision at `path`, there whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    _make_at(new, revision)
    new.replace(path)


def _make_at(new: Path, revision: str) -> None:
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    _upgrade(new, revision)


def _renewed(path: Path, why: str) -> str:
    """Set the database aside and put what can be read of it into a new one in its place; what was done.

    Whenever this is cut off, the next start has the one or the other.
    """
    new = path.with_name(f"{path.name}.new")
    try:
        revision = revision_of(path) or SCHEMA
    except sqlite3.Error:
        revision = SCHEMA
    _make_at(new, revision)
    copy_readable(path, new)
    _bring_up_to_date(new, "DELETE")
    saved = mend(new)
    new.replace(_saved(path))
    target = move_aside(path)
    _saved(path).replace(path)
    return f"The database {path} was damaged ({why}): it was set aside as {target.name}. {_saved_words(saved)}"


def _saved(path: Path) -> Path:
    """What could be read of a damaged database, until it has taken its place."""
    return path.with_name(f"{path.name}.saved")


def _taken_up(path: Path) -> str:
    """Finish what an earlier start had begun: its damaged database is set aside, and what was saved of it is whole."""
    damage_mark(path).unlink(missing_ok=True)
    _saved(path).replace(path)
    return (
        f"The database {path} was damaged. The start that set it aside beside the new one was cut off; what could be "
        "read of it is in the new one."
    )


def _saved_words(saved: Salvaged) -> str:
    if not any(saved.values()):
        return "Nothing in it could be read: an empty one has taken its place."
    counted = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in saved.items() if count)
    return f"Saved from it into a new one: {counted}."


def _brought_up_to_date_or_renewed(path: Path, journal: Journal, notices: list[str]) -> bool:
    """Bring the schema up to date. Where that meets an entry that is broken, a new database is made: whether it was."""
    try:
        _bring_up_to_date(path, journal)
    except (json.JSONDecodeError, SQLAlchemyError) as error:
        failure = failure_of(error, path)
        if failure is None or failure.cause != "damaged":
            raise
        notices.append(_renewed(path, "something in it could not be read"))
        return True
    return False


def _bring_up_to_date(path: Path, journal: Journal) -> None:
    if revision_of(path) != SCHEMA:
        _upgrade(path, SCHEMA, journal)


def _upgrade(path: Path, revision: str, journal: Journal = "DELETE") -> None:
    from playground_tui.engine.store.migrate import upgrade  # noqa: PLC0415 - alembic is slow to import

    engine = sql_engine(path, journal, begin="BEGIN IMMEDIATE", connections=1)
    try:
        with engine.begin() as connection:
            upgrade(connection, revision)
    finally:
        engine.dispose()
