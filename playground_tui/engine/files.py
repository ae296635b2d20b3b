"""Files: their objects in the store, their contents in a private directory beside it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from playground_tui.engine.store.database import Database

Source = bytes | AsyncIterator[bytes]


class Files:
    """The files of this engine. Contents are written whole before their object is stored, and removed after it."""

    def __init__(self, directory: Path, database: Database, *, clock: Callable[[], float] = time.time):
        self._directory = directory
        self._database = database
        self._clock = clock

    async def add(self, filename: str, purpose: str, source: Source, **fields: Any) -> dict[str, Any]:
        """Keep a new file; its object. Raises OSError when its contents cannot be written."""
        raise NotImplementedError

    def path(self, file_id: str) -> Path:
        """Where the contents of a stored file are."""
        return self._directory / file_id

    async def remove(self, file_id: str) -> None:
        """Delete a file and take it out of all vector stores. Raises Unknown."""
        raise NotImplementedError
