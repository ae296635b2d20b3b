"""A chat completion passed on to a provider that speaks Chat Completions, and its answer passed back as it is."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

import httpx2
from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

from playground_tui.engine.completions.failures import provider_failed
from playground_tui.engine.completions.wire import DONE, data
from playground_tui.engine.errors import Json as JsonResponse
from playground_tui.engine.providers.base import ProviderError
from playground_tui.engine.providers.http import ANSWER, at_most, gathered
from playground_tui.engine.providers.refusals import garbage, refused
from playground_tui.engine.providers.responses import no_such_address
from playground_tui.engine.providers.shapes import mapping
from playground_tui.engine.providers.streaming import HttpProvider
from playground_tui.engine.sse import STREAM_HEADERS
from playground_tui.redaction import redacted

BAD_REQUEST = 400

_PASSED = frozenset({"content-type", "retry-after", "retry-after-ms", "x-request-id", "x-should-retry"})
_LIMITS = "x-ratelimit-"


class NoChatCompletions(Exception):
    """The provider has no such address."""


async def passed(provider: HttpProvider, body: Mapping[str, Any]) -> Response:
    """The provider's answer, streamed if it is, or its error with its status.

    Raises NoChatCompletions, and ApiError if the provider cannot be reached.
    """
    stack = AsyncExitStack()
    try:
        upstream = await stack.enter_async_context(provider.forwarded("/chat/completions", body))
        if upstream.status_code == 200 and "event-stream" in upstream.headers.get("content-type", ""):
            stream = _pieces(provider, upstream, stack)
            headers = _headers(upstream, provider.settings.api_key) | STREAM_HEADERS
            return StreamingResponse(stream, headers=headers, background=BackgroundTask(stack.aclose))
        async with stack:
            return _whole(provider, upstream, await at_most(upstream, ANSWER))
    except ProviderError as error:
        raise provider_failed(error) from error


async def _pieces(provider: HttpProvider, upstream: httpx2.Response, stack: AsyncExitStack) -> AsyncIterator[bytes]:
    """The stream as it comes. One that breaks ends with an error that a reader of chunks can take for one."""
    try:
        async with stack.pop_all():
            async for piece in gathered(upstream.aiter_bytes()):
                yield piece
    except ProviderError as error:
        yield b"\n\n" + data(provider_failed(error).body) + DONE


def _whole(provider: HttpProvider, upstream: httpx2.Response, content: bytes) -> Response:
    """Raises NoChatCompletions, and ProviderError for an answer that is none."""
    if upstream.status_code == 200:
        if "json" not in upstream.headers.get("content-type", "") or len(content) > ANSWER:
            raise garbage(provider.settings, content[:1000].decode("utf-8", "replace"))
        return Response(content, headers=_headers(upstream, provider.settings.api_key))
    refusal = refused(provider.settings, upstream.status_code, upstream.headers, content)
    if no_such_address(refusal):
        raise NoChatCompletions
    told = _told(content, provider.settings.api_key)
    ours = provider_failed(refusal)
    headers = _headers(upstream, provider.settings.api_key, but="content-type")
    status = refusal.status if refusal.status >= BAD_REQUEST else ours.status
    return JsonResponse({"error": ours.body["error"] | told}, status_code=status, headers=headers)


def _told(content: bytes, key: str | None) -> dict[str, Any]:
    """The provider's own error object, without any key, where it has the usual form; else nothing."""
    try:
        told = _without_key(mapping(mapping(json.loads(content.decode("utf-8", "replace"))).get("error")), key)
        json.dumps(told, allow_nan=False)  # numbers that are none cannot be told
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told.get("message"), str) else {}


def _without_key(value: Any, key: str | None) -> Any:
    match value:
        case str():
            return redacted(value, key)
        case Mapping():
            return {redacted(name, key): _without_key(one, key) for name, one in value.items()}
        case list():
            return [_without_key(one, key) for one in value]
        case _:
            return value


def _headers(upstream: httpx2.Response, key: str | None, *, but: str = "") -> dict[str, str]:
    """The headers that mean something to who asked, without the key that was sent."""
    names = {name for name in upstream.headers if name in _PASSED or name.startswith(_LIMITS)} - {but}
    return {name: redacted(upstream.headers[name], key) for name in names}
