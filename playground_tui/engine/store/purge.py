"""The end of what was deleted."""

from __future__ import annotations

from sqlalchemy import Connection, delete

from playground_tui.engine.store.tables import (
    assistants,
    files,
    messages,
    threads,
    uploads,
    vector_store_files,
    vector_stores,
)

_DELETABLE = (threads, messages, assistants, files, vector_store_files, vector_stores)
KEPT = 30 * 24 * 3600
"""Seconds for which a deleted object can be restored."""


def times(deleted_at: int) -> dict[str, int]:
    """When an object was deleted and when it is purged, as a list of deleted objects tells it (Unix seconds)."""
    return {"deleted_at": deleted_at, "purge_at": deleted_at + KEPT}


def purge(c: Connection, before: int) -> int:
    """Remove for good what was deleted before this time (Unix seconds); returns how many objects.

    A thread takes its messages, runs and steps with it, an assistant its versions. Uploads that ended go too, and what
    was taken out of vector stores.
    """
    deleted = [delete(table).where(table.c.deleted_at < before) for table in _DELETABLE]
    ended = delete(uploads).where(uploads.c.expires_at < before, uploads.c.status != "pending")
    return sum(c.execute(statement).rowcount for statement in [*deleted, ended])
