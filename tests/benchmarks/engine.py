"""What the engine adds between a client and the model: time to first text, and how many events it streams."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.benchmarks.answer import TOKENS
from tests.benchmarks.measure import Figures
from tests.benchmarks.own_engine import own_engine
from tests.benchmarks.server import Server

DELTA = b"event: thread.message.delta"
TIMES = 15
RUNS = 50


def engine_figures(home: Path) -> Figures:
    """Figures of an engine of its own, with the scripted server as its provider at full speed."""
    with Server(0) as server, own_engine(home, server) as address:
        return asyncio.run(measured(address.socket, server.base_url))


async def measured(socket: Path, provider_url: str) -> Figures:
    transport = httpx2.AsyncHTTPTransport(uds=str(socket))
    url = "http://engine/v1"
    async with (
        httpx2.AsyncClient(transport=transport, timeout=120, base_url=url) as engine,
        httpx2.AsyncClient() as provider,
    ):
        assistant = await made(engine, "/assistants", {"model": "bench/scripted", "name": "Bench"})
        direct, through = [], []
        for _ in range(TIMES):
            direct.append(await directly(provider, provider_url))
            through.append((await run(engine, assistant))[0])
        (_, events, span) = await run(engine, assistant)
        begun = time.monotonic()
        together = await asyncio.gather(*(run(engine, assistant) for _ in range(RUNS)))
        all_of_them = time.monotonic() - begun
    return {
        "engine: added time to first text, ms": (statistics.median(through) - statistics.median(direct)) * 1000,
        "engine: events per s, 1 run": events / span,
        "engine: events per s, 50 runs": sum(count for _, count, _ in together) / all_of_them,
        "engine: tokens per s, 1 run": TOKENS / span,
        "engine: tokens per s, 50 runs": TOKENS * RUNS / all_of_them,
    }


async def made(engine: httpx2.AsyncClient, path: str, body: dict[str, Any]) -> str:
    response = await engine.post(path, json=body)
    response.raise_for_status()
    return str(response.json()["id"])


async def directly(provider: httpx2.AsyncClient, url: str) -> float:
    """Seconds until the provider's first text, asked without the engine. The rest is not read."""
    body = {"model": "scripted", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    begun = time.monotonic()
    async with provider.stream("POST", url + "/chat/completions", json=body) as response:
        async for data in response.aiter_bytes():
            if b'"content": "' in data.replace(b'"content": ""', b""):
                return time.monotonic() - begun
    raise AssertionError("the provider sent no text")


async def run(engine: httpx2.AsyncClient, assistant: str) -> tuple[float, int, float]:
    """One streamed run on a thread of its own: seconds to first text, events, seconds from first to last."""
    thread = await made(engine, "/threads", {"messages": [{"role": "user", "content": "Hello"}]})
    begun = time.monotonic()
    first, last, events = 0.0, begun, 0
    async with streamed(engine, f"/threads/{thread}/runs", {"assistant_id": assistant, "stream": True}) as pieces:
        async for piece in pieces:
            last = time.monotonic()
            events += piece.count(b"event: ")
            if not first and DELTA in piece:
                first = last
    assert first, "the run streamed no text"
    return first - begun, events, last - first


@asynccontextmanager
async def streamed(engine: httpx2.AsyncClient, path: str, body: dict[str, Any]) -> AsyncIterator[AsyncIterator[bytes]]:
    async with engine.stream("POST", path, json=body) as response:
        response.raise_for_status()
        yield response.aiter_bytes()
