"""Lists by cursor."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from playground_tui.engine.objects import assistant_object
from playground_tui.engine.store import assistants
from playground_tui.engine.store.database import Database
from playground_tui.engine.store.paging import Page, UnknownCursor

NAMES = ["a1", "a2", "a3", "a4", "a5"]


@pytest.fixture
async def five(database: Database) -> Database:
    """Five assistants made within one second, in this order."""

    def fill(c: Connection) -> None:
        for name in NAMES:
            assistants.insert(c, assistant_object({"model": "m"}, created_at=7, assistant_id=name))

    await database.write(fill)
    return database


@pytest.mark.parametrize(
    ("page", "ids", "more"),
    [
        (Page(), ["a5", "a4", "a3", "a2", "a1"], False),
        (Page(order="asc"), NAMES, False),
        (Page(limit=2), ["a5", "a4"], True),
        (Page(limit=5), ["a5", "a4", "a3", "a2", "a1"], False),
        (Page(limit=2, after="a4"), ["a3", "a2"], True),
        (Page(limit=2, after="a3"), ["a2", "a1"], False),
        (Page(after="a1"), [], False),
        (Page(limit=2, order="asc", after="a2"), ["a3", "a4"], True),
        (Page(before="a3"), ["a5", "a4"], False),
        (Page(limit=1, before="a3"), ["a4"], True),
        (Page(limit=2, order="asc", before="a4"), ["a2", "a3"], True),
        (Page(limit=3, order="asc", before="a4"), ["a1", "a2", "a3"], False),
        (Page(after="a5", before="a2"), ["a4", "a3"], False),
        (Page(limit=1, order="asc", after="a1", before="a4"), ["a2"], True),
    ],
)
async def test_pages(five: Database, page: Page, ids: list[str], more: bool) -> None:
    items, has_more = await five.read(lambda c: assistants.list_assistants(c, page))
    assert [item["id"] for item in items] == ids
    assert has_more is more


async def test_a_cursor_may_have_been_deleted_meanwhile(five: Database) -> None:
    await five.write(lambda c: assistants.delete(c, "a3", at=8))
    items, _ = await five.read(lambda c: assistants.list_assistants(c, Page(after="a3")))
    assert [item["id"] for item in items] == ["a2", "a1"]


@pytest.mark.parametrize("page", [Page(after="a9"), Page(before="a9")])
async def test_an_unknown_cursor_is_named(five: Database, page: Page) -> None:
    with pytest.raises(UnknownCursor, match="no object with id 'a9'") as raised:
        await five.read(lambda c: assistants.list_assistants(c, page))
    assert raised.value.parameter == ("after" if page.after else "before")
