"""The engine's life as a process: alone in its data directory, found by `engine.json`, gone when nobody needs it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.exc import SQLAlchemyError

from playground_tui import __version__
from playground_tui.address import EngineAddress, boot_id, build_id, host_name
from playground_tui.engine import memory
from playground_tui.engine.api.control import take_settings
from playground_tui.engine.errors import ApiError
from playground_tui.engine.listeners import CannotListen
from playground_tui.engine.lock import DataLock, LockHeld, journal_for
from playground_tui.engine.place import Left, Place
from playground_tui.engine.server import EngineServer
from playground_tui.engine.store.database import Database
from playground_tui.engine.store.failures import StoreError, StoreFailed, words_of
from playground_tui.engine.store.opening import Opened, open_store
from playground_tui.engine.store.purge import KEPT, purge
from playground_tui.paths import Paths, private_directory, reason_of
from playground_tui.protocol import PROTOCOL, SCHEMA
from playground_tui.redaction import keep_requests_out_of_logs

LOOK_EVERY = 5.0
"""Seconds between two looks at the socket and the data directory."""
PURGE_EVERY = 6 * 3600.0
"""Seconds between two times that what was deleted long ago is removed for good."""
_SHORTEST_PAUSE = 0.05
_log = logging.getLogger(__name__)


class CannotBegin(Exception):
    """The engine in the foreground cannot be one. `str(error)` is a sentence."""


Beside = Callable[[EngineServer], Coroutine[Any, Any, None]]


def socket_path(paths: Paths) -> Path:
    """Where the engine of this data directory listens: one name for each data directory of the user."""
    return paths.runtime / f"engine-{sha256(os.fsencode(paths.data.resolve())).hexdigest()[:16]}.sock"


class EngineProcess:
    """The engine of `paths`, whose lock is held by this process."""

    def __init__(
        self,
        paths: Paths,
        lock: DataLock,
        *,
        look_every: float = LOOK_EVERY,
        monotonic: Callable[[], float] = time.monotonic,
        probe: bool = True,
    ):
        self._paths = paths
        self._lock = lock
        self._look_every = look_every
        self._monotonic = monotonic
        self._probe = probe
        self._bound: os.stat_result | None = None
        self._worked = False
        """Whether there were runs since memory was given back."""
        self._purge_at = 0.0
        keep_requests_out_of_logs()
        self.interrupted = False
        """Whether ctrl+c ended it."""
        self._address = EngineAddress(
            socket=socket_path(paths),
            pid=os.getpid(),
            protocol=PROTOCOL,
            schema=SCHEMA,
            build=build_id(),
            version=__version__,
            host=host_name(),
            boot_id=boot_id(),
        )
        self._place = Place(paths, lock, self._address)

    async def run(self, beside: Beside | None = None) -> None:
        """Be the engine until it is stopped or alone for long enough.

        `beside` is done meanwhile, in the foreground; its end is the engine's. Raises what the store, the socket or
        `beside` failed with.
        """
        async with self._open() as server:
            self._take_signals(server, in_front=beside is not None)
            memory.settle()
            task = asyncio.create_task(self._beside(server, beside), name="front") if beside else None
            await self._watch(server)
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[EngineServer]:
        """The engine with its store, recovered and reachable; afterwards all is written and nothing left behind."""
        store = await asyncio.to_thread(open_store, self._paths.database, journal=journal_for(self._paths.data))
        server = EngineServer(store.database, self._address, monotonic=self._monotonic, probe=self._probe)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(server.close)
            await self.tidy(partial(self._purge, store.database))
            await self._sweep(server, store)
            await server.engine.runs.recover()
            stack.callback(self._remove_socket)
            await self._bind(server)
            # First of all at the end: nobody is to come any more.
            stack.callback(self._remove_address)
            self._address.write(self._paths.engine_file)
            _log.info("listening on %s, version %s, build %s", self._address.socket, __version__, self._address.build)
            yield server
            _log.info("stopping")

    async def _sweep(self, server: EngineServer, store: Opened) -> None:
        """Remove contents of files that the store does not know, or set them aside where it is another store's."""
        server.notices += [*self._lock.notices, *filter(None, (store.notice,))]
        if store.is_new:
            await self.tidy(server.engine.files.set_strangers_aside)
        else:
            await self.tidy(server.engine.files.sweep)
        for notice in server.notices:
            _log.warning("%s", notice)

    async def _purge(self, database: Database) -> None:
        self._purge_at = self._monotonic() + PURGE_EVERY
        await database.write(lambda c: purge(c, int(time.time()) - KEPT))

    async def _beside(self, server: EngineServer, beside: Beside) -> None:
        try:
            with server.activity.present():
                await beside(server)
        finally:
            server.stop()

    def _take_signals(self, server: EngineServer, *, in_front: bool) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, server.stop)
        loop.add_signal_handler(signal.SIGINT, self._interrupt, server)
        # A detached engine outlives the terminal it was started from, one in front ends with it.
        loop.add_signal_handler(signal.SIGHUP, server.stop if in_front else _ignore)
        loop.add_signal_handler(signal.SIGCONT, server.awake.set)

    def _interrupt(self, server: EngineServer) -> None:
        self.interrupted = True
        server.stop()

    async def _watch(self, server: EngineServer) -> None:
        while not server.stopping.is_set():
            server.awake.clear()
            await self.tidy(server.engine.files.expire)
            if self._monotonic() >= self._purge_at:
                await self.tidy(partial(self._purge, server.engine.database))
            try:
                if await self._is_over(server):
                    return
            except Exception:  # noqa: BLE001 - runs go on, whatever a look around fails with
                _log.exception("the engine could not look after itself for a reason nobody foresaw")
            self._give_memory_back(server)
            with suppress(TimeoutError):
                await asyncio.wait_for(server.awake.wait(), self._pause(server))

    @staticmethod
    async def tidy(tidy: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """What can be removed later as well is no reason not to live."""
        try:
            await tidy()
        except (OSError, StoreFailed) as error:
            _log.warning("what is over stays for now: %s", error)
        except Exception:  # noqa: BLE001 - nor is it when nobody foresaw why
            _log.exception("what is over stays for now")

    async def _is_over(self, server: EngineServer) -> bool:
        if not await self._is_in_place(server):
            return True
        await self._bind_again(server)
        if server.engine.runs.active_count:
            server.activity.touch()
        return server.activity.alone_for() >= server.idle_exit

    def _give_memory_back(self, server: EngineServer) -> None:
        """When the runs of a while have ended and are forgotten."""
        remembered = bool(server.engine.runs.remembered_count)
        if self._worked and not remembered:
            memory.give_back()
        self._worked = remembered

    def _pause(self, server: EngineServer) -> float:
        """Seconds until the next look: soon enough to end in time."""
        return min(self._look_every, max(server.idle_exit - server.activity.alone_for(), _SHORTEST_PAUSE))

    async def _bind_again(self, server: EngineServer) -> None:
        """Temp directories are swept: an engine without its socket would hold the lock, unreachable."""
        if not self._is_bound():
            _log.warning("the socket is gone: making it again")
            try:
                await self._bind(server)
            except (CannotListen, OSError) as error:
                _log.error("%s", error)

    async def _is_in_place(self, server: EngineServer) -> bool:
        """See that the data directory is what it was; False when it is to be left."""
        in_use = bool(server.activity.connections or server.engine.runs.active_count)
        try:
            problem = await self._place.look(server.engine.database, in_use=in_use)
        except Left:
            _log.warning("the data directory was removed or replaced: leaving it to the next engine")
            return False
        server.health.say_outside(problem)
        return True

    async def _bind(self, server: EngineServer) -> None:
        private_directory(self._paths.runtime)
        await server.open_socket(self._address.socket)
        self._bound = self._address.socket.lstat()

    def _is_bound(self) -> bool:
        try:
            found = self._address.socket.lstat()
        except OSError:
            return False
        return self._bound is not None and os.path.samestat(found, self._bound)

    def _remove_address(self) -> None:
        """The next engine's address stays: it may have taken over a directory that was made anew."""
        if not self._lock.is_replaced():
            self._paths.engine_file.unlink(missing_ok=True)

    def _remove_socket(self) -> None:
        if self._is_bound():
            self._address.socket.unlink(missing_ok=True)


def _ignore() -> None:
    """A signal that changes nothing."""


async def detached(paths: Paths, lock: DataLock) -> int:
    """Be the engine in the background; the exit status. What it has to say goes to stderr."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("playground_tui").setLevel(logging.INFO)
    try:
        await EngineProcess(paths, lock).run()
    except (StoreError, CannotListen) as error:
        _log.error("%s", error)
        return 1
    except SQLAlchemyError as error:
        _log.error("The engine cannot use its database: %s (%s).", words_of(error), paths.database)
        return 1
    except OSError as error:
        _log.error("The engine cannot begin: %s (%s).", reason_of(error), error.filename or paths.data)
        return 1
    return 0


class Serving(Protocol):
    """A TCP listener that an engine in the foreground opens, and who is told about it."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def key(self) -> str: ...
    @property
    def names(self) -> Sequence[str]: ...
    @property
    def handover(self) -> Mapping[str, Any]:
        """Providers and settings, as a visitor hands them over."""
        ...

    @property
    def opened(self) -> Callable[[str], None]:
        """Called with the base URL once it listens."""
        ...

    @property
    def show(self) -> Callable[[str], None]:
        """Called with a line about each request."""
        ...


async def in_front(paths: Paths, serving: Serving) -> bool | None:
    """Be the engine in the foreground, on the Unix socket and on TCP, until a signal ends it.

    Returns whether that was an interrupt (ctrl+c), or None at once when another engine lives. Raises CannotBegin.
    """

    async def serve(server: EngineServer) -> None:
        await take_settings(server, serving.handover)
        listener = await server.listen(serving.host, serving.port, serving.key, serving.names)
        serving.opened(listener.base_url)
        async for line in listener.log.watch():
            serving.show(line)

    try:
        lock = await asyncio.to_thread(DataLock.of, paths)
    except LockHeld:
        return None
    except OSError as error:
        raise CannotBegin(str(error)) from error
    process = EngineProcess(paths, lock)
    try:
        await process.run(serve)
    except (ApiError, CannotListen, OSError, SQLAlchemyError, StoreError) as error:
        raise CannotBegin(words_of(error)) from error
    finally:
        lock.release()
    return process.interrupted
