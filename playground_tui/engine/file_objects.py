"""Files and uploads as the contract has them. Times are whole Unix seconds, sizes bytes."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from playground_tui.engine.objects import new_id

BATCH_SECONDS = 30 * 24 * 3600
"""How long a file for a batch is kept unless told otherwise, as the API's description says."""
UPLOAD_SECONDS = 3600
"""How long an upload may take."""


def new_file_id() -> str:
    """A new id of a file, the one kind that has a hyphen in it."""
    return new_id("file").replace("_", "-")


def content_type(filename: str) -> str:
    """What kind of contents the end of a file's name promises, as a media type."""
    ends = "".join(PurePosixPath(filename).suffixes[-2:])
    kind, packing = mimetypes.guess_type(f"file{ends}")
    return kind if kind and not packing else "application/octet-stream"


def expiry(purpose: str, created_at: int, expires_after: Mapping[str, Any] | None) -> int | None:
    """When a file expires, by the policy given for it or its purpose's own; None: never."""
    if expires_after is not None:
        return created_at + int(expires_after["seconds"])
    return created_at + BATCH_SECONDS if purpose == "batch" else None


def file_object(
    *, file_id: str, size: int, filename: str, purpose: str, created_at: int, expires_at: int | None = None
) -> dict[str, Any]:
    """A file. The contract's schema knows no null in it: what is not there is no key either."""
    ending = {} if expires_at is None else {"expires_at": expires_at}
    return {
        "id": file_id,
        "object": "file",
        "bytes": size,
        "created_at": created_at,
        **ending,
        "filename": filename,
        "purpose": purpose,
        "status": "processed",
    }


def upload_object(*, size: int, filename: str, purpose: str, created_at: int) -> dict[str, Any]:
    """A new upload of `size` bytes; `file` is what comes of it."""
    return {
        "id": new_id("upload"),
        "object": "upload",
        "bytes": size,
        "created_at": created_at,
        "filename": filename,
        "purpose": purpose,
        "status": "pending",
        "expires_at": created_at + UPLOAD_SECONDS,
        "file": None,
    }


def part_object(*, upload_id: str, created_at: int) -> dict[str, Any]:
    """A new part of an upload."""
    return {"id": new_id("part"), "object": "upload.part", "created_at": created_at, "upload_id": upload_id}
