"""Assistants. Every write keeps a version in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy import insert as insert_into
from sqlalchemy import update as update_table

from playground_tui.engine.store import purge, versions
from playground_tui.engine.store.paging import Page, page_rows
from playground_tui.engine.store.tables import assistants
from playground_tui.engine.store.unknown import Unknown

_LIVING = assistants.c.deleted_at.is_(None)


def insert(c: Connection, assistant: Mapping[str, Any], *, client: str = "") -> None:
    """Store a new assistant. `client` is the label of the program that made it."""
    c.execute(
        insert_into(assistants).values(id=assistant["id"], created_at=assistant["created_at"], body=dict(assistant))
    )
    versions.keep(c, assistant, at=assistant["created_at"], client=client, action="created")


def get(c: Connection, assistant_id: str) -> dict[str, Any] | None:
    """The assistant, or None if there is none or it was deleted."""
    return c.execute(select(assistants.c.body).where(assistants.c.id == assistant_id, _LIVING)).scalar_one_or_none()


def update(
    c: Connection, assistant_id: str, changes: Mapping[str, Any], *, at: int, client: str = ""
) -> dict[str, Any]:
    """Put `changes` over the assistant and return it. What changes nothing leaves no version. Raises Unknown."""
    before = get(c, assistant_id)
    if before is None:
        raise Unknown("assistant", assistant_id)
    after = {**before, **changes}
    if after != before:
        c.execute(update_table(assistants).where(assistants.c.id == assistant_id).values(body=after))
        versions.keep(c, after, at=at, client=client, action="modified", before=before)
    return after


def delete(c: Connection, assistant_id: str, *, at: int, client: str = "") -> None:
    """Take the assistant out of sight; `restore` brings it back until it is purged. Raises Unknown."""
    assistant = get(c, assistant_id)
    if assistant is None:
        raise Unknown("assistant", assistant_id)
    c.execute(update_table(assistants).where(assistants.c.id == assistant_id).values(deleted_at=at))
    versions.keep(c, assistant, at=at, client=client, action="deleted")


def restore(c: Connection, assistant_id: str, *, at: int, client: str = "") -> dict[str, Any]:
    """Bring a deleted assistant back under its id; one that is not deleted stays as it is. Raises Unknown."""
    row = c.execute(
        select(assistants.c.body, assistants.c.deleted_at).where(assistants.c.id == assistant_id)
    ).one_or_none()
    if row is None:
        raise Unknown("assistant", assistant_id)
    if row.deleted_at is not None:
        c.execute(update_table(assistants).where(assistants.c.id == assistant_id).values(deleted_at=None))
        versions.keep(c, row.body, at=at, client=client, action="restored")
    body: dict[str, Any] = row.body
    return body


def all_assistants(c: Connection) -> list[dict[str, Any]]:
    """Every assistant, the newest first."""
    return list(c.execute(select(assistants.c.body).where(_LIVING).order_by(assistants.c.seq.desc())).scalars())


def list_deleted(c: Connection, page: Page) -> tuple[list[dict[str, Any]], bool]:
    """A page of the deleted assistants, last deleted first, and whether there are more. Raises UnknownCursor.

    Each has `deleted_at` and `purge_at`, when it goes for good.
    """
    deleted = assistants.c.deleted_at.is_not(None)
    query = select(assistants.c.body, assistants.c.deleted_at).where(deleted)
    rows, more = page_rows(c, query, page, assistants, deleted, key=(assistants.c.deleted_at, assistants.c.seq))
    return [{**row.body, **purge.times(row.deleted_at)} for row in rows], more


def list_assistants(c: Connection, page: Page) -> tuple[list[dict[str, Any]], bool]:
    """A page of assistants, and whether there are more. Raises UnknownCursor."""
    rows, more = page_rows(c, select(assistants.c.body).where(_LIVING), page, assistants)
    return [row.body for row in rows], more
