"""An engine whose model says what the test wrote down, and the official SDK in front of it."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import openai

from playground_tui.engine.api.control import take_settings
from playground_tui.engine.context import Engine
from playground_tui.engine.providers.base import (
    CallArguments,
    CallBegun,
    Finished,
    ModelRequest,
    ProviderEvent,
    Text,
    Usage,
)
from playground_tui.engine.runs.feed import FeedEvent
from playground_tui.engine.server import EngineServer
from playground_tui.engine.store.opening import open_store
from tests.support.engine import NO_PROVIDERS, address_of, short_directory

Item = ProviderEvent | BaseException | asyncio.Event
"""What a model does next: say something, fail, or wait for the test."""

TOKENS = Usage(7, 3)


def said(*texts: str, usage: Usage | None = TOKENS) -> list[Item]:
    """A whole answer of these fragments."""
    return [*(Text(text) for text in texts), Finished("stop", usage)]


def called(*calls: tuple[str, str, Sequence[str]], usage: Usage | None = TOKENS) -> list[Item]:
    """An answer that calls functions: id, name, and the arguments in fragments."""
    items: list[Item] = []
    for index, (call_id, name, fragments) in enumerate(calls):
        items.append(CallBegun(index, call_id, name))
        items += [CallArguments(index, fragment) for fragment in fragments]
    return [*items, Finished("tool_calls", usage)]


@dataclass
class ScriptedProvider:
    """A provider that plays one answer after the other; without a script it says "fine"."""

    name: str = "rehearsal"
    answers: list[list[Item]] = field(default_factory=list)
    requests: list[ModelRequest] = field(default_factory=list)
    aborted: int = 0
    """How many answers were left before they were whole."""

    async def stream(self, request: ModelRequest) -> AsyncIterator[ProviderEvent]:
        self.requests.append(request)
        whole = False
        try:
            for item in self.answers.pop(0) if self.answers else said("fine"):
                if isinstance(item, asyncio.Event):
                    await item.wait()
                elif isinstance(item, BaseException):
                    raise item
                else:
                    whole = isinstance(item, Finished)
                    yield item
        finally:
            self.aborted += not whole

    async def models(self) -> Sequence[str]:
        return ["scripted"]

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Clock:
    """The time as the test wants it, in Unix seconds."""

    time: float = 1_700_000_000.5

    def __call__(self) -> float:
        return self.time


@dataclass
class ScriptedEngine:
    """An engine on a real socket."""

    server: EngineServer
    provider: ScriptedProvider
    clock: Clock
    sdk: openai.AsyncOpenAI
    http: httpx2.AsyncClient
    """For requests under `http://engine/v1`."""

    @property
    def engine(self) -> Engine:
        return self.server.engine

    async def thread(self, *texts: str, **assistant: Any) -> tuple[str, str]:
        """A thread with these messages of a user, and an assistant: their ids."""
        made = await self.post("/assistants", model="scripted", **assistant)
        thread = await self.post("/threads", messages=[{"role": "user", "content": text} for text in texts])
        return thread["id"], made["id"]

    async def post(self, path: str, *, status: int = 200, headers: dict[str, str] | None = None, **body: Any) -> Any:
        response = await self.http.post(path, json=body, headers=headers)
        assert response.status_code == status, response.text
        return response.json()

    async def get(self, path: str, *, status: int = 200) -> Any:
        response = await self.http.get(path)
        assert response.status_code == status, response.text
        return response.json()

    async def names(self, path: str, **body: Any) -> list[str]:
        """The names of the events that a streamed request brings."""
        return [name for name, _ in await self.events(path, **body)]

    async def events(self, path: str, **body: Any) -> list[tuple[str, str]]:
        """Name and data of the events that a streamed request brings."""
        response = await self.http.post(path, json={**body, "stream": True})
        assert response.status_code == 200, response.text
        return parsed(response.text)

    async def run_of(self, thread_id: str, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.get(f"/threads/{thread_id}/runs/{run_id}")
        return found

    async def settled(self, run_id: str) -> list[str]:
        """Follow a run until it rests; the names of its events."""
        return [event.name async for event in self.follow(run_id)]

    async def follow(self, run_id: str, after: int = 0) -> AsyncIterator[FeedEvent]:
        """The events of a run one by one, up to `done`."""
        async for batch in self.engine.runs.batches(run_id, after):
            for event in batch:
                yield event


def parsed(stream: str) -> list[tuple[str, str]]:
    """Name and data of server-sent events."""
    blocks = (dict(line.split(": ", 1) for line in block.split("\n")) for block in stream.strip().split("\n\n"))
    return [(block["event"], block["data"]) for block in blocks if "event" in block]


@asynccontextmanager
async def scripted_engine(
    directory: Path, *, provider: ScriptedProvider | None = None, clock: Clock | None = None
) -> AsyncIterator[ScriptedEngine]:
    """An engine on `directory/engine.db` that knows one provider, the script. Ended as a stopped engine ends."""
    provider, clock = provider or ScriptedProvider(), clock or Clock()
    runtime = short_directory()
    socket = runtime / f"{secrets.token_hex(4)}.sock"
    database = open_store(directory / "engine.db").database
    server = EngineServer(database, address_of(socket), clock=clock, probe=False, rehearsal=provider)
    await server.engine.runs.recover()
    await take_settings(server, NO_PROVIDERS)
    await server.open_socket(socket)
    transport = httpx2.AsyncHTTPTransport(uds=str(socket))
    http = httpx2.AsyncClient(transport=transport, base_url="http://engine/v1", timeout=20)
    sdk = openai.AsyncOpenAI(base_url="http://engine/v1", api_key="engine", max_retries=0, http_client=http)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield ScriptedEngine(server, provider, clock, sdk, http)
    finally:
        await http.aclose()
        await server.close()
        shutil.rmtree(runtime)
