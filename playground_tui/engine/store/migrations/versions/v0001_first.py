"""The first schema: assistants with versions, threads, messages, runs, steps, and replies kept by key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ACTIVE = "status IN ('queued', 'in_progress', 'requires_action', 'cancelling')"


def upgrade() -> None:
    _assistants()
    _threads()
    _messages()
    _runs()
    _replies()


def _head() -> list[sa.Column[int] | sa.Column[str]]:
    return [
        sa.Column("seq", sa.Integer(), primary_key=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
    ]


def _assistants() -> None:
    op.create_table(
        "assistants",
        *_head(),
        sa.Column("deleted_at", sa.Integer()),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.UniqueConstraint("id", name="uq_assistants_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "versions",
        *_head(),
        sa.Column("assistant_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.UniqueConstraint("id", name="uq_versions_id"),
        sa.ForeignKeyConstraint(
            ["assistant_id"], ["assistants.id"], name="fk_versions_assistant_id", ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_versions_assistant_id_seq", "versions", ["assistant_id", "seq"])


def _threads() -> None:
    op.create_table(
        "threads",
        *_head(),
        sa.Column("deleted_at", sa.Integer()),
        sa.Column("first_message", sa.Text(), nullable=False),
        sa.Column("message_count", sa.Integer(), nullable=False),
        sa.Column("last_activity_at", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.UniqueConstraint("id", name="uq_threads_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_threads_last_activity_at_seq", "threads", ["last_activity_at", "seq"])
    op.create_table(
        "thread_assistants",
        sa.Column("thread_id", sa.Text(), nullable=False),
        sa.Column("assistant_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("thread_id", "assistant_id", name="pk_thread_assistants"),
        _in_thread("thread_assistants"),
    )
    op.create_index("ix_thread_assistants_assistant_id_thread_id", "thread_assistants", ["assistant_id", "thread_id"])


def _in_thread(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=f"fk_{table}_thread_id", ondelete="CASCADE")


def _messages() -> None:
    op.create_table(
        "messages",
        *_head(),
        sa.Column("thread_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text()),
        sa.Column("deleted_at", sa.Integer()),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.UniqueConstraint("id", name="uq_messages_id"),
        _in_thread("messages"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_messages_thread_id_seq", "messages", ["thread_id", "seq"])
    op.create_index("ix_messages_run_id_seq", "messages", ["run_id", "seq"])


def _runs() -> None:
    op.create_table(
        "runs",
        *_head(),
        sa.Column("thread_id", sa.Text(), nullable=False),
        sa.Column("assistant_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.UniqueConstraint("id", name="uq_runs_id"),
        _in_thread("runs"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_thread_id_seq", "runs", ["thread_id", "seq"])
    where = sa.text(ACTIVE)
    op.create_index("uq_runs_active", "runs", ["thread_id"], unique=True, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "steps",
        *_head(),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.UniqueConstraint("id", name="uq_steps_id"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_steps_run_id", ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_steps_run_id_seq", "steps", ["run_id", "seq"])


def _replies() -> None:
    op.create_table(
        "replies",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", "path", name="pk_replies"),
    )
    op.create_index("ix_replies_created_at", "replies", ["created_at"])
