"""Versions: every state an assistant has had, with when and from which client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, select

from playground_tui.engine.objects import new_id, version_object
from playground_tui.engine.store.paging import Page, page_rows
from playground_tui.engine.store.tables import assistants, versions
from playground_tui.engine.store.unknown import Unknown

Action = Literal["created", "modified", "deleted", "restored"]


def keep(c: Connection, assistant: Mapping[str, Any], *, at: int, client: str, action: Action) -> None:
    """Keep the assistant as it now is. Called by every write of it, in the same transaction."""
    values = {"id": new_id("asstver"), "assistant_id": assistant["id"], "created_at": at}
    c.execute(insert(versions).values(**values, action=action, client=client, body=dict(assistant)))


def list_versions(c: Connection, assistant_id: str, page: Page) -> tuple[list[dict[str, Any]], bool]:
    """A page of versions, also of a deleted assistant, and whether there are more. Raises Unknown, UnknownCursor."""
    if c.execute(select(assistants.c.seq).where(assistants.c.id == assistant_id)).first() is None:
        raise Unknown("assistant", assistant_id)
    mine = versions.c.assistant_id == assistant_id
    rows, more = page_rows(c, select(versions).where(mine), page, versions, mine)
    return [_object(row) for row in rows], more


def _object(row: Row[Any]) -> dict[str, Any]:
    return version_object(
        version_id=row.id, created_at=row.created_at, action=row.action, client=row.client, assistant=row.body
    )
