"""Versions: every state an assistant has had, with when and from which client.

A version is never changed. An old one is restored by writing its fields as a new change of the assistant, which leaves
a version of its own. The versions of one assistant take up to `MOST_BYTES` (a thousand of the longest instructions
there may be); beyond that its oldest go, but never its newest `ALWAYS`. They stay while the assistant is deleted, and
go when it is purged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, delete, func, insert, select

from playground_tui.engine.objects import new_id, version_object
from playground_tui.engine.store.paging import Page, page_rows
from playground_tui.engine.store.tables import assistants, versions
from playground_tui.engine.store.unknown import Unknown

Action = Literal["created", "modified", "deleted", "restored"]

MOST_BYTES: Final = 256 * 1024 * 1024
"""Of one assistant."""
ALWAYS: Final = 50
"""Newest versions that are kept however long they are."""
LOOK_EVERY: Final = 25
"""Versions between two looks at how much an assistant's take."""

_SUMMARY = [column for column in versions.c if column is not versions.c.body]
_NEWEST_NUMBER = select(func.coalesce(func.max(versions.c.number), 0))


def keep(
    c: Connection,
    assistant: Mapping[str, Any],
    *,
    at: int,
    client: str,
    action: Action,
    before: Mapping[str, Any] | None = None,
) -> None:
    """Keep the assistant as it now is; `before` is what it was. Called by every write, in the same transaction."""
    assistant_id = assistant["id"]
    number = c.execute(_NEWEST_NUMBER.where(versions.c.assistant_id == assistant_id)).scalar_one() + 1
    c.execute(
        insert(versions).values(
            id=new_id("asstver"),
            assistant_id=assistant_id,
            number=number,
            created_at=at,
            action=action,
            client=client,
            changed=[key for key in assistant if before and assistant[key] != before.get(key)],
            bytes=len(json.dumps(assistant)),
            body=dict(assistant),
        )
    )
    if number % LOOK_EVERY == 0:
        _make_room(c, assistant_id)


def _make_room(c: Connection, assistant_id: str) -> None:
    """Remove the oldest versions of an assistant that takes too much."""
    mine = versions.c.assistant_id == assistant_id
    total = 0
    for place, row in enumerate(
        c.execute(select(versions.c.number, versions.c.bytes).where(mine).order_by(versions.c.seq.desc()))
    ):
        total += row.bytes
        if total > MOST_BYTES and place >= ALWAYS:
            c.execute(delete(versions).where(mine, versions.c.number <= row.number))
            return


def list_versions(c: Connection, assistant_id: str, page: Page) -> tuple[list[dict[str, Any]], bool]:
    """A page of versions without their assistants, also of a deleted one, and whether there are more.

    Raises Unknown, UnknownCursor.
    """
    _require(c, assistant_id)
    mine = versions.c.assistant_id == assistant_id
    rows, more = page_rows(c, select(*_SUMMARY).where(mine), page, versions, mine)
    return [_object(row) for row in rows], more


def get(c: Connection, assistant_id: str, wanted: str) -> dict[str, Any]:
    """One version with the whole assistant, by its id or number. Raises Unknown."""
    _require(c, assistant_id)
    number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 10 else -1
    named = versions.c.number == number if number >= 0 else versions.c.id == wanted
    row = c.execute(select(versions).where(versions.c.assistant_id == assistant_id, named)).one_or_none()
    if row is None:
        raise Unknown("version", wanted)
    return {**_object(row), "assistant": row.body}


def _require(c: Connection, assistant_id: str) -> None:
    if c.execute(select(assistants.c.seq).where(assistants.c.id == assistant_id)).first() is None:
        raise Unknown("assistant", assistant_id)


def _object(row: Row[Any]) -> dict[str, Any]:
    return version_object(
        version_id=row.id,
        assistant_id=row.assistant_id,
        number=row.number,
        created_at=row.created_at,
        action=row.action,
        client=row.client,
        changed=row.changed,
    )
