"""A proxy on a real TCP port between a client and a server, which passes everything on until it is told to spoil it.

async with FaultProxy(port) as proxy:
    proxy.fault = lambda request: error(503) if request.path.endswith("/runs") else None
    ... AssistantsClient.for_server(proxy.base_url, key, label="test") ...
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.support.provider_server import Exchange, ProviderServer, Received, Reply, header_fields

FRAMING = frozenset({"connection", "content-length", "transfer-encoding", "keep-alive"})


@dataclass(frozen=True)
class Upstream:
    """What the server answers; its body comes as it is sent."""

    status: int
    headers: dict[str, str]
    body: AsyncIterator[bytes]

    async def whole(self) -> bytes:
        return b"".join([piece async for piece in self.body])

    @property
    def passed_headers(self) -> dict[str, str]:
        return {name: value for name, value in self.headers.items() if name not in FRAMING}


class FaultProxy(ProviderServer):
    """`fault` gives for a request what is answered in place of the server, or None; `requests` are all of them."""

    def __init__(self, upstream: int, *, path: str = "/v1"):
        super().__init__()
        self.fault: Callable[[Received], Reply | None] = lambda request: None
        self.elsewhere = 9
        """The port of a server to which redirects point, and which must never be asked."""
        self._upstream = upstream
        self._path = path

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self._path}"

    def _reply_to(self, request: Received) -> Reply:
        return self.fault(request) or self.passed_on

    async def passed_on(self, exchange: Exchange) -> None:
        """The server's answer as it is."""
        async with self.asked(exchange.request) as upstream:
            await exchange.head(upstream.status, {**upstream.passed_headers, "transfer-encoding": "chunked"})
            async for piece in upstream.body:
                await exchange.chunk(piece)
        await exchange.write(b"0\r\n\r\n")

    @asynccontextmanager
    async def asked(self, request: Received) -> AsyncIterator[Upstream]:
        """Send a request on to the server."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        try:
            headers = {name: value for name, value in request.headers.items() if name not in FRAMING}
            headers |= {"content-length": str(len(request.body)), "connection": "close"}
            target = f"{request.path}?{request.query}" if request.query else request.path
            lines = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
            writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + request.body)
            await writer.drain()
            yield await _answer(reader)
        finally:
            writer.close()


async def _answer(reader: asyncio.StreamReader) -> Upstream:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    headers = dict(header_fields(lines))
    body = _chunks(reader) if headers.get("transfer-encoding") == "chunked" else _rest(reader, headers)
    return Upstream(int(first.split(" ", 2)[1]), headers, body)


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
        yield (await reader.readexactly(size + 2))[:-2]


async def _rest(reader: asyncio.StreamReader, headers: dict[str, str]) -> AsyncIterator[bytes]:
    if size := int(headers.get("content-length", "0")):
        yield await reader.readexactly(size)
