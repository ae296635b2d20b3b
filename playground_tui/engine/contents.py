"""Bytes on disk: one private directory whose files are there whole or not at all.

What comes in goes into a temporary file, is synced and then named. All of it happens in threads.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterable, Sequence, Set
from contextlib import suppress
from pathlib import Path

from playground_tui.paths import private_directory, set_aside

_COMING = ".coming-"
_BLOCK = 1024 * 1024
RESERVE = 64 * 1024 * 1024
"""Bytes that contents leave free on the disk: the database needs them."""


class NoRoom(OSError):
    """The disk is too full. `str(error)` is a sentence."""


class Incoming:
    """Contents that are being written, into a temporary file. They are gone unless they are kept."""

    def __init__(self, directory: Path):
        descriptor, name = tempfile.mkstemp(prefix=_COMING, dir=private_directory(directory))  # 0600
        self._file = os.fdopen(descriptor, "wb")
        self._temporary = Path(name)
        self._lock = threading.Lock()  # A cancelled task leaves its thread behind: what comes next waits for it.
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._digest = hashlib.md5(usedforsecurity=False)
        self.bytes = 0
        """How many have come, once they are kept."""

    @property
    def md5(self) -> str:
        """The checksum of what was kept, in hexadecimal digits."""
        return self._digest.hexdigest()

    async def write(self, data: bytes) -> None:
        """Take a piece; small ones are gathered. Raises OSError."""
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes >= _BLOCK:
            await asyncio.to_thread(self._flush)

    async def append(self, paths: Sequence[Path]) -> None:
        """Take the contents of these files, one after the other. Raises OSError."""
        await asyncio.to_thread(self._append, paths)

    async def keep(self, name: str) -> None:
        """Let the contents stand in the directory under this name, safe from a loss of power. Raises OSError."""
        await asyncio.to_thread(self._keep, name)

    async def discard(self) -> None:
        """Forget what was not kept."""
        await asyncio.to_thread(self._discard)

    def _append(self, paths: Sequence[Path]) -> None:
        with self._lock:
            for path in paths:
                with path.open("rb") as part:
                    while block := part.read(_BLOCK):
                        self._take(block)

    def _flush(self) -> None:
        with self._lock:
            self._take_waiting()

    def _take_waiting(self) -> None:
        pieces, self._waiting, self._waiting_bytes = self._waiting, [], 0
        for piece in pieces:
            self._take(piece)

    def _take(self, piece: bytes) -> None:
        self._file.write(piece)
        self._digest.update(piece)
        self.bytes += len(piece)

    def _keep(self, name: str) -> None:
        with self._lock:
            self._take_waiting()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.replace(self._temporary.with_name(name))
            _sync_directory(self._temporary.parent)

    def _discard(self) -> None:
        with self._lock:
            with suppress(OSError):  # what could not be written cannot be flushed either
                self._file.close()
            self._temporary.unlink(missing_ok=True)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems sync files alone
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_room(directory: Path, wanted: int) -> None:
    """Raises NoRoom when `wanted` more bytes would leave the disk too full."""
    free = shutil.disk_usage(next(place for place in (directory, *directory.parents) if place.exists())).free
    if free - wanted < RESERVE:
        raise NoRoom(f"There is no room for {wanted} bytes on the engine's disk: {free} bytes are free at {directory}.")


def remove(directory: Path, names: Iterable[str]) -> None:
    """Remove these contents as far as they are there."""
    for name in names:
        (directory / name).unlink(missing_ok=True)


def sweep(directory: Path, known: Set[str]) -> None:
    """Remove whatever is not among the known names. Raises OSError."""
    remove(directory, _strangers(directory, known))


def set_strangers_aside(directory: Path, known: Set[str]) -> None:
    """Keep what is not among the known names in a directory beside this one, named with the date. Raises OSError."""
    strangers = _strangers(directory, known)
    if strangers:
        aside = set_aside(directory)
        for name in {entry.name for entry in aside.iterdir()} & known:
            (aside / name).replace(private_directory(directory) / name)


def _strangers(directory: Path, known: Set[str]) -> list[str]:
    return [entry.name for entry in directory.iterdir() if entry.name not in known] if directory.is_dir() else []
