"""Server-sent events and the feed of changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

from playground_tui.engine.changes import HELLO, ChangeFeed
from playground_tui.engine.sse import BEAT, sse, with_beats


def read(block: bytes) -> tuple[str, int, dict[str, Any]]:
    """Name, id and data of one event."""
    fields = dict(line.split(": ", 1) for line in block.decode().rstrip("\n").split("\n"))
    return fields["event"], int(fields["id"]), json.loads(fields["data"])


def a_feed(**options: Any) -> ChangeFeed:
    return ChangeFeed(lambda: 5.0, **options)


def test_an_event_is_one_block_of_lines() -> None:
    assert sse("done", "[DONE]") == b"event: done\ndata: [DONE]\n\n"
    assert sse("x", {"a": "b\n\u2028é"}, 7) == b'id: 7\nevent: x\ndata: {"a":"b\\n\\u2028\\u00e9"}\n\n'


async def test_a_quiet_stream_beats() -> None:
    go = asyncio.Event()
    closed = False

    async def source() -> AsyncGenerator[bytes, None]:
        nonlocal closed
        try:
            yield b"one"
            await go.wait()
            yield b"two"
        finally:
            closed = True

    stream = with_beats(source(), beat=0.01)
    assert [await anext(stream) for _ in range(3)] == [b"one", BEAT, BEAT]
    go.set()
    assert [block async for block in stream if block != BEAT] == [b"two"]
    assert closed


async def test_a_reader_that_leaves_a_quiet_stream_ends_its_source() -> None:
    closed = asyncio.Event()

    async def source() -> AsyncGenerator[bytes, None]:
        try:
            await asyncio.Event().wait()
            yield b"never"
        finally:
            closed.set()

    stream = with_beats(source(), beat=0.01)
    assert await anext(stream) == BEAT
    await stream.aclose()
    assert closed.is_set()


async def test_changes_from_now_on() -> None:
    feed = a_feed()
    feed.publish("assistant", "before")
    listening = feed.subscribe()
    assert await anext(listening) == HELLO
    coming = asyncio.create_task(anext(listening))
    await asyncio.sleep(0)
    feed.publish("message", "m1", thread_id="t1", action="created")
    expected = {"sequence": 5002, "kind": "message", "id": "m1", "thread_id": "t1", "action": "created"}
    assert read(await coming) == ("change", 5002, expected)
    await listening.aclose()


async def test_changes_after_one_that_is_known() -> None:
    feed = a_feed()
    for name in ("a", "b", "c"):
        feed.publish("thread", name)
    listening = feed.subscribe(feed.last - 2)
    assert await anext(listening) == HELLO
    assert [read(await anext(listening))[1] for _ in range(2)] == [5002, 5003]
    await listening.aclose()


async def test_what_is_no_longer_known_is_a_reset() -> None:
    feed = a_feed(kept=2)
    for name in ("a", "b", "c"):
        feed.publish("thread", name)
    for unknown in (-5000, -3, 1):
        listening = feed.subscribe(feed.last + unknown)
        assert await anext(listening) == HELLO
        name, sequence, reset = read(await anext(listening))
        assert (name, sequence, reset["kind"], reset["sequence"]) == ("reset", feed.last, "reset", feed.last)
        feed.publish("thread", "d")
        assert read(await anext(listening))[1] == feed.last
        await listening.aclose()


async def test_changes_while_a_reader_is_busy_are_not_missed() -> None:
    feed = a_feed()
    listening = feed.subscribe(feed.last)
    assert await anext(listening) == HELLO
    feed.publish("run", "a")
    feed.publish("run", "b")
    assert read(await anext(listening))[1] == 5001
    feed.publish("run", "c")
    assert [read(await anext(listening))[1] for _ in range(2)] == [5002, 5003]
    await listening.aclose()


async def test_closing_the_feed_lets_all_readers_go() -> None:
    feed = a_feed()
    quiet = feed.subscribe()
    assert await anext(quiet) == HELLO
    coming = asyncio.create_task(anext(quiet, None))
    await asyncio.sleep(0)
    assert feed.subscribers == 1
    feed.close()
    assert await coming is None
    assert feed.subscribers == 0
    assert [block async for block in feed.subscribe()] == [HELLO]
