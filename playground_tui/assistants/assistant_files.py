"""The files that an assistant brings along for its tools: those it searches in, and those its code finds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from playground_tui.assistants.errors import NotFound
from playground_tui.assistants.objects import Json, text_of
from playground_tui.assistants.pages import all_pages
from playground_tui.assistants.stored import FileCounts, IndexedFile, files_for_code, resources_with, store_of
from playground_tui.assistants.transport import Transport
from playground_tui.text import shorten


class AssistantFiles:
    """The files of assistants at one server. A tool is `file_search` or `code_interpreter`.

    Every method raises AssistantsError.
    """

    def __init__(self, transport: Transport):
        self._transport = transport
        self._assistants = transport.sdk.beta.assistants
        self._stores = transport.sdk.vector_stores

    async def list(self, assistant_id: str, tool: str) -> list[IndexedFile]:
        """The tool's files. A vector store that is gone has none."""
        assistant = await self._assistant(assistant_id)
        if tool == "code_interpreter":
            return [IndexedFile(file_id, "completed") for file_id in files_for_code(assistant)]
        store = store_of(assistant)
        if not store:
            return []
        with suppress(NotFound):
            found = await all_pages(self._transport, "files", self._stores.files.list, store)
            return [IndexedFile.from_json(raw) for raw in found]
        return []

    async def counts(self, store: str) -> FileCounts:
        """How many files a vector store has. One that is gone has none."""
        with suppress(NotFound):
            body = await self._transport.ask_for("vector store", self._stores.retrieve, store, repeat=True)
            return FileCounts.from_json(body)
        return FileCounts()

    async def add(self, assistant_id: str, tool: str, file_id: str) -> None:
        """Give the assistant one more file for the tool."""
        assistant = await self._assistant(assistant_id)
        if tool == "code_interpreter":
            await self._set_code_files(assistant, [*files_for_code(assistant), file_id])
            return
        store = store_of(assistant)
        if store:
            with suppress(NotFound):
                await self._transport.ask(self._stores.files.create, store, file_id=file_id)
                return
        await self._begin_store(assistant, file_id)

    async def remove(self, assistant_id: str, tool: str, file_id: str) -> None:
        """Take a file from the tool. The file itself stays at the server."""
        assistant = await self._assistant(assistant_id)
        if tool == "code_interpreter":
            await self._set_code_files(assistant, [one for one in files_for_code(assistant) if one != file_id])
        else:
            with suppress(NotFound):
                await self._transport.ask(self._stores.files.delete, file_id, vector_store_id=store_of(assistant))

    async def _assistant(self, assistant_id: str) -> Json:
        return await self._transport.ask_for("assistant", self._assistants.retrieve, assistant_id, repeat=True)

    async def _set_code_files(self, assistant: Json, files: Sequence[str]) -> None:
        await self._set(assistant, resources_with(assistant, files=list(dict.fromkeys(files))))

    async def _begin_store(self, assistant: Json, file_id: str) -> None:
        name = shorten(f"Files of {text_of(assistant, 'name') or text_of(assistant, 'id')}", 256)
        store = await self._transport.ask_new("vector store", self._stores.create, name=name, file_ids=[file_id])
        await self._set(assistant, resources_with(assistant, store=text_of(store, "id")))

    async def _set(self, assistant: Json, resources: Json) -> None:
        await self._transport.ask(
            self._assistants.update, text_of(assistant, "id"), extra_body={"tool_resources": resources}
        )
