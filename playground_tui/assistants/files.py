"""Files at a server: sent from this machine, listed, brought back, deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from playground_tui.assistants.local_files import Counted, Progress, opened, purpose_of, sendable_name, written
from playground_tui.assistants.pages import all_pages
from playground_tui.assistants.stored import StoredFile
from playground_tui.assistants.transport import UPLOAD, Transport


class Files:
    """The files of one server. Every method raises AssistantsError."""

    def __init__(self, transport: Transport):
        self._transport = transport
        self._files = transport.sdk.files

    async def upload(self, path: Path, *, purpose: str = "", progress: Progress | None = None) -> StoredFile:
        """Send a file; its purpose is told by its name unless it is given."""
        with await asyncio.to_thread(opened, path) as source:
            body = await self._transport.ask_new(
                "file",
                self._files.create,
                file=(sendable_name(path), Counted(source, progress)),
                purpose=purpose or purpose_of(path),
                timeout=UPLOAD,
            )
        return StoredFile.from_json(body)

    async def list(self, purpose: str = "") -> list[StoredFile]:
        """All files, or those of a purpose, newest first."""
        given = {"purpose": purpose} if purpose else {}
        return [
            StoredFile.from_json(raw) for raw in await all_pages(self._transport, "files", self._files.list, **given)
        ]

    async def retrieve(self, file_id: str) -> StoredFile:
        body = await self._transport.ask_for("file", self._files.retrieve, file_id, repeat=True)
        return StoredFile.from_json(body)

    async def delete(self, file_id: str) -> None:
        await self._transport.ask(self._files.delete, file_id)

    async def content(self, file_id: str) -> AsyncGenerator[bytes, None]:
        """A file's bytes, piece by piece."""
        response = await self._transport.open(self._files.content, file_id)
        try:
            with self._transport.translated():
                async for chunk in response.aiter_bytes():
                    yield chunk
        finally:
            await response.aclose()

    async def download(self, file_id: str, target: Path, *, replace: bool = False) -> int:
        """Write a file to `target`, whole or not at all; the number of bytes.

        Raises FileError where it cannot be written, also for a target that is there and may not be replaced.
        """
        size = 0
        with written(target, replace=replace) as file:
            async with aclosing(self.content(file_id)) as chunks:
                async for chunk in chunks:
                    size += await asyncio.to_thread(file.write, chunk)
        return size
