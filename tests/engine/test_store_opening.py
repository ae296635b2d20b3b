"""A broken database is set aside with its date and named, and what can be read of it is in the next one."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from playground_tui.engine.check.store import check_store, check_words
from playground_tui.engine.objects import assistant_object, message_object, thread_object
from playground_tui.engine.store import assistants, files, messages, threads
from playground_tui.engine.store import opening as opening_module
from playground_tui.engine.store.database import Database
from playground_tui.engine.store.failures import NewerDatabase, StoreFailed, UnreadableDatabase
from playground_tui.engine.store.opening import Opened, damage_mark, move_aside, open_store
from playground_tui.engine.store.salvage import copy_readable, mend
from playground_tui.protocol import SCHEMA
from tests.support.wait import until

PAGE = 4096
COUNTED = {"assistants": 40, "threads": 10, "messages": 200}


def fill(c: Connection) -> None:
    for number in range(40):
        assistant = assistant_object({"model": "m", "name": f"a{number}", "instructions": "x" * 900}, created_at=number)
        assistants.insert(c, assistant)
    for number in range(10):
        thread = thread_object(created_at=number)
        threads.insert(c, thread)
        for place in range(20):
            content = [{"type": "text", "text": {"value": f"{number} {place} " + "y" * 500, "annotations": []}}]
            message = message_object(thread_id=thread["id"], role="user", content=content, created_at=number)
            messages.insert(c, message)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import asyncio

    path = tmp_path_factory.mktemp("whole") / "engine.db"

    async def make() -> None:
        database = open_store(path).database
        await database.write(fill)
        database.close()

    asyncio.run(make())
    return path


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    shutil.copy(whole, tmp_path / "engine.db")
    return tmp_path / "engine.db"


async def counts(database: Database) -> dict[str, int]:
    def count(c: Connection) -> dict[str, int]:
        return {name: c.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in COUNTED}

    return await database.read(count)


async def sound(database: Database, path: Path) -> None:
    report = await database.read(lambda c: check_store(c, path.with_name("files"), now=100))
    assert report.findings == []
    assert await database.write(check_words) == []


def aside(path: Path) -> Path:
    (found,) = [entry for entry in path.parent.iterdir() if re.fullmatch(r"engine\.broken-\d{8}-\d{6}\.db", entry.name)]
    return found


def wreck(path: Path, *pages: int) -> None:
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE)
            file.write(os.urandom(PAGE))


def leaves(path: Path, table: str) -> list[int]:
    with closing(sqlite3.connect(path)) as c:
        try:
            rows = c.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'", (table,)).fetchall()
        except sqlite3.OperationalError:
            pytest.skip("this SQLite has no dbstat")
    return [row[0] for row in rows]


async def test_broken_pages_cost_their_own_rows_alone(path: Path) -> None:
    pages = leaves(path, "assistants")
    wreck(path, pages[0], pages[3], pages[-1])
    broken = path.read_bytes()
    opened = open_store(path)
    found = await counts(opened.database)
    # What was on the broken pages is in the versions, too.
    assert found == COUNTED
    assert "was damaged (" in opened.notice and f"set aside as {aside(path).name}. Saved from it" in opened.notice
    assert "40 assistants, 10 threads, 200 messages" in opened.notice
    assert opened.is_new
    await sound(opened.database, path)
    opened.database.close()
    assert aside(path).read_bytes() == broken
    assert open_store(path).notice == ""


async def test_a_start_that_is_cut_off_while_it_saves_loses_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage_mark(path).touch()

    class Killed(BaseException):
        pass

    def set_aside_and_die(path: Path) -> Path:
        move_aside(path)
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(opening_module, "move_aside", set_aside_and_die)
        with pytest.raises(Killed):
            open_store(path)
    opened = open_store(path)
    assert (await counts(opened.database), opened.is_new) == (COUNTED, True)
    assert "was cut off; what could be read of it is in the new one" in opened.notice
    await sound(opened.database, path)
    opened.database.close()
    assert open_store(path).notice == ""
    assert not list(path.parent.glob("engine.db.*"))


async def test_an_assistant_whose_versions_are_lost_begins_with_a_new_one(path: Path) -> None:
    wreck(path, *leaves(path, "versions"))
    opened = open_store(path)
    assert await counts(opened.database) == COUNTED
    await sound(opened.database, path)
    opened.database.close()


async def test_messages_outlive_their_thread(path: Path) -> None:
    wreck(path, *leaves(path, "threads"))
    opened = open_store(path)
    assert await counts(opened.database) == {**COUNTED, "threads": 10}
    await sound(opened.database, path)
    opened.database.close()


async def test_of_broken_messages_the_others_stay(path: Path) -> None:
    pages = leaves(path, "messages")
    wreck(path, pages[1], pages[2], pages[10])
    opened = open_store(path)
    found = await counts(opened.database)
    assert 160 < found["messages"] < 200
    assert f"{found['messages']} messages" in opened.notice
    await sound(opened.database, path)
    opened.database.close()


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
async def test_a_truncated_database_keeps_what_is_left(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    opened = open_store(path)
    await sound(opened.database, path)
    opened.database.close()
    assert "was damaged" in opened.notice and aside(path).exists()


@pytest.mark.parametrize("content", [b"", b"no database, but long enough to be looked at" * 100, b"SQLite format 3\0"])
async def test_what_is_no_database_makes_room_for_an_empty_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "engine.db"
    path.write_bytes(content)
    opened = open_store(path)
    assert (await counts(opened.database))["assistants"] == 0
    opened.database.close()
    assert aside(path).read_bytes() == content
    assert "Nothing in it could be read: an empty one has taken its place." in opened.notice


async def test_another_programs_database_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "engine.db"
    with closing(sqlite3.connect(path)) as c, c:
        c.execute("CREATE TABLE assistants(x)")
    opened = open_store(path)
    assert "not a database of this program" in opened.notice
    await sound(opened.database, path)
    opened.database.close()


def a_directory(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_dangling_link(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere" / "engine.db")


def a_link_to_itself(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("spoil", [a_directory, a_pipe, a_dangling_link, a_link_to_itself])
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
async def test_what_is_no_file_is_set_aside(path: Path, spoil: Callable[[Path], None], suffix: str) -> None:
    place = path.with_name(path.name + suffix)
    place.unlink(missing_ok=True)
    spoil(place)
    opened = open_store(path)
    await opened.database.write(lambda c: assistants.insert(c, assistant_object({"model": "m"}, created_at=1)))
    assert (await counts(opened.database))["assistants"] == (41 if suffix else 1)
    opened.database.close()
    assert f"{place} could not be used: it was set aside as engine.broken-" in opened.notice


async def test_a_link_to_a_database_elsewhere_is_followed(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "disk" / "other.db"
    elsewhere.parent.mkdir()
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    opened = open_store(path)
    assert (opened.notice, await counts(opened.database)) == ("", COUNTED)
    assert opened.database.is_here()
    opened.database.close()
    assert path.is_symlink()


async def test_a_journal_without_its_database_is_not_taken_for_the_next_ones(path: Path) -> None:
    wal = path.with_name("engine.db-wal")
    wal.write_bytes(os.urandom(5000))
    path.unlink()
    opened = open_store(path)
    opened.database.close()
    assert "engine.db-wal could not be used" in opened.notice


def test_a_newer_database_is_left_as_it_is_with_its_journal(path: Path) -> None:
    with closing(sqlite3.connect(path)) as c:
        c.execute("PRAGMA journal_mode = WAL")
        c.execute("PRAGMA wal_autocheckpoint = 0")
        c.execute("UPDATE alembic_version SET version_num = '9999'")
        c.commit()
        names = ("engine.db", "engine.db-wal")
        copies = {name: path.with_name(name).read_bytes() for name in names}
    for name, content in copies.items():
        path.with_name(name).write_bytes(content)
    with pytest.raises(NewerDatabase, match="newer version"):
        open_store(path)
    assert {name: path.with_name(name).read_bytes() for name in names} == copies


async def test_json_that_cannot_be_read_is_damage_and_costs_its_row(path: Path) -> None:
    with closing(sqlite3.connect(path)) as c, c:
        c.execute("UPDATE messages SET body = replace(body, '{', '}') WHERE seq = 7")
        c.execute("UPDATE messages SET body = CAST(x'ff' AS TEXT) WHERE seq = 8")
    database = open_store(path).database
    outcomes: list[StoreFailed | None] = []
    database.on_outcome = outcomes.append
    for seq in (7, 8):
        with pytest.raises(StoreFailed, match="is damaged") as failed:
            await database.read(lambda c, seq=seq: _body(c, seq))
        assert failed.value.cause == "damaged"
    assert len(outcomes) == 2
    database.close()
    damage_mark(path).touch()
    opened = open_store(path)
    assert (await counts(opened.database))["messages"] == 198
    await sound(opened.database, path)
    opened.database.close()
    assert not damage_mark(path).exists()


def _body(c: Connection, seq: int) -> Any:
    from sqlalchemy import select

    from playground_tui.engine.store.tables import messages as table

    return c.execute(select(table.c.body).where(table.c.seq == seq)).scalar_one()


async def test_a_large_database_is_not_looked_at_for_long(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wreck(path, *leaves(path, "messages")[5:7])
    monkeypatch.setattr(opening_module, "LONGEST_CHECK", -1.0)
    monkeypatch.setattr(opening_module, "_STEPS", 1)
    opened = open_store(path)
    assert opened.notice == ""
    with pytest.raises(StoreFailed, match="is damaged"):
        await opened.database.read(lambda c: c.execute(text("SELECT sum(length(body)) FROM messages")).all())
    opened.database.close()


@pytest.mark.parametrize("marked", [True, False])
async def test_an_older_schema_is_saved_in_its_own_words(tmp_path: Path, marked: bool) -> None:
    path = tmp_path / "engine.db"
    opening_module._make_at(path, "0001")
    with closing(sqlite3.connect(path)) as c, c:
        body = '{"id": "asst_1", "created_at": 1}'
        c.execute("INSERT INTO assistants(id, created_at, body) VALUES ('asst_1', 1, ?)", (body,))
        c.execute(
            "INSERT INTO versions(id, assistant_id, created_at, action, client, body) VALUES (?,?,?,?,?,?)",
            ("asstver_1", "asst_1", 1, "created", "", body),
        )
        if marked:
            damage_mark(path).touch()
        else:  # the upgrade meets it
            c.execute(
                "INSERT INTO versions(id, assistant_id, created_at, action, client, body) VALUES (?,?,?,?,?,?)",
                ("asstver_2", "asst_1", 2, "modified", "", "{"),
            )
    opened = open_store(path)
    assert "set aside" in opened.notice
    assert (await counts(opened.database))["assistants"] == 1
    await sound(opened.database, path)
    opened.database.close()


async def test_files_in_vector_stores_are_indexed_again(tmp_path: Path) -> None:
    from tests.engine.test_check import rows_of_files

    path, new = tmp_path / "engine.db", tmp_path / "new.db"
    open_store(path).database.close()
    opening_module._make_at(new, SCHEMA)
    with closing(sqlite3.connect(path)) as c, c:
        rows_of_files(c)
    copy_readable(path, new)
    mend(new)
    with closing(sqlite3.connect(new)) as c:
        statuses = c.execute("SELECT status, json_extract(body, '$.status') FROM vector_store_files").fetchall()
        assert statuses and {status for row in statuses for status in row} <= {"in_progress", "failed", "deleted"}
        assert c.execute("SELECT count(*) FROM chunks").fetchone() == (0,)


def test_a_database_that_another_program_holds_is_left_to_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening_module, "PATIENCE", 0.01)
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(UnreadableDatabase, match=r"cannot use its database: another program has locked it \("):
            open_store(path)
    assert [entry.name for entry in path.parent.iterdir()] == ["engine.db"]


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableDatabase, match=r"engine\.db cannot be used: No such file or directory\.$"):
        open_store(tmp_path / "missing" / "engine.db")


async def test_a_database_that_was_removed_is_written_again_from_what_is_open(path: Path) -> None:
    database = open_store(path).database
    shutil.rmtree(path.parent)
    assert not database.is_here()
    await database.write(lambda c: assistants.insert(c, assistant_object({"model": "m"}, created_at=1)))
    path.parent.mkdir()
    await database.put_back()
    assert database.is_here()
    await database.write(lambda c: assistants.insert(c, assistant_object({"model": "m"}, created_at=1)))
    database.close()
    opened = open_store(path)
    assert (opened.notice, await counts(opened.database)) == ("", {**COUNTED, "assistants": 42})
    opened.database.close()


async def test_contents_of_files_that_another_store_may_know_are_kept(tmp_path: Path) -> None:
    from playground_tui.engine.files import Files

    opened: Opened = open_store(tmp_path / "engine.db")
    keeper = Files(tmp_path / "files", opened.database)
    file = await keeper.add("a.txt", "assistants", b"mine")
    keeper.path("file_of_another").write_bytes(b"another's")
    await keeper.set_strangers_aside()
    assert keeper.path(file["id"]).read_bytes() == b"mine"
    assert await opened.database.read(lambda c: files.is_stored(c, file["id"]))
    (kept,) = tmp_path.glob("files.broken-*/file_of_another")
    assert kept.read_bytes() == b"another's"
    await keeper.set_strangers_aside()
    assert len(list(tmp_path.glob("files.broken-*"))) == 1
    opened.database.close()
    await until(lambda: True)
