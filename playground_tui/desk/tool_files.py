"""The files of an assistant for one of its tools."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.local_files import shown_size, size_of
from playground_tui.assistants.stored import IndexedFile
from playground_tui.text import clean, shorten

if TYPE_CHECKING:
    from playground_tui.assistants.client import AssistantsClient

NAMED: Final = 200
"""Files whose names are asked for; of more, the ids stand there."""
STATES: Final = {"in_progress": "being indexed", "completed": "", "cancelled": "indexing was cancelled"}


@dataclass(frozen=True, slots=True)
class ToolFile:
    """One of them in words."""

    id: str
    name: str
    facts: tuple[str, ...]
    """Its size, and what becomes of it or keeps it from being of use."""


class FilesOfTool:
    """Everything raises AssistantsError."""

    def __init__(self, client: AssistantsClient, assistant_id: str, tool: str) -> None:
        self._client = client
        self._assistant_id = assistant_id
        self._tool = tool
        self._known: dict[str, tuple[str, str]] = {}
        """Name and size by id."""

    async def list(self) -> tuple[Sequence[ToolFile], bool]:
        """The files as they are, and whether some are being indexed."""
        files = await self._client.assistant_files.list(self._assistant_id, self._tool)
        for file in files[:NAMED]:
            await self._learn(file.id)
        return [self._told(file) for file in files], any(file.status == "in_progress" for file in files)

    async def _learn(self, file_id: str) -> None:
        if file_id in self._known:
            return
        self._known[file_id] = (file_id, "")
        with suppress(AssistantsError):
            stored = await self._client.files.retrieve(file_id)
            self._known[file_id] = (clean(stored.name, newlines=False) or file_id, shown_size(stored.size))

    def _told(self, file: IndexedFile) -> ToolFile:
        name, size = self._known.get(file.id, (file.id, ""))
        failed = f"not readable: {clean(file.problem, newlines=False)}" if file.status == "failed" else ""
        state = failed or STATES.get(file.status, file.status)
        return ToolFile(file.id, shorten(name, 60), tuple(filter(None, (size, state))))

    async def add(self, path: Path, told: Callable[[int], None]) -> None:
        """Send a file, and give it to the tool."""
        size = await asyncio.to_thread(size_of, path)
        stored = await self._client.files.upload(
            path, purpose="assistants", progress=lambda sent: told(100 * sent // size)
        )
        await self._client.assistant_files.add(self._assistant_id, self._tool, stored.id)

    async def remove(self, file_id: str) -> None:
        """Take a file from the tool; it stays at the server."""
        await self._client.assistant_files.remove(self._assistant_id, self._tool, file_id)
