"""A real engine in the test's own process, on a real Unix socket."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground_tui import __version__
from playground_tui.address import EngineAddress, build_id, host_name
from playground_tui.engine.api.control import take_settings
from playground_tui.engine.context import Engine
from playground_tui.engine.providers.rehearsal import RehearsalProvider
from playground_tui.engine.server import EngineServer, TcpListener
from playground_tui.engine.store.opening import open_store
from playground_tui.paths import Paths
from playground_tui.protocol import PROTOCOL, SCHEMA

if TYPE_CHECKING:
    from playground_tui.assistants.client import AssistantsClient

NO_PROVIDERS: dict[str, Any] = {
    "providers": [],
    "default_provider": None,
    "idle_exit": 1800.0,
    "run_expires_after": 600,
}
"""What a start without keys and configuration hands over: the engine has `rehearsal` alone."""


@dataclass
class TcpAddress:
    """A TCP listener of the engine: what `playground-tui serve` would print."""

    base_url: str
    key: str
    listener: TcpListener


@dataclass
class RunningEngine:
    """An engine that lives until the test ends."""

    server: EngineServer
    socket: Path
    paths: Paths
    _clients: list[AssistantsClient] = field(default_factory=list)

    @property
    def engine(self) -> Engine:
        """The engine itself, for looking behind the socket."""
        return self.server.engine

    def client(self, label: str = "test", *, provider: str | None = None) -> AssistantsClient:
        """A client on the Unix socket; closed when the test ends."""
        from playground_tui.assistants.client import AssistantsClient

        client = AssistantsClient.for_engine(self.socket, label=label, provider=provider)
        self._clients.append(client)
        return client

    async def tcp(self, key: str = "test-key") -> TcpAddress:
        """A TCP listener on a free loopback port."""
        listener = await self.server.listen("127.0.0.1", 0, key)
        return TcpAddress(listener.base_url, key, listener)

    async def settle(self, **settings: Any) -> None:
        """Hand settings over, as a start does: `providers=[{name, kind, base_url, api_key, origin}], ...`."""
        await take_settings(self.server, {**NO_PROVIDERS, **settings})

    async def close(self) -> None:
        for client in self._clients:
            await client.close()
        await self.server.close()


def short_directory() -> Path:
    """A private directory with a short path: a Unix socket's may have about 100 characters, pytest's own are longer."""
    return Path(tempfile.mkdtemp(prefix="pt-"))


def paths_in(directory: Path, runtime: Path | None = None) -> Paths:
    """Paths below one directory."""
    names = ("config", "data", "state", "runtime")
    paths = Paths(**{name: directory / name for name in names})
    return Paths(paths.config, paths.data, paths.state, runtime or paths.runtime)


def address_of(socket: Path) -> EngineAddress:
    """What `engine.json` would say of an engine of this process."""
    return EngineAddress(socket, os.getpid(), PROTOCOL, SCHEMA, build_id(), __version__, host_name())


@asynccontextmanager
async def running_engine(
    directory: Path, *, probe: bool = False, monotonic: Callable[[], float] | None = None
) -> AsyncIterator[RunningEngine]:
    """An engine on the data directory `directory/data`, with the rehearsal provider at full speed."""
    runtime = short_directory()
    paths = paths_in(directory, runtime)
    paths.data.mkdir(parents=True, exist_ok=True)
    socket = runtime / f"{secrets.token_hex(4)}.sock"
    options: dict[str, Any] = {"monotonic": monotonic} if monotonic else {}
    rehearsal = RehearsalProvider(pace=0, echo_pace=0)
    database = open_store(paths.database).database
    server = EngineServer(database, address_of(socket), probe=probe, rehearsal=rehearsal, **options)
    await server.engine.runs.recover()
    await server.open_socket(socket)
    running = RunningEngine(server, socket, paths)
    await running.settle()
    try:
        yield running
    finally:
        await running.close()
        shutil.rmtree(runtime)
