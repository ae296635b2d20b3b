"""Uploads of files in parts. A part's contents are on disk under its id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from playground_tui.engine.store.tables import upload_parts, uploads
from playground_tui.engine.store.unknown import Unknown

MAX_UPLOAD = 8 * 1024**3
"""Bytes that one upload takes, all its parts together."""


class UploadRefused(Exception):
    """The upload does not take this. `str(error)` is a sentence; `parameter` is what is wrong, if that is it."""

    def __init__(self, sentence: str, parameter: str | None = None):
        super().__init__(sentence)
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class Pending:
    """An upload that is under way."""

    upload: dict[str, Any]
    expires_after: Mapping[str, Any] | None
    """The policy for the file that comes of it."""


def add(c: Connection, upload: Mapping[str, Any], expires_after: Mapping[str, Any] | None) -> None:
    """Store a new upload, with the policy for the file that comes of it."""
    columns = {key: upload[key] for key in ("id", "created_at", "expires_at", "status")}
    c.execute(insert(uploads).values(**columns, body={"upload": dict(upload), "expires_after": expires_after}))


def pending(c: Connection, upload_id: str, *, now: int) -> Pending:
    """An upload that takes parts. Raises Unknown, UploadRefused."""
    row = c.execute(select(uploads).where(uploads.c.id == upload_id)).one_or_none()
    if row is None:
        raise Unknown("upload", upload_id)
    status = "expired" if row.status == "pending" and row.expires_at <= now else row.status
    if status != "pending":
        raise UploadRefused(f"Upload {upload_id} is {status}: it can no longer be changed.")
    return Pending(row.body["upload"], row.body["expires_after"])


def add_part(c: Connection, part: Mapping[str, Any], size: int, *, now: int) -> None:
    """Store a part, whose contents are on disk already. Raises Unknown, UploadRefused."""
    pending(c, part["upload_id"], now=now)
    here = upload_parts.c.upload_id == part["upload_id"]
    taken = c.execute(select(func.coalesce(func.sum(upload_parts.c.bytes), 0)).where(here)).scalar_one()
    if taken + size > MAX_UPLOAD:
        raise UploadRefused(f"The parts of an upload have at most {MAX_UPLOAD} bytes together.", "data")
    columns = {key: part[key] for key in ("id", "created_at", "upload_id")}
    c.execute(insert(upload_parts).values(**columns, bytes=size))


def has_part(c: Connection, part_id: str) -> bool:
    """Whether there is such a part."""
    return c.execute(select(upload_parts.c.id).where(upload_parts.c.id == part_id)).one_or_none() is not None


def all_parts(c: Connection) -> set[str]:
    """The ids of the parts of all uploads."""
    return set(c.execute(select(upload_parts.c.id)).scalars())


def require_parts(c: Connection, upload: Mapping[str, Any], part_ids: Sequence[str]) -> None:
    """See that these parts make the whole upload. Raises UploadRefused."""
    here = upload_parts.c.upload_id == upload["id"]
    rows = c.execute(select(upload_parts.c.id, upload_parts.c.bytes).where(here))
    sizes: dict[str, int] = {row.id: row.bytes for row in rows}
    size = 0
    for place, part_id in enumerate(part_ids):
        if part_id not in sizes:
            reason = "is given twice" if part_id in part_ids[:place] else "is not of this upload"
            raise UploadRefused(f"Part '{part_id}' {reason}.", f"part_ids.{place}")
        size += sizes.pop(part_id)
    if size != upload["bytes"]:
        raise UploadRefused(f"The parts have {size} bytes, the upload was to have {upload['bytes']}.", "part_ids")


def end(c: Connection, upload: Mapping[str, Any]) -> list[str]:
    """Store the last state of an upload and forget its parts; their ids."""
    changed = {"status": upload["status"], "body": {"upload": dict(upload), "expires_after": None}}
    c.execute(update(uploads).where(uploads.c.id == upload["id"]).values(changed))
    return list(
        c.execute(
            delete(upload_parts).where(upload_parts.c.upload_id == upload["id"]).returning(upload_parts.c.id)
        ).scalars()
    )


def overdue(c: Connection, now: int) -> list[dict[str, Any]]:
    """The uploads whose time is over before they were complete."""
    late = (uploads.c.expires_at <= now, uploads.c.status == "pending")
    return [body["upload"] for body in c.execute(select(uploads.c.body).where(*late)).scalars()]


def expire(c: Connection, now: int) -> list[str]:
    """Let them expire; the ids of the parts that were theirs."""
    return [part for upload in overdue(c, now) for part in end(c, {**upload, "status": "expired"})]
