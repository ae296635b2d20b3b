"""What the database or the disk below it can fail with, in sentences for a person."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Literal

from sqlalchemy.exc import DBAPIError, OperationalError

Cause = Literal["disk", "damaged"]

_DISK = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_READONLY": "it is not writable",
    "SQLITE_PERM": "it is not writable",
    "SQLITE_IOERR": "the disk answers with errors",
    "SQLITE_CANTOPEN": "it cannot be opened",
    "SQLITE_BUSY": "another program has locked it",
    "SQLITE_LOCKED": "another program has locked it",
}
"""By what the names of SQLite's result codes begin with (https://sqlite.org/rescode.html): failures that pass."""
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_UNREADABLE = re.compile(r"Could not decode to UTF-8|malformed JSON$")
"""What is said of a text or of JSON that is broken, whatever the code."""
_OF_THE_PROGRAM = "SQLITE_ERROR"
"""A statement that SQLite does not take: no disk mends that."""


class StoreError(Exception):
    """The database cannot be used. `str(error)` is a sentence for a person."""


class NewerDatabase(StoreError):
    """A newer version of the program made the database: it is left untouched."""


class UnreadableDatabase(StoreError):
    """The file cannot be read or written."""


class StoreFailed(StoreError):
    """A read or a write failed, and nothing of it was done.

    `cause` is `disk` (it works again as soon as the disk does) or `damaged` (what is in the file is broken).
    """

    def __init__(self, sentence: str, cause: Cause):
        super().__init__(sentence)
        self.cause = cause


def failure_of(error: BaseException, path: Path) -> StoreFailed | None:
    """What an error met in a transaction on the database at `path` means; None when it is neither the disk's fault nor
    that of what is in the file."""
    if isinstance(error, json.JSONDecodeError):
        return damage(path, "an entry cannot be read")
    original = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(original, "sqlite_errorname", "")
    if name.startswith(_DAMAGED) or _UNREADABLE.match(str(original)):
        return damage(path, str(original))
    if name.startswith(_OF_THE_PROGRAM) or not isinstance(error, OperationalError | sqlite3.OperationalError):
        return None
    words = next((words for code, words in _DISK.items() if name.startswith(code)), str(original))
    return StoreFailed(f"The engine cannot use its database: {words}.", "disk")


def words_of(error: Exception) -> str:
    """What SQLite said, without the statement that SQLAlchemy repeats."""
    return str(error.orig if isinstance(error, DBAPIError) else error)


def damage(path: Path, what: str) -> StoreFailed:
    """The failure of a database with something broken in it."""
    return StoreFailed(f"The engine's database {path} is damaged ({what}).", "damaged")
