"""The engine's life as a process, seen from inside: signals, idleness, a swept socket, the end."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import signal
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from playground_tui.address import EngineAddress, lock_is_held
from playground_tui.engine import __main__ as command
from playground_tui.engine import process as process_module
from playground_tui.engine.lock import DataLock
from playground_tui.engine.place import Place
from playground_tui.engine.process import PURGE_EVERY, CannotBegin, EngineProcess, detached, in_front, socket_path
from playground_tui.engine.runs import service as runs_module
from playground_tui.engine.store.failures import NewerDatabase, StoreFailed
from playground_tui.engine.store.opening import Opened, open_store
from playground_tui.launch import EngineSilent, ask_engine, find_engine
from playground_tui.paths import Paths
from tests.support.engine import NO_PROVIDERS, paths_in, short_directory
from tests.support.engine_process import held_lock
from tests.support.wait import until


@pytest.fixture
def paths() -> Iterator[Paths]:
    directory = short_directory()
    yield paths_in(directory)
    shutil.rmtree(directory)


@pytest.fixture(autouse=True)
def process_as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    gc.unfreeze()


@dataclass
class Clock:
    """Seconds that pass when told."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@asynccontextmanager
async def living(paths: Paths, **options: Any) -> AsyncIterator[asyncio.Task[None]]:
    """The engine as a task of this process, from its first answer on. It has ended when the context ends."""
    lock = DataLock.of(paths)
    task = asyncio.create_task(EngineProcess(paths, lock, probe=False, **options).run())
    try:
        await until(lambda: task.done() or paths.engine_file.exists())
        yield task
        if not task.done():
            os.kill(os.getpid(), signal.SIGTERM)
        await task
    finally:
        lock.release()


async def ask(paths: Paths, method: str, target: str, body: Any = None) -> dict[str, Any]:
    return await asyncio.to_thread(ask_engine, socket_path(paths), method, target, body)


async def test_it_says_where_it_is_while_it_lives(paths: Paths) -> None:
    async with living(paths):
        address = find_engine(paths)
        assert address is not None and address == EngineAddress.read(paths.engine_file)
        assert (address.socket, address.pid) == (socket_path(paths), os.getpid())
        assert stat.S_IMODE(address.socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(paths.runtime.stat().st_mode) == 0o700
        answer = await ask(paths, "GET", "/engine")
        assert (answer["pid"], answer["build"], answer["active_runs"]) == (os.getpid(), address.build, 0)
    assert not paths.engine_file.exists() and not socket_path(paths).exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly(paths: Paths, number: signal.Signals) -> None:
    async with living(paths) as task:
        os.kill(os.getpid(), number)
        await task
    assert not paths.engine_file.exists()


async def test_a_hangup_changes_nothing(paths: Paths) -> None:
    async with living(paths) as task:
        os.kill(os.getpid(), signal.SIGHUP)
        assert (await ask(paths, "GET", "/engine"))["pid"] == os.getpid()
        assert not task.done()


async def test_asked_over_the_socket_it_stops(paths: Paths) -> None:
    async with living(paths) as task:
        assert await ask(paths, "POST", "/engine/stop") == {"stopping": True}
        await task


async def test_it_ends_when_it_has_been_alone_for_long_enough(paths: Paths) -> None:
    clock = Clock()
    async with living(paths, monotonic=clock, look_every=0.01) as task:
        await ask(paths, "PUT", "/engine/settings", {**NO_PROVIDERS, "idle_exit": 60})
        clock.seconds += 59
        await ask(paths, "GET", "/v1/models")
        clock.seconds += 59
        assert (await ask(paths, "GET", "/engine"))["connections"] == 0
        assert not task.done()
        clock.seconds += 61
        await task


async def test_an_open_stream_of_changes_keeps_it_alive(paths: Paths) -> None:
    clock = Clock()
    async with living(paths, monotonic=clock, look_every=0.01) as task:
        reader, writer = await asyncio.open_unix_connection(socket_path(paths))
        writer.write(b"GET /v1/changes HTTP/1.1\r\nHost: engine\r\n\r\n")
        await reader.readuntil(b": changes")
        clock.seconds += 10_000
        assert (await ask(paths, "GET", "/engine"))["connections"] == 1
        assert not task.done()
        writer.close()
        await until(lambda: clock.seconds and _moved_on(clock) and task.done())


def _moved_on(clock: Clock) -> bool:
    clock.seconds += 1000
    return True


async def begin_run(paths: Paths) -> str:
    """Begin a run that waits for the output of a function; its path."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    assistant = await ask(paths, "POST", "/v1/assistants", {"model": "rehearsal/tools", "tools": [tool]})
    run = await ask(paths, "POST", "/v1/threads/runs", {"assistant_id": assistant["id"]})
    return f"/v1/threads/{run['thread_id']}/runs/{run['id']}"


async def test_an_active_run_keeps_it_alive(paths: Paths) -> None:
    clock = Clock()
    async with living(paths, monotonic=clock, look_every=0.01) as task:
        await begin_run(paths)
        clock.seconds += 10_000
        assert (await ask(paths, "GET", "/engine"))["active_runs"] == 1
        assert not task.done()


async def test_what_the_start_has_made_is_left_out_of_later_collections(paths: Paths) -> None:
    assert gc.get_freeze_count() == 0
    async with living(paths):
        assert gc.get_freeze_count() > 10_000


async def test_memory_is_given_back_once_runs_are_forgotten(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_module, "FEED_KEPT_SECONDS", 0.05)
    given_back: list[int] = []
    monkeypatch.setattr(process_module.memory, "give_back", lambda: given_back.append(1))
    async with living(paths, look_every=0.01):
        for ended in range(2):
            run = await begin_run(paths)
            assert len(given_back) == ended
            await ask(paths, "POST", f"{run}/cancel")
            await until(lambda ended=ended: len(given_back) > ended)


async def test_a_swept_socket_is_made_again(paths: Paths) -> None:
    async with living(paths, look_every=0.01):
        shutil.rmtree(paths.runtime)
        await until(socket_path(paths).exists)
        assert (await ask(paths, "GET", "/engine"))["pid"] == os.getpid()


async def test_a_socket_that_cannot_be_made_again_is_tried_until_it_can(
    paths: Paths, caplog: pytest.LogCaptureFixture
) -> None:
    async with living(paths, look_every=0.01):
        shutil.rmtree(paths.runtime)
        paths.runtime.write_text("in the way")
        await until(lambda: "is not a directory" in caplog.text)
        paths.runtime.unlink()
        await until(socket_path(paths).exists)


async def test_it_looks_at_its_socket_when_it_is_nudged(paths: Paths) -> None:
    async with living(paths):
        socket_path(paths).unlink()
        os.kill(os.getpid(), signal.SIGCONT)
        await until(socket_path(paths).exists)


async def test_it_leaves_a_data_directory_that_was_replaced(paths: Paths) -> None:
    async with living(paths, look_every=0.01) as task:
        paths.engine_lock.unlink()
        paths.engine_lock.touch()
        paths.engine_file.write_text("of the next engine")
        await task
    assert paths.engine_file.read_text() == "of the next engine"


async def test_it_says_again_where_it_is_when_that_was_deleted(paths: Paths) -> None:
    async with living(paths, look_every=0.01):
        paths.engine_file.unlink()
        await until(lambda: find_engine(paths) is not None)


async def test_it_leaves_a_data_directory_that_is_gone_when_nobody_uses_it(paths: Paths) -> None:
    async with living(paths, look_every=0.01) as task:
        shutil.rmtree(paths.data)
        await task
    assert not paths.data.exists()


async def test_what_was_deleted_long_ago_is_gone_at_the_next_start(paths: Paths) -> None:
    async with living(paths):
        for name in ("old", "new"):
            made = await ask(paths, "POST", "/v1/assistants", {"model": "rehearsal/echo", "name": name})
            await ask(paths, "DELETE", f"/v1/assistants/{made['id']}")
    database = open_store(paths.database).database
    old = text("UPDATE assistants SET deleted_at = 1 WHERE body LIKE '%old%'")
    await database.write(lambda c: c.execute(old).rowcount)
    database.close()
    async with living(paths):
        pass
    database = open_store(paths.database).database
    bodies = await database.read(lambda c: c.execute(text("SELECT body FROM assistants")).scalars().all())
    database.close()
    assert len(bodies) == 1 and '"new"' in bodies[0]


async def test_what_was_deleted_long_ago_goes_while_the_engine_lives_on(paths: Paths) -> None:
    clock = Clock()
    async with living(paths, monotonic=clock, look_every=0.01):
        await ask(paths, "PUT", "/engine/settings", {**NO_PROVIDERS, "idle_exit": 10**6})
        made = await ask(paths, "POST", "/v1/assistants", {"model": "rehearsal/echo"})
        await ask(paths, "DELETE", f"/v1/assistants/{made['id']}")
        with closing(sqlite3.connect(paths.database)) as connection, connection:
            connection.execute("UPDATE assistants SET deleted_at = 1")
        assert len((await ask(paths, "GET", "/v1/assistants?deleted=true"))["data"]) == 1
        clock.seconds += PURGE_EVERY
        with closing(sqlite3.connect(paths.database)) as connection:
            await until(lambda: not connection.execute("SELECT 1 FROM assistants").fetchall())


async def test_an_engine_begins_though_nothing_can_be_removed(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> int:
        raise StoreFailed("The disk is full.", "disk")

    monkeypatch.setattr(process_module, "purge", full)
    async with living(paths):
        assert (await ask(paths, "GET", "/engine"))["pid"] == os.getpid()
    assert "what is over stays for now: The disk is full." in caplog.text


async def test_a_look_around_that_fails_ends_nothing(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*_: object, **__: object) -> str:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(Place, "look", fails)
    async with living(paths, look_every=0.01) as task:
        await until(lambda: "nobody foresaw this" in caplog.text)
        assert not task.done() and (await ask(paths, "GET", "/engine"))["pid"] == os.getpid()


def test_the_log_of_a_detached_engine_says_why_it_did_not_start(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def newer(*_: Any, **__: Any) -> Opened:
        raise NewerDatabase("made by a newer version")

    monkeypatch.setattr(process_module, "open_store", newer)
    lock = DataLock.of(paths)
    assert asyncio.run(detached(paths, lock)) == 1
    lock.release()
    assert "made by a newer version" in caplog.text


def test_a_database_that_lacks_a_table_is_a_sentence(paths: Paths, caplog: pytest.LogCaptureFixture) -> None:
    paths.data.mkdir(parents=True)
    open_store(paths.database).database.close()
    with closing(sqlite3.connect(paths.database)) as c, c:
        c.execute("DROP TABLE runs")
    lock = DataLock.of(paths)
    assert asyncio.run(detached(paths, lock)) == 1
    lock.release()
    assert f"cannot use its database: no such table: runs ({paths.database})." in caplog.text


def _arguments(paths: Paths) -> list[str]:
    return ["--data", str(paths.data), "--state", str(paths.state), "--runtime", str(paths.runtime)]


def test_the_command_is_the_engine_until_it_is_told_to_stop(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stop_at_once(_paths: Paths, _lock: DataLock) -> int:
        assert lock_is_held(paths.engine_lock)
        return 0

    monkeypatch.setattr(process_module, "detached", stop_at_once)
    assert command.main(_arguments(paths)) == 0
    assert not lock_is_held(paths.engine_lock)


def test_the_command_says_what_is_in_its_way(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    with held_lock(paths):
        assert command.main(_arguments(paths)) == command.ANOTHER_RUNS
    paths.runtime.rmdir()
    paths.runtime.write_text("a file")
    assert command.main(_arguments(paths)) == 1
    assert capsys.readouterr().err.endswith(f"{paths.runtime} is not a directory.\n")


@dataclass
class Wanted:
    """What `playground-tui serve` gives an engine in the foreground, and what it was told."""

    host: str = "127.0.0.1"
    port: int = 0
    key: str = "k"
    names: tuple[str, ...] = ()
    handover: dict[str, Any] = field(default_factory=lambda: dict(NO_PROVIDERS))
    told: list[str] = field(default_factory=list)

    @property
    def opened(self) -> Callable[[str], None]:
        return self.told.append

    @property
    def show(self) -> Callable[[str], None]:
        return self.told.append


async def _request(base_url: str, path: str, key: str = "k") -> bytes:
    host, _, port = base_url.removeprefix("http://").removesuffix("/v1").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\nAuthorization: Bearer {key}\r\n\r\n"
    writer.write(head.encode())
    answer = await reader.read()
    writer.close()
    return answer


async def test_in_the_foreground_it_is_the_engine_and_listens_on_tcp(paths: Paths) -> None:
    wanted = Wanted()
    task = asyncio.create_task(in_front(paths, wanted))
    await until(lambda: wanted.told)
    assert (await _request(wanted.told[0], "/v1/models")).startswith(b"HTTP/1.1 200")
    assert (await _request(wanted.told[0], "/engine")).startswith(b"HTTP/1.1 404")
    answer = await ask(paths, "GET", "/engine")
    assert (answer["pid"], answer["connections"]) == (os.getpid(), 1)
    await until(lambda: len(wanted.told) == 3)
    assert wanted.told[1].startswith("GET /v1/models 200 ") and wanted.told[2].startswith("GET /engine 404 ")
    os.kill(os.getpid(), signal.SIGINT)
    assert await task is True
    assert find_engine(paths) is None
    with pytest.raises(EngineSilent):
        await ask(paths, "GET", "/engine")


async def test_in_the_foreground_it_ends_with_its_terminal(paths: Paths) -> None:
    wanted = Wanted()
    task = asyncio.create_task(in_front(paths, wanted))
    await until(lambda: wanted.told)
    os.kill(os.getpid(), signal.SIGHUP)
    assert await task is False


async def test_in_the_foreground_it_says_what_is_in_its_way(paths: Paths) -> None:
    with pytest.raises(CannotBegin, match="no address"):
        await in_front(paths, Wanted(host="no such host"))
    assert not paths.engine_file.exists()
    with held_lock(paths):
        assert await in_front(paths, Wanted()) is None
    shutil.rmtree(paths.runtime)
    paths.runtime.write_text("a file")
    with pytest.raises(CannotBegin, match="is not a directory"):
        await in_front(paths, Wanted())


def test_each_data_directory_has_its_own_socket(paths: Paths, tmp_path: Path) -> None:
    other = Paths(paths.config, tmp_path, paths.state, paths.runtime)
    assert socket_path(paths) != socket_path(other)
    assert socket_path(paths) == socket_path(paths)
