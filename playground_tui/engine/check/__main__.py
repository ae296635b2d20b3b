"""`python -m playground_tui.engine.check --data DIR`: look at the store of a data directory while no engine runs.

Prints a JSON object: the report, or `{"error": "a sentence"}` with exit status 1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from playground_tui.engine.check.store import Report, check_store, check_words
from playground_tui.engine.lock import DataLock, LockHeld, journal_for
from playground_tui.engine.store.database import Database
from playground_tui.engine.store.failures import StoreError, words_of
from playground_tui.engine.store.opening import revision_of
from playground_tui.paths import Paths
from playground_tui.protocol import SCHEMA


def main(argv: Sequence[str] | None = None) -> int:
    """Check, print, and return the exit status: 0 when there is a report, whatever it says."""
    parser = argparse.ArgumentParser(prog="python -m playground_tui.engine.check", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="directory of the store")
    data: Path = parser.parse_args(argv).data
    try:
        answer = _locked(Paths(config=data, data=data, state=data, runtime=data))
    except LockHeld:
        answer = {"error": "An engine lives in this data directory."}
    except (OSError, sqlite3.Error, SQLAlchemyError, StoreError) as error:
        answer = {"error": f"The store cannot be read: {words_of(error)}"}
    sys.stdout.write(json.dumps(answer) + "\n")
    return int("error" in answer)


def _locked(paths: Paths) -> dict[str, Any]:
    """No engine begins meanwhile. An older store is left as it is: the engine that brings it up to date knows how."""
    if not paths.database.exists():
        return {"error": f"There is no store yet at {paths.database}."}
    lock = DataLock.of(paths)
    try:
        revision = revision_of(paths.database)
        if revision != SCHEMA:
            return {"error": f"The store is of schema {revision or 'none'}; start the engine to make it {SCHEMA}."}
        return asyncio.run(_report(paths)).plain()
    finally:
        lock.release()


async def _report(paths: Paths) -> Report:
    database = Database(paths.database, journal_for(paths.data))
    try:
        look = partial(check_store, directory=paths.database.with_name("files"), now=int(time.time()))
        report = await database.read(look)
        return report if report.findings else replace(report, findings=await database.write(check_words))
    finally:
        database.close()


if __name__ == "__main__":
    sys.exit(main())
