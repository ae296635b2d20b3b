"""HTTP to one provider: a request out, server-sent events or a JSON object back, every failure a ProviderError."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx2

from playground_tui.engine.providers.base import ProviderError, ProviderSettings
from playground_tui.engine.providers.event_reader import EventReader, TooLong
from playground_tui.engine.providers.refusals import broken, garbage, object_of, refused
from playground_tui.protocol import HOPS_HEADER

CONNECT = 10.0
"""Seconds for a connection to be made."""
SILENCE = 300.0
"""Seconds in which a remote provider must send something. A local one may think for as long as the run lives."""
LIST = 5.0
"""Seconds for a short answer such as the list of models."""
LINGER = 0.05
"""Seconds in which a stream that has said its last word may end, so that its connection can be used again."""
GATHER = 0.02
"""Seconds in which more may come once a stream that is under way had to be waited for: reading, sending and showing
each token by itself costs several times as much, and nobody sees the difference."""
AT_ONCE = 16
"""The first pieces of a stream are passed on without gathering: nothing is added to the time to first text."""
WAITED = 0.001
"""Seconds after which a piece counts as waited for; one that was there already comes faster."""
REFUSAL = 64 * 1024
"""Bytes of an error body that are read."""
ANSWER = 32 * 2**20
"""Bytes of an answer that is no stream."""
FILE = 64 * 2**20
"""Bytes of a file that a provider's code made."""


def loopback(host: str) -> bool:
    """Whether the host is this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


async def at_most(response: httpx2.Response, most: int) -> bytes:
    """The body of a response that is being read; of one that has more than `most` bytes, a little more than these."""
    received = bytearray()
    async for piece in response.aiter_bytes():
        received += piece
        if len(received) > most:
            break
    return bytes(received)


async def drain(received: AsyncIterator[tuple[str, str]]) -> None:
    """Read what follows the last word of a stream: nothing, nearly always at once."""
    with suppress(ProviderError, TimeoutError):
        async with asyncio.timeout(LINGER):
            async for _ in received:
                pass


async def gathered(
    pieces: AsyncIterator[bytes],
    *,
    now: Callable[[], float] = time.monotonic,
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncIterator[bytes]:
    """The pieces as they come, with a pause after each that had to be waited for, except among the first."""
    passed, asked = 0, now()
    async for piece in pieces:
        waited = now() - asked > WAITED
        yield piece
        passed += 1
        if waited and passed > AT_ONCE:
            await pause(GATHER)
        asked = now()


class Http:
    """The connections to one provider: made with the first request, closed by `close` when no request uses them.

    A request begun after `close` (by a run that still holds the provider) makes its own and closes them after it.
    """

    def __init__(self, settings: ProviderSettings):
        self.settings = settings
        self._client: httpx2.AsyncClient | None = None
        self._users = 0
        self._retired = False

    async def events(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[tuple[str, str], None]:
        """POST `body` and yield (event, data) as they come. A server that answers with JSON alone gives one pair.

        Raises Refused for an error status, ProviderError for anything else that goes wrong. Closing it closes the
        request.
        """
        async with self._using() as client:
            try:
                async with client.stream("POST", self._url(path), json=dict(body)) as response:
                    if response.status_code != 200:
                        raise await self._refusal(response)
                    async for event in self._read(response):
                        yield event
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                raise broken(self.settings, error) from error

    @asynccontextmanager
    async def forwarded(self, path: str, body: Mapping[str, Any]) -> AsyncIterator[httpx2.Response]:
        """POST `body`; the response whatever its status is, its own body still to be read.

        Raises ProviderError, also for what goes wrong while it is read.
        """
        async with self._using() as client:
            try:
                async with client.stream("POST", self._url(path), json=dict(body)) as response:
                    yield response
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                raise broken(self.settings, error) from error

    async def post(self, path: str, body: Mapping[str, Any], *, seconds: float) -> Mapping[str, Any]:
        """POST `body` and return the JSON object that comes within so many seconds. Raises as `events` does."""
        return self._object(await self._content("POST", path, ANSWER, seconds, json=dict(body)))

    async def get(self, path: str) -> Mapping[str, Any]:
        """GET a JSON object. Raises as `events` does."""
        return self._object(await self._content("GET", path, ANSWER, LIST))

    async def content(self, path: str, most: int = FILE) -> bytes:
        """GET a file of at most `most` bytes. Raises as `events` does."""
        received = await self._content("GET", path, most)
        if len(received) > most:
            raise ProviderError(f"{self.settings.name} sent a file that is larger than {most} bytes.")
        return received

    async def _content(
        self, method: str, path: str, most: int, seconds: float | None = None, *, json: object = None
    ) -> bytes:
        """What is answered, as `at_most` has it, within so many seconds (None: as long as something comes)."""
        timeout = httpx2.USE_CLIENT_DEFAULT if seconds is None else seconds
        async with self._using() as client:
            try:
                sent = client.stream(method, self._url(path), json=json, timeout=timeout)
                async with asyncio.timeout(seconds), sent as response:
                    if response.status_code != 200:
                        raise await self._refusal(response)
                    return await at_most(response, most)
            except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
                raise broken(self.settings, error) from error

    def _object(self, content: bytes) -> Mapping[str, Any]:
        return object_of(self.settings, self._text(content))

    def _text(self, content: bytes) -> str:
        """An answer as text. Raises ProviderError for one that is larger than any."""
        if len(content) > ANSWER:
            raise garbage(self.settings, "")
        return content.decode("utf-8", "replace")

    async def close(self) -> None:
        self._retired = True
        await self._close_unused()

    async def _read(self, response: httpx2.Response) -> AsyncIterator[tuple[str, str]]:
        if "json" in (kind := response.headers.get("content-type", "")) and "stream" not in kind:
            yield "", self._text(await at_most(response, ANSWER))
            return
        if "html" in kind:
            raise garbage(self.settings, "<html")
        reader = EventReader()
        try:
            async for received in gathered(response.aiter_bytes()):
                for event in reader.feed(received):
                    yield event
            for event in reader.end():
                yield event
        except TooLong:
            raise garbage(self.settings, "") from None

    async def _refusal(self, response: httpx2.Response) -> Exception:
        body = await at_most(response, REFUSAL)
        return refused(self.settings, response.status_code, response.headers, body[:REFUSAL])

    def _url(self, path: str) -> httpx2.URL:
        """The path under base_url, whose own query (`?api-version=...`) stays."""
        base = httpx2.URL(self.settings.base_url)
        return base.copy_with(path=base.path.rstrip("/") + path)

    @asynccontextmanager
    async def _using(self) -> AsyncIterator[httpx2.AsyncClient]:
        self._users += 1
        try:
            if self._client is None:
                self._client = new_client(self.settings)
            yield self._client
        except httpx2.InvalidURL as error:
            raise broken(self.settings, error) from error
        finally:
            self._users -= 1
            if self._retired:
                await asyncio.shield(self._close_unused())

    async def _close_unused(self) -> None:
        if self._users == 0 and self._client is not None:
            client, self._client = self._client, None
            await client.aclose()


def new_client(settings: ProviderSettings) -> httpx2.AsyncClient:
    """A client with the provider's key; proxies of the environment are for remote providers alone.

    Redirects are not followed: they would carry the key to another host. Raises InvalidURL.
    """
    local = loopback(httpx2.URL(settings.base_url).host)
    headers = {HOPS_HEADER: "1", "Accept-Encoding": "identity", "User-Agent": "playground-tui"}
    if settings.api_key:
        headers["Authorization"] = f"Bearer {settings.api_key}"
    return httpx2.AsyncClient(
        headers=headers,
        timeout=httpx2.Timeout(SILENCE, connect=CONNECT, read=None if local else SILENCE),
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=30.0),
        trust_env=not local,
    )
