"""File batches: files that were put into a vector store together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from playground_tui.engine.store import store_files
from playground_tui.engine.store.tables import batch_files, file_batches
from playground_tui.engine.store.unknown import Unknown


def add(c: Connection, batch_id: str, store_id: str, files: Sequence[store_files.Wanted], *, now: int) -> None:
    """Put files into a vector store as one batch. That the store and the files exist is the caller's to ask."""
    values = {"id": batch_id, "vector_store_id": store_id, "created_at": now, "cancelled": False}
    c.execute(insert(file_batches).values(values))
    seqs = store_files.add(c, store_id, files, now=now)
    c.execute(insert(batch_files), [{"batch_id": batch_id, "store_file": seq} for seq in seqs])


def require(c: Connection, store_id: str, batch_id: str) -> dict[str, Any]:
    """The batch as it is answered. Raises Unknown."""
    known = select(file_batches).where(file_batches.c.id == batch_id, file_batches.c.vector_store_id == store_id)
    row = c.execute(known).one_or_none()
    if row is None:
        raise Unknown("file batch", batch_id)
    count = store_files.count_batch(c, batch_id)
    return {
        "id": row.id,
        "object": "vector_store.files_batch",
        "created_at": row.created_at,
        "vector_store_id": store_id,
        "status": "cancelled" if row.cancelled else _status(count),
        "file_counts": count.file_counts,
    }


def _status(count: store_files.Count) -> store_files.Status:
    """A batch fails only if all of its files do."""
    total, failed = count.file_counts["total"], count.file_counts["failed"]
    return "failed" if total and failed == total else count.status


def cancel(c: Connection, store_id: str, batch_id: str) -> dict[str, Any]:
    """Cancel what is not indexed yet and return the batch; one that has ended stays as it is. Raises Unknown."""
    require(c, store_id, batch_id)
    if store_files.cancel_batch(c, batch_id):
        c.execute(update(file_batches).where(file_batches.c.id == batch_id).values(cancelled=True))
    return require(c, store_id, batch_id)
