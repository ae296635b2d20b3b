"""Assistants, their versions, and what is deleted."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection

from playground_tui.engine.objects import assistant_object, present
from playground_tui.engine.store import assistants, versions
from playground_tui.engine.store.database import Database
from playground_tui.engine.store.paging import Page
from playground_tui.engine.store.purge import purge
from playground_tui.engine.store.unknown import Unknown


@pytest.fixture
async def made(database: Database) -> dict[str, Any]:
    """An assistant made at 10 by "first"."""
    assistant = assistant_object({"model": "m", "name": "One"}, created_at=10)
    await database.write(lambda c: assistants.insert(c, assistant, client="first"))
    return assistant


async def history(database: Database, assistant_id: str) -> list[tuple[Any, ...]]:
    def read(c: Connection) -> list[tuple[Any, ...]]:
        items, _ = versions.list_versions(c, assistant_id, Page(order="asc", limit=100))
        names = [versions.get(c, assistant_id, v["id"])["assistant"]["name"] for v in items]
        return [(v["action"], v["created_at"], v["client"], name) for v, name in zip(items, names, strict=True)]

    return await database.read(read)


async def test_what_was_not_given_stays_null_and_is_answered_as_1(made: dict[str, Any]) -> None:
    assert (made["temperature"], made["top_p"], made["reasoning_effort"]) == (None, None, None)
    shown = present(made)
    assert (shown["temperature"], shown["top_p"], shown["reasoning_effort"]) == (1, 1, None)
    assert present({**made, "temperature": 0})["temperature"] == 0


async def test_every_write_keeps_a_version(database: Database, made: dict[str, Any]) -> None:
    key = made["id"]
    await database.write(lambda c: assistants.update(c, key, {"name": "Two"}, at=11, client="second"))
    await database.write(lambda c: assistants.delete(c, key, at=12, client="third"))
    await database.write(lambda c: assistants.restore(c, key, at=13))
    assert await history(database, key) == [
        ("created", 10, "first", "One"),
        ("modified", 11, "second", "Two"),
        ("deleted", 12, "third", "Two"),
        ("restored", 13, "", "Two"),
    ]


async def test_what_changes_nothing_leaves_no_version(database: Database, made: dict[str, Any]) -> None:
    await database.write(lambda c: assistants.update(c, made["id"], {"name": "One"}, at=11))
    await database.write(lambda c: assistants.restore(c, made["id"], at=12))
    assert len(await history(database, made["id"])) == 1


async def test_a_deleted_assistant_is_out_of_sight_and_comes_back_as_it_was(
    database: Database, made: dict[str, Any]
) -> None:
    key = made["id"]
    await database.write(lambda c: assistants.delete(c, key, at=12))
    assert await database.read(lambda c: assistants.get(c, key)) is None
    assert await database.read(lambda c: assistants.list_assistants(c, Page())) == ([], False)
    assert await database.write(lambda c: assistants.restore(c, key, at=13)) == made
    assert await database.read(lambda c: assistants.get(c, key)) == made


async def test_a_deleted_assistant_takes_no_change(database: Database, made: dict[str, Any]) -> None:
    key = made["id"]
    await database.write(lambda c: assistants.delete(c, key, at=12))
    with pytest.raises(Unknown, match=f"No assistant found with id '{key}'"):
        await database.write(lambda c: assistants.update(c, key, {"name": "x"}, at=13))
    with pytest.raises(Unknown):
        await database.write(lambda c: assistants.delete(c, key, at=13))


async def test_an_assistant_that_never_was_has_no_history(database: Database) -> None:
    with pytest.raises(Unknown, match="No assistant found with id 'asst_x'"):
        await database.read(lambda c: versions.list_versions(c, "asst_x", Page()))
    with pytest.raises(Unknown):
        await database.write(lambda c: assistants.restore(c, "asst_x", at=1))


async def test_purging_ends_what_was_deleted_before(database: Database, made: dict[str, Any]) -> None:
    kept = assistant_object({"model": "m"}, created_at=10)
    await database.write(lambda c: assistants.insert(c, kept))
    await database.write(lambda c: assistants.delete(c, made["id"], at=20))
    await database.write(lambda c: assistants.delete(c, kept["id"], at=30))
    assert await database.write(lambda c: purge(c, before=30)) == 1
    assert await database.write(lambda c: assistants.restore(c, kept["id"], at=31)) == kept
    with pytest.raises(Unknown):
        await database.write(lambda c: assistants.restore(c, made["id"], at=31))


async def test_of_too_many_versions_the_oldest_go_and_the_numbers_stay(
    database: Database, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "MOST_BYTES", 10_000)
    monkeypatch.setattr(versions, "ALWAYS", 3)
    monkeypatch.setattr(versions, "LOOK_EVERY", 5)
    key = made["id"]

    async def numbers() -> list[int]:
        items, _ = await database.read(lambda c: versions.list_versions(c, key, Page(limit=100)))
        return [item["number"] for item in items]

    def change(text: str, times: int) -> Any:
        def write(c: Connection) -> None:
            for time in range(times):
                assistants.update(c, key, {"name": f"{text} {time}"}, at=20)

        return write

    await database.write(change("n" * 1_000, 18))
    assert await numbers() == [19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9]
    await database.write(change("long " * 5_000, 2))
    assert await numbers() == [21, 20, 19, 18]
    assert (await database.read(lambda c: assistants.get(c, key)) or {})["name"].endswith("1")
    with pytest.raises(Unknown):
        await database.read(lambda c: versions.get(c, key, "1"))
