"""What stands between a connection and the handlers: who is connected, what may come in, what is logged.

All of it is plain ASGI for HTTP alone: the servers offer neither lifespan nor websockets.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import re
import socket
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground_tui.engine.errors import ApiError, answer

MAX_BODY = 64 * 1024 * 1024
"""Bytes of one request's body."""
MAX_FILE = 512 * 1024 * 1024
"""Bytes of one file."""
MAX_PART = 64 * 1024 * 1024
"""Bytes of one part of an upload."""
_FORM = 1024 * 1024
"""Bytes of a form beside the file in it."""
_FORMS = ((re.compile(r"/v1/files"), MAX_FILE + _FORM), (re.compile(r"/v1/uploads/[^/]+/parts"), MAX_PART + _FORM))
_PASSED_OVER = 8 * MAX_FILE
"""Bytes of a refused body that are let come and go, for the answer to be read."""
_UNCOUNTED = {"/engine", "/engine/settings", "/engine/stop"}
_LOG_LINES_WAITING = 1000
_FOREIGN = "This server is not known by that name. `playground-tui serve --allow-host NAME` adds one."


class Activity:
    """Who is connected: open streams and requests in progress. A look at the engine itself does not count."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._last = clock()
        self.connections = 0

    @contextmanager
    def present(self) -> Iterator[None]:
        """Somebody is connected while this context lasts."""
        self.connections += 1
        try:
            yield
        finally:
            self.connections -= 1
            self.touch()

    def touch(self) -> None:
        """Somebody was here now."""
        self._last = self._clock()

    def alone_for(self) -> float:
        """Seconds since anybody was connected, 0 while somebody is."""
        return 0.0 if self.connections else self._clock() - self._last


class CountRequests:
    """Tells an Activity of each request."""

    def __init__(self, app: ASGIApp, activity: Activity):
        self._app = app
        self._activity = activity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in _UNCOUNTED:
            self._activity.touch()
            await self._app(scope, receive, send)
        else:
            with self._activity.present():
                await self._app(scope, receive, send)


class SayTheEnd:
    """Answers in the engine's place when it ends in the middle of a request: another engine may be asked soon."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except asyncio.CancelledError:
            # Nobody but the listener cancels a request, and it waits for its end alone.
            if not begun:
                await refuse(scope, receive, send, 503, "The engine is stopping.", type_="server_error")


def body_limit(path: str) -> int:
    """How many bytes a request to this path may bring: where files come in, more."""
    return next((limit for pattern, limit in _FORMS if pattern.fullmatch(path)), MAX_BODY)


class LimitBody:
    """Refuses bodies beyond the limit of their path, by their header or when they have grown beyond it."""

    def __init__(self, app: ASGIApp, limit_of: Callable[[str], int] = body_limit):
        self._app = app
        self._limit_of = limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = self._limit_of(scope["path"])
        sentence = f"The request is larger than {limit} bytes."
        if declared_length(scope) > limit:
            await refuse(scope, receive, send, 413, sentence)
            return
        arrived = 0

        async def limited() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > limit:
                raise ApiError(sentence, status=413)
            return message

        await self._app(scope, limited, send)


def declared_length(scope: Scope) -> int:
    """How many bytes the body has by its header, 0 where that does not say."""
    value = header(scope, b"content-length")
    return int(value) if value.isdecimal() else 0


def header(scope: Scope, name: bytes) -> str:
    """The first header of that (lower-case) name, "" without one."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


async def refuse(
    scope: Scope,
    receive: Receive,
    send: Send,
    status: int,
    sentence: str,
    *,
    code: str | None = None,
    type_: str = "invalid_request_error",
) -> None:
    """Answer with the contract's error body before any handler runs.

    The body that follows is passed over: most clients send all of it before they read, and a connection that closes on
    them would take the answer with it. One that is waited with, or is without end, is not asked for.
    """
    response = answer(ApiError(sentence, status=status, type=type_, code=code))
    if header(scope, b"expect") or declared_length(scope) > _PASSED_OVER:
        response.headers["Connection"] = "close"
    await response(scope, receive, send)


class KnownNames:
    """The host names a listener is rightly called by.

    A page on the web can make its own name resolve to this machine and let the reader's browser ask for it; the name
    stays in Host and Origin. A literal address cannot be borrowed so, nor can this machine's own name.
    """

    def __init__(self, host: str, names: Iterable[str] = ()):
        self._names = {"localhost", host.lower().strip("[]"), *(name.lower() for name in names)}
        self._is_loopback = is_loopback(host)
        self._own = socket.gethostname().lower().partition(".")[0]

    def admit_host(self, value: str) -> bool:
        """Whether a Host header names this listener."""
        try:
            name = urlsplit(f"//{value}").hostname or ""
        except ValueError:
            return False
        return name in self._names or self._is_address(name) or self._is_own(name)

    def admit_origin(self, value: str) -> bool:
        """Whether an Origin header, if there is one, does."""
        return not value or ("://" in value and self.admit_host(value.partition("://")[2]))

    def _is_address(self, name: str) -> bool:
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self._is_loopback

    def _is_own(self, name: str) -> bool:
        return not self._is_loopback and name.partition(".")[0] == self._own


def is_loopback(host: str) -> bool:
    """Whether a host to listen on is reachable from this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class RequireKey:
    """The door of a TCP listener: known names in Host and Origin, then the bearer key."""

    def __init__(self, app: ASGIApp, key: str, names: KnownNames):
        self._app = app
        self._key = key.encode()
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host, origin = header(scope, b"host"), header(scope, b"origin")
        if not (self._names.admit_host(host) and self._names.admit_origin(origin)):
            await refuse(
                scope, receive, send, 403, "This server does not answer to that name. Start it with --allow-host NAME."
            )
        elif not self._is_mine(header(scope, b"authorization")):
            await refuse(scope, receive, send, 401, "Missing or wrong API key.", code="invalid_api_key")
        else:
            await self._app(scope, receive, send)

    def _is_mine(self, credentials: str) -> bool:
        """Whether a visitor has the key. The scheme's name is no secret, and HTTP knows no case in it."""
        scheme, _, key = credentials.partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(key.encode("latin-1"), self._key)


class RequestLog:
    """Lines about requests (method, path, status, milliseconds) for those who watch. No query, no header, no key."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Queue[str | None]] = set()

    def write(self, line: str) -> None:
        """Tell the watchers; one who does not keep up misses lines."""
        for queue in self._watchers:
            if queue.qsize() < _LOG_LINES_WAITING:
                queue.put_nowait(line)

    def close(self) -> None:
        """Let the watchers end."""
        for queue in self._watchers:
            queue.put_nowait(None)

    def watch(self) -> AsyncGenerator[str, None]:
        """The lines from this call on, until `close`."""
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._watchers.add(queue)
        return self._lines(queue)

    async def _lines(self, queue: asyncio.Queue[str | None]) -> AsyncGenerator[str, None]:
        try:
            while (line := await queue.get()) is not None:
                yield line
        finally:
            self._watchers.discard(queue)


class LogRequests:
    """Writes one line to a RequestLog when a request has ended."""

    def __init__(self, app: ASGIApp, log: RequestLog):
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 0
        begun = time.monotonic()

        async def noting(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            milliseconds = round((time.monotonic() - begun) * 1000)
            self._log.write(f"{scope['method']} {quote(scope['path'])} {status} {milliseconds} ms")
