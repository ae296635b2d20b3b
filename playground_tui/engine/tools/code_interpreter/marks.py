"""Which threads have run code: one empty file for each, so that it is known also after the engine's end."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path

from playground_tui.paths import private_directory

_KEPT_SECONDS = 30 * 86_400
_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")


class Marks:
    """The marks in a directory. Old ones go when new ones come."""

    def __init__(self, directory: Path):
        self._directory = directory

    def add(self, thread_id: str) -> bool:
        """Mark a thread; whether it was marked. Raises OSError."""
        path = self._path(thread_id)
        private_directory(self._directory)
        known = path.exists()
        if not known:
            self._sweep()
        path.touch(mode=0o600)
        return known

    def remove(self, thread_id: str) -> None:
        """Forget a thread. Raises OSError."""
        self._path(thread_id).unlink(missing_ok=True)

    def _path(self, thread_id: str) -> Path:
        if not _NAME.fullmatch(thread_id):
            raise ValueError(f"{thread_id!r} is no id of a thread")
        return self._directory / thread_id

    def _sweep(self) -> None:
        old = time.time() - _KEPT_SECONDS
        for path in self._directory.iterdir():
            with suppress(FileNotFoundError):  # its thread may be forgotten meanwhile
                if path.stat().st_mtime < old:
                    path.unlink()
