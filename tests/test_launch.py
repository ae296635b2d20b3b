"""Finding, starting, replacing and stopping engines that are real processes."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from playground_tui import __version__
from playground_tui.engine.store.database import SCHEMA as STORED_SCHEMA
from playground_tui.launch import (
    EngineSilent,
    LaunchError,
    ask_engine,
    engine_environment,
    ensure_engine,
    find_engine,
    refusal,
    stop_engine,
    tail,
)
from playground_tui.paths import Paths
from playground_tui.protocol import PROTOCOL, SCHEMA
from tests.support.engine_process import held_lock, home, living, other_engine, process_is_gone, write_address
from tests.support.wait import until


@pytest.fixture
def paths() -> Iterator[Paths]:
    with home() as made:
        yield made


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_program_knows_the_schema_of_its_own_engine() -> None:
    assert STORED_SCHEMA == SCHEMA


def test_the_first_start_begins_an_engine_and_the_second_finds_it(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-key")
    first = ensure_engine(paths)
    assert ensure_engine(paths) == first == living(paths)
    assert ask_engine(first.socket, "GET", "/engine")["pid"] == first.pid != os.getpid()
    process = Path(f"/proc/{first.pid}")
    assert b"canary-key" not in (process / "environ").read_bytes()
    assert (process / "cwd").readlink() == Path("/")
    assert os.getsid(first.pid) == first.pid
    assert _mode(first.socket) == _mode(paths.engine_log) == _mode(paths.engine_file) == 0o600
    assert _mode(first.socket.parent) == _mode(paths.data) == _mode(paths.state) == 0o700


def test_two_starts_at_once_end_with_one_engine(paths: Paths) -> None:
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(ensure_engine, [paths, paths]))
    assert found[0] == found[1]


def test_an_address_without_its_lock_is_not_an_engine(paths: Paths) -> None:
    write_address(paths)
    assert find_engine(paths) is None
    paths.engine_file.write_text("[]")
    assert find_engine(paths) is None
    paths.engine_file.write_text('{"socket": "/x", "pid": "none", "protocol": 1}')
    assert find_engine(paths) is None


def test_an_engine_on_another_host_is_named_and_no_second_one_is_started(paths: Paths) -> None:
    write_address(paths, host="devbox\x1b[2J", boot_id="another kernel")
    with pytest.raises(LaunchError, match="devbox") as caught:
        ensure_engine(paths)
    assert "--server" in str(caught.value) and "\x1b" not in str(caught.value)
    assert not paths.engine_lock.exists()


def test_this_machine_under_another_name_is_no_other_host(paths: Paths) -> None:
    write_address(paths, host="before-the-rename")
    assert find_engine(paths) is None


def test_an_idle_engine_of_another_build_is_replaced(paths: Paths) -> None:
    with other_engine(paths, {"active_runs": 0}, build="older") as other:
        address = ensure_engine(paths)
    assert "POST /engine/stop" in other.asked
    assert address.build != "older" and address.pid != os.getpid()


def test_a_busy_engine_of_another_build_is_used_as_it_is(paths: Paths) -> None:
    with other_engine(paths, {"active_runs": 2}, build="older") as other:
        assert ensure_engine(paths) == other.address
        assert "POST /engine/stop" not in other.asked


def test_a_busy_engine_that_speaks_an_older_protocol_is_waited_for(paths: Paths) -> None:
    with (
        other_engine(paths, {"active_runs": 1}, protocol=PROTOCOL - 1, version="0.0.9"),
        pytest.raises(LaunchError, match=r"0\.0\.9 still works on 1 run"),
    ):
        ensure_engine(paths)


def test_an_engine_that_speaks_a_newer_protocol_is_not_replaced(paths: Paths) -> None:
    with (
        other_engine(paths, {"active_runs": 0}, protocol=PROTOCOL + 1, version="9.1.0") as other,
        pytest.raises(LaunchError, match=r"Install version 9\.1\.0"),
    ):
        ensure_engine(paths)
    assert other.asked == []


@pytest.mark.parametrize("newer", [{"version": "99.0"}, {"schema": "9999"}])
def test_a_newer_engine_of_the_same_protocol_is_used_as_it_is(paths: Paths, newer: dict[str, str]) -> None:
    with other_engine(paths, {"active_runs": 0}, build="newer", **newer) as other:
        assert ensure_engine(paths) == other.address


def test_a_database_of_a_newer_version_is_said_with_the_log(paths: Paths) -> None:
    paths.data.mkdir(parents=True)
    with closing(sqlite3.connect(paths.database)) as database, database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
    with pytest.raises(LaunchError, match=r"(?s)did not start.*newer version of playground-tui") as caught:
        ensure_engine(paths)
    assert "Traceback" not in str(caught.value)


def test_directories_that_cannot_be_had_are_a_sentence(paths: Paths) -> None:
    paths.data.parent.mkdir(exist_ok=True)
    paths.data.write_text("a file")
    with pytest.raises(LaunchError, match="cannot be started"):
        ensure_engine(paths)


def test_an_engine_that_holds_the_lock_and_never_answers_is_named(paths: Paths) -> None:
    # A process of its own: it is sent a signal.
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        with held_lock(paths):
            write_address(paths, pid=sleeper.pid)
            with pytest.raises(LaunchError, match=rf"process {sleeper.pid}\) does not answer"):
                ensure_engine(paths, timeout=0.1)
            assert sleeper.poll() is None
            with pytest.raises(LaunchError, match=f"kill -9 {sleeper.pid}"):
                stop_engine(paths, timeout=0.1)
        assert sleeper.wait(10) == -signal.SIGTERM
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_lock_without_an_address_is_an_engine_that_does_not_come_up(paths: Paths) -> None:
    with held_lock(paths), pytest.raises(LaunchError, match="within 0 s"):
        ensure_engine(paths, timeout=0.1)


def test_stopping_leaves_nothing_behind(paths: Paths) -> None:
    address = ensure_engine(paths)
    assert stop_engine(paths) is True
    assert not paths.engine_file.exists() and not address.socket.exists()
    assert stop_engine(paths) is False


async def test_an_engine_whose_socket_was_swept_away_is_reached_again(paths: Paths) -> None:
    address = ensure_engine(paths)
    address.socket.unlink()
    assert ensure_engine(paths) == address
    assert ask_engine(address.socket, "GET", "/engine")["pid"] == address.pid


async def test_a_killed_engine_is_followed_by_one_that_ends_its_runs(paths: Paths) -> None:
    first = ensure_engine(paths)
    assistant = ask_engine(first.socket, "POST", "/v1/assistants", {"model": "rehearsal/markdown"})["id"]
    body = {"assistant_id": assistant, "thread": {"messages": [{"role": "user", "content": "go"}]}}
    run = ask_engine(first.socket, "POST", "/v1/threads/runs", body)
    target = f"/v1/threads/{run['thread_id']}/runs/{run['id']}"
    await until(lambda: ask_engine(first.socket, "GET", target)["status"] == "in_progress")
    os.kill(first.pid, signal.SIGKILL)
    await until(lambda: process_is_gone(first.pid))
    second = ensure_engine(paths)
    after = ask_engine(second.socket, "GET", target)
    assert second.pid != first.pid
    assert (after["status"], after["last_error"]["code"]) == ("failed", "server_error")


async def test_an_engine_outlives_its_terminal_and_ends_when_it_is_alone(paths: Paths) -> None:
    address = ensure_engine(paths)
    os.kill(address.pid, signal.SIGHUP)
    assert ask_engine(address.socket, "GET", "/engine")["pid"] == address.pid
    ask_engine(address.socket, "PUT", "/engine/settings", {"providers": [], "idle_exit": 0.05})
    await until(lambda: process_is_gone(address.pid))
    assert not paths.engine_file.exists() and not address.socket.exists()


async def test_sigterm_ends_an_engine_cleanly(paths: Paths) -> None:
    address = ensure_engine(paths)
    os.kill(address.pid, signal.SIGTERM)
    await until(lambda: process_is_gone(address.pid))
    assert not paths.engine_file.exists() and not address.socket.exists()
    assert "Traceback" not in paths.engine_log.read_text()


def test_a_second_engine_process_ends_at_once(paths: Paths) -> None:
    ensure_engine(paths)
    directories = ["--data", paths.data, "--state", paths.state, "--runtime", paths.runtime]
    second = subprocess.run(
        [sys.executable, "-m", "playground_tui.engine", *directories], capture_output=True, text=True, check=False
    )
    assert (second.returncode, second.stderr) == (3, "Another engine lives in this data directory.\n")


def test_refusals_are_the_engines_own_words(paths: Paths) -> None:
    address = ensure_engine(paths)
    with pytest.raises(LaunchError, match="The body is not JSON"):
        ask_engine(address.socket, "POST", "/engine/listen")
    with pytest.raises(EngineSilent):
        ask_engine(paths.runtime / "nobody", "GET", "/engine")
    assert refusal([]) == refusal({"error": {}}) == "The engine refused without saying why."


def test_the_engine_inherits_no_credentials() -> None:
    secret = {
        "OPENAI_API_KEY": "x",
        "HF_TOKEN": "x",
        "PLAYGROUND_TUI_SERVE_KEY": "x",
        "PYTHON_SECRET": "x",
        "MY_LLM": "x",
    }
    needed = {"PATH": "/bin", "TZ": "UTC", "LC_ALL": "C", "https_proxy": "http://proxy", "XDG_DATA_HOME": "/data"}
    kept = engine_environment({**secret, **needed})
    assert {name: value for name, value in kept.items() if name != "PYTHONPATH"} == needed


def test_the_log_begins_anew_when_it_is_long(paths: Paths) -> None:
    paths.state.mkdir(parents=True)
    paths.engine_log.write_text("old\n" * 300_000)
    ensure_engine(paths)
    assert "old" not in paths.engine_log.read_text()
    assert tail(paths.engine_log).startswith(f"The end of {paths.engine_log}:\n  ")
    assert __version__ in tail(paths.engine_log)


def test_a_database_that_is_none_is_named_with_what_to_do(paths: Paths) -> None:
    paths.data.mkdir(parents=True, mode=0o700)
    paths.database.write_bytes(b"not a database" * 1000)
    with pytest.raises(LaunchError) as caught:
        ensure_engine(paths)
    assert str(caught.value).startswith(f"The engine did not start. The database {paths.database} cannot be used")
    assert "Move it elsewhere" in str(caught.value)
    assert "\n" not in str(caught.value)
