"""Threads and messages, and what the list of threads shows of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Connection

from playground_tui.engine.objects import message_object, run_object, text_part, thread_object
from playground_tui.engine.store import messages, runs, threads
from playground_tui.engine.store.database import Database
from playground_tui.engine.store.paging import Page
from playground_tui.engine.store.purge import purge
from playground_tui.engine.store.unknown import Unknown


async def add_thread(database: Database, name: str, *, at: int = 10) -> None:
    await database.write(lambda c: threads.insert(c, thread_object(created_at=at, thread_id=name)))


async def add_message(database: Database, thread: str, text: str, *, at: int = 10, **fields: Any) -> str:
    fields = {"role": "user", "content": [text_part(text)], **fields}
    message = message_object(thread_id=thread, created_at=at, **fields)
    await database.write(lambda c: messages.insert(c, message))
    return str(message["id"])


async def add_run(database: Database, thread: str, assistant: str, *, at: int = 10) -> None:
    run = run_object(thread_id=thread, assistant_id=assistant, created_at=at, expires_at=at + 600, model="m")
    await database.write(lambda c: runs.insert(c, {**run, "status": "completed"}))


async def listed(database: Database, **query: Any) -> list[dict[str, Any]]:
    items, _ = await database.read(lambda c: threads.list_threads(c, Page(), **query))
    return items


def ids(items: Sequence[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items]


async def test_a_thread_in_the_list_says_what_is_in_it(database: Database) -> None:
    await add_thread(database, "t", at=10)
    await add_message(database, "t", "  Hello there ", at=20)
    await add_message(database, "t", "Hi.", role="assistant", at=21)
    await add_run(database, "t", "asst_b", at=22)
    await add_run(database, "t", "asst_a", at=23)
    await add_run(database, "t", "asst_b", at=24)
    assert await listed(database) == [
        {
            **thread_object(created_at=10, thread_id="t"),
            "assistant_ids": ["asst_b", "asst_a"],
            "first_message": "Hello there",
            "message_count": 2,
            "last_activity_at": 24,
        }
    ]


async def test_only_what_the_user_said_names_a_thread(database: Database) -> None:
    await add_thread(database, "t")
    await add_message(database, "t", "Welcome!", role="assistant")
    image = {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "auto"}}
    await add_message(database, "t", "", content=[image])
    assert (await listed(database))[0]["first_message"] == ""
    await add_message(database, "t", "Look", content=[image, text_part("L" * 300), text_part("more")])
    assert (await listed(database))[0]["first_message"] == "L" * messages.FIRST_MESSAGE_CHARACTERS


async def test_the_last_used_thread_comes_first(database: Database) -> None:
    for name in ("a", "b", "c"):
        await add_thread(database, name)
    await add_message(database, "b", "later", at=30)
    assert ids(await listed(database)) == ["b", "c", "a"]
    first, more = await database.read(lambda c: threads.list_threads(c, Page(limit=1)))
    rest, end = await database.read(lambda c: threads.list_threads(c, Page(after=first[0]["id"])))
    assert (ids(rest), more, end) == (["c", "a"], True, False)


async def test_a_clock_that_was_set_back_does_not_make_a_thread_older(database: Database) -> None:
    await add_thread(database, "t", at=100)
    await add_message(database, "t", "x", at=50)
    assert (await listed(database))[0]["last_activity_at"] == 100


async def test_threads_of_one_assistant(database: Database) -> None:
    for name in ("a", "b", "c"):
        await add_thread(database, name)
    await add_run(database, "a", "asst_x")
    await add_run(database, "b", "asst_y")
    await add_run(database, "b", "asst_x")
    assert ids(await listed(database, assistant_id="asst_x")) == ["b", "a"]
    assert ids(await listed(database, assistant_id="asst_z")) == []


@pytest.mark.parametrize(
    ("q", "found"),
    [("STRASSE", ["t"]), ("straße", ["t"]), ("ärger", ["t"]), ("50%", ["t"]), ("5_%", []), ("gone", []), ("", ["t"])],
)
async def test_searching_the_text_of_messages(database: Database, q: str, found: list[str]) -> None:
    await add_thread(database, "t")
    await add_message(database, "t", "first")
    await add_message(database, "t", "ÄRGER in der Straße, 50% davon")
    gone = await add_message(database, "t", "gone")
    await database.write(lambda c: messages.delete(c, "t", gone, at=11))
    assert ids(await listed(database, q=q)) == found


async def test_text_that_no_column_takes_is_stored_all_the_same(database: Database) -> None:
    await add_thread(database, "t")
    hostile = "a\ud800b\0c"
    key = await add_message(database, "t", hostile)
    kept = await database.read(lambda c: messages.require(c, "t", key))
    assert kept["content"] == [text_part(hostile)]
    assert (await listed(database, q="b\0c"))[0]["first_message"] == "a?bc"


async def test_a_message_can_be_changed_and_is_then_found_by_its_new_text(database: Database) -> None:
    await add_thread(database, "t")
    key = await add_message(database, "t", "", role="assistant", content=[], status="in_progress")
    changes = {"content": [text_part("forty-two")], "status": "completed"}
    changed = await database.write(lambda c: messages.update(c, key, changes))
    await database.write(lambda c: messages.update(c, key, {"metadata": {"a": "b"}}))
    assert changed["content"] == [text_part("forty-two")]
    assert ids(await listed(database, q="forty")) == ["t"]
    with pytest.raises(Unknown, match="No message found with id 'msg_x'"):
        await database.write(lambda c: messages.update(c, "msg_x", changes))


async def test_deleting_a_message_takes_it_out_of_the_count(database: Database) -> None:
    await add_thread(database, "t")
    first = await add_message(database, "t", "one")
    await add_message(database, "t", "two")
    await database.write(lambda c: messages.delete(c, "t", first, at=11))
    shown = (await listed(database))[0]
    assert (shown["first_message"], shown["message_count"]) == ("two", 1)
    assert await database.read(lambda c: messages.get(c, "t", first)) is None
    with pytest.raises(Unknown):
        await database.write(lambda c: messages.delete(c, "t", first, at=12))


async def test_the_last_message_deleted_leaves_a_thread_without_a_name(database: Database) -> None:
    await add_thread(database, "t")
    only = await add_message(database, "t", "one")
    await database.write(lambda c: messages.delete(c, "t", only, at=11))
    shown = (await listed(database))[0]
    assert (shown["first_message"], shown["message_count"]) == ("", 0)


async def test_messages_of_a_thread_are_read_oldest_first(database: Database) -> None:
    await add_thread(database, "t")
    await add_thread(database, "other")
    keys = [await add_message(database, "t", str(number)) for number in range(4)]
    await add_message(database, "other", "x")
    items, more = await database.read(lambda c: messages.list_messages(c, "t", Page(order="asc")))
    assert (ids(items), more) == (keys, False)
    items, more = await database.read(lambda c: messages.list_messages(c, "t", Page(limit=2)))
    assert (ids(items), more) == (keys[:1:-1], True)


async def test_messages_of_one_run(database: Database) -> None:
    await add_thread(database, "t")
    await add_message(database, "t", "question")
    answer = await add_message(database, "t", "answer", role="assistant", run_id="run_1")
    items, more = await database.read(lambda c: messages.list_messages(c, "t", Page(), run_id="run_1"))
    assert (ids(items), more) == ([answer], False)


async def test_a_message_belongs_to_its_thread(database: Database) -> None:
    await add_thread(database, "t")
    key = await add_message(database, "t", "x")
    assert await database.read(lambda c: messages.get(c, "other", key)) is None


async def test_a_deleted_thread_comes_back_with_its_messages(database: Database) -> None:
    await add_thread(database, "t")
    key = await add_message(database, "t", "x")
    await database.write(lambda c: threads.delete(c, "t", at=11))
    assert await database.read(lambda c: threads.get(c, "t")) is None
    assert await listed(database) == []
    with pytest.raises(Unknown, match="No thread found with id 't'"):
        await database.write(lambda c: threads.update(c, "t", {}))
    await database.write(lambda c: threads.restore(c, "t"))
    assert ids((await database.read(lambda c: messages.list_messages(c, "t", Page())))[0]) == [key]
    assert ids(await listed(database)) == ["t"]


async def test_a_thread_that_never_was_cannot_be_restored(database: Database) -> None:
    with pytest.raises(Unknown):
        await database.write(lambda c: threads.restore(c, "t"))


async def test_purging_a_thread_takes_all_that_is_in_it(database: Database) -> None:
    await add_thread(database, "t")
    await add_thread(database, "kept")
    await add_message(database, "t", "x")
    single = await add_message(database, "kept", "x")
    await add_run(database, "t", "asst_x")
    await database.write(lambda c: threads.delete(c, "t", at=11))
    await database.write(lambda c: messages.delete(c, "kept", single, at=11))
    assert await database.write(lambda c: purge(c, before=12)) == 2

    def left(c: Connection) -> list[int]:
        names = ("threads", "messages", "runs", "thread_assistants")
        return [c.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in names]

    assert await database.read(left) == [1, 0, 0, 0]
