"""What `engine check` finds in a store that something was done to, rule by rule."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from playground_tui.engine.check.__main__ import main
from playground_tui.engine.check.store import Report, check_store, check_words
from playground_tui.engine.providers.base import ProviderError, Text
from playground_tui.engine.store.database import Database
from playground_tui.protocol import SCHEMA
from tests.support.scripted import ScriptedEngine, called, said, scripted_engine

NOW = 1_700_000_100
FILE = "file-one"


async def filled(scripted: ScriptedEngine) -> None:
    """Runs that ended in each way, one that waits, and a deleted assistant."""
    thread, assistant = await scripted.thread("hello", name="one")
    await scripted.post(f"/assistants/{assistant}", name="two")
    calls = called(("call_1", "look", ["{}"]))
    answers = [said("fine"), [Text("so"), ProviderError("broken")], calls, said("seen"), calls]
    scripted.provider.answers = [list(answer) for answer in answers]
    runs = f"/threads/{thread}/runs"
    for number in range(4):
        run = await scripted.post(runs, assistant_id=assistant)
        await scripted.settled(run["id"])
        if number == 2:
            outputs = [{"tool_call_id": "call_1", "output": "blue"}]
            await scripted.names(f"{runs}/{run['id']}/submit_tool_outputs", tool_outputs=outputs)
    other = await scripted.post("/assistants", model="scripted")
    assert (await scripted.http.delete(f"/assistants/{other['id']}")).status_code == 200
    assert scripted.engine.runs.active_count == 1


def rows_of_files(c: sqlite3.Connection) -> None:
    """A file, an upload, and the file in a vector store, in two chunks."""
    body: dict[str, Any] = {"id": FILE, "created_at": 1, "purpose": "assistants", "bytes": 5}
    insert(c, "files", id=FILE, created_at=1, purpose="assistants", body=body)
    upload = {"id": "upload_one", "created_at": 1, "expires_at": 9, "status": "pending"}
    insert(c, "uploads", **upload, body={"upload": {**upload, "file": None}, "expires_after": None})
    insert(c, "upload_parts", id="part_one", upload_id="upload_one", created_at=1, bytes=4)
    for store in ("vs_one", "vs_two"):
        body = {"id": store, "created_at": 1}
        insert(c, "vector_stores", id=store, created_at=1, last_active_at=1, body=body)
        insert(c, "file_batches", id=f"vsfb_{store}", vector_store_id=store, created_at=1, cancelled=0)
    kept = {"id": FILE, "created_at": 1, "vector_store_id": "vs_one", "status": "completed", "usage_bytes": 9}
    insert(c, "vector_store_files", **kept, embedder="openai/e", body={**kept, "last_error": None})
    insert(c, "batch_files", batch_id="vsfb_vs_one", store_file=1)
    for position in range(2):
        chunk = {"position": position, "heading": "", "text": f"words {position}", "embedding": b"\0\0\x80?"}
        insert(c, "chunks", store_file=1, **chunk)
        insert(c, "chunk_words", rowid=position + 1, words=f"words {position}")


def insert(c: sqlite3.Connection, table: str, **columns: Any) -> None:
    values = [json.dumps(value) if isinstance(value, dict) else value for value in columns.values()]
    marks = ", ".join("?" * len(values))
    c.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", values)


def changed(path: Path, *statements: str) -> None:
    """Do this to the database, whatever it refers to."""
    with closing(sqlite3.connect(path)) as c, c:
        for statement in statements:
            c.execute(statement)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with some of everything, and nothing wrong in it."""
    directory = tmp_path_factory.mktemp("whole")

    async def fill() -> None:
        async with scripted_engine(directory) as scripted:
            await filled(scripted)

    asyncio.run(fill())
    with closing(sqlite3.connect(directory / "engine.db")) as c, c:
        rows_of_files(c)
    (directory / "files").mkdir(exist_ok=True)
    (directory / "files" / FILE).write_bytes(b"hello")
    (directory / "files" / "part_one").write_bytes(b"part")
    return directory


@pytest.fixture
def store(whole: Path, tmp_path: Path) -> Iterator[Path]:
    copy = tmp_path / "store"
    shutil.copytree(whole, copy)
    yield copy / "engine.db"


async def look(path: Path) -> Report:
    database = Database(path, "WAL")
    try:
        return await database.read(partial(check_store, directory=path.with_name("files"), now=NOW))
    finally:
        await asyncio.to_thread(database.close)


async def test_a_whole_store_is_sound(store: Path) -> None:
    report = await look(store)
    assert report.findings == []
    counts = {"assistants": 2, "threads": 1, "messages": 4, "runs": 4, "steps": 5, "files": 1}
    assert report.counts == {**counts, "vector_stores": 2, "chunks": 2}
    assert (report.plain()["sound"], report.plain()["active_runs"]) == (True, 1)


BROKEN = [
    ("assistants", "created_at = 5", "assistant {} is not what its columns say"),
    ("assistants", "body = json_set(body, '$.name', 'three')", "assistant {} is not as its newest version has it"),
    ("assistants", "deleted_at = 5", "assistant {} and its newest version differ in whether it is deleted"),
    ("threads", "body = json_set(body, '$.id', 'x')", "thread {} is not what its columns say"),
    ("threads", "message_count = 9", "thread {} counts 9 messages and has 4"),
    ("threads", "last_activity_at = 1", "thread {} was last used before what is in it was made"),
    ("threads", "first_message = 'hullo'", "thread {} is listed with a text that is not its first message's"),
    ("messages", "created_at = 5", "message {} is not what its columns say"),
    ("messages", "body = json_set(body, '$.completed_at', null)", "message {} is completed with the times of another"),
    ("messages", "body = json_set(body, '$.status', 'gone')", "message {} is gone with the times of another status"),
    ("messages", "folded = 'x'", "message {} is found by other words than its own"),
    ("runs", "status = 'failed'", "run {} is not what its columns say"),
    ("runs", "body = json_set(body, '$.completed_at', null)", "run {} is completed with the times of another status"),
    ("runs", "body = json_set(body, '$.expires_at', 5)", "run {} is completed with the times of another status"),
    ("runs", "body = json_set(body, '$.usage', null)", "run {} is completed with the reasons of another status"),
    ("runs", "body = json_set(body, '$.required_action', 5)", "run {} is completed with the reasons of another"),
    ("steps", "body = json_set(body, '$.type', 'tool_calls')", "step {} is not what its columns say"),
    ("steps", "body = json_set(body, '$.failed_at', 5)", "step {} is completed with the times of another status"),
    ("steps", "body = json_set(body, '$.usage', null)", "step {} has ended without a usage"),
    ("files", "purpose = 'vision'", "file {} is not what its columns say"),
    ("files", "body = json_set(body, '$.bytes', 6)", "file {} has 5 bytes on the disk in place of 6"),
    ("uploads", "expires_at = 10", "upload {} is not what its columns say"),
    ("uploads", "body = json_set(body, '$.upload.file', 5)", "upload {} is pending and differs from that in whether"),
    (
        "uploads",
        "status = 'cancelled', body = json_set(body, '$.upload.status', 'cancelled')",
        "upload {} is cancelled and still has part part_one",
    ),
    ("upload_parts", "bytes = 5", "upload part {} has 4 bytes on the disk in place of 5"),
    ("vector_stores", "expires_at = 5", "vector store {} expires at another time than its policy says"),
    ("vector_stores", "deleted_at = 5", "vector store {} is deleted and still has file file-one"),
    ("files", "deleted_at = 5", "vector store file {} of vs_one has no file"),
    ("vector_store_files", "deleted_at = 5", "vector store file {} of vs_one is not what its columns say"),
    ("vector_stores", "created_at = 5", "vector store {} is not what its columns say"),
    ("vector_store_files", "usage_bytes = 5", "vector store file {} of vs_one is not what its columns say"),
    ("vector_store_files", "status = 'failed'", "vector store file {} of vs_one is failed with the error of another"),
    (
        "vector_store_files",
        "status = 'cancelled'",
        "vector store file {} of vs_one is cancelled and can be searched",
    ),
    (
        "vector_store_files",
        "status = 'cancelled', body = json_set(body, '$.status', 'cancelled')",
        "vector store file {} of vs_one is cancelled and can be searched",
    ),
    ("vector_store_files", "id = 'file-two'", "vector store file {} of vs_one has no file"),
    (
        "batch_files",
        "batch_id = 'vsfb_vs_two'",
        "file batch vsfb_vs_two of vs_two has a file of another store, or one that was",
    ),
    ("chunks", "position = 7", "vector store file file-one of vs_one lacks some of its 2 chunks"),
    ("chunks", "embedding = null", "vector store file file-one of vs_one lacks embeddings of openai/e, or"),
]


@pytest.mark.parametrize(("table", "change", "sentence"), BROKEN)
async def test_what_was_changed_is_found(store: Path, table: str, change: str, sentence: str) -> None:
    changed(store, f"UPDATE {table} SET {change} WHERE rowid = (SELECT min(rowid) FROM {table})")
    with closing(sqlite3.connect(store)) as c:
        (first,) = c.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchone()[1:2]
    found = [finding.sentence for finding in (await look(store)).findings]
    assert [one for one in found if one.startswith(sentence.format(first))], found


LEFT = [
    (
        "UPDATE messages SET body = json_set(body, '$.status', 'in_progress', '$.completed_at', null) WHERE seq = 2",
        "is still being written, though its run has ended",
    ),
    ("UPDATE messages SET run_id = 'run_x' WHERE seq = 2", "belongs to run run_x, which its thread does not have"),
    ("DELETE FROM steps WHERE seq = 1", "was written by a run that has no step for it"),
    ("DELETE FROM messages WHERE seq = 2", "which its thread does not have"),
    ("DELETE FROM thread_assistants", "does not list the assistants that its runs had: asst_"),
    ("UPDATE steps SET body = json_set(body, '$.status', 'in_progress') WHERE seq = 1", "though its run has ended"),
    (
        "UPDATE steps SET body = replace(body, '\"blue\"', 'null') WHERE seq = 3",
        "is completed, and its function call call_1 has no output",
    ),
    ("UPDATE steps SET body = json_set(body, '$.status', 'failed') WHERE seq = 5", "which none of its steps has"),
    ("DELETE FROM chunk_words_docsize WHERE id = 1", "chunk 1 is not found by its words"),
    ("INSERT INTO chunk_words_docsize VALUES (9, x'00')", "chunk 9 is gone and still found by its words"),
    ("UPDATE messages SET body = '{' WHERE seq = 2", "row 2 of messages is damaged: its body cannot be read"),
    ("DELETE FROM runs WHERE seq = 1", "row 1 of steps refers to one of runs that is not there"),
]


@pytest.mark.parametrize(("statement", "words"), LEFT)
async def test_what_refers_to_nothing_or_was_left_open_is_found(store: Path, statement: str, words: str) -> None:
    changed(store, statement)
    found = [finding.sentence for finding in (await look(store)).findings]
    assert [one for one in found if words in one], found


async def test_two_active_runs_of_a_thread_are_found(store: Path) -> None:
    changed(store, "DROP INDEX uq_runs_active", "UPDATE runs SET status = 'queued'")
    words = [finding.words for finding in (await look(store)).findings]
    assert "has 4 active runs at once" in words


async def test_missing_contents_are_found(store: Path) -> None:
    (store.with_name("files") / FILE).unlink()
    assert [finding.sentence for finding in (await look(store)).findings] == [
        "file file-one has no contents on the disk."
    ]


async def test_damaged_words_are_found(store: Path) -> None:
    changed(store, "UPDATE chunk_words_content SET c0 = 'others' WHERE id = 1")
    database = Database(store, "WAL")
    try:
        (finding,) = await database.write(check_words)
    finally:
        await asyncio.to_thread(database.close)
    assert finding.sentence.startswith("table chunk_words is damaged: ")


def test_a_damaged_file_is_found(store: Path) -> None:
    changed(
        store,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET rootpage = 3 WHERE name = 'ix_runs_thread_id_seq'",
    )
    report = asyncio.run(look(store))
    assert report.findings and report.findings[0].sentence.startswith("database file is damaged: ")
    assert report.counts == {}


def test_a_run_that_nobody_works_on_is_a_finding() -> None:
    report = Report({"runs": 1}, [], ["run_x"])
    (finding,) = report.with_lost(["run_x"]).findings
    assert finding.sentence == "run run_x is active, and nobody works on it."


def offline(data: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any]:
    code = main(["--data", str(data)])
    return code, json.loads(capsys.readouterr().out)


def test_a_store_is_checked_without_an_engine(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = offline(store.parent, capsys)
    assert (code, report["sound"], report["active_runs"]) == (0, True, 1)
    changed(store, "UPDATE chunk_words_content SET c0 = 'others' WHERE id = 1")
    code, report = offline(store.parent, capsys)
    assert (code, [finding["kind"] for finding in report["findings"]]) == (0, ["table"])
    changed(store, "UPDATE threads SET message_count = 9")
    code, report = offline(store.parent, capsys)
    assert (code, [finding["kind"] for finding in report["findings"]]) == (0, ["thread"])


def test_a_store_that_cannot_be_checked_is_a_sentence(store: Path, tmp_path: Path, capsys: Any) -> None:
    assert offline(tmp_path, capsys) == (1, {"error": f"There is no store yet at {tmp_path}/engine.db."})
    changed(store, "DROP TABLE batch_files")
    error = "The store cannot be read: no such table: batch_files"
    assert offline(store.parent, capsys) == (1, {"error": error})
    changed(store, "UPDATE alembic_version SET version_num = '0001'")
    error = f"The store is of schema 0001; start the engine to make it {SCHEMA}."
    assert offline(store.parent, capsys) == (1, {"error": error})
    store.write_bytes(b"no database at all" * 100)
    code, answer = offline(store.parent, capsys)
    assert (code, answer["error"]) == (1, "The store cannot be read: file is not a database")
