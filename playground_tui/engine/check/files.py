"""What must hold of files, uploads, vector stores and what these are searched by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, select

from playground_tui.engine.check.rule import Finding, Rule
from playground_tui.engine.store.tables import files, upload_parts

FILES = (
    Rule(
        "file",
        "is not what its columns say",
        """SELECT id FROM files
            WHERE id IS NOT json_extract(body, '$.id') OR created_at IS NOT json_extract(body, '$.created_at')
            OR purpose IS NOT json_extract(body, '$.purpose')
            OR expires_at IS NOT json_extract(body, '$.expires_at')""",
    ),
    Rule(
        "upload",
        "is not what its columns say",
        """SELECT id FROM uploads
            WHERE id IS NOT json_extract(body, '$.upload.id') OR status IS NOT json_extract(body, '$.upload.status')
            OR created_at IS NOT json_extract(body, '$.upload.created_at')
            OR expires_at IS NOT json_extract(body, '$.upload.expires_at')""",
    ),
    Rule(
        "upload",
        "is {status} and differs from that in whether it has made a file",
        """SELECT id, status FROM uploads
            WHERE (json_extract(body, '$.upload.file') IS NOT NULL) <> (status = 'completed')""",
    ),
    Rule(
        "upload",
        "is {status} and still has part {part}",
        """SELECT u.id, u.status, p.id AS part FROM uploads u JOIN upload_parts p ON p.upload_id = u.id
            WHERE u.status <> 'pending'""",
    ),
)

VECTOR_STORES = (
    Rule(
        "vector store",
        "is not what its columns say",
        """SELECT id FROM vector_stores
            WHERE id IS NOT json_extract(body, '$.id') OR created_at IS NOT json_extract(body, '$.created_at')""",
    ),
    Rule(
        "vector store",
        "expires at another time than its policy says",
        """SELECT id FROM vector_stores
            WHERE expires_at IS NOT last_active_at + json_extract(body, '$.expires_after.days') * 86400""",
    ),
    Rule(
        "vector store",
        "is deleted and still has file {file}",
        """SELECT v.id, f.id AS file FROM vector_stores v JOIN vector_store_files f ON f.vector_store_id = v.id
            WHERE v.deleted_at IS NOT NULL""",
    ),
    Rule(
        "vector store file",
        "of {store} is not what its columns say",
        """SELECT id, vector_store_id AS store FROM vector_store_files
            WHERE id IS NOT json_extract(body, '$.id') OR created_at IS NOT json_extract(body, '$.created_at')
            OR vector_store_id IS NOT json_extract(body, '$.vector_store_id')
            OR status IS NOT json_extract(body, '$.status')
            OR usage_bytes IS NOT json_extract(body, '$.usage_bytes')
            OR (deleted_at IS NULL) <> (status <> 'deleted')""",
    ),
    Rule(
        "vector store file",
        "of {store} has no file",
        """SELECT v.id, v.vector_store_id AS store FROM vector_store_files v WHERE v.deleted_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM files f WHERE f.id = v.id AND f.deleted_at IS NULL)""",
    ),
    Rule(
        "vector store file",
        "of {store} is {status} with the error of another status",
        """SELECT id, vector_store_id AS store, status FROM vector_store_files
            WHERE status NOT IN ('in_progress', 'completed', 'failed', 'cancelled', 'deleted')
            OR (json_extract(body, '$.last_error') IS NOT NULL) <> (status = 'failed')""",
    ),
    Rule(
        "file batch",
        "of {store} has a file of another store, or one that was taken out: {file}",
        """SELECT b.id, b.vector_store_id AS store, v.id AS file
            FROM batch_files j JOIN file_batches b ON b.id = j.batch_id
            JOIN vector_store_files v ON v.seq = j.store_file
            WHERE v.vector_store_id <> b.vector_store_id OR v.deleted_at IS NOT NULL""",
    ),
)

CHUNKS = (
    Rule(
        "vector store file",
        "of {store} is {status} and can be searched",
        """SELECT v.id, v.vector_store_id AS store, v.status FROM vector_store_files v
            WHERE v.status NOT IN ('in_progress', 'completed')
            AND EXISTS (SELECT 1 FROM chunks k WHERE k.store_file = v.seq)""",
    ),
    Rule(
        "vector store file",
        "of {store} lacks some of its {count} chunks",
        """SELECT v.id, v.vector_store_id AS store, count(*) AS count
            FROM chunks k JOIN vector_store_files v ON v.seq = k.store_file
            GROUP BY v.seq HAVING min(k.position) <> 0 OR max(k.position) <> count(*) - 1""",
    ),
    Rule(
        "vector store file",
        "of {store} lacks embeddings of {model}, or has some of another length",
        """SELECT v.id, v.vector_store_id AS store, v.embedder AS model
            FROM chunks k JOIN vector_store_files v ON v.seq = k.store_file WHERE v.embedder IS NOT NULL
            GROUP BY v.seq HAVING min(coalesce(length(k.embedding), 0)) <> max(coalesce(length(k.embedding), 0))
            OR max(coalesce(length(k.embedding), 0)) % 4 <> 0 OR min(coalesce(length(k.embedding), 0)) = 0""",
    ),
    Rule(
        "chunk",
        "is not found by its words",
        "SELECT seq AS id FROM chunks EXCEPT SELECT id FROM chunk_words_docsize",
    ),
    Rule(
        "chunk",
        "is gone and still found by its words",
        "SELECT id FROM chunk_words_docsize EXCEPT SELECT seq FROM chunks EXCEPT SELECT seq FROM gone_chunks",
    ),
)

RULES = (*FILES, *VECTOR_STORES, *CHUNKS)


def missing_contents(c: Connection, directory: Path) -> Iterator[Finding]:
    """Files and parts of uploads whose contents are not on the disk, or not all of them."""
    known = select(files.c.id, files.c.body["bytes"].as_integer().label("bytes")).where(files.c.deleted_at.is_(None))
    parts = select(upload_parts.c.id, upload_parts.c.bytes)
    for kind, query in (("file", known), ("upload part", parts)):
        for row in c.execute(query).all():
            if words := _contents(directory / row.id, row.bytes):
                yield Finding(kind, row.id, words)


def _contents(path: Path, size: int) -> str:
    """What is wrong with them, "" if nothing is."""
    try:
        found = path.stat().st_size
    except FileNotFoundError:
        return "has no contents on the disk"
    return "" if found == size else f"has {found} bytes on the disk in place of {size}"
