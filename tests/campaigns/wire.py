"""A small HTTP/1.1 client of a Unix socket: a campaign makes a million calls, and a client for everything takes as
long over each of them as the engine does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

_BOUNDARY = "a-line-that-stands-in-no-file"
_LARGEST = 64 * 1024 * 1024

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Event = tuple[str, dict[str, Any]]
"""The name of a server-sent event, and its data; {} where that is no object."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, with what was asked for when it is told of."""

    asked: str
    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)

    def __str__(self) -> str:
        return f"{self.asked} -> {self.status} {self.content[:2000]!r}"


class Wire:
    """Calls of paths below `/v1`, as many at a time as are made."""

    def __init__(self, socket: Path):
        self._socket = socket
        self._idle: list[Connection] = []

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()

    async def call(self, method: str, path: str, **request: Any) -> Answer:
        """A call whose answer is read to its end. `request`: see `written`."""
        connection = await self._connection()
        reader, writer = connection
        writer.write(written(method, path, **request))
        status, headers = await _head(reader)
        content = b"".join([piece async for piece in _body(reader, headers)])
        if headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append(connection)
        return Answer(f"{method} {path} {str(request)[:2000]}", status, headers, content)

    @asynccontextmanager
    async def stream(self, method: str, path: str, **request: Any) -> AsyncGenerator[Answer | EventStream, None]:
        """A call whose answer streams: its events, or the answer that it got in their place. Leaving hangs up."""
        reader, writer = await asyncio.open_unix_connection(str(self._socket), limit=_LARGEST)
        try:
            writer.write(written(method, path, **request))
            status, headers = await _head(reader)
            if headers.get("content-type", "").startswith("text/event-stream"):
                yield EventStream(reader, headers)
            else:
                content = b"".join([piece async for piece in _body(reader, headers)])
                yield Answer(f"{method} {path} {str(request)[:2000]}", status, headers, content)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _connection(self) -> Connection:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_unix_connection(str(self._socket), limit=_LARGEST)


class EventStream:
    """The events of a stream."""

    def __init__(self, reader: asyncio.StreamReader, headers: Mapping[str, str]):
        self._reader = reader
        self.headers = headers

    async def events(self) -> AsyncGenerator[Event, None]:
        """Each event with its data; `_id` is the event's own id, where it has one."""
        waiting = b""
        async for piece in _body(self._reader, self.headers):
            *blocks, waiting = (waiting + piece).split(b"\n\n")
            for block in blocks:
                fields = dict(line.split(": ", 1) for line in block.decode().split("\n") if line[:1] != ":")
                if fields:
                    data = json.loads(fields["data"]) if fields["data"][:1] == "{" else {}
                    yield fields.get("event", ""), {**data, "_id": int(fields.get("id", 0))}


def written(
    method: str,
    path: str,
    *,
    body: Any = None,
    form: tuple[Mapping[str, str], tuple[str, str, bytes] | None] | None = None,
    query: Mapping[str, str] | None = None,
    key: str = "",
) -> bytes:
    """A request in bytes. `body` is JSON; `form` fields and a file (its field, its name, its contents); `key` an
    Idempotency-Key."""
    where = quote(path, safe="/%?&=+[]") + (f"?{urlencode(query)}" if query else "")
    kind, content = "application/json", b"" if body is None else json.dumps(body).encode()
    if form is not None:
        kind, content = f"multipart/form-data; boundary={_BOUNDARY}", _form(*form)
    idempotent = f"Idempotency-Key: {key}\r\n" if key else ""
    head = f"Content-Type: {kind}\r\nContent-Length: {len(content)}\r\n{idempotent}"
    return f"{method} /v1{where} HTTP/1.1\r\nHost: engine\r\n{head}\r\n".encode() + content


def _form(fields: Mapping[str, str], file: tuple[str, str, bytes] | None) -> bytes:
    parts = [(f'name="{name}"', text.encode()) for name, text in fields.items()]
    if file is not None:
        field, name, content = file
        parts.append((f'name="{field}"; filename="{name}"', content))
    lines = [
        f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"
        for head, content in parts
    ]
    return b"".join(lines) + f"--{_BOUNDARY}--\r\n".encode()


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = (line.split(": ", 1) for line in lines if line)
    return int(first.split(" ", 2)[1]), {name.lower(): value for name, value in headers}


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
    if headers.get("transfer-encoding") != "chunked":
        yield await reader.readexactly(int(headers.get("content-length", 0)))
        return
    while size := int((await reader.readuntil(b"\r\n")), 16):
        yield (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
