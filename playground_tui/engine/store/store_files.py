"""The files of vector stores: put in, waiting to be indexed, indexed or refused, taken out.

A file that is put in again under another chunking strategy is a new one: work begun on the old one ends in nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select
from sqlalchemy import insert as insert_into
from sqlalchemy import update as update_table

from playground_tui.engine.store.paging import Page, page_rows
from playground_tui.engine.store.tables import batch_files, chunks, vector_store_files
from playground_tui.engine.store.unknown import Unknown

Status = Literal["in_progress", "completed", "failed", "cancelled"]
STATUSES: tuple[Status, ...] = ("in_progress", "completed", "failed", "cancelled")

AUTO = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
"""What the chunking strategy "auto" stands for."""
DELETED = "deleted"
"""The status of what was taken out."""

_table = vector_store_files
_LIVING = _table.c.status != DELETED
_FIT = ("in_progress", "completed")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to be put into a vector store; without a chunking strategy it gets the usual one."""

    file_id: str
    attributes: Mapping[str, Any] | None = None
    chunking_strategy: Mapping[str, Any] | None = None

    @property
    def strategy(self) -> dict[str, Any]:
        """The chunking strategy as it is kept."""
        given = self.chunking_strategy
        return dict(AUTO if given is None or given["type"] == "auto" else given)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that is to be indexed. `seq` names this file in this vector store, and no later one."""

    seq: int
    file_id: str
    chunk_tokens: int
    overlap_tokens: int


@dataclass(slots=True)
class Count:
    """How far a number of files are."""

    file_counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*STATUSES, "total"), 0))
    usage_bytes: int = 0

    @property
    def status(self) -> Status:
        """Whether all of them have been dealt with."""
        return "in_progress" if self.file_counts["in_progress"] else "completed"

    def add(self, status: str, files: int, usage_bytes: int) -> None:
        """Count so many files of one status."""
        self.file_counts[status] += files
        self.file_counts["total"] += files
        self.usage_bytes += usage_bytes


def add(c: Connection, store_id: str, files: Iterable[Wanted], *, now: int) -> list[int]:
    """Put files into a vector store; the `seq` of each. What is given twice counts as it came first.

    One that is in there already, indexed or about to be, stays so unless its chunking strategy is another one.
    That the store and the files exist is the caller's to ask.
    """
    wanted: dict[str, Wanted] = {}
    for file in files:
        wanted.setdefault(file.file_id, file)
    here = (_table.c.vector_store_id == store_id, _table.c.id.in_(list(wanted)))
    known = {row.id: row for row in c.execute(select(_table).where(*here))}
    new = [file for file in wanted.values() if not _stays(c, known.get(file.file_id), file)]
    batches = _make_room(c, [known[file.file_id] for file in new if file.file_id in known])
    _insert(c, [_object(store_id, file, known.get(file.file_id), now) for file in new])
    seqs = {row.id: row.seq for row in c.execute(select(_table.c.id, _table.c.seq).where(*here))}
    _rejoin(c, batches, seqs)
    return [seqs[file_id] for file_id in wanted]


def _stays(c: Connection, row: Row[Any] | None, file: Wanted) -> bool:
    """Whether the file is in the store as it is wanted; if it is, it gets the attributes that are wanted."""
    if row is None or row.status not in _FIT or row.body["chunking_strategy"] != file.strategy:
        return False
    if file.attributes is not None:
        _change(c, row, {"attributes": dict(file.attributes)})
    return True


def _make_room(c: Connection, rows: Sequence[Row[Any]]) -> list[tuple[str, str]]:
    """Remove what is put in anew; the batches it was in, each with the file's id."""
    ids = {row.seq: row.id for row in rows}
    joined = c.execute(select(batch_files).where(batch_files.c.store_file.in_(ids))).all()
    c.execute(delete(_table).where(_table.c.seq.in_(ids)))
    return [(row.batch_id, ids[row.store_file]) for row in joined]


def _rejoin(c: Connection, batches: Sequence[tuple[str, str]], seqs: Mapping[str, int]) -> None:
    if batches:
        c.execute(
            insert_into(batch_files),
            [{"batch_id": batch_id, "store_file": seqs[file_id]} for batch_id, file_id in batches],
        )


def _object(store_id: str, wanted: Wanted, before: Row[Any] | None, now: int) -> dict[str, Any]:
    kept = before.body["attributes"] if before is not None and before.status != DELETED else {}
    return {
        "id": wanted.file_id,
        "object": "vector_store.file",
        "usage_bytes": 0,
        "created_at": now,
        "vector_store_id": store_id,
        "status": "in_progress",
        "last_error": None,
        "chunking_strategy": wanted.strategy,
        "attributes": dict(kept if wanted.attributes is None else wanted.attributes),
    }


def _insert(c: Connection, files: Sequence[Mapping[str, Any]]) -> None:
    if files:
        keys = ("id", "vector_store_id", "created_at", "status", "usage_bytes")
        c.execute(insert_into(_table), [{**{key: file[key] for key in keys}, "body": dict(file)} for file in files])


def _change(c: Connection, row: Row[Any], changes: Mapping[str, Any], **columns: Any) -> dict[str, Any]:
    body = {**row.body, **changes}
    kept = {key: body[key] for key in ("status", "usage_bytes")}
    c.execute(update_table(_table).where(_table.c.seq == row.seq).values(body=body, **kept, **columns))
    return body


def require(c: Connection, store_id: str, file_id: str) -> dict[str, Any]:
    """The file as it is in this vector store. Raises Unknown."""
    return dict(_required(c, store_id, file_id).body)


def _required(c: Connection, store_id: str, file_id: str) -> Row[Any]:
    here = select(_table).where(_table.c.vector_store_id == store_id, _table.c.id == file_id, _LIVING)
    row = c.execute(here).one_or_none()
    if row is None:
        raise Unknown("file", file_id)
    return row


def set_attributes(c: Connection, store_id: str, file_id: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Give the file these attributes in this vector store and return it. Raises Unknown."""
    return _change(c, _required(c, store_id, file_id), {"attributes": dict(attributes)})


def text(c: Connection, store_id: str, file_id: str) -> list[str]:
    """What the file is searched by, piece after piece; nothing before it is indexed. Raises Unknown."""
    row = _required(c, store_id, file_id)
    if row.status != "completed":
        return []
    pieces = select(chunks.c.text).where(chunks.c.store_file == row.seq).order_by(chunks.c.position)
    return list(c.execute(pieces).scalars())


def list_files(
    c: Connection, store_id: str, page: Page, *, status: Status | None = None, batch_id: str | None = None
) -> tuple[list[dict[str, Any]], bool]:
    """A page of the vector store's files (of one status, of one batch), and whether there are more.

    Raises UnknownCursor.
    """
    here = _table.c.vector_store_id == store_id
    query = select(_table.c.body).where(here, _LIVING)
    if status is not None:
        query = query.where(_table.c.status == status)
    if batch_id is not None:
        query = query.where(_table.c.seq.in_(_seqs_of(batch_id)))
    rows, more = page_rows(c, query, page, _table, here)
    return [row.body for row in rows], more


def _seqs_of(batch_id: str) -> Any:
    return select(batch_files.c.store_file).where(batch_files.c.batch_id == batch_id)


def count(c: Connection, store_ids: Sequence[str]) -> dict[str, Count]:
    """How far the files of each of these vector stores are."""
    counts = {store_id: Count() for store_id in store_ids}
    grouped = (
        select(_table.c.vector_store_id, _table.c.status, func.count(), func.sum(_table.c.usage_bytes))
        .where(_table.c.vector_store_id.in_(store_ids), _LIVING)
        .group_by(_table.c.vector_store_id, _table.c.status)
    )
    for store_id, status, files, usage_bytes in c.execute(grouped):
        counts[store_id].add(status, files, usage_bytes)
    return counts


def count_batch(c: Connection, batch_id: str) -> Count:
    """How far the files of a batch are."""
    total = Count()
    mine = select(_table.c.status, func.count(), func.sum(_table.c.usage_bytes)).where(
        _table.c.seq.in_(_seqs_of(batch_id))
    )
    for status, files, usage_bytes in c.execute(mine.group_by(_table.c.status)):
        total.add(status, files, usage_bytes)
    return total


def cancel_batch(c: Connection, batch_id: str) -> int:
    """Cancel the files of a batch that are not indexed yet; how many."""
    waiting = select(_table).where(_table.c.seq.in_(_seqs_of(batch_id)), _table.c.status == "in_progress")
    rows = c.execute(waiting).all()
    for row in rows:
        _unindex(c, row)
        _change(c, row, {"status": "cancelled"})
    return len(rows)


def in_progress(c: Connection, limit: int = 100) -> list[Waiting]:
    """The files that are to be indexed, oldest first."""
    waiting = select(_table).where(_table.c.status == "in_progress").order_by(_table.c.seq).limit(limit)
    return [_waiting(row) for row in c.execute(waiting)]


def _waiting(row: Row[Any]) -> Waiting:
    sizes = row.body["chunking_strategy"]["static"]
    return Waiting(row.seq, row.id, sizes["max_chunk_size_tokens"], sizes["chunk_overlap_tokens"])


def finish(
    c: Connection,
    seq: int,
    status: Literal["completed", "failed"],
    *,
    usage_bytes: int = 0,
    last_error: Mapping[str, str] | None = None,
) -> bool:
    """End the indexing of a file. False, and nothing is changed, if it is no longer in progress: it was taken out,
    cancelled or put in anew, and the caller keeps none of its chunks.

    `last_error` is `{"code", "message"}` of a file that failed.
    """
    row = c.execute(select(_table).where(_table.c.seq == seq, _table.c.status == "in_progress")).one_or_none()
    if row is None:
        return False
    if status == "failed":
        _unindex(c, row)
    _change(c, row, {"status": status, "usage_bytes": usage_bytes, "last_error": last_error and dict(last_error)})
    return True


def _unindex(c: Connection, row: Row[Any]) -> None:
    c.execute(delete(chunks).where(chunks.c.store_file == row.seq))


def remove(c: Connection, store_id: str, file_id: str, *, at: int) -> None:
    """Take the file out of the vector store. Raises Unknown."""
    _required(c, store_id, file_id)
    _take_out(c, at, _table.c.vector_store_id == store_id, _table.c.id == file_id)


def forget(c: Connection, file_ids: Sequence[str], *, at: int) -> None:
    """Take files that are deleted out of all vector stores."""
    _take_out(c, at, _table.c.id.in_(file_ids))


def clear(c: Connection, store_id: str) -> None:
    """Remove all files of a vector store that is deleted, for good."""
    c.execute(delete(_table).where(_table.c.vector_store_id == store_id))


def _take_out(c: Connection, at: int, *which: ColumnElement[bool]) -> None:
    for row in c.execute(select(_table).where(_LIVING, *which)).all():
        _unindex(c, row)
        c.execute(delete(batch_files).where(batch_files.c.store_file == row.seq))
        _change(c, row, {"status": DELETED, "usage_bytes": 0, "last_error": None}, deleted_at=at)
