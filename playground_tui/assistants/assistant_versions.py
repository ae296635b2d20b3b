"""The versions of assistants at one server: listed, read, restored; and assistants brought back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal, Protocol
from urllib.parse import quote

from playground_tui.assistants.errors import Rejected
from playground_tui.assistants.fields import API_FIELDS
from playground_tui.assistants.objects import Assistant, Json, objects_of
from playground_tui.assistants.pages import LARGEST_PAGE, all_pages_at
from playground_tui.assistants.stored import resources_to
from playground_tui.assistants.transport import Transport
from playground_tui.assistants.versions import FILES, Deleted, Restored, Version, is_temporary

_EMPTY: Final[dict[str, Any]] = {"tools": [], "metadata": {}, "response_format": "auto"}
"""What stands for nothing where the API takes no null."""
_REFUSED: Final = (400, 404, 422)
"""How a server answers to a file that it does not have."""


class VersionedClient(Protocol):
    """What versions need of a client. Each raises AssistantsError."""

    async def retrieve_assistant(self, assistant_id: str) -> Assistant: ...
    async def create_assistant(self, fields: Mapping[str, Any], *, key: str) -> Assistant: ...
    async def update_assistant(self, assistant_id: str, fields: Mapping[str, Any]) -> Assistant: ...


class AssistantVersions(ABC):
    """The versions of assistants at one server. Every method raises AssistantsError."""

    def __init__(self, client: VersionedClient):
        self._client = client

    @abstractmethod
    async def page(self, assistant_id: str, *, after: str | None = None) -> tuple[list[Version], bool]:
        """Versions without their assistants, newest first, behind the one with the id `after`; whether more follow."""

    @abstractmethod
    async def whole(self, assistant_id: str, number: int) -> Version:
        """One version with its assistant. Raises NotFound."""

    @abstractmethod
    async def noted(self, assistant: Assistant, action: Literal["created", "modified"]) -> Assistant:
        """The assistant that the server answered a write with, kept as a version where the server keeps none."""

    @abstractmethod
    async def read(self, answer: Awaitable[Json], assistant_id: str) -> Assistant:
        """The assistant that the server answers a read with; a state that is not known yet is kept too."""

    @abstractmethod
    async def deleting(self, delete: Callable[[], Awaitable[Json]], assistant_id: str) -> None:
        """Delete an assistant so that it can be brought back."""

    async def deleted(self) -> list[Deleted[Assistant]]:
        """The assistants that can be brought back, last deleted first, without those made for one question alone."""
        return [one for one in await self._deleted() if not is_temporary(one.what)]

    @abstractmethod
    async def _deleted(self) -> list[Deleted[Assistant]]: ...

    @abstractmethod
    async def bring_back(self, assistant_id: str) -> Restored:
        """Bring a deleted assistant back. Raises NotFound."""

    async def all(self, assistant_id: str) -> list[Version]:
        """Every version without its assistant, newest first."""
        found, more = await self.page(assistant_id)
        while more and found:
            older, more = await self.page(assistant_id, after=found[-1].id)
            found += older
        return found

    async def restore(self, assistant_id: str, number: int) -> Restored:
        """Write the fields of a version as a new change; nothing of the history is rewritten.

        What its tools worked on may be gone: then the rest is restored, and that is said. Raises NotFound.
        """
        old = (await self.whole(assistant_id, number)).assistant
        now = await self._client.retrieve_assistant(assistant_id)
        changes = differences(old, now.raw)
        return await written(lambda fields: self._client.update_assistant(assistant_id, fields), changes, now)


def differences(old: Json, now: Json) -> dict[str, Any]:
    """The fields of the API to write so that `now` becomes as `old` was."""
    changes = {
        name: _EMPTY.get(name) if old.get(name) is None else old[name]
        for name in API_FIELDS
        if (old.get(name) or _EMPTY.get(name)) != (now.get(name) or _EMPTY.get(name))
    }
    resources = resources_to(old, now)
    return {**changes, FILES: resources} if resources else changes


async def written(
    write: Callable[[Mapping[str, Any]], Awaitable[Assistant]], fields: Mapping[str, Any], before: Assistant
) -> Restored:
    """Write these fields, without the files of tools where the server refuses them. No fields change nothing."""
    if not fields:
        return Restored(before)
    try:
        return Restored(await write(fields))
    except Rejected as error:
        if FILES not in fields or error.status not in _REFUSED:
            raise
        others = {name: value for name, value in fields.items() if name != FILES}
        assistant = await write(others) if others else before
        return Restored(assistant, f"The files of its tools are not restored: {error}")


class EngineVersions(AssistantVersions):
    """The engine keeps versions and what was deleted itself."""

    def __init__(self, client: VersionedClient, transport: Transport):
        super().__init__(client)
        self._transport = transport

    async def page(self, assistant_id: str, *, after: str | None = None) -> tuple[list[Version], bool]:
        query = {"limit": LARGEST_PAGE, **({"after": after} if after else {})}
        body = await self._transport.request("get", f"{_path(assistant_id)}/versions", query=query, repeat=True)
        return [Version.from_json(raw) for raw in objects_of(body, "data")], body.get("has_more") is True

    async def whole(self, assistant_id: str, number: int) -> Version:
        body = await self._transport.request("get", f"{_path(assistant_id)}/versions/{number}", repeat=True)
        return Version.from_json(body)

    async def noted(self, assistant: Assistant, action: Literal["created", "modified"]) -> Assistant:
        return assistant

    async def read(self, answer: Awaitable[Json], assistant_id: str) -> Assistant:
        return Assistant.from_json(await answer)

    async def deleting(self, delete: Callable[[], Awaitable[Json]], assistant_id: str) -> None:
        await delete()

    async def _deleted(self) -> list[Deleted[Assistant]]:
        found = await all_pages_at(self._transport, "assistants", "/assistants", deleted="true")
        return [Deleted.of(Assistant.from_json(raw), raw) for raw in found]

    async def bring_back(self, assistant_id: str) -> Restored:
        return Restored(
            Assistant.from_json(await self._transport.request("post", f"{_path(assistant_id)}/restore", repeat=True))
        )


def _path(assistant_id: str) -> str:
    return f"/assistants/{quote(assistant_id, safe='')}"
