"""Versions for a server that keeps none: on this machine, of what it was seen to have."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, Literal

from playground_tui.assistants.assistant_versions import AssistantVersions, VersionedClient, written
from playground_tui.assistants.errors import AssistantsError, NotFound
from playground_tui.assistants.fields import API_FIELDS
from playground_tui.assistants.objects import Assistant, Json
from playground_tui.assistants.stored import resources_with
from playground_tui.assistants.versions import FILES, Deleted, Restored, Version
from playground_tui.cache.versions import KEPT, State, Versions

PAGE: Final = 100


class KeptVersions(AssistantVersions):
    """`store` is where they lie; without one nothing is kept. `where` names the server, `label` this visitor."""

    def __init__(self, client: VersionedClient, where: str, store: Versions | None, label: str):
        super().__init__(client)
        self._where = where
        self._store = store
        self._label = label

    async def page(self, assistant_id: str, *, after: str | None = None) -> tuple[list[Version], bool]:
        states = [state for state in await self._of(assistant_id) if after is None or state.number < int(after)]
        return [_version(state, {}) for state in states[: -PAGE - 1 : -1]], len(states) > PAGE

    async def whole(self, assistant_id: str, number: int) -> Version:
        for state in await self._of(assistant_id):
            if state.number == number:
                return _version(state, state.assistant)
        raise NotFound(f"No version {number} of {assistant_id} is kept on this machine.", status=404)

    async def _of(self, assistant_id: str) -> list[State]:
        return await asyncio.to_thread(self._store.of, assistant_id) if self._store else []

    async def noted(self, assistant: Assistant, action: Literal["created", "modified"]) -> Assistant:
        if self._store is not None:
            await asyncio.to_thread(self._store.note, assistant.raw, action=action, client=self._label)
        return assistant

    async def read(self, answer: Awaitable[Json], assistant_id: str) -> Assistant:
        try:
            raw = await answer
        except NotFound as error:
            # Other kinds of a 404 say that the server has no assistants at all.
            if self._store is not None and type(error) is NotFound:
                await asyncio.to_thread(self._store.note_deleted, assistant_id)
            raise
        if self._store is not None:
            await asyncio.to_thread(self._store.note, raw)
        return Assistant.from_json(raw)

    async def deleting(self, delete: Callable[[], Awaitable[Json]], assistant_id: str) -> None:
        with suppress(AssistantsError):
            await self._client.retrieve_assistant(assistant_id)
        await delete()
        if self._store is not None:
            await asyncio.to_thread(self._store.note_deleted, assistant_id, client=self._label)

    async def _deleted(self) -> list[Deleted[Assistant]]:
        states = await asyncio.to_thread(self._store.deleted) if self._store else []
        return [Deleted(Assistant.from_json(state.assistant), state.at, state.at + KEPT) for state in states]

    async def bring_back(self, assistant_id: str) -> Restored:
        """As a copy: no server gives an id again."""
        state = await asyncio.to_thread(self._store.newest, assistant_id) if self._store else None
        if self._store is None or state is None:
            raise NotFound(f"Nothing of {assistant_id} is kept on this machine.", status=404)
        if state.action != "deleted":
            return Restored(await self._client.retrieve_assistant(assistant_id))
        key = uuid.uuid4().hex
        made = await written(
            lambda fields: self._client.create_assistant(fields, key=key), _given(state.assistant), Assistant("", {})
        )
        await asyncio.to_thread(self._store.note_copy, assistant_id, made.assistant.raw, client=self._label)
        copy = f"It is back as a copy with the id {made.assistant.id}: {self._where} gives no id twice."
        return Restored(made.assistant, f"{copy} {made.said}".rstrip())


def _given(raw: Json) -> dict[str, Any]:
    """What to create an assistant with, so that it is as this one."""
    fields = {name: raw[name] for name in API_FIELDS if raw.get(name) not in (None, "", [], {})}
    resources = resources_with(raw)
    return {**fields, FILES: resources} if resources else fields


def _version(state: State, assistant: Json) -> Version:
    return Version(str(state.number), state.number, state.at, state.action, state.client, state.changed, assistant)
