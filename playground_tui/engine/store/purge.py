"""The end of what was deleted."""

from __future__ import annotations

from sqlalchemy import Connection, delete

from playground_tui.engine.store.tables import assistants, messages, threads

KEPT = 30 * 24 * 3600
"""Seconds for which a deleted object can be restored."""


def purge(c: Connection, before: int) -> int:
    """Remove for good what was deleted before this time (Unix seconds); returns how many objects.

    A thread takes its messages, runs and steps with it, an assistant its versions.
    """
    ended = (delete(table).where(table.c.deleted_at < before) for table in (threads, messages, assistants))
    return sum(c.execute(statement).rowcount for statement in ended)
