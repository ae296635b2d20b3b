"""Files, uploads, vector stores with their files and batches, and what these are searched by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

WORDS = (
    # Its rows have the numbers of their chunks. What stands in it is not quite their text: see the module of chunks.
    "CREATE VIRTUAL TABLE chunk_words USING fts5(words, tokenize='porter unicode61 remove_diacritics 2')",
    # Taking words out of the index costs as much as putting them in: that is done later, little by little.
    """CREATE TRIGGER chunks_removed AFTER DELETE ON chunks BEGIN
        INSERT INTO gone_chunks(seq) VALUES (old.seq);
    END""",
)


def upgrade() -> None:
    _files()
    _uploads()
    _vector_stores()
    _batches()
    _chunks()


def _head() -> list[sa.Column[int] | sa.Column[str]]:
    return [
        sa.Column("seq", sa.Integer(), primary_key=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
    ]


def _files() -> None:
    op.create_table(
        "files",
        *_head(),
        sa.Column("expires_at", sa.Integer()),
        sa.Column("deleted_at", sa.Integer()),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.UniqueConstraint("id", name="uq_files_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_files_purpose_seq", "files", ["purpose", "seq"])
    op.create_index("ix_files_expires_at", "files", ["expires_at"])


def _uploads() -> None:
    op.create_table(
        "uploads",
        *_head(),
        sa.Column("expires_at", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.UniqueConstraint("id", name="uq_uploads_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_uploads_expires_at", "uploads", ["expires_at"])
    op.create_table(
        "upload_parts",
        *_head(),
        sa.Column("upload_id", sa.Text(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.UniqueConstraint("id", name="uq_upload_parts_id"),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name="fk_upload_parts_upload_id", ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_upload_parts_upload_id_seq", "upload_parts", ["upload_id", "seq"])


def _vector_stores() -> None:
    op.create_table(
        "vector_stores",
        *_head(),
        sa.Column("deleted_at", sa.Integer()),
        sa.Column("last_active_at", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Integer()),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.UniqueConstraint("id", name="uq_vector_stores_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "vector_store_files",
        *_head(),
        sa.Column("deleted_at", sa.Integer()),
        sa.Column("vector_store_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("usage_bytes", sa.Integer(), nullable=False),
        sa.Column("embedder", sa.Text()),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.UniqueConstraint("vector_store_id", "id", name="uq_vector_store_files_vector_store_id"),
        sa.ForeignKeyConstraint(
            ["vector_store_id"], ["vector_stores.id"], name="fk_vector_store_files_vector_store_id", ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_vector_store_files_status_seq", "vector_store_files", ["status", "seq"])
    op.create_index("ix_vector_store_files_id", "vector_store_files", ["id"])


def _batches() -> None:
    op.create_table(
        "file_batches",
        *_head(),
        sa.Column("vector_store_id", sa.Text(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("id", name="uq_file_batches_id"),
        sa.ForeignKeyConstraint(
            ["vector_store_id"], ["vector_stores.id"], name="fk_file_batches_vector_store_id", ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "batch_files",
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("store_file", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "store_file", name="pk_batch_files"),
        sa.ForeignKeyConstraint(["batch_id"], ["file_batches.id"], name="fk_batch_files_batch_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["store_file"], ["vector_store_files.seq"], name="fk_batch_files_store_file", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_batch_files_store_file", "batch_files", ["store_file"])


def _chunks() -> None:
    op.create_table(
        "chunks",
        sa.Column("seq", sa.Integer(), primary_key=True),
        sa.Column("store_file", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("heading", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("embedding", sa.LargeBinary()),
        sa.UniqueConstraint("store_file", "position", name="uq_chunks_store_file"),
        sa.ForeignKeyConstraint(
            ["store_file"], ["vector_store_files.seq"], name="fk_chunks_store_file", ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_table("gone_chunks", sa.Column("seq", sa.Integer(), primary_key=True))
    for statement in WORDS:
        op.execute(statement)
