"""Disks that refuse, by real means: a library that lets calls fail, and small or read-only file systems."""

from __future__ import annotations

import errno
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

WRITE, SYNC, RENAME, MAKE = 1, 2, 4, 8
"""The calls that can fail: writing, waiting for the disk, renaming, making a file."""
ANY = WRITE | SYNC | RENAME | MAKE
_SOURCE = Path(__file__).with_suffix(".c")


class NotHere(Exception):
    """This machine has no such means. `str(error)` says what is missing."""


class FaultyDisk:
    """Lets calls on files below a directory fail, in all programs that are started with `environ`."""

    def __init__(self, scratch: Path, below: Path):
        """`scratch` is a directory elsewhere. Raises NotHere."""
        compiler = shutil.which("cc")
        if compiler is None:
            raise NotHere("there is no C compiler")
        library, self._rule = scratch / "faulty_disk.so", scratch / "rule"
        done = subprocess.run(
            [compiler, "-shared", "-fPIC", "-O1", "-o", library, _SOURCE, "-ldl"], capture_output=True, check=False
        )
        if done.returncode:
            raise NotHere(f"the library cannot be built: {done.stderr.decode()}")
        self.heal()
        self.environ = {"LD_PRELOAD": str(library), "LD_FAULTY_BELOW": str(below), "LD_FAULTY_RULE": str(self._rule)}

    def fail(self, calls: int = ANY, error: int = errno.ENOSPC, *, one_in: int = 1) -> None:
        """From now on these calls fail, or one in so many of them."""
        self._put(calls, error, one_in)

    def heal(self) -> None:
        """Nothing fails any more."""
        self._put(0, 0, 1)

    def _put(self, *rule: int) -> None:
        # In place: programs have it mapped.
        descriptor = os.open(self._rule, os.O_WRONLY | os.O_CREAT, 0o600)
        os.pwrite(descriptor, struct.pack("3i", *rule), 0)
        os.close(descriptor)


class SmallDisk:
    """A file system of its own at `path`, of so many bytes."""

    def __init__(self, path: Path, size: int):
        """Raises NotHere where nothing may be mounted."""
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        _mount("-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(path))

    def fill(self) -> None:
        """Leave no byte free."""
        with suppress(OSError), (self.path / "ballast").open("ab", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))

    def free(self) -> None:
        """Give back what `fill` took."""
        (self.path / "ballast").unlink(missing_ok=True)

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.path)], check=False, capture_output=True)


@contextmanager
def small_disk(path: Path, size: int) -> Iterator[SmallDisk]:
    """A small file system while the context lasts. Raises NotHere."""
    disk = SmallDisk(path, size)
    try:
        yield disk
    finally:
        disk.close()


class Bound:
    """A directory that is seen at another place, until it is taken away there."""

    def __init__(self, source: Path, path: Path):
        """Raises NotHere where nothing may be mounted."""
        self.source, self.path = source, path
        path.mkdir(parents=True, exist_ok=True)
        self.bring()

    def bring(self) -> None:
        """Let it be seen there (again)."""
        _mount("--bind", str(self.source), str(self.path))

    def take_away(self) -> None:
        """What is open stays open; the place is an empty directory."""
        subprocess.run(["umount", "--lazy", str(self.path)], check=True, capture_output=True)

    def only_read(self, read_only: bool = True) -> None:
        """Nothing can be written there, or everything again. Nobody may have a file open for writing."""
        _mount("-o", f"remount,bind,{'ro' if read_only else 'rw'}", str(self.path))

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.path)], check=False, capture_output=True)


def _mount(*arguments: str) -> None:
    try:
        done = subprocess.run(["mount", *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        raise NotHere("there is no mount command") from None
    if done.returncode:
        raise NotHere(f"nothing can be mounted here: {done.stderr.decode().strip()}")
