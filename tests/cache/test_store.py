"""The files themselves, where the disk answers in odd ways."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from pathlib import Path

import pytest

from playground_tui.cache import store as store_module
from playground_tui.cache.store import JsonStore, Schema
from tests.cache.conftest import Machine


@pytest.fixture
def store(machine: Machine) -> JsonStore:
    machine.directory.mkdir()
    return JsonStore(machine.directory, machine.told.notices.append)


def test_a_disk_that_does_not_answer_is_no_reason_to_set_a_file_aside(
    machine: Machine, store: JsonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save("a.json", {"x": 1})

    def fail(_path: Path) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(store_module, "_contents", fail)
        assert store.read("a.json") is None
        with pytest.raises(OSError, match="Input/output"):
            store.load("a.json")
    assert "a.json cannot be read: Input/output error." in machine.told.notices[0]
    assert store.read("a.json") == {"x": 1}


def test_a_file_that_is_not_ours_to_read_is_set_aside(
    machine: Machine, store: JsonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save("a.json", {"x": 1})

    def forbid(_path: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(store_module, "_contents", forbid)
    assert store.read("a.json") is None
    assert len(machine.files("a.broken-")) == 1
    assert "Permission denied" in machine.told.notices[0]


def test_a_broken_file_that_cannot_be_set_aside_is_named(
    machine: Machine, store: JsonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine.directory / "a.json").write_text("broken")

    def refuse(_self: Path, _target: Path) -> Path:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "rename", refuse)
    assert store.read("a.json") is None
    assert "could not be set aside: Read-only file system" in machine.told.notices[0]


def test_a_broken_file_that_another_program_set_aside_meanwhile_is_no_news(
    machine: Machine, store: JsonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine.directory / "a.json").write_text("broken")
    contents = store_module._contents

    def vanish(path: Path) -> bytes:
        raw = contents(path)
        path.unlink()
        return raw

    monkeypatch.setattr(store_module, "_contents", vanish)
    assert store.read("a.json") is None
    assert machine.told.notices == []


def test_a_directory_in_the_place_of_a_file_is_set_aside_when_it_is_written(machine: Machine, store: JsonStore) -> None:
    (machine.directory / "a.json").mkdir()
    store.save("a.json", {"x": 1})
    assert store.read("a.json") == {"x": 1}
    assert len(machine.files("a.broken-")) == 1


def test_migration_goes_on_when_no_copy_can_be_kept(
    machine: Machine, store: JsonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save("a.json", {"x": 1})
    newer = JsonStore(
        machine.directory, machine.told.notices.append, schema=Schema(2, {1: lambda body: {"y": body["x"]}})
    )

    def full(_descriptor: int, _data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    assert newer.read("a.json") == {"y": 1}
    assert "No copy of" in machine.told.notices[0]


def test_a_cache_that_is_a_link_is_read_and_no_copy_is_kept_there(machine: Machine, store: JsonStore) -> None:
    store.save("a.json", {"x": 1})
    link = machine.directory.with_name("link")
    link.symlink_to(machine.directory)
    newer = JsonStore(link, machine.told.notices.append, schema=Schema(2, {1: lambda body: body}))
    assert newer.read("a.json") == {"x": 1}
    assert machine.told.notices == [
        f"No copy of {link}/a.json could be kept: {link} is a symbolic link; a directory of your own is needed there."
    ]


def test_values_that_json_does_not_know_do_not_stop_a_save(machine: Machine, store: JsonStore) -> None:
    store.save("a.json", {"path": Path("/x"), "half": "\ud800"})
    assert json.loads((machine.directory / "a.json").read_text()) == {"schema": 1, "path": "/x", "half": "\ud800"}


def test_a_file_system_without_locks_is_written_but_nothing_is_adopted_there(
    store: JsonStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lockless(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", lockless)
    store.save("session-a.json", {"x": 1}, hold=True)
    with store.locked():
        assert store.read("session-a.json") == {"x": 1}
    assert store.held_elsewhere("session-a.json")
    assert not store.hold("session-a.json")


def test_locking_that_fails_otherwise_is_a_failure(store: JsonStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", broken)
    with pytest.raises(OSError, match="Input/output"), store.locked():
        pass


def test_a_lock_on_a_file_that_was_replaced_meanwhile_is_no_lock(store: JsonStore) -> None:
    store.save("session-a.json", {"x": 1}, hold=True)
    store.save("session-a.json", {"x": 2}, hold=True)
    other = JsonStore(store.directory, print)
    assert other.held_elsewhere("session-a.json")
    assert not other.hold("session-a.json")
    store.release()
    assert other.hold("session-a.json")
    assert store.held_elsewhere("session-a.json")
    other.release()


def test_two_that_look_whether_somebody_has_a_file_find_nobody(store: JsonStore) -> None:
    store.save("a.json", {})
    seen: list[bool] = []

    def look(descriptor: int, how: int) -> None:
        flock(descriptor, how)
        if not seen:
            seen.append(True)
            seen.append(store.held_elsewhere("a.json"))

    with pytest.MonkeyPatch.context() as patched:
        flock = fcntl.flock
        patched.setattr(fcntl, "flock", look)
        assert not store.held_elsewhere("a.json")
    assert seen == [True, False]


def test_a_file_of_a_newer_version_is_neither_written_nor_removed(machine: Machine, store: JsonStore) -> None:
    path = machine.directory / "a.json"
    path.write_text('{"schema": 99}')
    assert store.read("a.json") is None
    store.save("a.json", {"x": 1})
    store.remove("a.json")
    assert path.read_text() == '{"schema": 99}'
