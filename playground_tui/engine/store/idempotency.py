"""Replies kept under the key their request came with, so that a request sent twice acts once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from playground_tui.engine.store.tables import replies

KEPT = 24 * 3600
"""Seconds for which a key is honoured."""


Keep = Callable[[Connection, Mapping[str, Any]], None]
"""Keeps a reply in the transaction that it tells of: whatever happens to the engine, a key acts once."""


def keep_nothing(_connection: Connection, _reply: Mapping[str, Any]) -> None:
    """The `Keep` of a request without a key."""


class KeyReused(Exception):
    """The key came before with another request."""


def find(c: Connection, key: str, path: str, digest: str, *, now: int) -> dict[str, Any] | None:
    """The reply kept for this key and path, or None. Raises KeyReused if the request's `digest` was another."""
    mine = (replies.c.key == key, replies.c.path == path, replies.c.created_at > now - KEPT)
    row = c.execute(select(replies.c.digest, replies.c.body).where(*mine)).one_or_none()
    if row is None:
        return None
    if row.digest != digest:
        raise KeyReused
    body: dict[str, Any] = row.body
    return body


def keep(c: Connection, key: str, path: str, digest: str, reply: Mapping[str, Any], *, now: int) -> None:
    """Keep the reply, and forget those that are too old."""
    c.execute(delete(replies).where(replies.c.created_at <= now - KEPT))
    c.execute(insert(replies).values(key=key, path=path, digest=digest, created_at=now, body=dict(reply)))
