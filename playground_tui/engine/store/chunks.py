"""The chunks of files in vector stores: kept as they are made, found by their words or compared by their embeddings.

A file's chunks are stored little by little, so that nobody waits for a long transaction, and found when all are there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Text,
    bindparam,
    column,
    delete,
    func,
    insert,
    literal_column,
    select,
    table,
    update,
)

from playground_tui.engine.store.tables import chunks, files, gone_chunks, vector_store_files

_words = table("chunk_words", column("rowid", Integer), column("words", Text))
_all_words: ColumnElement[str] = literal_column("chunk_words")
_STORED = (chunks.c.seq, chunks.c.store_file, chunks.c.position, chunks.c.heading, chunks.c.text)
_AT_ONCE = 100
"""Embeddings that are read at a time. Numpy compares larger parts by several threads, which on a busy machine wait for
each other: ten times as long."""


@dataclass(frozen=True, slots=True)
class NewChunk:
    """A chunk to be kept. `words` are what it is found by."""

    text: str
    heading: str
    words: str


@dataclass(frozen=True, slots=True)
class Source:
    """An indexed file of a vector store. `embedder` made the embeddings of its chunks; null without any."""

    store_file: int
    file_id: str
    filename: str
    attributes: Mapping[str, Any]
    embedder: str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A chunk in the store. `seq` is its number in all rankings."""

    seq: int
    store_file: int
    position: int
    heading: str
    text: str


def add(c: Connection, store_file: int, first: int, new: Sequence[NewChunk]) -> bool:
    """Keep more chunks of a file in progress, from position `first` on. False, and nothing is kept, if it is not."""
    if not _in_progress(c, store_file):
        return False
    rows = [
        {"store_file": store_file, "position": position, "heading": chunk.heading, "text": chunk.text}
        for position, chunk in enumerate(new, first)
    ]
    c.execute(insert(chunks), rows)
    added = select(chunks.c.seq).where(chunks.c.store_file == store_file, chunks.c.position >= first)
    seqs = c.execute(added.order_by(chunks.c.position)).scalars()
    words = [{"rowid": seq, "words": chunk.words} for seq, chunk in zip(seqs, new, strict=True)]
    c.execute(insert(_words), words)
    return True


def _in_progress(c: Connection, store_file: int) -> bool:
    here = vector_store_files.c.seq == store_file
    return c.execute(select(vector_store_files.c.status).where(here)).scalar_one_or_none() == "in_progress"


def begin(c: Connection, store_file: int) -> bool:
    """Remove what is left of a file in progress. False, and nothing is removed, if it is not in progress."""
    if not _in_progress(c, store_file):
        return False
    c.execute(delete(chunks).where(chunks.c.store_file == store_file))
    return True


def words_left(c: Connection) -> bool:
    """Whether there are words in the index of chunks that are gone."""
    return c.execute(select(gone_chunks.c.seq).limit(1)).first() is not None


def forget_words(c: Connection, limit: int) -> None:
    """Take the words of chunks that are gone out of the index, of so many at most."""
    seqs = list(c.execute(select(gone_chunks.c.seq).limit(limit)).scalars())
    c.execute(delete(_words).where(_words.c.rowid.in_(_among(seqs))))
    c.execute(delete(gone_chunks).where(gone_chunks.c.seq.in_(_among(seqs))))


def unembedded(c: Connection, besides: Collection[int]) -> int | None:
    """The oldest indexed file whose chunks have no embeddings, other than these."""
    oldest = (
        select(vector_store_files.c.seq)
        .where(vector_store_files.c.status == "completed", vector_store_files.c.embedder.is_(None))
        .where(vector_store_files.c.seq.not_in(_among(besides)))
        .order_by(vector_store_files.c.seq)
        .limit(1)
    )
    return c.execute(oldest).scalar_one_or_none()


def of_file(c: Connection, store_file: int, first: int, limit: int) -> tuple[str, list[Stored]]:
    """The file's name ("" when it is gone), and its chunks from position `first` on, so many at most."""
    named = select(files.c.body["filename"].as_string()).where(
        files.c.id == select(vector_store_files.c.id).where(vector_store_files.c.seq == store_file).scalar_subquery()
    )
    mine = select(*_STORED).where(chunks.c.store_file == store_file, chunks.c.position >= first)
    rows = c.execute(mine.order_by(chunks.c.position).limit(limit))
    return c.execute(named).scalar_one_or_none() or "", [Stored(*row) for row in rows]


def embed(c: Connection, embeddings: Mapping[int, bytes]) -> None:
    """Keep the embeddings of chunks, by `seq`; of chunks that are gone there is nothing to keep."""
    if not embeddings:
        return
    keep = update(chunks).where(chunks.c.seq == bindparam("chunk")).values(embedding=bindparam("packed"))
    c.execute(keep, [{"chunk": seq, "packed": packed} for seq, packed in embeddings.items()])


def embedded(c: Connection, store_file: int, embedder: str) -> None:
    """Note that all chunks of a file have embeddings of this model."""
    c.execute(update(vector_store_files).where(vector_store_files.c.seq == store_file).values(embedder=embedder))


def busy(c: Connection, store_ids: Sequence[str]) -> bool:
    """Whether a file of these vector stores is still to be indexed."""
    waiting = select(vector_store_files.c.seq).where(
        vector_store_files.c.vector_store_id.in_(store_ids), vector_store_files.c.status == "in_progress"
    )
    return c.execute(waiting.limit(1)).first() is not None


def sources(c: Connection, store_ids: Sequence[str]) -> list[Source]:
    """The indexed files of these vector stores."""
    row = vector_store_files.c
    query = (
        select(row.seq, row.id, files.c.body["filename"].as_string(), row.body, row.embedder)
        .join_from(vector_store_files, files, files.c.id == row.id)
        .where(row.vector_store_id.in_(store_ids), row.status == "completed")
        .order_by(row.seq)
    )
    return [
        Source(seq, file_id, filename, body.get("attributes") or {}, embedder)
        for seq, file_id, filename, body, embedder in c.execute(query)
    ]


def by_words(c: Connection, match: str, store_files: Sequence[int], limit: int) -> list[int]:
    """The chunks of these files that match best by BM25, best first. `match` is an expression of FTS5."""
    query = (
        select(_words.c.rowid)
        .join_from(_words, chunks, chunks.c.seq == _words.c.rowid)
        .where(_all_words.op("MATCH")(match), chunks.c.store_file.in_(_among(store_files)))
        .order_by(literal_column("rank"), _words.c.rowid)
        .limit(limit)
    )
    return list(c.execute(query).scalars())


def having(c: Connection, match: str, seqs: Sequence[int]) -> set[int]:
    """Those of these chunks that match."""
    query = select(_words.c.rowid).where(_all_words.op("MATCH")(match), _words.c.rowid.in_(_among(seqs)))
    return set(c.execute(query).scalars())


def embeddings(c: Connection, store_files: Sequence[int]) -> Iterator[tuple[int, list[int], list[bytes]]]:
    """The files' chunks that have embeddings, with these: file by file, of a long one a part at a time."""
    query = select(chunks.c.store_file, chunks.c.seq, chunks.c.embedding).where(
        chunks.c.store_file.in_(_among(store_files)), chunks.c.embedding.is_not(None)
    )
    in_order = query.order_by(chunks.c.store_file, chunks.c.position)
    for rows in c.execute(in_order.execution_options(yield_per=_AT_ONCE)).partitions():
        for store_file, mine in groupby(rows, key=lambda row: int(row[0])):
            _, seqs, packed = zip(*mine, strict=True)
            yield store_file, list(seqs), list(packed)


def stored(c: Connection, seqs: Sequence[int]) -> dict[int, Stored]:
    """These chunks, by `seq`."""
    rows = c.execute(select(*_STORED).where(chunks.c.seq.in_(_among(seqs))))
    return {row.seq: Stored(*row) for row in rows}


def _among(numbers: Iterable[int]) -> Any:
    """Any number of them: a statement may have only so many parameters."""
    return select(literal_column("value")).select_from(func.json_each(json.dumps(list(numbers))))
