"""Files and uploads as the contract has them. Times are whole Unix seconds, sizes bytes."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from typing import Any

BATCH_SECONDS = 30 * 24 * 3600
"""How long a file for a batch is kept unless told otherwise, as the API's description says."""
UPLOAD_SECONDS = 3600
"""How long an upload may take."""

_LETTERS = string.ascii_letters + string.digits
_ID_LENGTH = 24


def new_file_id() -> str:
    """A new id of a file, the one kind that has a hyphen in it."""
    return f"file-{''.join(secrets.choice(_LETTERS) for _ in range(_ID_LENGTH))}"


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
