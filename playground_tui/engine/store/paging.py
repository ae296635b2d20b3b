"""Lists by cursor: in the order of making, exclusive, and with a true `has_more`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, literal, select, tuple_


class UnknownCursor(Exception):
    """`parameter` ("after" or "before") names an object that is not in the list."""

    def __init__(self, parameter: str, cursor: str):
        super().__init__(f"Invalid '{parameter}': there is no object with id '{cursor}' in this list.")
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted. `after` and `before` are ids of objects, themselves left out."""

    limit: int = 20
    order: Literal["asc", "desc"] = "desc"
    after: str | None = None
    before: str | None = None


def page_rows(
    c: Connection,
    query: Select[Any],
    page: Page,
    table: Table,
    *scope: ColumnElement[bool],
    key: Sequence[ColumnElement[Any]] = (),
) -> tuple[list[Row[Any]], bool]:
    """The rows of `query` that `page` asks for, in its order, and whether there are more of them that way.

    `before` alone gives the rows next to the cursor, not the first of the list: it is the way back from a page.
    A cursor may name a deleted object, as long as it is in `scope`. Raises UnknownCursor.
    """
    key = key or (table.c.seq,)
    rising = page.order == "asc"
    back = page.before is not None and page.after is None
    for parameter, cursor, up in (("after", page.after, rising), ("before", page.before, not rising)):
        if cursor is not None:
            row = c.execute(select(*key).where(table.c.id == cursor, *scope)).one_or_none()
            if row is None:
                raise UnknownCursor(parameter, cursor)
            place = tuple_(*(literal(value) for value in row))
            query = query.where(tuple_(*key) > place if up else tuple_(*key) < place)
    up = rising != back
    ordered = query.order_by(*(column.asc() if up else column.desc() for column in key))
    rows = list(c.execute(ordered.limit(page.limit + 1)))
    wanted = rows[: page.limit]
    return (wanted[::-1] if back else wanted), len(rows) > page.limit
