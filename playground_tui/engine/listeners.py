"""Sockets that the engine listens on, and the HTTP server on each."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from playground_tui.engine.connection import GuardedConnection

_KEEP_ALIVE = 75
"""Seconds a connection without a request stays open."""
_GRACE = 1
"""Seconds that answers under way get when a listener closes, and again for what they said to be read."""
_HEADERS = 64 * 1024
"""Bytes of a request's line and headers."""


class CannotListen(Exception):
    """The address cannot be listened on. `str(error)` is a sentence."""


class Listener:
    """An HTTP server on one bound socket, from `open` until `close`.

    Of uvicorn the beginning and the connections are used: its own loop takes the process's signals and wakes ten times
    a second.
    """

    def __init__(self, app: ASGIApp, bound: socket.socket):
        self._socket = bound
        self._ending: asyncio.Task[None] | None = None
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=GuardedConnection,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",  # not a line for each request that is none: strangers could fill the log
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=_KEEP_ALIVE,
                h11_max_incomplete_event_size=_HEADERS,
            )
        )
        self.port = 0
        """Of a TCP listener, once open."""

    async def open(self) -> None:
        """Accept connections from now on."""
        config = self._server.config
        config.load()
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(sockets=[self._socket])
        if self._socket.family != socket.AF_UNIX:
            self.port = self._socket.getsockname()[1]

    def close(self) -> None:
        """Accept no more; connections end within two seconds. `closed` waits for it."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._shut(), name="listener closes")

    def retire(self) -> None:
        """Accept no more; connections that there are go on."""
        for server in self._server.servers:
            server.close()

    async def _shut(self) -> None:
        self.retire()
        loop = asyncio.get_running_loop()
        for connection in list(self._server.server_state.connections):
            connection.shutdown()
            # One whose other side reads nothing would stay for ever, with what was said to it.
            loop.call_later(2 * _GRACE, connection.transport.abort)
        answers = set(self._server.server_state.tasks)
        if answers:
            _, late = await asyncio.wait(answers, timeout=_GRACE)
            for answer in late:
                answer.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for server in self._server.servers:
            await server.wait_closed()

    async def closed(self) -> None:
        """Return when the last connection has ended."""
        if self._ending is not None:
            await self._ending


def bind_unix(path: Path) -> socket.socket:
    """A socket at `path`, mode 0600, in the place of one that was left there. Raises CannotListen."""
    if path.is_symlink() or (path.exists() and not path.is_socket()):
        raise CannotListen(f"{path} is there and is not a socket: move it away.")
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        bound.bind(str(path))
        path.chmod(0o600)
    except OSError as error:
        bound.close()
        raise CannotListen(f"The socket {path} cannot be made: {error.strerror or error}.") from error
    return bound


async def bind_tcp(host: str, port: int) -> socket.socket:
    """A socket on the first address of `host`; port 0 takes a free one. Raises CannotListen."""
    if port not in range(65536):
        raise CannotListen(f"There is no port {port}.")
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise CannotListen(f"There is no address to listen on by the name of {host!r}.") from error
    family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise CannotListen(f"Cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}.") from error
    return bound
