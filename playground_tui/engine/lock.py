"""The lock that makes an engine the only one of its data directory, and what the directory's filesystem allows."""

from __future__ import annotations

import fcntl
import os
import re
import time
from pathlib import Path
from typing import Literal

from playground_tui.paths import Paths, is_usable, private_directory, set_aside

_MOUNTS = Path("/proc/mounts")
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "9p", "lustre", "beegfs", "gpfs", "glusterfs"}
_NETWORK_FUSE = ("fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse")
_OCTAL = re.compile(r"\\([0-7]{3})")
"""How blanks and backslashes are written in the table of mounts."""
_ASK_AGAIN = 0.02


class LockHeld(Exception):
    """Another engine lives in this data directory."""


class DataLock:
    """Held from `acquire` until the process ends or `release`."""

    def __init__(self, path: Path, descriptor: int):
        self._path = path
        self._descriptor = descriptor
        self.notices: list[str] = []
        """What lay in its way, and where that is now, in sentences."""

    @classmethod
    def acquire(cls, path: Path, *, patience: float = 0.5) -> DataLock:
        """Take the lock. Those who only look whether it is held have it for a moment: `patience` seconds outlast them.

        Raises LockHeld, or OSError when the file cannot be made.
        """
        return cls(path, _opened_and_taken(path, patience))

    @classmethod
    def of(cls, paths: Paths) -> DataLock:
        """Own these directories, which are made, and begin with no `engine.json` in them: what a dead engine left there
        names a process number that anybody may have by now.

        Raises LockHeld, OSError (a directory that cannot be used safely among them).
        """
        for directory in (paths.data, paths.runtime):
            private_directory(directory)
        aside = _set_aside_unless_file(paths.engine_lock, paths.engine_file)
        lock = cls.acquire(paths.engine_lock)
        lock.notices = aside
        paths.engine_file.unlink(missing_ok=True)
        return lock

    def is_here(self) -> bool:
        """Whether the lock's file is where it was made."""
        return not self.is_gone() and not self.is_replaced()

    def is_replaced(self) -> bool:
        """Whether another file lies in the lock's place: then another engine may own the directory."""
        try:
            return not os.path.samestat(self._path.stat(), os.fstat(self._descriptor))
        except OSError:
            return False

    def is_gone(self) -> bool:
        """Whether nothing lies in the lock's place: the data directory was removed, or is out of reach."""
        return not os.path.lexists(self._path)

    def is_removed(self) -> bool:
        """Whether the lock's file was deleted, so that it never comes back, and not moved or unmounted."""
        return os.fstat(self._descriptor).st_nlink == 0

    def renew(self) -> None:
        """Take the lock of the file that lies there now, or of a new one. Raises LockHeld, OSError."""
        before, self._descriptor = self._descriptor, _opened_and_taken(self._path, 0.5)
        os.close(before)

    def release(self) -> None:
        """Let the next engine start."""
        os.close(self._descriptor)


def _opened_and_taken(path: Path, patience: float) -> int:
    """A descriptor that holds the lock of the file at `path`. Raises LockHeld, OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    end = time.monotonic() + patience
    while not _taken(descriptor):
        if time.monotonic() > end:
            os.close(descriptor)
            raise LockHeld
        time.sleep(_ASK_AGAIN)
    return descriptor


def _set_aside_unless_file(*places: Path) -> list[str]:
    """Set aside what is there and is no file that can be opened; what was done. Raises OSError."""
    notices = []
    for place in places:
        if os.path.lexists(place) and not is_usable(place):
            notices.append(f"{place} could not be used: it was set aside as {set_aside(place).name}.")
    return notices


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def journal_for(directory: Path, *, mounts: Path = _MOUNTS) -> Literal["WAL", "DELETE"]:
    """SQLite's write-ahead log needs memory shared between processes, which network filesystems do not give."""
    return "DELETE" if _is_network(filesystem_type(directory, mounts=mounts)) else "WAL"


def _is_network(kind: str) -> bool:
    return kind in _NETWORK or kind.startswith(_NETWORK_FUSE)


def filesystem_type(directory: Path, *, mounts: Path = _MOUNTS) -> str:
    """The type of the filesystem that holds the directory (`ext4`, `nfs4`), "" where the system does not say."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    resolved = directory.resolve()
    found, kind = -1, ""
    for line in lines:
        _, point, type_, *_ = line.split(" ")
        place = Path(_OCTAL.sub(lambda match: chr(int(match[1], 8)), point))
        depth = len(place.parts)
        if depth >= found and resolved.is_relative_to(place):
            found, kind = depth, type_
    return kind
