"""A model provider on a real TCP port, scripted reply by reply, which records what it was asked.

    async with ProviderServer() as server:
        server.script(answer("Hel", "lo"), error(429, "slow down", headers={"retry-after": "7"}))
        ... ProviderSettings("test", "chat", server.base_url, "key") ...
        server.requests[0].json["messages"]

Each POST takes the next scripted reply; `answer()` speaks Responses or Chat Completions, by the path it was asked on.
When the script is empty, `server.fallback` answers (`answer("Hello")`). GET /v1/models lists `server.models`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

from tests.support.provider_wire import (
    Answer,
    Call,
    chat_head,
    chat_tail,
    responses_head,
    responses_tail,
)

__all__ = ["Answer", "Call", "ProviderServer", "Received", "answer", "cut", "error", "hang", "raw", "stream"]

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


@dataclass(frozen=True)
class Received:
    """One request as it arrived. Header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Exchange:
    """A request and the way to answer it."""

    request: Received
    writer: asyncio.StreamWriter

    async def head(self, status: int, headers: dict[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}", *(f"{k}: {v}" for k, v in headers.items())]
        await self.write("\r\n".join([*lines, "", ""]).encode())

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def chunk(self, data: bytes) -> None:
        await self.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def whole(self, status: int, data: bytes, content_type: str, headers: dict[str, str]) -> None:
        await self.head(status, {"content-type": content_type, "content-length": str(len(data)), **headers})
        await self.write(data)


Reply = Callable[[Exchange], Awaitable[None]]


def answer(
    *fragments: str,
    calls: Iterable[Call] = (),
    finish: str = "stop",
    usage: tuple[int, int] | None = (7, 3),
    pace: float = 0.0,
    hold: asyncio.Event | None = None,
) -> Reply:
    """A whole streamed answer. `pace`: seconds between two events. `hold`: after the text, the end waits for it."""
    script = Answer(fragments, tuple(calls), finish, usage)

    async def reply(exchange: Exchange) -> None:
        body = exchange.request.json
        told = replace(script, model=str(body.get("model", "scripted")))
        if not (body.get("stream_options") or {}).get("include_usage") and exchange.request.path.endswith(
            "completions"
        ):
            told = replace(told, usage=None)
        await send_stream(exchange, paced(halted(told, exchange.request.path, hold), pace))

    return reply


async def halted(script: Answer, path: str, hold: asyncio.Event | None) -> AsyncIterator[bytes]:
    heads, tails = (chat_head, chat_tail) if path.endswith("completions") else (responses_head, responses_tail)
    for piece in heads(script):
        yield piece
    if hold is not None:
        await hold.wait()
    for piece in tails(script):
        yield piece


async def paced(pieces: AsyncIterator[bytes], pace: float) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    due = loop.time()
    async for piece in pieces:
        due += pace
        if pace and (wait := due - loop.time()) > 0:
            await asyncio.sleep(wait)
        yield piece


async def send_stream(exchange: Exchange, pieces: AsyncIterator[bytes], *, end: bool = True) -> None:
    await exchange.head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
    async for piece in pieces:
        await exchange.chunk(piece)
    if not end:
        raise ConnectionAbortedError
    await exchange.write(b"0\r\n\r\n")


async def each(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def stream(*pieces: bytes, pace: float = 0.0) -> Reply:
    """An event stream of exactly these bytes, one HTTP chunk each (so a character may be cut in two)."""

    async def reply(exchange: Exchange) -> None:
        await send_stream(exchange, paced(each(pieces), pace))

    return reply


def cut(*fragments: str) -> Reply:
    """An answer whose connection breaks after these fragments."""
    script = Answer(fragments)

    async def reply(exchange: Exchange) -> None:
        heads = chat_head if exchange.request.path.endswith("completions") else responses_head
        await send_stream(exchange, each(heads(script)), end=False)

    return reply


def error(
    status: int, message: str = "refused", *, param: str | None = None, code: str | None = None, **extra: Any
) -> Reply:
    """An error status with the usual body. `headers={...}` adds headers."""
    headers = extra.pop("headers", {})
    body = {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code, **extra}}
    return raw(status, json.dumps(body).encode(), "application/json", headers)


def raw(status: int, body: bytes, content_type: str = "text/html", headers: dict[str, str] | None = None) -> Reply:
    """Any status with any body."""

    async def reply(exchange: Exchange) -> None:
        await exchange.whole(status, body, content_type, headers or {})

    return reply


def hang() -> Reply:
    """Takes the request and never answers."""

    async def reply(exchange: Exchange) -> None:
        await asyncio.Event().wait()

    return reply


class ProviderServer:
    """The server. `aborted` counts requests whose client went away before the reply ended, `accepted` connections."""

    def __init__(self, *replies: Reply, models: Iterable[str] = ("scripted",), port: int = 0):
        self.requests: list[Received] = []
        self.models = list(models)
        self.aborted = 0
        self.accepted = 0
        self.fallback: Reply = answer("Hello")
        self.routes: dict[str, Reply] = {}
        """Replies by exact path (`/api/version`), before everything else."""
        self.port = port
        self._script = deque(replies)
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def posts(self) -> list[Received]:
        return [request for request in self.requests if request.method == "POST"]

    def script(self, *replies: Reply) -> None:
        """Replies for the next POSTs, in order."""
        self._script.extend(replies)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await read_request(reader)) is not None:
                self.requests.append(request)
                if not await self._answer(Exchange(request, writer), reader):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, exchange: Exchange, reader: asyncio.StreamReader) -> bool:
        """Reply, unless the client leaves first. Whether the connection may be used again."""
        reply = asyncio.ensure_future(self._reply_to(exchange.request)(exchange))
        gone = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({reply, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not reply.done():
                self.aborted += 1
                return False
            reply.result()
            return not gone.done()
        except ConnectionResetError:
            self.aborted += 1
            return False
        finally:
            for task in (reply, gone):
                task.cancel()
            await asyncio.gather(reply, gone, return_exceptions=True)

    def _reply_to(self, request: Received) -> Reply:
        if request.path in self.routes:
            return self.routes[request.path]
        if request.method == "GET" and request.path.endswith("/models"):
            listed = [{"id": name, "object": "model", "created": 1, "owned_by": "test"} for name in self.models]
            return raw(200, json.dumps({"object": "list", "data": listed}).encode(), "application/json")
        if request.method == "GET":
            return error(404, f"no route {request.path}")
        return self._script.popleft() if self._script else self.fallback


async def read_request(reader: asyncio.StreamReader) -> Received | None:
    """One request, or None when the client has closed the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    method, target, _version = first.split(" ", 2)
    path, _, query = target.partition("?")
    headers = dict(header_fields(lines))
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, path, headers, body, query)


def header_fields(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(":")
        yield name.strip().lower(), value.strip()
