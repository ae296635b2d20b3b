"""What a server can do to the stream of a run, at random points."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.support.assistants_server import event
from tests.support.fault_proxy import FaultProxy
from tests.support.provider_server import Exchange, Reply

Blocks = list[bytes]
"""The events of a stream, each with its empty line."""
Mangle = Callable[[Blocks, Random], Iterator[bytes]]

CUT = b"\0cut"
HANG = b"\0hang"
MEGABYTES = b"x" * (10 * 2**20)
DEEP = b"[" * 100_000
DONE = b"event: done\ndata: [DONE]\n\n"


@dataclass(frozen=True)
class StreamFault:
    """One way to spoil a stream. `reads`: words that are to be read on the screen, of all its ways to end."""

    name: str
    mangle: Mangle
    reads: str = ""
    content_type: str = "text/event-stream"

    def __str__(self) -> str:
        return self.name


def spoiled(fault: StreamFault, proxy: FaultProxy, random: Random) -> Reply:
    """The server's stream, spoiled as it comes; all of it is known before, so that it can be put in any order."""

    async def reply(exchange: Exchange) -> None:
        async with proxy.asked(exchange.request) as upstream:
            blocks = cut(await upstream.whole())
        await exchange.head(200, {"content-type": fault.content_type, "transfer-encoding": "chunked"})
        async for piece in spaced(fault.mangle(blocks, random)):
            if piece == CUT:
                raise ConnectionAbortedError
            if piece == HANG:
                await asyncio.Event().wait()
            await exchange.chunk(piece)
        await exchange.write(b"0\r\n\r\n")

    return reply


async def spaced(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, none of which is empty: that would be the end."""
    for piece in pieces:
        if piece:
            yield piece


def cut(stream: bytes) -> Blocks:
    return [block + b"\n\n" for block in stream.split(b"\n\n") if block]


def name_of(block: bytes) -> str:
    found = re.match(rb"event: (\S+)", block)
    return found[1].decode() if found else ""


def changed(block: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The event with another object in it."""
    if block == DONE:
        return block
    data = json.loads(block.partition(b"data: ")[2])
    change(data)
    return event(name_of(block), data)


def point(blocks: Blocks, random: Random) -> int:
    """Somewhere before the end, at the beginning more likely than chance has it."""
    return random.choice([0, 1, 2, random.randrange(len(blocks)), random.randrange(len(blocks))])


# Ends


def broken(blocks: Blocks, random: Random) -> Iterator[bytes]:
    yield from [*blocks[: point(blocks, random)], CUT]


def broken_within(blocks: Blocks, random: Random) -> Iterator[bytes]:
    at = point(blocks, random)
    yield from [*blocks[:at], blocks[at][: random.randrange(1, len(blocks[at]) - 1)], CUT]


def without_end(blocks: Blocks, random: Random) -> Iterator[bytes]:
    yield from blocks[: point(blocks, random)]


def half_at_end(blocks: Blocks, random: Random) -> Iterator[bytes]:
    at = point(blocks, random)
    yield from [*blocks[:at], blocks[at][: len(blocks[at]) // 2]]


def without_done(blocks: Blocks, _random: Random) -> Iterator[bytes]:
    yield from [block for block in blocks if block != DONE]


def hanging(blocks: Blocks, random: Random) -> Iterator[bytes]:
    yield from [*blocks[: point(blocks, random)], HANG]


def done_early(blocks: Blocks, random: Random) -> Iterator[bytes]:
    at = point(blocks, random)
    yield from [*blocks[:at], DONE, *blocks[at:]]


# Order


def each_twice(blocks: Blocks, _random: Random) -> Iterator[bytes]:
    yield from [block for block in blocks for _ in range(2)]


def all_twice(blocks: Blocks, _random: Random) -> Iterator[bytes]:
    yield from [*blocks[:-1], *blocks]


def swapped(blocks: Blocks, random: Random) -> Iterator[bytes]:
    mixed = list(blocks)
    for _ in range(len(mixed)):
        at = random.randrange(len(mixed) - 1)
        mixed[at], mixed[at + 1] = mixed[at + 1], mixed[at]
    yield from mixed


def backwards(blocks: Blocks, _random: Random) -> Iterator[bytes]:
    yield from blocks[::-1]


def with_gaps(blocks: Blocks, random: Random) -> Iterator[bytes]:
    yield from [block for block in blocks if random.random() > 0.3]


def without(*names: str) -> Mangle:
    def mangle(blocks: Blocks, _random: Random) -> Iterator[bytes]:
        yield from [block for block in blocks if name_of(block) not in names]

    return mangle


# Contents


def among(*strange: bytes) -> Mangle:
    """These bytes between the events."""

    def mangle(blocks: Blocks, random: Random) -> Iterator[bytes]:
        for block in blocks:
            yield block
            if random.random() < 0.2:
                yield random.choice(strange)

    return mangle


def once_among(strange: Callable[[Blocks], bytes]) -> Mangle:
    def mangle(blocks: Blocks, random: Random) -> Iterator[bytes]:
        at = point(blocks, random)
        yield from [*blocks[:at], strange(blocks), *blocks[at:]]

    return mangle


def some(change: Callable[[bytes], bytes], *names: str, share: float = 0.3) -> Mangle:
    """Some of the events (of these names, or any) changed."""

    def mangle(blocks: Blocks, random: Random) -> Iterator[bytes]:
        for block in blocks:
            chosen = (not names or name_of(block).startswith(names)) and random.random() < share
            yield change(block) if chosen else block

    return mangle


def half(block: bytes) -> bytes:
    return block[: len(block) * 2 // 3].rstrip() + b"\n\n"


def with_fields(**fields: Any) -> Callable[[bytes], bytes]:
    return lambda block: changed(block, lambda data: data.update(fields))


def another_run(blocks: Blocks) -> bytes:
    """The whole stream of another run of the same thread, but for its end."""
    other = b"".join(block for block in blocks if block != DONE)
    return re.sub(rb'"((?:run|msg|step)_)(\w+)"', rb'"\1other\2"', other)


def a_delta(blocks: Blocks) -> bytes:
    """Ten megabytes more of the message."""
    found = re.search(rb'"(msg_\w+)"', b"".join(blocks))
    part = {"index": 0, "type": "text", "text": {"value": MEGABYTES.decode()}}
    body = {"id": found[1].decode() if found else "msg_0", "delta": {"content": [part]}}
    return event("thread.message.delta", body)


def byte_by_byte(blocks: Blocks, random: Random) -> Iterator[bytes]:
    whole = b"".join(blocks)
    at = 0
    while at < len(whole):
        step = random.choice([1, 1, 2, 3, 7, 300])
        yield whole[at : at + step]
        at += step


def with_line_ends(ends: bytes) -> Mangle:
    def mangle(blocks: Blocks, random: Random) -> Iterator[bytes]:
        yield from byte_by_byte([block.replace(b"\n", ends) for block in blocks], random)

    return mangle


ERROR = event("error", {"error": {"message": "the server's own words", "code": "server_error"}})
STRANGE = (
    event("thread.run.sung", {"id": "run_x"}),
    event("thread.message.delta", {"id": "msg_1", "delta": None}),
    event("thread.message.delta", {"id": 7, "delta": {"content": [None, 7, {"index": -1}]}}),
    event("thread.run.step.delta", {"id": "step_1", "delta": {"step_details": {"tool_calls": [{"index": 10**9}]}}}),
    event("thread.run.completed", {}),
    b"event: thread.message.completed\n\n",
    b"event: thread.run.completed\ndata: [1, 2]\n\n",
    b"event: thread.run.failed\ndata: " + DEEP + b"\n\n",
    b"data: {}\n\n",
    b": a comment\n\n",
    b"retry: 5\n\n",
    b"\xef\xbb\xbf\n\n",
    b"\xff\xfe\x00\n\n",
    b"<html><body>Bad gateway</body></html>\n\n",
)


def stream_faults() -> list[StreamFault]:
    """All of them."""
    ends = [
        StreamFault("broken", broken),
        StreamFault("broken within an event", broken_within),
        StreamFault("without an end", without_end),
        StreamFault("half an event at the end", half_at_end),
        StreamFault("without done", without_done),
        StreamFault("hanging", hanging),
        StreamFault("done early", done_early),
        StreamFault("without the run's end", without("thread.run.completed")),
    ]
    order = [
        StreamFault("each event twice", each_twice),
        StreamFault("all events twice", all_twice),
        StreamFault("swapped", swapped),
        StreamFault("backwards", backwards),
        StreamFault("with gaps", with_gaps),
        StreamFault("without created", without("thread.run.created", "thread.message.created")),
        StreamFault("without deltas", without("thread.message.delta")),
        StreamFault("without the message's end", without("thread.message.completed")),
        StreamFault("without the message", without("thread.message.completed", "thread.message.delta")),
    ]
    contents = [
        StreamFault("with strange events", among(*STRANGE)),
        StreamFault("with an error event", once_among(lambda blocks: ERROR), "the server's own words"),
        StreamFault("half events", some(half)),
        StreamFault("wrong message ids", some(with_fields(id="msg_wrong"), "thread.message")),
        StreamFault("wrong run ids", some(with_fields(id="run_wrong"), "thread.run.")),
        StreamFault("a wrong run id first", wrong_first),
        StreamFault("wrong run in messages", some(with_fields(run_id="run_wrong"), "thread.message")),
        StreamFault("wrong thread ids", some(with_fields(thread_id="thread_wrong"))),
        StreamFault("no ids", some(with_fields(id=None))),
        StreamFault("numbers as ids", some(with_fields(id=7, run_id=7, thread_id=7))),
        StreamFault("strange times", some(with_fields(created_at=1e308, started_at=-(10**30), completed_at="now"))),
        StreamFault("lone surrogates", some(with_fields(status="\ud800", model="\udfff"), "thread.run.in_progress")),
        StreamFault("another run's events", once_among(another_run)),
        StreamFault("a comment of 10 MB", once_among(lambda blocks: b": " + MEGABYTES + b"\n\n")),
        StreamFault("an unknown event of 10 MB", once_among(lambda blocks: b"data: " + MEGABYTES + b"\n\n")),
        StreamFault("a delta of 10 MB", once_among(a_delta)),
    ]
    wire = [
        StreamFault("byte by byte", byte_by_byte),
        StreamFault("CRLF", with_line_ends(b"\r\n")),
        StreamFault("CR", with_line_ends(b"\r")),
        StreamFault("no content type", swapped_not, content_type="application/octet-stream"),
    ]
    return [*ends, *order, *contents, *wire]


def wrong_first(blocks: Blocks, _random: Random) -> Iterator[bytes]:
    yield from [with_fields(id="run_wrong")(blocks[0]), *blocks[1:]]


def swapped_not(blocks: Blocks, _random: Random) -> Iterator[bytes]:
    yield from blocks
