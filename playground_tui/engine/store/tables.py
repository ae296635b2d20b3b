"""The tables. An object of the API is kept whole in `body`; the columns beside it are what queries need.

`seq` gives the order of making, which times in whole seconds cannot. All times are Unix seconds.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)

ACTIVE_STATUSES = ("queued", "in_progress", "requires_action", "cancelling")
"""The run states in which a thread takes neither a message nor another run."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

assistants = Table(
    "assistants",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("created_at", Integer, nullable=False),
    Column("deleted_at", Integer),
    Column("body", JSON, nullable=False),
    sqlite_autoincrement=True,
)

versions = Table(
    "versions",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("assistant_id", Text, ForeignKey(assistants.c.id, ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("action", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("changed", JSON, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    UniqueConstraint("assistant_id", "number"),
    Index(None, "assistant_id", "seq"),
    sqlite_autoincrement=True,
)
"""`number` counts the versions of one assistant from 1. `changed` names the keys of the body that differ from the
version before, `bytes` is about the body's size.
"""

threads = Table(
    "threads",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("created_at", Integer, nullable=False),
    Column("deleted_at", Integer),
    Column("first_message", Text, nullable=False),
    Column("message_count", Integer, nullable=False),
    Column("last_activity_at", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Index(None, "last_activity_at", "seq"),
    sqlite_autoincrement=True,
)

thread_assistants = Table(
    "thread_assistants",
    metadata,
    Column("thread_id", Text, ForeignKey(threads.c.id, ondelete="CASCADE"), nullable=False),
    Column("assistant_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    PrimaryKeyConstraint("thread_id", "assistant_id"),
    Index(None, "assistant_id", "thread_id"),
)

messages = Table(
    "messages",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("thread_id", Text, ForeignKey(threads.c.id, ondelete="CASCADE"), nullable=False),
    Column("run_id", Text),
    Column("created_at", Integer, nullable=False),
    Column("deleted_at", Integer),
    Column("folded", Text, nullable=False),
    Column("body", JSON, nullable=False),
    Index(None, "thread_id", "seq"),
    Index(None, "run_id", "seq"),
    sqlite_autoincrement=True,
)

runs = Table(
    "runs",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("thread_id", Text, ForeignKey(threads.c.id, ondelete="CASCADE"), nullable=False),
    Column("assistant_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Index(None, "thread_id", "seq"),
    sqlite_autoincrement=True,
)
IS_ACTIVE = runs.c.status.in_([literal_column(f"'{status}'") for status in ACTIVE_STATUSES])
"""Whether a run is active, in words that the database can match with the index below."""
Index("uq_runs_active", runs.c.thread_id, unique=True, sqlite_where=IS_ACTIVE, postgresql_where=IS_ACTIVE)

steps = Table(
    "steps",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("run_id", Text, ForeignKey(runs.c.id, ondelete="CASCADE"), nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Index(None, "run_id", "seq"),
    sqlite_autoincrement=True,
)

replies = Table(
    "replies",
    metadata,
    Column("key", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("body", JSON, nullable=False),
    PrimaryKeyConstraint("key", "path"),
    Index(None, "created_at"),
)

files = Table(
    "files",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("created_at", Integer, nullable=False),
    Column("expires_at", Integer),
    Column("deleted_at", Integer),
    Column("purpose", Text, nullable=False),
    Column("body", JSON, nullable=False),
    Index(None, "purpose", "seq"),
    Index(None, "expires_at"),
    sqlite_autoincrement=True,
)
"""A deleted file stays for its id alone, which a list may still go on from: its contents are gone at once."""

uploads = Table(
    "uploads",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("created_at", Integer, nullable=False),
    Column("expires_at", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("body", JSON, nullable=False),
    Index(None, "expires_at"),
    sqlite_autoincrement=True,
)

upload_parts = Table(
    "upload_parts",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("upload_id", Text, ForeignKey(uploads.c.id, ondelete="CASCADE"), nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Index(None, "upload_id", "seq"),
    sqlite_autoincrement=True,
)

vector_stores = Table(
    "vector_stores",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("created_at", Integer, nullable=False),
    Column("deleted_at", Integer),
    Column("last_active_at", Integer, nullable=False),
    Column("expires_at", Integer),
    Column("body", JSON, nullable=False),
    sqlite_autoincrement=True,
)

vector_store_files = Table(
    "vector_store_files",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("vector_store_id", Text, ForeignKey(vector_stores.c.id, ondelete="CASCADE"), nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("deleted_at", Integer),
    Column("status", Text, nullable=False),
    Column("usage_bytes", Integer, nullable=False),
    Column("embedder", Text),
    Column("body", JSON, nullable=False),
    UniqueConstraint("vector_store_id", "id"),
    Index(None, "status", "seq"),
    Index(None, "id"),
    sqlite_autoincrement=True,
)
"""The files of a vector store: `id` is the file's. The file itself may be deleted; it is then taken out of here too.

What was taken out has the status "deleted", no chunks and no batch: a list may still go on from its id. The chunks of a
file in progress are not all there yet. `embedder` is the full id of the model whose embeddings all its chunks have.
"""

file_batches = Table(
    "file_batches",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("vector_store_id", Text, ForeignKey(vector_stores.c.id, ondelete="CASCADE"), nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("cancelled", Boolean, nullable=False),
    sqlite_autoincrement=True,
)

batch_files = Table(
    "batch_files",
    metadata,
    Column("batch_id", Text, ForeignKey(file_batches.c.id, ondelete="CASCADE"), nullable=False),
    Column("store_file", Integer, ForeignKey(vector_store_files.c.seq, ondelete="CASCADE"), nullable=False),
    PrimaryKeyConstraint("batch_id", "store_file"),
    Index(None, "store_file"),
)

chunks = Table(
    "chunks",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("store_file", Integer, ForeignKey(vector_store_files.c.seq, ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("heading", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("embedding", LargeBinary),
    UniqueConstraint("store_file", "position"),
    sqlite_autoincrement=True,
)
"""What files are searched by, in pieces. `heading` tells the headings that `text` stands under, "" without any.

`embedding` is float32, little-endian, of length one; null without any. The words are in the full-text table
`chunk_words` (SQLite's FTS5) under the same numbers, which are never used again.
"""

gone_chunks = Table("gone_chunks", metadata, Column("seq", Integer, primary_key=True))
"""The chunks that are gone and whose words are still to be taken out of the index."""
