"""Many streamed runs at once: whether all come whole and in order, how fast, and what memory is left of them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from playground_tui.engine.process import LOOK_EVERY
from playground_tui.engine.runs.service import FEED_KEPT_SECONDS
from tests.benchmarks.answer import answer
from tests.benchmarks.engine import made, streamed
from tests.benchmarks.measure import Figures, cpu_seconds, percentile, rss_mib
from tests.benchmarks.own_engine import own_engine
from tests.benchmarks.server import Server

RUNS = 200
TOKENS = 500
ROUNDS = 10
PAUSE = FEED_KEPT_SECONDS + LOOK_EVERY + 5
"""Seconds after which the engine has forgotten the runs, and looked once more."""
NAMES = (
    b"thread.run.created thread.run.queued thread.run.in_progress thread.run.step.created thread.run.step.in_progress"
)
"""How each stream has to begin."""


@dataclass
class Stream:
    """What came of one answer, and when."""

    begun: float = field(default_factory=time.monotonic)
    first: float = 0.0
    last: float = 0.0
    pieces: list[bytes] = field(default_factory=list)

    def take(self, piece: bytes) -> None:
        self.last = time.monotonic()
        self.first = self.first or self.last
        self.pieces.append(piece)

    @property
    def events(self) -> list[tuple[str, str]]:
        """Name and data of each event."""
        blocks = b"".join(self.pieces).decode().split("\n\n")
        lines = (block.split("\n") for block in blocks if "data: " in block)
        return [(_value(block, "event: "), _value(block, "data: ")) for block in lines]


def _value(lines: list[str], head: str) -> str:
    return next((line.removeprefix(head) for line in lines if line.startswith(head)), "")


def crowd_figures(home: Path, *, runs: int = RUNS) -> Figures:
    """Figures of an engine of its own that `runs` clients stream from at once, a few times over."""
    with Server(0, TOKENS) as server, own_engine(home, server) as address:
        before, worked = rss_mib(address.pid), cpu_seconds(address.pid)
        figures = asyncio.run(crowd(address.socket, server.base_url, runs))
        after, worked = rss_mib(address.pid), cpu_seconds(address.pid) - worked
        time.sleep(PAUSE)
        paused = rss_mib(address.pid)
        for _ in range(ROUNDS):
            asyncio.run(crowd(address.socket, server.base_url, runs))
        many = rss_mib(address.pid)
        time.sleep(PAUSE)
        more = rss_mib(address.pid) - paused
    return {
        **figures,
        "crowd: engine's CPU s per 1,000 tokens": worked / (runs * TOKENS) * 1000,
        "crowd: engine's RSS before, MiB": before,
        "crowd: engine's RSS after, MiB": after,
        "crowd: engine's RSS after a pause, MiB": paused,
        f"crowd: engine's RSS after {ROUNDS} more, MiB": many,
        f"crowd: growth of RSS by {ROUNDS} more and a pause, MiB": more,
    }


async def crowd(socket: Path, provider_url: str, runs: int) -> Figures:
    """One crowd of each kind. AssertionError if a stream is not whole or not in order."""
    limits = httpx2.Limits(max_connections=runs + 10)
    transport = httpx2.AsyncHTTPTransport(uds=str(socket), limits=limits)
    async with (
        httpx2.AsyncClient(transport=transport, timeout=300, base_url="http://engine/v1") as engine,
        httpx2.AsyncClient(timeout=300, limits=limits) as provider,
    ):
        assistant = await made(engine, "/assistants", {"model": "bench/scripted", "name": "Bench"})
        hello = {"messages": [{"role": "user", "content": "Hello"}]}
        threads = [await made(engine, "/threads", hello) for _ in range(runs)]
        direct, _ = await together([lambda: directly(provider, provider_url)] * runs)
        through, seconds = await together([_run(engine, assistant, thread) for thread in threads])
    for stream in through:
        check(stream)
    waits = [stream.first - stream.begun for stream in through]
    return {
        "crowd: runs": runs,
        "crowd: all answers, called directly, s": max(stream.last for stream in direct) - direct[0].begun,
        "crowd: all answers, s": seconds,
        "crowd: first event, p50, s": percentile(waits, 0.5),
        "crowd: first event, p95, s": percentile(waits, 0.95),
        "crowd: first event, called directly, p50, s": percentile([one.first - one.begun for one in direct], 0.5),
        "crowd: events per s": sum(len(stream.events) for stream in through) / seconds,
        "crowd: tokens per s": runs * TOKENS / seconds,
    }


async def together(calls: list[Callable[[], Awaitable[Stream]]]) -> tuple[list[Stream], float]:
    """All of these at once, and how long they took."""
    begun = time.monotonic()
    streams = await asyncio.gather(*(call() for call in calls))
    return streams, time.monotonic() - begun


def _run(engine: httpx2.AsyncClient, assistant: str, thread: str) -> Callable[[], Awaitable[Stream]]:
    async def follow() -> Stream:
        stream = Stream()
        body = {"assistant_id": assistant, "stream": True}
        async with streamed(engine, f"/threads/{thread}/runs", body) as pieces:
            async for piece in pieces:
                stream.take(piece)
        return stream

    return follow


async def directly(provider: httpx2.AsyncClient, url: str) -> Stream:
    """The whole answer of the provider, asked without the engine."""
    stream = Stream()
    body = {"model": "scripted", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    async with streamed(provider, url + "/chat/completions", body) as pieces:
        async for piece in pieces:
            stream.take(piece)
    return stream


def check(stream: Stream) -> None:
    """The stream has its beginning, the whole text in order, and its end."""
    names = [name for name, _ in stream.events]
    assert " ".join(names[:5]).encode() == NAMES, names[:5]
    assert names[-4:] == ["thread.message.completed", "thread.run.step.completed", "thread.run.completed", "done"]
    deltas = (json.loads(data) for name, data in stream.events if name == "thread.message.delta")
    text = "".join(delta["delta"]["content"][0]["text"]["value"] for delta in deltas)
    assert text == "".join(answer(TOKENS)), len(text)
