"""The objects of files. What is in a file is on disk: see `playground_tui.engine.files`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update

from playground_tui.engine.store import store_files
from playground_tui.engine.store.paging import Page, page_rows
from playground_tui.engine.store.tables import files
from playground_tui.engine.store.unknown import Unknown

_LIVING = files.c.deleted_at.is_(None)


def add(c: Connection, file: Mapping[str, Any]) -> None:
    """Store a new file, whose contents are on disk already."""
    columns = {key: file[key] for key in ("id", "created_at", "purpose")}
    c.execute(insert(files).values(**columns, expires_at=file.get("expires_at"), body=dict(file)))


def require(c: Connection, file_id: str) -> dict[str, Any]:
    """The file. Raises Unknown."""
    body = c.execute(select(files.c.body).where(files.c.id == file_id, _LIVING)).scalar_one_or_none()
    if body is None:
        raise Unknown("file", file_id)
    file: dict[str, Any] = body
    return file


def is_stored(c: Connection, file_id: str) -> bool:
    """Whether there is such a file."""
    return c.execute(select(files.c.id).where(files.c.id == file_id, _LIVING)).one_or_none() is not None


def require_all(c: Connection, file_ids: Iterable[str]) -> None:
    """Raises Unknown for the first of these that there is not."""
    wanted = list(dict.fromkeys(file_ids))
    found = set(c.execute(select(files.c.id).where(files.c.id.in_(wanted), _LIVING)).scalars())
    for file_id in wanted:
        if file_id not in found:
            raise Unknown("file", file_id)


def remove(c: Connection, file_id: str, *, at: int) -> None:
    """Delete the file and take it out of all vector stores. Raises Unknown."""
    gone = c.execute(update(files).where(files.c.id == file_id, _LIVING).values(deleted_at=at)).rowcount
    if not gone:
        raise Unknown("file", file_id)
    store_files.forget(c, [file_id], at=at)


def expired(c: Connection, now: int) -> list[str]:
    """The ids of the files whose time is over."""
    return list(c.execute(select(files.c.id).where(files.c.expires_at <= now, _LIVING)).scalars())


def expire(c: Connection, now: int) -> list[str]:
    """Delete the files whose time is over; their ids."""
    over = expired(c, now)
    for file_id in over:
        remove(c, file_id, at=now)
    return over


def living(c: Connection) -> set[str]:
    """The ids of all files."""
    return set(c.execute(select(files.c.id).where(_LIVING)).scalars())


def list_files(c: Connection, page: Page, *, purpose: str | None = None) -> tuple[list[dict[str, Any]], bool]:
    """A page of the files (of one purpose), and whether there are more. Raises UnknownCursor."""
    scope = () if purpose is None else (files.c.purpose == purpose,)
    rows, more = page_rows(c, select(files.c.body).where(_LIVING, *scope), page, files, *scope)
    return [row.body for row in rows], more
