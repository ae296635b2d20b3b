"""Files inside the engine: whole or not there, whatever comes between."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from playground_tui.engine import contents
from playground_tui.engine.files import Files
from playground_tui.engine.process import EngineProcess
from playground_tui.engine.store import files, uploads
from playground_tui.engine.store.database import Database
from playground_tui.engine.store.purge import purge
from playground_tui.engine.store.unknown import Unknown
from tests.support.scripted import Clock
from tests.support.wait import until

NOW = 1_700_000_000


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def kept(database: Database, tmp_path: Path, clock: Clock) -> Files:
    return Files(tmp_path / "files", database, clock=clock)


def names(kept: Files) -> list[str]:
    directory = kept.path("x").parent
    return sorted(entry.name for entry in directory.iterdir()) if directory.exists() else []


async def pieces() -> AsyncIterator[bytes]:
    for number in range(40):
        yield bytes([number]) * 100_000


async def test_contents_come_whole_or_in_pieces(kept: Files) -> None:
    for source, text in ((b"abc", b"abc"), (b"", b""), (pieces(), b"".join([piece async for piece in pieces()]))):
        file = await kept.add("a.txt", "assistants_output", source)
        assert kept.path(file["id"]).read_bytes() == text
        assert (file["bytes"], file["created_at"]) == (len(text), NOW)


async def test_a_file_is_stored_in_the_callers_transaction(kept: Files, database: Database) -> None:
    async with kept.prepared("a", "vision", b"x", expires_at=NOW + 1) as file:
        assert kept.path(file["id"]).read_bytes() == b"x"
        await database.write(lambda c: files.add(c, file))
    assert await database.read(lambda c: files.require(c, file["id"])) == file
    assert names(kept) == [file["id"]]


async def test_what_was_not_stored_is_gone_again(kept: Files, database: Database) -> None:
    def fail(c: Connection) -> None:
        files.add(c, file)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with kept.prepared("a", "vision", b"x") as file:
            await database.write(fail)
    async with kept.prepared("a", "vision", b"x"):
        pass
    assert names(kept) == []


async def test_a_source_that_breaks_leaves_nothing(kept: Files, database: Database) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(2_000_000)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await kept.add("a", "vision", broken())
    assert names(kept) == []
    assert await database.read(files.living) == set()


async def test_cancelled_in_its_transaction_a_file_is_there_whole(kept: Files, database: Database) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(c: Connection, file: Any) -> None:
        begun.set()
        assert go_on.wait(10)
        files.add(c, file)

    async def add() -> None:
        async with kept.prepared("a", "vision", b"x") as file:
            await database.write(lambda c: slow(c, file))

    task = asyncio.create_task(add())
    await until(begun.is_set)
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: bool(names(kept)))
    assert set(names(kept)) == await database.read(files.living)


async def test_cancelled_while_it_comes_a_file_is_not_there(kept: Files) -> None:
    coming = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield bytes(2_000_000)
        coming.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(kept.add("a", "vision", endless()))
    await coming.wait()
    assert len(names(kept)) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: names(kept) == [])


async def test_what_an_engine_left_unfinished_is_swept(kept: Files, database: Database) -> None:
    await kept.sweep()  # there is no directory yet
    file = await kept.add("a", "vision", b"x")
    upload = {"id": "upload_1", "created_at": NOW, "expires_at": NOW + 1, "status": "pending"}
    part = {"id": "part_1", "created_at": NOW, "upload_id": "upload_1"}

    def begin(c: Connection) -> None:
        uploads.add(c, upload, None)
        uploads.add_part(c, part, 1, now=NOW)

    await database.write(begin)
    for name in ("part_1", "part_2", "file-gone", ".coming-x"):
        kept.path(name).touch()
    await kept.sweep()
    assert names(kept) == sorted([file["id"], "part_1"])


async def test_of_a_deleted_file_its_id_stays_for_a_while(kept: Files, database: Database) -> None:
    file = await kept.add("a", "vision", b"x")
    await kept.remove(file["id"])
    with pytest.raises(Unknown, match=f"No file found with id '{file['id']}'"):
        await kept.remove(file["id"])
    assert await database.write(lambda c: purge(c, NOW)) == 0
    assert await database.write(lambda c: purge(c, NOW + 1)) == 1


async def test_the_first_file_that_is_missing_is_named(kept: Files, database: Database) -> None:
    file = await kept.add("a", "vision", b"x")
    await database.read(lambda c: files.require_all(c, [file["id"], file["id"]]))
    await database.read(lambda c: files.require_all(c, []))
    with pytest.raises(Unknown, match="'file-b'"):
        await database.read(lambda c: files.require_all(c, [file["id"], "file-b", "file-a"]))


async def test_expiry_is_looked_at_by_the_process_and_stops_nothing(
    kept: Files, database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    file = await kept.add("a", "vision", b"x", expires_at=NOW + 10)
    clock.time = NOW + 10
    await asyncio.gather(kept.expire(), kept.expire())
    assert (await database.read(files.living), names(kept)) == (set(), [])
    kept.path("directory").mkdir()
    await EngineProcess.tidy(kept.sweep)
    assert "what is over stays for now" in caplog.text
    assert file["expires_at"] == NOW + 10


def test_room_is_asked_for_where_the_directory_will_be(tmp_path: Path) -> None:
    contents.require_room(tmp_path / "not" / "there", 1)
    with pytest.raises(contents.NoRoom, match="There is no room for 4611686018427387904 bytes"):
        contents.require_room(tmp_path / "not" / "there", 2**62)
