"""The engine's lock, its address file, and what a filesystem allows."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from playground_tui.address import EngineAddress, boot_id, build_id, lock_is_held
from playground_tui.engine.lock import DataLock, LockHeld, filesystem_type, journal_for
from tests.support.engine import address_of, paths_in


def test_only_one_holds_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "engine.lock"
    assert not lock_is_held(path)
    lock = DataLock.acquire(path)
    assert lock_is_held(path)
    with pytest.raises(LockHeld):
        DataLock.acquire(path, patience=0)
    lock.release()
    assert not lock_is_held(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_lock_notices_that_another_file_took_its_place(tmp_path: Path) -> None:
    path = tmp_path / "engine.lock"
    lock = DataLock.acquire(path)
    assert not lock.is_replaced()
    path.unlink()
    assert not lock.is_replaced()
    path.touch()
    assert lock.is_replaced()
    lock.release()


def test_a_lock_is_not_taken_through_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "engine.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        DataLock.acquire(tmp_path / "engine.lock")


def test_an_address_reads_as_it_was_written(tmp_path: Path) -> None:
    address = address_of(tmp_path / "s")
    address.write(tmp_path / "engine.json")
    assert EngineAddress.read(tmp_path / "engine.json") == address
    assert stat.S_IMODE((tmp_path / "engine.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["engine.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"socket": "/s", "pid": [], "protocol": 1}'])
def test_what_is_no_address_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "engine.json").write_text(content)
    assert EngineAddress.read(tmp_path / "engine.json") is None
    assert EngineAddress.read(tmp_path / "missing") is None


def test_a_build_is_the_same_until_the_source_changes() -> None:
    assert build_id() == build_id() and len(build_id()) == 16
    assert boot_id() == boot_id()


@pytest.mark.parametrize(
    ("mounted", "journal"),
    [("ext4", "WAL"), ("nfs4", "DELETE"), ("cifs", "DELETE"), ("fuse.sshfs", "DELETE"), ("fuse.lxcfs", "WAL")],
)
def test_a_network_filesystem_has_no_write_ahead_log(tmp_path: Path, mounted: str, journal: str) -> None:
    mounts = tmp_path / "mounts"
    home = tmp_path / "my home"
    home.mkdir()
    point = str(home).replace(" ", "\\040")
    mounts.write_text(f"/dev/vda / ext4 rw 0 0\nserver:/x {point} {mounted} rw 0 0\nproc /proc proc rw 0 0\n")
    assert filesystem_type(home / "data", mounts=mounts) == mounted
    assert journal_for(home / "data", mounts=mounts) == journal
    assert filesystem_type(tmp_path, mounts=mounts) == "ext4"


def test_where_the_system_does_not_say_the_filesystem_is_taken_for_a_local_one(tmp_path: Path) -> None:
    assert journal_for(tmp_path, mounts=tmp_path / "missing") == "WAL"


@pytest.mark.parametrize("spoil", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("nowhere")])
@pytest.mark.parametrize("name", ["engine.json", "engine.lock"])
def test_what_lies_in_the_place_of_lock_and_address_is_set_aside(
    tmp_path: Path, name: str, spoil: Callable[[Path], None]
) -> None:
    paths = paths_in(tmp_path)
    paths.data.mkdir()
    spoil(paths.data / name)
    assert EngineAddress.read(paths.engine_file) is None and not lock_is_held(paths.engine_lock)
    lock = DataLock.of(paths)
    (notice,) = lock.notices
    assert f"{paths.data / name} could not be used: it was set aside as engine.broken-" in notice
    assert lock_is_held(paths.engine_lock)
    lock.release()


def test_a_removed_lock_is_taken_again_unless_another_was_faster(tmp_path: Path) -> None:
    path = tmp_path / "engine.lock"
    lock = DataLock.acquire(path)
    assert lock.is_here() and not lock.is_removed()
    path.unlink()
    assert lock.is_removed() and not lock.is_here()
    lock.renew()
    assert lock.is_here() and lock_is_held(path)
    path.unlink()
    other = DataLock.acquire(path)
    with pytest.raises(LockHeld):
        lock.renew()
    other.release()
    lock.release()


def test_a_mount_point_may_have_any_name(tmp_path: Path) -> None:
    mounts, home = tmp_path / "mounts", tmp_path / "für alle\\ da"
    home.mkdir()
    point = str(home).replace("\\", "\\134").replace(" ", "\\040")
    mounts.write_text(f"server:/x {point} nfs4 rw 0 0\n")
    assert filesystem_type(home / "data", mounts=mounts) == "nfs4"
