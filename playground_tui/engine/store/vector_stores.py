"""Vector stores.

What an answer says of one is put together when it is read: how far its files are, and whether it has expired.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, select
from sqlalchemy import insert as insert_into
from sqlalchemy import update as update_table

from playground_tui.engine.store import store_files
from playground_tui.engine.store.paging import Page, page_rows
from playground_tui.engine.store.tables import file_batches, vector_stores
from playground_tui.engine.store.unknown import Unknown

DAY = 24 * 3600
_LIVING = vector_stores.c.deleted_at.is_(None)


class Expired(Exception):
    """The vector store has expired. `str(error)` is the sentence."""

    def __init__(self, store_id: str):
        super().__init__(
            f"Vector store {store_id} is expired. Make a new one of the same files, or change its expires_after."
        )


def insert(c: Connection, store: Mapping[str, Any]) -> None:
    """Store a new vector store: `id, object, created_at, name, metadata`, perhaps `description` and `expires_after`."""
    at = store["created_at"]
    values = {"id": store["id"], "created_at": at, "last_active_at": at, "expires_at": _expiry(store, at)}
    c.execute(insert_into(vector_stores).values(**values, body=dict(store)))


def _expiry(store: Mapping[str, Any], last_active_at: int) -> int | None:
    policy = store.get("expires_after")
    return last_active_at + policy["days"] * DAY if policy else None


def require(c: Connection, store_id: str, *, now: int) -> dict[str, Any]:
    """The vector store as it is answered. Raises Unknown."""
    return _shown(c, [_row(c, store_id)], now)[0]


def require_known(c: Connection, store_id: str) -> None:
    """Raises Unknown if there is no such vector store."""
    _row(c, store_id)


def require_usable(c: Connection, store_id: str, *, now: int) -> None:
    """Raises Unknown, and Expired if its time is over: nothing can be added to it nor found in it."""
    row = _row(c, store_id)
    if _is_over(row, now):
        raise Expired(store_id)


def usable(c: Connection, store_ids: Iterable[str], *, now: int) -> list[str]:
    """Those of these vector stores that are there and have not expired."""
    known = select(vector_stores).where(vector_stores.c.id.in_(list(store_ids)), _LIVING)
    return [row.id for row in c.execute(known) if not _is_over(row, now)]


def update(c: Connection, store_id: str, changes: Mapping[str, Any], *, now: int) -> dict[str, Any]:
    """Put `changes` over the vector store and return it as it is answered.

    A null `expires_after` takes the policy away. Raises Unknown.
    """
    row = _row(c, store_id)
    body = {**row.body, **changes}
    if body.get("expires_after", 0) is None:
        del body["expires_after"]
    values = {"body": body, "expires_at": _expiry(body, row.last_active_at)}
    c.execute(update_table(vector_stores).where(vector_stores.c.id == store_id).values(values))
    return require(c, store_id, now=now)


def touch(c: Connection, store_ids: Iterable[str], *, at: int) -> None:
    """Note that these vector stores were used at this time: from then on count the days until they expire.

    Those that are gone or have expired stay as they are.
    """
    for row in c.execute(select(vector_stores).where(vector_stores.c.id.in_(list(store_ids)), _LIVING)).all():
        if at > row.last_active_at and not _is_over(row, at):
            values = {"last_active_at": at, "expires_at": _expiry(row.body, at)}
            c.execute(update_table(vector_stores).where(vector_stores.c.seq == row.seq).values(values))


def remove(c: Connection, store_id: str, *, at: int) -> None:
    """Delete the vector store with what is in it; the files themselves stay. Raises Unknown."""
    _row(c, store_id)
    c.execute(delete(file_batches).where(file_batches.c.vector_store_id == store_id))
    store_files.clear(c, store_id)
    c.execute(update_table(vector_stores).where(vector_stores.c.id == store_id).values(deleted_at=at))


def list_stores(c: Connection, page: Page, *, now: int) -> tuple[list[dict[str, Any]], bool]:
    """A page of the vector stores as they are answered, and whether there are more. Raises UnknownCursor."""
    rows, more = page_rows(c, select(vector_stores).where(_LIVING), page, vector_stores)
    return _shown(c, rows, now), more


def _row(c: Connection, store_id: str) -> Row[Any]:
    row = c.execute(select(vector_stores).where(vector_stores.c.id == store_id, _LIVING)).one_or_none()
    if row is None:
        raise Unknown("vector store", store_id)
    return row


def _is_over(row: Row[Any], now: int) -> bool:
    return row.expires_at is not None and row.expires_at <= now


def _shown(c: Connection, rows: Sequence[Row[Any]], now: int) -> list[dict[str, Any]]:
    counts = store_files.count(c, [row.id for row in rows])
    return [_object(row, counts[row.id], now) for row in rows]


def _object(row: Row[Any], count: store_files.Count, now: int) -> dict[str, Any]:
    computed = {
        "status": "expired" if _is_over(row, now) else count.status,
        "usage_bytes": count.usage_bytes,
        "file_counts": count.file_counts,
        "last_active_at": row.last_active_at,
        "expires_at": row.expires_at,
    }
    return {**row.body, **computed}
