"""The names of the files that a run's own tools can use."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from playground_tui.engine.store.tables import files, vector_store_files, vector_stores

_LIVING = files.c.deleted_at.is_(None)
_NAME = files.c.body["filename"].as_string()


def names(c: Connection, file_ids: Sequence[str]) -> dict[str, str]:
    """The names of those of these files that there are, by id, in the order of `file_ids`."""
    rows = c.execute(select(files.c.id, _NAME).where(files.c.id.in_(file_ids), _LIVING)).all()
    found = {row.id: row[1] for row in rows}
    return {file_id: found[file_id] for file_id in file_ids if file_id in found}


def searchable(c: Connection, vector_store_ids: Sequence[str], *, limit: int) -> list[str]:
    """The names of the first `limit` files that these vector stores can be searched for, or soon can."""
    joined = select(_NAME).join(vector_store_files, vector_store_files.c.id == files.c.id)
    indexed = vector_store_files.c.status.in_(("in_progress", "completed"))
    here = joined.where(vector_store_files.c.vector_store_id.in_(vector_store_ids), indexed, _LIVING)
    return list(c.execute(here.order_by(vector_store_files.c.seq).limit(limit)).scalars())


def kept_here(c: Connection, ids: Sequence[str]) -> list[str]:
    """Those of these ids that are files or vector stores of this engine, deleted ones too."""
    found = {
        row.id for table in (files, vector_stores) for row in c.execute(select(table.c.id).where(table.c.id.in_(ids)))
    }
    return [one for one in ids if one in found]
