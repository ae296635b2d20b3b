"""The database file: made private, brought up to date, and refused when it cannot be used."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from playground_tui.engine.objects import assistant_object
from playground_tui.engine.store import assistants, versions
from playground_tui.engine.store import database as database_module
from playground_tui.engine.store.database import Database
from playground_tui.engine.store.failures import NewerDatabase, StoreFailed, UnreadableDatabase
from playground_tui.engine.store.migrate import configuration, upgrade
from playground_tui.engine.store.opening import open_store
from playground_tui.engine.store.paging import Page
from playground_tui.engine.store.tables import metadata
from playground_tui.protocol import SCHEMA


async def test_the_migrations_make_exactly_the_tables(database: Database) -> None:
    def differences(c: Connection) -> list[object]:
        known = {"include_object": lambda found, name, *_: not name.startswith("chunk_words")}
        return compare_metadata(MigrationContext.configure(c, opts=known), metadata)

    assert await database.read(differences) == []


async def test_the_newest_migration_is_the_schema_the_program_names(database: Database) -> None:
    heads = await database.read(lambda c: ScriptDirectory.from_config(configuration(c)).get_heads())
    assert heads == [SCHEMA]


async def test_versions_of_the_second_schema_get_numbers_and_what_changed(tmp_path: Path) -> None:
    bodies = [{"id": "a", "name": "One", "model": "m"}, {"id": "a", "name": "Two", "model": "m"}, {"id": "b"}]
    engine = create_engine(f"sqlite:///{tmp_path / 'engine.db'}")
    with engine.begin() as connection:
        upgrade(connection, "0002")
        for key in ("a", "b"):
            connection.execute(text("INSERT INTO assistants VALUES (NULL, :id, 1, NULL, '{}')"), {"id": key})
        for number, body in enumerate((bodies[0], bodies[2], bodies[1])):
            values = {"id": f"v{number}", "assistant": body["id"], "body": json.dumps(body)}
            statement = "INSERT INTO versions VALUES (NULL, :id, 1, :assistant, 'modified', 'c', :body)"
            connection.execute(text(statement), values)
    engine.dispose()
    database = open_store(tmp_path / "engine.db").database
    listed, _ = await database.read(lambda c: versions.list_versions(c, "a", Page()))
    newest = await database.read(lambda c: versions.get(c, "a", "2"))
    database.close()
    assert [(item["id"], item["number"], item["changed"]) for item in listed] == [("v2", 2, ["name"]), ("v0", 1, [])]
    assert newest["assistant"] == bodies[1]


async def test_a_connection_journals_ahead_and_keeps_foreign_keys(database: Database) -> None:
    def pragmas(c: Connection) -> list[object]:
        names = ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        return [c.execute(text(f"PRAGMA {name}")).scalar_one() for name in names]

    assert await database.write(pragmas) == ["wal", 1, 5000, 1]


async def test_a_network_filesystem_gets_a_rollback_journal(tmp_path: Path) -> None:
    database = open_store(tmp_path / "engine.db", journal="DELETE").database
    assert await database.read(lambda c: c.execute(text("PRAGMA journal_mode")).scalar_one()) == "delete"
    database.close()


async def test_nobody_else_can_read_the_files(tmp_path: Path) -> None:
    path = tmp_path / "engine.db"
    open_store(path).database.close()
    path.chmod(0o644)
    database = open_store(path).database
    await database.write(lambda c: assistants.insert(c, assistant_object({"model": "m"}, created_at=1)))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    database.close()
    assert modes == dict.fromkeys(("engine.db", "engine.db-wal", "engine.db-shm"), 0o600)


async def test_what_was_written_is_there_after_opening_again(tmp_path: Path) -> None:
    path = tmp_path / "engine.db"
    first = open_store(path).database
    made = assistant_object({"model": "m", "instructions": "ünïcode \U0001f600 \ud83d \0 end"}, created_at=1)
    await first.write(lambda c: assistants.insert(c, made))
    first.close()
    second = open_store(path).database
    assert await second.read(lambda c: assistants.get(c, made["id"])) == made
    second.close()


def test_a_database_that_is_up_to_date_is_opened_without_alembic(tmp_path: Path) -> None:
    path = tmp_path / "engine.db"
    open_store(path).database.close()
    code = (
        "import sys; from pathlib import Path; from playground_tui.engine.store.opening import open_store;"
        "open_store(Path(sys.argv[1])).database.close(); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_newer_database_is_left_untouched(tmp_path: Path) -> None:
    path = tmp_path / "engine.db"
    open_store(path).database.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    with pytest.raises(NewerDatabase, match=r"newer version of playground-tui \(schema 9999.*install that version"):
        open_store(path)
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDatabase, match="cannot be used"):
        open_store(tmp_path / "missing" / "engine.db")


async def test_a_write_that_fails_leaves_nothing(database: Database) -> None:
    made = assistant_object({"model": "m"}, created_at=1)

    def fail(c: Connection) -> None:
        assistants.insert(c, made)
        raise ValueError("midway")

    with pytest.raises(ValueError, match="midway"):
        await database.write(fail)
    assert await database.read(lambda c: assistants.get(c, made["id"])) is None


async def test_a_database_that_cannot_be_opened_where_it_was_put_back_is_a_sentence(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await database.write(lambda c: assistants.insert(c, assistant_object({"model": "m"}, created_at=1)))
    shutil.rmtree(database.path.parent)
    database.path.parent.mkdir()
    with monkeypatch.context() as gone:
        gone.setattr(database_module, "uri", lambda path, mode: f"file:/no/such/place?mode={mode}")
        with pytest.raises(StoreFailed, match=r"cannot use its database: it cannot be opened\.$"):
            await database.put_back()
    assert not database.is_here()
    await database.put_back()
    assert database.is_here()


async def test_a_write_ends_though_its_caller_went_away(database: Database) -> None:
    made = assistant_object({"model": "m"}, created_at=1)
    started = asyncio.Event()
    loop = asyncio.get_running_loop()

    def insert(c: Connection) -> None:
        loop.call_soon_threadsafe(started.set)
        assistants.insert(c, made)

    writing = asyncio.create_task(database.write(insert))
    await started.wait()
    writing.cancel()
    await database.write(lambda c: None)
    assert await database.read(lambda c: assistants.get(c, made["id"])) == made


async def test_readers_do_not_wait_for_the_writer(database: Database) -> None:
    inside, leave = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    made = assistant_object({"model": "m"}, created_at=1)

    def slow(c: Connection) -> None:
        assistants.insert(c, made)
        loop.call_soon_threadsafe(inside.set)
        asyncio.run_coroutine_threadsafe(leave.wait(), loop).result()

    writing = asyncio.create_task(database.write(slow))
    await inside.wait()
    assert await database.read(lambda c: assistants.get(c, made["id"])) is None
    leave.set()
    await writing
    assert await database.read(lambda c: assistants.get(c, made["id"])) == made
