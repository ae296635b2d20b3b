"""Files as a server has them, and what becomes of them in a vector store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from playground_tui.assistants.objects import Json, object_of, text_of, time_of, whole_of


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as the server has it. `size` is in bytes, `created_at` in Unix seconds."""

    id: str
    name: str
    size: int
    purpose: str
    created_at: int
    raw: Json

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        return cls(
            id=text_of(raw, "id"),
            name=text_of(raw, "filename"),
            size=whole_of(raw, "bytes") or 0,
            purpose=text_of(raw, "purpose"),
            created_at=time_of(raw, "created_at") or 0,
            raw=dict(raw),
        )


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """A file of a vector store. `status` is in_progress, completed, failed or cancelled."""

    id: str
    status: str
    problem: str = ""
    """Why it failed."""

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        return cls(text_of(raw, "id"), text_of(raw, "status"), text_of(object_of(raw, "last_error"), "message"))


@dataclass(frozen=True, slots=True)
class FileCounts:
    """How many files a tool has, and what becomes of them."""

    total: int = 0
    in_progress: int = 0
    failed: int = 0

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        """The counts of a vector store."""
        counts = object_of(raw, "file_counts")
        return cls(*(whole_of(counts, name) or 0 for name in ("total", "in_progress", "failed")))

    def words(self) -> str:
        """`none`, or `3, 1 indexing, 1 failed`."""
        busy = f"{self.in_progress} indexing" if self.in_progress else ""
        failed = f"{self.failed} failed" if self.failed else ""
        return ", ".join(filter(None, (str(self.total or "none"), busy, failed)))


def files_for_code(raw: Json) -> list[str]:
    """The ids of the files that an assistant or thread has for its code interpreter."""
    return _ids(raw, "code_interpreter", "file_ids")


def store_of(raw: Json) -> str:
    """The id of the vector store that an assistant or thread searches in, or ""."""
    return next(iter(stores_of(raw)), "")


def stores_of(raw: Json) -> list[str]:
    """The ids of all vector stores that an assistant or thread searches in."""
    return _ids(raw, "file_search", "vector_store_ids")


def resources_with(raw: Json, *, files: Sequence[str] | None = None, store: str = "") -> dict[str, Any]:
    """The `tool_resources` of an object with these files for code, or this vector store, in place of its own.

    Only what servers take back is in them.
    """
    code = files_for_code(raw) if files is None else list(files)
    stores = [store] if store else stores_of(raw)
    return {
        **({"code_interpreter": {"file_ids": code}} if code or files is not None else {}),
        **({"file_search": {"vector_store_ids": stores}} if stores else {}),
    }


def resources_to(old: Json, now: Json) -> dict[str, Any]:
    """The `tool_resources` to write so that `now` has those of `old`; empty where it has them.

    What is taken away is named too: a server may leave alone what it is not told of.
    """
    code, stores = files_for_code(old), stores_of(old)
    both = (files_for_code(now), stores_of(now))
    if (code, stores) == both:
        return {}
    return {
        **({"code_interpreter": {"file_ids": code}} if code or both[0] else {}),
        **({"file_search": {"vector_store_ids": stores}} if stores or both[1] else {}),
    }


def _ids(raw: Json, tool: str, key: str) -> list[str]:
    ids = object_of(object_of(raw, "tool_resources"), tool).get(key)
    return [one for one in ids if isinstance(one, str)] if isinstance(ids, list | tuple) else []
