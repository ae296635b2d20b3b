"""Files: their objects in the store, their contents in a private directory beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playground_tui.engine import contents
from playground_tui.engine.contents import Incoming
from playground_tui.engine.file_objects import file_object, new_file_id
from playground_tui.engine.store import files, uploads
from playground_tui.engine.store.database import Database

Source = bytes | AsyncIterator[bytes]


class Files:
    """The files of this engine. Contents are written whole before their object is stored, and removed after it."""

    def __init__(self, directory: Path, database: Database, *, clock: Callable[[], float] = time.time):
        self._directory = directory
        self._database = database
        self._clock = clock

    def path(self, file_id: str) -> Path:
        """Where the contents of a stored file are."""
        return self._directory / file_id

    async def add(
        self, filename: str, purpose: str, source: Source, *, expires_at: int | None = None
    ) -> dict[str, Any]:
        """Keep a new file; its object. Raises OSError when its contents cannot be written."""
        async with self.prepared(filename, purpose, source, expires_at=expires_at) as file:
            await self._database.write(lambda c: files.add(c, file))
            return file

    @asynccontextmanager
    async def prepared(
        self, filename: str, purpose: str, source: Source, *, expires_at: int | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """The object of a new file whose contents are on disk already, for a transaction of the caller's.

        `store.files.add(c, file)` stores it. When the context ends and it was not stored, its contents are gone
        again. Raises OSError when they cannot be written.
        """
        async with self.incoming() as incoming:
            if isinstance(source, bytes):
                await incoming.write(source)
            else:
                async for piece in source:
                    await incoming.write(piece)
            async with self.kept(incoming, filename, purpose, expires_at=expires_at) as file:
                yield file

    @asynccontextmanager
    async def incoming(self, size: int = 0) -> AsyncIterator[Incoming]:
        """A place for contents that come, of about `size` bytes. Raises OSError."""
        await asyncio.to_thread(contents.require_room, self._directory, size)
        incoming = await asyncio.to_thread(Incoming, self._directory)
        try:
            yield incoming
        finally:
            await asyncio.shield(incoming.discard())

    @asynccontextmanager
    async def kept(
        self, incoming: Incoming, filename: str, purpose: str, *, expires_at: int | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """As `prepared`, for contents that have come."""
        file_id = new_file_id()
        async with self.kept_as(incoming, file_id):
            yield file_object(
                file_id=file_id,
                size=incoming.bytes,
                filename=filename,
                purpose=purpose,
                created_at=int(self._clock()),
                expires_at=expires_at,
            )

    @asynccontextmanager
    async def kept_as(self, incoming: Incoming, name: str) -> AsyncIterator[None]:
        """Let contents stand under the id of a file or of a part; they are gone if that is not stored meanwhile."""
        try:
            await incoming.keep(name)
            yield
        finally:
            await asyncio.shield(self._drop_unless_stored(name, incoming))

    async def _drop_unless_stored(self, name: str, incoming: Incoming) -> None:
        await incoming.discard()
        # Asked of the writer: a transaction that is still under way comes first.
        if not await self._database.write(lambda c: files.is_stored(c, name) or uploads.has_part(c, name)):
            await self.drop([name])

    async def drop(self, names: Sequence[str]) -> None:
        """Remove the contents of what is no longer stored."""
        await asyncio.to_thread(contents.remove, self._directory, names)

    async def remove(self, file_id: str) -> None:
        """Delete a file and take it out of all vector stores. Raises Unknown."""
        await self._database.write(lambda c: files.remove(c, file_id, at=int(self._clock())))
        await self.drop([file_id])

    async def expire(self) -> None:
        """Delete the files whose time is over, and end the uploads that were not completed in theirs."""
        now = int(self._clock())
        if await self._database.read(lambda c: files.expired(c, now) or uploads.overdue(c, now)):
            await self.drop(await self._database.write(lambda c: files.expire(c, now) + uploads.expire(c, now)))

    async def set_strangers_aside(self) -> None:
        """As `sweep`, where another store may know what this one does not: such contents are kept in a directory with
        the date."""
        known = await self._database.read(lambda c: files.living(c) | uploads.all_parts(c))
        await asyncio.to_thread(contents.set_strangers_aside, self._directory, known)

    async def sweep(self) -> None:
        """Remove contents that no object stands for: what an engine before had not finished. Before anything else."""
        known = await self._database.read(lambda c: files.living(c) | uploads.all_parts(c))
        await asyncio.to_thread(contents.sweep, self._directory, known)
