"""Versions have a number, say which fields changed, and how large they are.

The table is made anew so that what lists read stands before the body, which may be long.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

COLUMNS = "id, assistant_id, number, created_at, action, client, changed, bytes, body"


def upgrade() -> None:
    op.execute("DROP INDEX ix_versions_assistant_id_seq")
    op.rename_table("versions", "old_versions")
    _versions()
    _fill(op.get_bind())
    op.drop_table("old_versions")
    op.create_index("ix_versions_assistant_id_seq", "versions", ["assistant_id", "seq"])


def _versions() -> None:
    op.create_table(
        "versions",
        sa.Column("seq", sa.Integer(), primary_key=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("assistant_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("changed", sa.JSON(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.UniqueConstraint("id", name="uq_versions_id"),
        sa.UniqueConstraint("assistant_id", "number", name="uq_versions_assistant_id"),
        sa.ForeignKeyConstraint(
            ["assistant_id"], ["assistants.id"], name="fk_versions_assistant_id", ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )


def _fill(connection: sa.Connection) -> None:
    """Number what was kept, assistant by assistant, and compare each version with the one before it."""
    old = sa.text("SELECT id, assistant_id, created_at, action, client, body FROM old_versions ORDER BY seq")
    values = ", ".join(f":{name}" for name in COLUMNS.split(", "))
    insert = sa.text(f"INSERT INTO versions ({COLUMNS}) VALUES ({values})")  # noqa: S608 -- names of this file
    before: dict[str, tuple[int, dict[str, Any]]] = {}
    for row in connection.execute(old):
        number, last = before.get(row.assistant_id, (0, {}))
        body = json.loads(row.body)
        changed = [key for key in body if last and body[key] != last.get(key)]
        before[row.assistant_id] = (number + 1, body)
        kept = {**row._mapping, "number": number + 1, "changed": json.dumps(changed), "bytes": len(row.body)}
        connection.execute(insert, kept)
