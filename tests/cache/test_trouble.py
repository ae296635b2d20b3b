"""Broken files, and a disk that refuses: nothing typed is lost and nothing raises."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from playground_tui.cache import store as store_module
from playground_tui.cache import writer as writer_module
from playground_tui.cache.cache import Cache
from playground_tui.cache.known import KnownServer
from playground_tui.cache.state import ComposerState, DraftState
from tests.cache.conftest import Machine, wait_for


def draft(**edits: object) -> DraftState:
    return DraftState("asst_1", {}, edits, 5.0)


def left_behind(machine: Machine) -> list[Path]:
    """A file of each kind, of an instance that has ended."""
    cache = machine.start()
    cache.save_draft(draft(name="typed"))
    cache.save_composer(None, ComposerState("typed"))
    cache.update_server(lambda state: replace(state, models=("m",)))
    cache.close()
    files = [machine.directory / name for name in machine.files()]
    assert len(files) == 4
    return files


def everything(cache: Cache) -> tuple[object, ...]:
    return (cache.load_draft("asst_1"), cache.load_composer(None).text, cache.server.models)


# --- broken files


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def garbage(path: Path) -> None:
    path.write_bytes(b"\xff\x00\x1b]0;x\x07")


def a_list(path: Path) -> None:
    path.write_text("[1, 2]")


def without_a_schema(path: Path) -> None:
    path.write_text("{}")


def nested_too_deep(path: Path) -> None:
    path.write_text("[" * 100_000)


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "spoil", [truncated, emptied, garbage, a_list, without_a_schema, nested_too_deep, a_directory, a_pipe]
)
def test_a_broken_file_is_set_aside_and_named_and_the_program_starts(
    machine: Machine, spoil: Callable[[Path], None]
) -> None:
    files = left_behind(machine)
    for path in files:
        spoil(path)
    cache = machine.start()
    assert everything(cache) == (None, "", ())
    aside = machine.files(".broken-")
    said = " ".join(machine.told.notices)
    # The session's instance is unknown now, so its draft and composer are orphans, which are looked at as they are.
    assert {name.split(".broken-")[0] for name in aside} == {path.stem for path in files}
    assert all(name in said for name in aside)
    cache.save_draft(draft(name="again"))
    cache.flush()
    assert machine.told.problems == []
    assert cache.load_draft("asst_1") == draft(name="again")


def test_two_files_set_aside_at_one_time_are_both_kept(machine: Machine) -> None:
    machine.directory.mkdir()
    store = store_module.JsonStore(machine.directory, machine.told.notices.append, now=lambda: 0.0)
    for content in ("one", "two"):
        (machine.directory / "a.json").write_text(content)
        assert store.read("a.json") is None
    assert sorted((machine.directory / name).read_text() for name in machine.files(".broken-")) == ["one", "two"]


def test_wrong_values_in_a_sound_file_are_read_as_empty(machine: Machine) -> None:
    for path in left_behind(machine):
        path.write_text(json.dumps({"schema": 1, "edits": 3, "text": [], "models": {}, "updated_at": "x"}))
    cache = machine.start()
    assert cache.load_composer(None) == ComposerState()
    assert cache.server.models == ()
    assert machine.files(".broken-") == []


def test_a_newer_file_is_left_untouched_and_said(machine: Machine) -> None:
    files = left_behind(machine)
    for path in files:
        path.write_text(json.dumps({"schema": 99, "instance": "x"}))
    before = {path: path.read_bytes() for path in files}
    cache = machine.start()
    assert everything(cache) == (None, "", ())
    cache.update_server(lambda state: replace(state, models=("memory",)))
    cache.update_server(lambda state: replace(state, history=("memory",)))
    cache.save_draft(draft(name="typed"))
    cache.close()
    assert {path: path.read_bytes() for path in files} == before
    assert cache.server.models == ("memory",)
    said = [notice for notice in machine.told.notices if "engine--server.json" in notice]
    assert len(said) == 1
    assert "newer playground-tui (schema 99)" in said[0]


def test_an_older_file_is_migrated_and_a_copy_is_kept(machine: Machine) -> None:
    machine.directory.mkdir()
    (machine.directory / "a.json").write_text('{"schema": 1, "name": "x"}')

    def rename(body: dict[str, object]) -> dict[str, object]:
        return {"title": body["name"]}

    schema = store_module.Schema(3, {1: rename, 2: lambda body: {**body, "more": 1}})
    store = store_module.JsonStore(machine.directory, machine.told.notices.append, schema=schema)
    assert store.read("a.json") == {"title": "x", "more": 1}
    assert store.read("a.json") == {"title": "x", "more": 1}
    assert (machine.directory / "a.schema-1.json").read_text() == '{"schema": 1, "name": "x"}'
    assert machine.told.notices == []
    (machine.directory / "b.json").write_text('{"schema": 1}')
    assert store.read("b.json") is None
    assert "b.json has schema 1, which cannot be brought up to date" in machine.told.notices[0]


# --- a disk that refuses


@pytest.fixture
def quick_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "RETRY", 0.05)


class Disk:
    """What the operating system answers to every write."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.error = 0
        write = os.write

        def refusing(descriptor: int, data: memoryview) -> int:
            if self.error:
                raise OSError(self.error, os.strerror(self.error))
            return write(descriptor, data[:7])

        monkeypatch.setattr(store_module.os, "write", refusing)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EROFS, "not writable"),
        (errno.EIO, "Input/output error"),
    ],
)
@pytest.mark.usefixtures("quick_retry")
def test_a_disk_that_refuses_is_said_once_and_all_is_written_when_it_works_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    disk = Disk(monkeypatch)
    cache = machine.start()
    disk.error = code
    for number in range(3):
        cache.save_draft(draft(name=number))
        cache.update_server(lambda state: replace(state, models=(*state.models, "m")))
        cache.update_session(thread_id=f"t{number}")
        cache.flush(sync=True)
    assert len(machine.told.problems) == 1
    assert words in machine.told.problems[0]
    assert everything(cache) == (draft(name=2), "", ("m", "m", "m"))
    disk.error = 0
    wait_for(lambda: machine.told.problems[-1] == "")
    assert len(machine.told.problems) == 2
    saved = json.loads((machine.directory / machine.files("--draft-")[0]).read_text())
    assert saved["edits"] == {"name": 2}
    assert not list(machine.directory.glob(".*.tmp"))
    cache.close()
    again = machine.start()
    assert again.session.thread_id == "t2"
    assert everything(again) == (draft(name=2), "", ("m", "m", "m"))


@pytest.mark.usefixtures("quick_retry")
def test_a_directory_that_cannot_be_made_is_a_problem_until_it_can(machine: Machine) -> None:
    machine.directory.write_text("a file in its place")
    cache = machine.start()
    assert "is not a directory" in machine.told.problems[0]
    cache.save_draft(draft(name="typed"))
    assert cache.load_draft("asst_1") == draft(name="typed")
    machine.directory.unlink()
    wait_for(lambda: machine.told.problems[-1] == "" and machine.files("--draft-"))
    assert machine.files("session-") == [f"session-{cache.session.instance}.json"]


def test_a_directory_that_vanishes_is_made_again_with_everything_in_it(machine: Machine) -> None:
    cache = machine.start()
    cache.save_draft(draft(name="typed"))
    cache.update_server(lambda state: replace(state, models=("m",)))
    cache.flush(sync=True)
    shutil.rmtree(machine.directory)
    cache.save_composer(None, ComposerState("typed"))
    cache.flush(sync=True)
    assert len(machine.files()) == 4
    assert machine.start().session.instance != cache.session.instance
    cache.close()
    assert everything(machine.start())[1:] == ("typed", ("m",))


def test_what_is_written_is_synced_within_five_seconds(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert writer_module.COALESCE <= 0.15
    assert writer_module.SYNC_WITHIN + writer_module.COALESCE < 5
    monkeypatch.setattr(writer_module, "SYNC_WITHIN", 0.05)
    synced: list[str] = []
    fsync = os.fsync

    def recording(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    monkeypatch.setattr(store_module.os, "fsync", recording)
    cache = machine.start()
    cache.save_draft(draft(name="typed"))
    wait_for(lambda: any("--draft-asst_1--" in path for path in synced))
    assert str(machine.directory) in synced


@pytest.mark.usefixtures("quick_retry")
def test_an_fsync_that_fails_is_a_problem_and_tried_again(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = True
    fsync = os.fsync

    def failing(descriptor: int) -> None:
        if broken:
            raise OSError(errno.EIO, "Input/output error")
        fsync(descriptor)

    monkeypatch.setattr(store_module.os, "fsync", failing)
    monkeypatch.setattr(writer_module, "SYNC_WITHIN", 0.0)
    cache = machine.start()
    cache.flush(sync=True)
    assert "Input/output error" in machine.told.problems[0]
    broken = False
    wait_for(lambda: machine.told.problems[-1] == "")


# --- others on the directory


def test_a_lock_that_others_keep_delays_shared_changes_alone(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "LOCK_PATIENCE", 0.05)
    monkeypatch.setattr(writer_module, "RETRY", 0.05)
    first, second, other = machine.start(), machine.start(), machine.start()
    other.save_draft(draft(name="left"))
    other.close()
    blocker = store_module.JsonStore(machine.directory, machine.told.notices.append)
    with blocker.locked():
        first.update_server(lambda state: replace(state, models=("m",)))
        first.save_composer(None, ComposerState("typed"))
        first.flush()
        assert "another playground is writing" in machine.told.problems[-1]
        assert machine.files("--composer-new--")
        # A left draft is shown, and its file stays until it can be taken over alone.
        assert second.load_draft("asst_1") == draft(name="left")
        assert len(machine.files("--draft-")) >= 1
        known = KnownServer(machine.directory, None, on_problem=machine.told.notices.append)
        known.forget_threads(["t"])
        assert "another playground is writing" in machine.told.notices[-1]
    wait_for(lambda: machine.told.problems[-1] == "")
    second.flush()
    assert second.load_draft("asst_1") == draft(name="left")
    assert machine.files("--draft-") == [f"engine--draft-asst_1--{second.session.instance}.json"]
    assert machine.start().server.models == ("m",)


def test_half_written_files_of_killed_programs_are_swept(machine: Machine) -> None:
    machine.start()
    old, new = machine.directory / ".a.json.1-0.tmp", machine.directory / ".b.json.1-0.tmp"
    for path in (old, new):
        path.write_text("{")
    os.utime(old, (0, 0))
    os.utime(new, (machine.time + 100, machine.time + 100))
    machine.time = 10_000
    os.utime(new, (9_990, 9_990))
    machine.start()
    assert (old.exists(), new.exists()) == (False, True)
