"""What can still be read of a damaged database, put into a new one.

Row by row: those on broken pages, those whose texts or JSON cannot be read, and those that belong to a row that is lost
and cannot be made again are left out. What files are searched by is made again from the files.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy import Connection, func, select, update

from playground_tui.engine.store.database import sql_engine, uri
from playground_tui.engine.store.messages import first_message
from playground_tui.engine.store.tables import assistants, metadata, threads, versions
from playground_tui.engine.store.versions import Action
from playground_tui.engine.store.versions import keep as keep_version

Salvaged = dict[str, int]
"""How many rows were saved, by the name of their table."""

_COUNTED = ("assistants", "threads", "messages", "runs", "files", "vector_stores")
_MADE_AGAIN = {"chunks", "gone_chunks"}
_HELD = ("SQLITE_BUSY", "SQLITE_LOCKED")
_FARTHEST = 2**40
"""No table has as many rows: where the last one cannot be read, it is looked for up to here."""
_PARENTS = (
    # An assistant is in its versions too, and a thread is where its messages are.
    """INSERT INTO assistants(id, created_at, deleted_at, body)
        SELECT assistant_id, json_extract(body, '$.created_at'), iif(action = 'deleted', created_at, NULL), body
        FROM versions v WHERE seq = (SELECT max(seq) FROM versions w WHERE w.assistant_id = v.assistant_id)
        AND NOT EXISTS (SELECT 1 FROM assistants a WHERE a.id = v.assistant_id)""",
    """INSERT INTO threads(id, created_at, first_message, message_count, last_activity_at, body)
        SELECT thread_id, min(created_at), '', 0, max(created_at), json_object('id', thread_id, 'object', 'thread',
            'created_at', min(created_at), 'metadata', json_object(), 'tool_resources', json_object())
        FROM messages m WHERE NOT EXISTS (SELECT 1 FROM threads t WHERE t.id = m.thread_id) GROUP BY thread_id""",
)
_MEND = (
    # What counts other rows counts those that are left.
    """UPDATE threads SET message_count =
        (SELECT count(*) FROM messages m WHERE m.thread_id = threads.id AND m.deleted_at IS NULL)""",
    """INSERT OR IGNORE INTO thread_assistants(thread_id, assistant_id, position)
        SELECT thread_id, assistant_id, min(seq) FROM runs GROUP BY 1, 2""",
    # Nobody ends a message whose step or run is lost: it ends here.
    """UPDATE messages SET body = json_set(body, '$.status', 'incomplete', '$.incomplete_at', created_at,
            '$.incomplete_details', json_object('reason', 'run_failed'))
        WHERE json_extract(body, '$.status') = 'in_progress' AND NOT EXISTS (SELECT 1 FROM steps s
            WHERE s.run_id = messages.run_id AND json_extract(s.body, '$.status') = 'in_progress'
            AND json_extract(s.body, '$.step_details.message_creation.message_id') = messages.id)""",
    # What files are searched by is made again from them.
    """DELETE FROM vector_store_files WHERE status <> 'deleted'
        AND NOT EXISTS (SELECT 1 FROM files f WHERE f.id = vector_store_files.id AND f.deleted_at IS NULL)""",
    """UPDATE vector_store_files SET status = 'in_progress', usage_bytes = 0, embedder = NULL,
        body = json_set(body, '$.status', 'in_progress', '$.usage_bytes', 0) WHERE status = 'completed'""",
)


def copy_readable(damaged: Path, new: Path) -> None:
    """Copy what can be read of `damaged` into `new`, which has the same tables, empty.

    Raises sqlite3.Error when another program holds one of them, or the disk refuses `new`.
    """
    with (
        closing(sqlite3.connect(uri(damaged, "ro"), uri=True)) as source,
        closing(sqlite3.connect(new, isolation_level=None)) as target,
    ):
        source.text_factory = bytes
        target.execute("BEGIN IMMEDIATE")
        known = {str(name) for (name,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in metadata.sorted_tables:
            if table.name in known - _MADE_AGAIN:
                _copy(source, target, table.name)
        target.execute("COMMIT")


def mend(new: Path) -> Salvaged:
    """Make what was copied hold together again, in a database that is up to date; what there is now."""
    engine = sql_engine(new, "DELETE", begin="BEGIN IMMEDIATE", connections=1)
    try:
        with engine.begin() as c:
            for statement in _PARENTS:
                c.exec_driver_sql(statement)
            _drop_orphans(c)
            for statement in _MEND:
                c.exec_driver_sql(statement)
            _name_threads(c)
            _keep_versions(c)
            return {
                name: c.execute(select(func.count()).select_from(metadata.tables[name])).scalar_one()
                for name in _COUNTED
            }
    finally:
        engine.dispose()


def _drop_orphans(c: Connection) -> None:
    """Remove the rows that refer to rows that are not there, and then those that referred to them."""
    while orphans := c.exec_driver_sql("PRAGMA foreign_key_check").all():
        for table, rowid, *_ in orphans:
            c.exec_driver_sql(f"DELETE FROM {table} WHERE rowid = ?", (rowid,))  # noqa: S608 - a table of our own


def _name_threads(c: Connection) -> None:
    """List each thread with the first of the messages that are left."""
    for thread_id in c.execute(select(threads.c.id)).scalars().all():
        first = first_message(c, thread_id)
        c.execute(update(threads).where(threads.c.id == thread_id).values(first_message=first))


def _keep_versions(c: Connection) -> None:
    """An assistant is as its newest version has it: where that was lost, it becomes a version again."""
    for row in c.execute(select(assistants)).all():
        mine = versions.c.assistant_id == row.id
        newest = c.execute(select(versions).where(mine).order_by(versions.c.seq.desc()).limit(1)).one_or_none()
        deleted = row.deleted_at is not None
        if newest is None or newest.body != row.body or (newest.action == "deleted") != deleted:
            action: Action = "deleted" if deleted else "modified"
            before = newest.body if newest is not None else None
            at = row.deleted_at or row.created_at
            keep_version(c, row.body, at=at, client="saved from a damaged database", action=action, before=before)


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> None:
    """Copy the rows of a table that can be read."""
    columns = [(str(row[1]), str(row[2])) for row in target.execute(f"PRAGMA table_info({table})")]
    names, places = ", ".join(name for name, _ in columns), ", ".join("?" for _ in ("rowid", *columns))
    insert = f"INSERT OR IGNORE INTO {table}(rowid, {names}) VALUES ({places})"  # noqa: S608 - names of our own tables
    for rowid, *values in _rows(source, f"SELECT rowid, {names} FROM {table}"):  # noqa: S608
        with suppress(ValueError):
            row = [_value(value, kind) for value, (_, kind) in zip(values, columns, strict=True)]
            with suppress(sqlite3.IntegrityError):
                target.execute(insert, (rowid, *row))


def _value(value: object, kind: str) -> object:
    """A value as it is stored. Raises ValueError when it is not what its column holds."""
    if isinstance(value, bytes) and kind in {"TEXT", "JSON"}:
        text = value.decode()
        if kind == "JSON":
            json.loads(text)
        return text
    return value


def _rows(source: sqlite3.Connection, query: str) -> Iterator[tuple[int, *tuple[object, ...]]]:
    """The rows that can be read, in no order: around each broken place, from both sides."""
    after = -1
    while True:
        try:
            for row in source.execute(f"{query} WHERE rowid > ? ORDER BY rowid", (after,)):
                after = row[0]
                yield row
            return
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorname.startswith(_HELD):
                raise
        beyond = _next_readable(source, query, after)
        if beyond is None:
            return
        with suppress(sqlite3.DatabaseError):
            bounds = (beyond, after)
            yield from source.execute(f"{query} WHERE rowid < ? AND rowid > ? ORDER BY rowid DESC", bounds)
        after = beyond - 1


def _next_readable(source: sqlite3.Connection, query: str, after: int) -> int | None:
    """The number of a row that can be read behind a broken place, None when there is none."""
    step = 1
    while step < _FARTHEST:
        with suppress(sqlite3.DatabaseError):
            row = source.execute(f"{query} WHERE rowid > ? ORDER BY rowid LIMIT 1", (after + step,)).fetchone()
            return None if row is None else int(row[0])
        step *= 2
    return None
