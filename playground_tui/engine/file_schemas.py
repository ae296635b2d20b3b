"""The bodies of requests about files and uploads, with the contract's limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from playground_tui.engine.schemas import Body
from playground_tui.engine.store.uploads import MAX_UPLOAD

NAME_BYTES = 255
"""Bytes of a file's name in UTF-8: what file systems take."""


def file_name(given: str) -> str:
    """The name of a file without the directories before it and what cannot be shown. Raises ValueError."""
    last = given.replace("\\", "/").rstrip("/").rpartition("/")[2]
    name = "".join(letter for letter in last if letter.isprintable()).strip()
    if name in ("", ".", ".."):
        raise ValueError("a file name is expected")
    if len(name.encode()) > NAME_BYTES:
        raise ValueError(f"the file name is too long, at most {NAME_BYTES} bytes are allowed")
    return name


Purpose = Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]
FileName = Annotated[str, AfterValidator(file_name)]


class ExpiresAfter(Body):
    anchor: Literal["created_at"]
    seconds: Annotated[int, Field(ge=3600, le=2_592_000)]


class CreateFile(Body):
    """The fields of a form, as JSON: `file` stands for the file's name."""

    file: FileName
    purpose: Purpose
    expires_after: ExpiresAfter | None = None


class CreateUpload(Body):
    bytes: Annotated[int, Field(ge=0, le=MAX_UPLOAD)]
    filename: FileName
    mime_type: Annotated[str, StringConstraints(min_length=1, max_length=NAME_BYTES)]
    purpose: Purpose
    expires_after: ExpiresAfter | None = None


class CompleteUpload(Body):
    part_ids: list[str]
    md5: Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{32}$")] | None = None


class CancelUpload(Body):
    """Nothing is to be said."""
