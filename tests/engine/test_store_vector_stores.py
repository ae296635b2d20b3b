"""Vector stores, their files and batches in the store: what becomes of a file, and what of a store in time."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select

from playground_tui.engine.objects import vector_store_object
from playground_tui.engine.store import batches, store_files, vector_stores
from playground_tui.engine.store import chunks as chunk_store
from playground_tui.engine.store.database import Database
from playground_tui.engine.store.paging import Page, UnknownCursor
from playground_tui.engine.store.purge import purge
from playground_tui.engine.store.store_files import AUTO, Wanted
from playground_tui.engine.store.tables import chunks, vector_store_files
from playground_tui.engine.store.unknown import Unknown
from playground_tui.engine.store.vector_stores import DAY, Expired

SMALL = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 10}}


@pytest.fixture
async def store(database: Database) -> str:
    """The id of an empty vector store made at 1000."""
    made = vector_store_object(created_at=1000)
    await database.write(lambda c: vector_stores.insert(c, made))
    return str(made["id"])


def put(c: Connection, store: str, *names: str, **how: Any) -> list[int]:
    return store_files.add(c, store, [Wanted(name, **how) for name in names], now=1000)


def chunk(c: Connection, seq: int, *texts: str) -> None:
    for position, text in enumerate(texts):
        c.execute(insert(chunks).values(store_file=seq, position=position, heading="", text=text))


def chunk_count(c: Connection) -> int:
    return int(c.execute(select(func.count()).select_from(chunks)).scalar_one())


async def test_files_wait_in_the_order_they_came(database: Database, store: str) -> None:
    def act(c: Connection) -> None:
        seqs = put(c, store, "a", "b", "a", "c", chunking_strategy=SMALL)
        assert [(one.file_id, one.seq) for one in store_files.in_progress(c)] == list(zip("abc", seqs, strict=True))
        assert [one.file_id for one in store_files.in_progress(c, limit=1)] == ["a"]
        first = store_files.in_progress(c)[0]
        assert (first.chunk_tokens, first.overlap_tokens) == (100, 10)

    await database.write(act)


async def test_a_file_ends_once(database: Database, store: str) -> None:
    error = {"code": "invalid_file", "message": "It is empty."}

    def act(c: Connection) -> None:
        done, broken = put(c, store, "done", "broken")
        chunk(c, broken, "half of it")
        assert store_files.finish(c, done, "completed", usage_bytes=7)
        assert store_files.finish(c, broken, "failed", last_error=error)
        assert not store_files.finish(c, done, "failed", last_error=error)
        assert chunk_count(c) == 0
        assert store_files.in_progress(c) == []
        kept = [store_files.require(c, store, name) for name in ("done", "broken")]
        assert [(one["status"], one["usage_bytes"], one["last_error"]) for one in kept] == [
            ("completed", 7, None),
            ("failed", 0, error),
        ]
        shown = vector_stores.require(c, store, now=1000)
        assert (shown["status"], shown["usage_bytes"]) == ("completed", 7)
        counts = {"in_progress": 0, "completed": 1, "failed": 1, "cancelled": 0, "total": 2}
        assert shown["file_counts"] == counts

    await database.write(act)


async def test_put_in_again_it_stays_as_it_is(database: Database, store: str) -> None:
    def act(c: Connection) -> None:
        seqs = put(c, store, "a", "b", attributes={"n": 1})
        store_files.finish(c, seqs[0], "completed")
        assert put(c, store, "b", "a") == seqs[::-1]
        assert put(c, store, "a", attributes={"n": 2}, chunking_strategy={"type": "auto"}) == seqs[:1]
        kept = [store_files.require(c, store, name) for name in "ab"]
        assert [(one["status"], one["attributes"]) for one in kept] == [
            ("completed", {"n": 2}),
            ("in_progress", {"n": 1}),
        ]

    await database.write(act)


async def test_with_other_chunks_it_is_put_in_anew(database: Database, store: str) -> None:
    def act(c: Connection) -> None:
        batches.add(c, "vsfb_1", store, [Wanted("a", {"n": 1}), Wanted("b")], now=1000)
        (old,) = put(c, store, "a")
        chunk(c, old, "one", "two")
        assert store_files.finish(c, old, "completed")
        (new,) = put(c, store, "a", chunking_strategy=SMALL)
        assert new > old
        assert chunk_count(c) == 0
        assert not store_files.finish(c, old, "completed")
        kept = store_files.require(c, store, "a")
        assert (kept["status"], kept["chunking_strategy"], kept["attributes"]) == ("in_progress", SMALL, {"n": 1})
        assert batches.require(c, store, "vsfb_1")["file_counts"]["total"] == 2

    await database.write(act)


@pytest.mark.parametrize("ended", ["failed", "cancelled"])
async def test_a_file_that_was_not_indexed_is_tried_again(database: Database, store: str, ended: str) -> None:
    def act(c: Connection) -> None:
        batches.add(c, "vsfb_1", store, [Wanted("a")], now=1000)
        if ended == "cancelled":
            batches.cancel(c, store, "vsfb_1")
        else:
            store_files.finish(c, store_files.in_progress(c)[0].seq, "failed", last_error={"code": "x", "message": ""})
        assert store_files.require(c, store, "a")["status"] == ended
        put(c, store, "a")
        again = store_files.require(c, store, "a")
        assert (again["status"], again["last_error"], again["chunking_strategy"]) == ("in_progress", None, AUTO)

    await database.write(act)


async def test_what_was_taken_out_is_gone_and_can_come_back(database: Database, store: str) -> None:
    def act(c: Connection) -> None:
        batches.add(c, "vsfb_1", store, [Wanted("a", {"n": 1}), Wanted("b")], now=1000)
        (seq,) = put(c, store, "a")
        chunk(c, seq, "one")
        store_files.finish(c, seq, "completed", usage_bytes=3)
        assert store_files.text(c, store, "a") == ["one"]
        store_files.remove(c, store, "a", at=2000)
        assert chunk_count(c) == 0
        with pytest.raises(Unknown, match="No file found with id 'a'"):
            store_files.require(c, store, "a")
        with pytest.raises(Unknown):
            store_files.remove(c, store, "a", at=2000)
        assert vector_stores.require(c, store, now=1000)["file_counts"]["total"] == 1
        assert batches.require(c, store, "vsfb_1")["file_counts"]["total"] == 1
        put(c, store, "a")
        assert store_files.require(c, store, "a")["attributes"] == {}

    await database.write(act)


async def test_what_is_not_indexed_has_no_text(database: Database, store: str) -> None:
    def act(c: Connection) -> None:
        (seq,) = put(c, store, "a")
        chunk(c, seq, "half of it")
        assert store_files.text(c, store, "a") == []
        batches.add(c, "vsfb_1", store, [Wanted("a")], now=1000)
        assert batches.cancel(c, store, "vsfb_1")["status"] == "cancelled"
        assert chunk_count(c) == 0

    await database.write(act)


async def test_a_list_goes_on_from_what_was_taken_out(database: Database, store: str) -> None:
    def act(c: Connection) -> None:
        put(c, store, *"abcd")
        store_files.remove(c, store, "b", at=2000)
        page = Page(limit=1, order="asc", after="b")
        files, more = store_files.list_files(c, store, page)
        assert ([one["id"] for one in files], more) == (["c"], True)
        with pytest.raises(UnknownCursor):
            store_files.list_files(c, store, Page(after="z"))
        assert purge(c, 2000) == 0
        assert purge(c, 2001) == 1
        with pytest.raises(UnknownCursor):
            store_files.list_files(c, store, page)

    await database.write(act)


async def test_a_deleted_file_leaves_all_stores(database: Database, store: str) -> None:
    other = vector_store_object(created_at=1000)

    def act(c: Connection) -> None:
        vector_stores.insert(c, other)
        put(c, store, "a", "b")
        put(c, other["id"], "a")
        store_files.forget(c, ["a"], at=2000)
        counts = store_files.count(c, [store, other["id"]])
        assert [one.file_counts["total"] for one in counts.values()] == [1, 0]

    await database.write(act)


async def test_any_number_of_files_can_be_passed_over(database: Database, store: str) -> None:
    (seq,) = await database.write(lambda c: put(c, store, "a.txt"))
    await database.write(lambda c: store_files.finish(c, seq, "completed", usage_bytes=1))
    others = set(range(seq + 1, seq + 300_000))
    assert await database.read(lambda c: chunk_store.unembedded(c, others)) == seq
    assert await database.read(lambda c: chunk_store.unembedded(c, {*others, seq})) is None


async def test_a_batch_ends_as_its_files_do(database: Database, store: str) -> None:
    def status(c: Connection) -> str:
        return str(batches.require(c, store, "vsfb_1")["status"])

    def act(c: Connection) -> None:
        batches.add(c, "vsfb_1", store, [Wanted("a"), Wanted("b")], now=1000)
        first, second = (one.seq for one in store_files.in_progress(c))
        store_files.finish(c, first, "failed", last_error={"code": "x", "message": ""})
        assert status(c) == "in_progress"
        store_files.finish(c, second, "failed", last_error={"code": "x", "message": ""})
        assert status(c) == "failed"
        batches.add(c, "vsfb_2", store, [Wanted("c"), Wanted("a")], now=1000)
        store_files.finish(c, store_files.in_progress(c)[0].seq, "completed")
        assert batches.cancel(c, store, "vsfb_2")["file_counts"] == {
            "in_progress": 0,
            "completed": 1,
            "failed": 0,
            "cancelled": 1,
            "total": 2,
        }
        assert batches.cancel(c, store, "vsfb_2")["status"] == "cancelled"
        with pytest.raises(Unknown, match="No file batch found"):
            batches.require(c, "vs_other", "vsfb_1")

    await database.write(act)


async def test_a_batch_that_has_ended_is_not_cancelled(database: Database, store: str) -> None:
    def act(c: Connection) -> None:
        batches.add(c, "vsfb_1", store, [Wanted("a")], now=1000)
        store_files.finish(c, store_files.in_progress(c)[0].seq, "completed")
        assert batches.cancel(c, store, "vsfb_1")["status"] == "completed"

    await database.write(act)


async def test_use_puts_off_the_end(database: Database) -> None:
    made = vector_store_object(created_at=1000, expires_after={"anchor": "last_active_at", "days": 1})
    store = made["id"]

    def act(c: Connection) -> None:
        vector_stores.insert(c, made)
        end = 1000 + DAY
        assert vector_stores.require(c, store, now=end - 1)["status"] == "completed"
        vector_stores.touch(c, [store, "vs_none"], at=end - 1)
        vector_stores.touch(c, [store], at=2000)
        shown = vector_stores.require(c, store, now=end)
        assert (shown["status"], shown["last_active_at"], shown["expires_at"]) == ("completed", end - 1, end - 1 + DAY)
        over = end - 1 + DAY
        assert vector_stores.usable(c, [store], now=over - 1) == [store]
        assert vector_stores.usable(c, [store], now=over) == []
        vector_stores.touch(c, [store], at=over)
        assert vector_stores.require(c, store, now=over)["status"] == "expired"
        with pytest.raises(Expired, match="expired"):
            vector_stores.require_usable(c, store, now=over)
        vector_stores.update(c, store, {"expires_after": {"anchor": "last_active_at", "days": 3}}, now=over)
        vector_stores.require_usable(c, store, now=over)
        freed = vector_stores.update(c, store, {"expires_after": None}, now=over)
        assert (freed["expires_at"], freed["status"], "expires_after" in freed) == (None, "completed", False)
        named = vector_stores.update(c, store, {"name": "one"}, now=over)
        assert (named["name"], named["expires_at"]) == ("one", None)

    await database.write(act)


async def test_a_deleted_store_is_gone_with_what_is_in_it(database: Database, store: str) -> None:
    def act(c: Connection) -> None:
        batches.add(c, "vsfb_1", store, [Wanted("a")], now=1000)
        chunk(c, store_files.in_progress(c)[0].seq, "one")
        vector_stores.remove(c, store, at=2000)
        assert chunk_count(c) == 0
        assert c.execute(select(vector_store_files)).all() == []
        assert vector_stores.usable(c, [store], now=2000) == []
        for call in (vector_stores.require_known, lambda c, store: vector_stores.remove(c, store, at=2000)):
            with pytest.raises(Unknown, match=f"No vector store found with id '{store}'"):
                call(c, store)
        assert vector_stores.list_stores(c, Page(after=store), now=2000) == ([], False)

    await database.write(act)
