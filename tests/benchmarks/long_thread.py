"""A thread of ten thousand messages beside one of ten: a page of it, and the start of a run."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2

from tests.benchmarks.engine import made, streamed
from tests.benchmarks.measure import Figures
from tests.benchmarks.own_engine import own_engine
from tests.benchmarks.server import Server

SHORT, LONG = 10, 10_000
TIMES = 15
AT_ONCE = 500
"""Messages that a thread is made with; the rest comes in further requests."""


def long_thread_figures(home: Path) -> Figures:
    """Figures of an engine of its own with a thread of either length."""
    with Server(0, 20) as server, own_engine(home, server) as address:
        return asyncio.run(measured(address.socket, server))


async def measured(socket: Path, server: Server) -> Figures:
    transport = httpx2.AsyncHTTPTransport(uds=str(socket))
    async with httpx2.AsyncClient(transport=transport, timeout=300, base_url="http://engine/v1") as engine:
        assistant = await made(engine, "/assistants", {"model": "bench/scripted", "name": "Bench"})
        figures: Figures = {}
        for count in (SHORT, LONG):
            thread = await thread_of(engine, count)
            figures |= await pages(engine, thread, count)
            figures |= await starts(engine, server, thread, assistant, count)
    return figures


async def thread_of(engine: httpx2.AsyncClient, count: int) -> str:
    """A thread with so many messages of 200 characters."""
    message = {"role": "user", "content": "It was a dark and stormy night. " * 6}
    thread = await made(engine, "/threads", {"messages": [message] * min(count, AT_ONCE)})
    for _ in range(count - AT_ONCE):
        await made(engine, f"/threads/{thread}/messages", message)
    return thread


async def pages(engine: httpx2.AsyncClient, thread: str, count: int) -> Figures:
    """The newest page, and one from the middle."""
    path = f"/threads/{thread}/messages"
    cursor = ""
    for _ in range(count // 200):
        params = {"limit": 100, **({"after": cursor} if cursor else {})}
        cursor = (await engine.get(path, params=params)).json()["last_id"]
    middle = {"after": cursor} if cursor else {}
    return {
        f"thread of {count:,}: newest page, ms": await median(lambda: engine.get(path)),
        f"thread of {count:,}: page in the middle, ms": await median(lambda: engine.get(path, params=middle)),
    }


async def starts(engine: httpx2.AsyncClient, server: Server, thread: str, assistant: str, count: int) -> Figures:
    """The answer to a request for a run, the first event of a streamed one, the provider's request, the first text."""
    path = f"/threads/{thread}/runs"
    body = {"assistant_id": assistant, "truncation_strategy": {"type": "last_messages", "last_messages": 10}}
    queued, first_event, first_text, asked, all_told = [], [], [], [], []
    for _ in range(TIMES):
        begun = time.monotonic()
        run = await made(engine, path, body)
        queued.append(time.monotonic() - begun)
        await ended(engine, f"{path}/{run}")
        event, text = await moments(engine, path, body)
        first_event.append(event)
        first_text.append(text)
        before, begun = server.count("asked"), time.monotonic()
        all_told.append((await moments(engine, path, {"assistant_id": assistant}))[1])
        asked.append(server.wait("asked", before + 1)["at"] - begun)
    return {
        f"thread of {count:,}: run accepted, ms": statistics.median(queued) * 1000,
        f"thread of {count:,}: first event, ms": statistics.median(first_event) * 1000,
        f"thread of {count:,}: first text, last 10 messages told, ms": statistics.median(first_text) * 1000,
        f"thread of {count:,}: provider asked, all messages told, ms": statistics.median(asked) * 1000,
        f"thread of {count:,}: first text, all messages told, ms": statistics.median(all_told) * 1000,
    }


async def moments(engine: httpx2.AsyncClient, path: str, body: dict[str, Any]) -> tuple[float, float]:
    """Seconds to the first event and to the first text of a streamed run, which is read to its end."""
    begun = time.monotonic()
    event, text = 0.0, 0.0
    async with streamed(engine, path, {**body, "stream": True}) as pieces:
        async for piece in pieces:
            event = event or time.monotonic()
            if b"thread.message.delta" in piece:
                text = text or time.monotonic()
    assert text, "the run streamed no text"
    return event - begun, text - begun


async def ended(engine: httpx2.AsyncClient, path: str) -> None:
    while (await engine.get(path)).json()["status"] != "completed":
        await asyncio.sleep(0.005)


async def median(call: Callable[[], Awaitable[httpx2.Response]]) -> float:
    """Milliseconds that a request takes."""
    taken = []
    for _ in range(TIMES):
        begun = time.monotonic()
        (await call()).raise_for_status()
        taken.append((time.monotonic() - begun) * 1000)
    return statistics.median(taken)
