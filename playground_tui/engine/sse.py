"""Server-sent events, with a comment every 15 s so that neither side takes a quiet stream for a dead one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from starlette.responses import StreamingResponse

BEAT_SECONDS = 15.0
BEAT = b": beat\n\n"

STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def sse(event: str, data: Any, id: int | None = None) -> bytes:  # noqa: A002 - the format's word
    """One event. `data` is sent as JSON; a text goes as it is and must be one line (`[DONE]`)."""
    head = "" if id is None else f"id: {id}\n"
    body = data if isinstance(data, str) else json.dumps(data, separators=(",", ":"))
    return f"{head}event: {event}\ndata: {body}\n\n".encode()


def event_stream(source: AsyncGenerator[bytes, None], *, beat: float = BEAT_SECONDS) -> StreamingResponse:
    """A response that sends what `source` yields, and closes it when the reader goes away."""
    return StreamingResponse(with_beats(source, beat=beat), media_type="text/event-stream", headers=STREAM_HEADERS)


async def with_beats(source: AsyncGenerator[bytes, None], *, beat: float = BEAT_SECONDS) -> AsyncIterator[bytes]:
    """What `source` yields, and a comment after every `beat` seconds in which it yielded nothing."""
    coming: asyncio.Task[bytes] | None = None
    try:
        while True:
            coming = coming or asyncio.create_task(_next(source))
            done, _ = await asyncio.wait({coming}, timeout=beat)
            if not done:
                yield BEAT
                continue
            block = coming.result()
            coming = None
            if not block:
                return
            yield block
    finally:
        await _end(source, coming)


async def _next(source: AsyncGenerator[bytes, None]) -> bytes:
    return await anext(source, b"")


async def _end(source: AsyncGenerator[bytes, None], coming: asyncio.Task[bytes] | None) -> None:
    if coming is not None and not coming.done():
        coming.cancel()
        await asyncio.wait({coming})
    await source.aclose()
