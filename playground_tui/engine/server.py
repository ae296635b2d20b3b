"""The engine built from its parts, and the places it is reached at."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from playground_tui.address import EngineAddress, host_name
from playground_tui.engine.api import control, routes
from playground_tui.engine.changes import ChangeFeed
from playground_tui.engine.context import Engine
from playground_tui.engine.errors import EXCEPTION_HANDLERS
from playground_tui.engine.files import Files
from playground_tui.engine.guards import (
    Activity,
    CountRequests,
    KnownNames,
    LimitBody,
    LogRequests,
    RequestLog,
    RequireKey,
    SayTheEnd,
)
from playground_tui.engine.listeners import Listener, bind_tcp, bind_unix
from playground_tui.engine.providers.base import Provider, ProviderSettings
from playground_tui.engine.providers.registry import ProviderRegistry
from playground_tui.engine.runs.service import RunService
from playground_tui.engine.runs.tools.perform import OwnTools
from playground_tui.engine.store.database import Database
from playground_tui.engine.store.health import StoreHealth
from playground_tui.engine.store.opening import damage_mark
from playground_tui.engine.tools.code_interpreter.service import Interpreter
from playground_tui.engine.tools.file_search.service import SearchService

IDLE_EXIT = 1800.0
"""Seconds the engine lives alone, until a visitor says otherwise."""

_ANY = {"0.0.0.0", "::", ""}  # noqa: S104


class TcpListener:
    """The engine on TCP for those who have the key."""

    def __init__(self, listener: Listener, host: str, log: RequestLog):
        self.host = host
        self.port = listener.port
        self.log = log
        self._listener = listener

    @property
    def base_url(self) -> str:
        """What a client of the API is given: an address that means all of this machine's goes by its name."""
        host = host_name() if self.host in _ANY else self.host
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}/v1"

    def close(self) -> None:
        """Accept no more, and let those who watch the log go."""
        self.log.close()
        self._listener.close()

    async def closed(self) -> None:
        """Return when the last connection has ended."""
        await self._listener.closed()


class EngineServer:
    """One engine, its Unix socket and any number of TCP listeners on the same store, runs and feeds."""

    def __init__(
        self,
        database: Database,
        address: EngineAddress,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        probe: bool = True,
        rehearsal: Provider | None = None,
    ):
        self.address = address
        self.activity = Activity(monotonic)
        self.idle_exit = IDLE_EXIT
        self.started_at = int(clock())
        self.stopping = asyncio.Event()
        self.awake = asyncio.Event()
        """Set when who watches over the process has something new to look at."""
        self.notices: list[str] = []
        """What visitors are to know of this engine's start, in sentences."""
        self.health = StoreHealth(database, self._tell_health, self._leave_damage)
        self.engine = self._build(database, clock, probe, rehearsal)
        self._socket_app = self._app([*routes.ROUTES, *control.ROUTES])
        self._public_app = self._app(routes.ROUTES)
        self._unix: list[Listener] = []
        self._tcp: list[TcpListener] = []

    def _build(self, database: Database, clock: Callable[[], float], probe: bool, rehearsal: Provider | None) -> Engine:
        changes = ChangeFeed(clock)
        providers = ProviderRegistry(own_addresses=self.own_addresses, probe=probe, rehearsal=rehearsal)
        files = Files(database.path.with_name("files"), database, clock=clock)
        search = SearchService(database, files, providers, clock=clock)
        interpreter = Interpreter(database.path.with_name("sandbox"), files)
        runs = RunService(
            database,
            changes,
            providers,
            OwnTools(search, interpreter, files),
            clock=clock,
            expires_after=lambda: self.engine.run_expires_after,
        )
        return Engine(
            database=database,
            changes=changes,
            providers=providers,
            runs=runs,
            files=files,
            search=search,
            interpreter=interpreter,
            clock=clock,
        )

    def _tell_health(self) -> None:
        self.engine.changes.publish("engine", "store")
        if not self.health.problem:
            self.engine.search.wake()

    def _leave_damage(self) -> None:
        """The next start sets the database aside and saves what can be read: visitors come again by themselves."""
        with suppress(OSError):
            damage_mark(self.engine.database.path).touch()
        self.stop()

    def _app(self, handlers: Iterable[BaseRoute]) -> ASGIApp:
        app = Starlette(routes=list(handlers), exception_handlers=EXCEPTION_HANDLERS)
        app.router.redirect_slashes = False  # a redirect has no error body
        app.state.engine = self.engine
        app.state.server = self
        return CountRequests(SayTheEnd(LimitBody(app)), self.activity)

    def own_addresses(self) -> list[tuple[str, int]]:
        """Where this engine itself listens on TCP."""
        return [(listener.host, listener.port) for listener in self._tcp]

    async def open_socket(self, path: Path) -> None:
        """Listen on a Unix socket; a second call makes a new one in the place of one that was removed, which who is
        connected by goes on with.

        Raises CannotListen.
        """
        listener = Listener(self._socket_app, bind_unix(path))
        await listener.open()
        for earlier in self._unix:
            earlier.retire()
        self._unix.append(listener)

    async def listen(self, host: str, port: int, key: str, names: Iterable[str] = ()) -> TcpListener:
        """Listen on TCP for requests that carry the key. Raises CannotListen."""
        log = RequestLog()
        guarded = LogRequests(RequireKey(self._public_app, key, KnownNames(host, names)), log)
        listener = Listener(guarded, await bind_tcp(host, port))
        await listener.open()
        opened = TcpListener(listener, host, log)
        self._tcp.append(opened)
        return opened

    def leave(self, listener: TcpListener) -> None:
        """Close a TCP listener."""
        self._tcp.remove(listener)
        listener.close()

    async def settle(self, providers: list[ProviderSettings], default: str | None, settings: Mapping[str, Any]) -> None:
        """Use what a visitor handed over for new runs."""
        self.idle_exit = float(settings.get("idle_exit", self.idle_exit))
        self.engine.run_expires_after = int(settings.get("run_expires_after", self.engine.run_expires_after))
        if "allow_code" in settings:
            await self.engine.interpreter.allow(settings["allow_code"] is True)
        await self.engine.providers.replace(providers, default)
        self.engine.search.wake()
        self.awake.set()

    def stop(self) -> None:
        """Ask for the end of the process."""
        self.stopping.set()
        self.awake.set()

    async def close(self) -> None:
        """End the runs, then the connections, then what they stood on. Returns when all is written."""
        await self.engine.runs.stop()
        await self.engine.search.stop()
        await self.engine.interpreter.stop()
        self.engine.changes.close()
        listeners: list[Listener | TcpListener] = [*self._unix, *self._tcp]
        for listener in listeners:
            listener.close()
        for listener in listeners:
            await listener.closed()
        await self.engine.providers.close()
        await self.health.stop()
        await asyncio.to_thread(self.engine.database.close)
