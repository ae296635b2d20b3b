"""Indexing in the background: what becomes of each file, and what a cancel, a deletion or another engine changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from playground_tui.engine.store.tables import chunks
from playground_tui.engine.tools.file_search import indexing
from playground_tui.engine.tools.file_search.reading import process
from tests.support.scripted import ScriptedEngine, scripted_engine
from tests.support.searching import PATIENCE, eventually, files_of, found, names, store_of, uploaded
from tests.support.wait import until

SLOW = ("/bin/sh", "-c", "read task; sleep 60")
"""In place of the process that reads files: one that takes its time."""
COMMAND = "playground_tui.engine.tools.file_search.reading.process.COMMAND"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as running:
        yield running


async def kept(engine: ScriptedEngine) -> int:
    """How many chunks there are."""
    counted = select(func.count()).select_from(chunks)
    return await engine.engine.database.read(lambda c: c.execute(counted).scalar_one())


async def some_kept(engine: ScriptedEngine) -> bool:
    return await kept(engine) > 0


async def test_files_are_indexed_by_themselves_and_counted(engine):
    store_id = await store_of(engine, a_md="Tides rise.", b_txt="Tides fall.", empty_txt="", c_bin=bytes(500))
    store = await engine.get(f"/vector_stores/{store_id}")
    counts = {"in_progress": 0, "completed": 2, "failed": 2, "cancelled": 0, "total": 4}
    assert (store["status"], store["file_counts"]) == ("completed", counts)
    assert store["usage_bytes"] == len("Tides rise.Tides fall.")
    assert [(file["status"], (file["last_error"] or {}).get("code")) for file in await files_of(engine, store_id)] == [
        ("completed", None),
        ("completed", None),
        ("failed", "invalid_file"),
        ("failed", "unsupported_file"),
    ]


async def test_a_file_is_cut_as_its_strategy_says(engine):
    text = "Some words stand here. " * 300
    file_id = await uploaded(engine, "a.txt", text)
    static = {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}
    store = await engine.post(
        "/vector_stores", file_ids=[file_id], chunking_strategy={"type": "static", "static": static}
    )
    assert await engine.engine.search.settled([store["id"]], PATIENCE)
    content = await engine.get(f"/vector_stores/{store['id']}/files/{file_id}/content")
    assert len(content["data"]) == await kept(engine) >= 15


async def test_more_chunks_than_are_stored_at_once_are_all_there_and_in_order(engine, monkeypatch):
    monkeypatch.setattr(indexing, "PART", 3)
    text = " ".join(f"Sentence number {number} is here." for number in range(500))
    store_id = await store_of(engine, a_txt=text)
    content = await engine.get(f"/vector_stores/{store_id}/files/{(await files_of(engine, store_id))[0]['id']}/content")
    pieces = [part["text"] for part in content["data"]]
    assert len(pieces) > 6
    assert pieces == sorted(pieces, key=text.index)
    assert await names(engine, store_id, "Sentence 499") != []


async def test_contents_that_are_gone_fail_the_file(engine):
    file_id = await uploaded(engine, "a.txt", "text")
    engine.engine.files.path(file_id).unlink()
    store = await engine.post("/vector_stores", file_ids=[file_id])
    assert await engine.engine.search.settled([store["id"]], PATIENCE)
    (file,) = await files_of(engine, store["id"])
    assert file["last_error"]["code"] == "server_error"
    assert file["last_error"]["message"] == "The file could not be read: No such file or directory."


async def test_nothing_is_found_in_a_file_before_it_is_indexed(engine, monkeypatch):
    monkeypatch.setattr(process, "COMMAND", SLOW)
    store_id = await store_of(engine, settled=False, a_md="Tides rise.")
    assert not await engine.engine.search.settled([store_id], 0.05)
    assert await found(engine, store_id, "tides") == []
    assert (await engine.get(f"/vector_stores/{store_id}"))["status"] == "in_progress"


@pytest.mark.parametrize("turns", range(4))
async def test_who_waits_for_files_can_stop_waiting_when_one_is_indexed(engine, monkeypatch, turns):
    monkeypatch.setattr(process, "COMMAND", SLOW)
    store_id = await store_of(engine, settled=False, a_md="Tides rise.")
    indexer = engine.engine.search._indexer
    waiting = asyncio.create_task(indexer.settled([store_id], PATIENCE))
    await until(lambda: indexer._changed._waiters)
    indexer._tell()
    for _ in range(turns):
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting}, timeout=PATIENCE / 4)
    assert waiting.cancelled()


async def test_a_store_without_files_is_settled_at_once(engine):
    store_id = await store_of(engine, settled=False)
    assert await engine.engine.search.settled([store_id], 0)


async def test_what_an_engine_leaves_is_indexed_by_the_next_one(tmp_path, monkeypatch):
    with monkeypatch.context() as slow:
        slow.setattr(process, "COMMAND", SLOW)
        async with scripted_engine(tmp_path) as engine:
            store_id = await store_of(engine, settled=False, a_md="Tides rise.", b_md="Moons wane.", c_md="Seas.")
            assert not await engine.engine.search.settled([store_id], 0.05)
    async with scripted_engine(tmp_path) as engine:
        engine.engine.search.wake()
        assert await engine.engine.search.settled([store_id], PATIENCE)
        assert await names(engine, store_id, "moon") == ["b.md"]


async def test_chunks_that_were_left_half_way_are_replaced(tmp_path, monkeypatch):
    text = "Some words stand here. " * 2000
    async with scripted_engine(tmp_path) as engine:
        monkeypatch.setattr(indexing, "PART", 1)
        told = 'echo \'["Some words", ""]\'; ' * 2
        with monkeypatch.context() as slow:
            slow.setattr(process, "COMMAND", ("/bin/sh", "-c", f"read task; {told} sleep 60"))
            store_id = await store_of(engine, settled=False, a_txt=text)
            await eventually(partial(some_kept, engine))
    async with scripted_engine(tmp_path) as engine:
        assert await engine.engine.search.settled([store_id], PATIENCE)
        (file,) = await files_of(engine, store_id)
        content = await engine.get(f"/vector_stores/{store_id}/files/{file['id']}/content")
        assert len(content["data"]) == await kept(engine)
        assert content["data"][0]["text"].startswith("Some words stand here. Some")


@pytest.mark.parametrize("end", ["cancel", "take out", "delete the file", "delete the store"])
async def test_a_file_that_is_ended_in_the_middle_leaves_nothing(engine, monkeypatch, end, tmp_path):
    monkeypatch.setattr(indexing, "PART", 1)
    go_on = tmp_path / "go on"
    told = 'echo \'["Some words", ""]\''
    wait = f"while ! test -e '{go_on}'; do sleep 0.01; done"
    monkeypatch.setattr(process, "COMMAND", ("/bin/sh", "-c", f"read task; {told}; {wait}; {told}; echo '{{}}'"))
    file_id = await uploaded(engine, "a.txt", "text")
    store_id = (await engine.post("/vector_stores"))["id"]
    batch = await engine.post(f"/vector_stores/{store_id}/file_batches", file_ids=[file_id])
    await eventually(partial(some_kept, engine))
    path = {
        "cancel": f"/vector_stores/{store_id}/file_batches/{batch['id']}/cancel",
        "take out": f"/vector_stores/{store_id}/files/{file_id}",
        "delete the file": f"/files/{file_id}",
        "delete the store": f"/vector_stores/{store_id}",
    }[end]
    response = await engine.http.request("POST" if end == "cancel" else "DELETE", path)
    assert response.status_code == 200
    go_on.touch()
    # Files are taken in turn: when the next one is done, so is this one.
    monkeypatch.setattr(process, "COMMAND", ("/bin/sh", "-c", "read task; echo '{}'"))
    for _ in range(2):
        await store_of(engine, b_txt="next")
    assert await kept(engine) == 0


async def words_left(engine: ScriptedEngine) -> int:
    """How many chunks have words in the index."""
    counted = text("SELECT count(*) FROM chunk_words_docsize")
    return await engine.engine.database.read(lambda c: c.execute(counted).scalar_one())


@pytest.mark.parametrize("what", ["file", "store file", "store"])
async def test_the_words_of_what_is_deleted_leave_the_index_afterwards(engine, monkeypatch, what):
    monkeypatch.setattr(indexing, "PART", 2)
    store_id = await store_of(engine, a_txt="Some words stand here. " * 2000, b_txt="others")
    file_id = (await files_of(engine, store_id))[0]["id"]
    paths = {"file": f"/files/{file_id}", "store file": f"/vector_stores/{store_id}/files/{file_id}"}
    assert await words_left(engine) == await kept(engine) > 5
    await engine.http.delete(paths.get(what, f"/vector_stores/{store_id}"))
    left = await kept(engine)
    assert left == (0 if what == "store" else 1)
    assert await names(engine, store_id, "words") == []

    async def done() -> bool:
        return await words_left(engine) == left

    await eventually(done)


async def test_one_file_that_takes_long_does_not_hold_up_the_others(engine, monkeypatch):
    wait = 'read task; case "$task" in *slow.txt*) sleep 60;; esac; echo \'["quick words", ""]\'; echo \'{}\''
    monkeypatch.setattr(process, "COMMAND", ("/bin/sh", "-c", wait))
    await store_of(engine, settled=False, slow_txt="text")
    store_id = await store_of(engine, a_txt="text", b_txt="text")
    assert await names(engine, store_id, "quick") == ["a.txt", "b.txt"]


async def test_each_file_is_read_once_however_often_the_indexer_is_woken(engine, monkeypatch, tmp_path):
    log = tmp_path / "read"
    shell = f"read task; echo x >> {log}; echo '[\"words\", \"\"]'; echo '{{}}'"
    monkeypatch.setattr(process, "COMMAND", ("/bin/sh", "-c", shell))
    store_id = await store_of(engine, settled=False, **{f"f{number}_txt": "text" for number in range(20)})
    while not await engine.engine.search.settled([store_id], 0.001):
        engine.engine.search.wake()
    assert len(log.read_text().split()) == 20
    assert await kept(engine) == 20


async def test_a_failure_that_nobody_foresaw_costs_its_own_file_alone(engine, monkeypatch, caplog):
    read_chunks = indexing.read_chunks

    def read(path: Path, name: str, *how: Any) -> Any:
        if name == "a.md":
            raise RuntimeError("nobody foresaw this")
        return read_chunks(path, name, *how)

    monkeypatch.setattr(indexing, "read_chunks", read)
    store_id = await store_of(engine, a_md="Tides rise.", b_md="Tides fall.")
    assert [(file["status"], file["last_error"]) for file in await files_of(engine, store_id)] == [
        (
            "failed",
            {"code": "server_error", "message": "The engine failed on this file (RuntimeError). Its log says more."},
        ),
        ("completed", None),
    ]
    assert "nobody foresaw this" in caplog.text


async def test_a_provider_that_is_taken_away_meanwhile_costs_no_file(engine, monkeypatch):
    async def gone() -> str:
        return "ollama/embed"

    monkeypatch.setattr(engine.engine.providers, "embedding_model", gone)
    store_id = await store_of(engine, a_md="Tides rise.")
    assert [file["status"] for file in await files_of(engine, store_id)] == ["completed"]


async def test_who_wakes_the_indexer_as_it_ends_is_heard(engine):
    indexer = engine.engine.search._indexer
    async with asyncio.timeout(PATIENCE):
        while not (indexer._workers and all(worker.done() for worker in indexer._workers)):
            if not indexer._workers:
                indexer.wake()
            await asyncio.sleep(0)
    indexer.wake()
    assert not all(worker.done() for worker in indexer._workers)


async def test_a_database_that_cannot_be_written_leaves_the_file_for_later(engine, monkeypatch):
    from sqlalchemy.exc import OperationalError

    failed = asyncio.Event()

    def fail(*_: object, **__: object) -> bool:
        failed.set()
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    with monkeypatch.context() as full:
        full.setattr("playground_tui.engine.store.chunks.add", fail)
        store_id = await store_of(engine, settled=False, a_md="Tides rise.")
        await asyncio.wait_for(failed.wait(), PATIENCE)
    assert await engine.engine.search.settled([store_id], PATIENCE)
    assert await names(engine, store_id, "tides") == ["a.md"]


async def test_what_a_search_found_is_there_though_its_use_cannot_be_noted(engine, monkeypatch):
    from playground_tui.engine.store.failures import StoreFailed

    def full(*_: object, **__: object) -> None:
        raise StoreFailed("The disk is full.", "disk")

    store_id = await store_of(engine, a_md="Tides rise.")
    monkeypatch.setattr("playground_tui.engine.store.vector_stores.touch", full)
    assert await names(engine, store_id, "tides") == ["a.md"]


async def test_no_work_is_begun_after_the_end(engine):
    await engine.engine.search.stop()
    store_id = await store_of(engine, settled=False, a_md="Tides rise.")
    assert not await engine.engine.search.settled([store_id], 0.05)
