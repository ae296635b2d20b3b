"""The feed of a run: replayed and tailed by any number of readers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from playground_tui.engine.runs.feed import RECENT_EVENTS, Feed, FeedEvent


async def read(feed: Feed, after: int = 0) -> list[FeedEvent]:
    return [event async for batch in feed.batches(after) for event in batch]


def data(event: FeedEvent) -> Any:
    return json.loads(event.plain.split(b"data: ", 1)[1])


def text(event: FeedEvent) -> str:
    value: str = data(event)["delta"]["content"][0]["text"]["value"]
    return value


def message_feed(*texts: str) -> Feed:
    feed = Feed()
    feed.publish("thread.message.created", {"id": "msg_1"})
    for piece in texts:
        feed.publish_text("msg_1", piece)
    return feed


async def test_a_late_reader_gets_the_text_so_far_as_one_delta() -> None:
    feed = message_feed("one ", "two ", "three")
    feed.publish("thread.message.completed", {"id": "msg_1"})
    feed.rest()
    events = await read(feed)
    assert [(event.id, event.name) for event in events] == [
        (1, "thread.message.created"),
        (4, "thread.message.delta"),
        (5, "thread.message.completed"),
        (6, "done"),
    ]
    assert text(events[1]) == "one two three"


async def test_a_reader_that_joins_again_gets_what_came_after_the_event_it_names() -> None:
    feed = message_feed("one ", "two ", "three")
    feed.rest()
    assert [text(event) for event in (await read(feed, after=2))[:-1]] == ["two three"]
    assert [text(event) for event in (await read(feed, after=3))[:-1]] == ["three"]
    assert [event.name for event in await read(feed, after=4)] == ["done"]
    assert [event.name for event in await read(feed, after=5)] == ["done"]


async def test_a_place_that_the_feed_never_had_replays_everything() -> None:
    feed = message_feed("one")
    feed.rest()
    assert [event.id for event in await read(feed, after=99)] == [1, 2, 3]
    later = Feed(first_id=1000)
    later.publish("thread.run.created", {})
    later.rest()
    assert [event.id for event in await read(later, after=7)] == [1000, 1001]


async def test_a_reader_at_the_end_gets_each_delta_as_it_comes() -> None:
    feed = message_feed()
    got: list[FeedEvent] = []

    async def follow() -> None:
        got.extend(await read(feed))

    reader = asyncio.create_task(follow())
    for piece in ("a", "b", "c"):
        await asyncio.sleep(0)
        feed.publish_text("msg_1", piece)
    await asyncio.sleep(0)
    feed.rest()
    await reader
    assert [text(event) for event in got[1:-1]] == ["a", "b", "c"]


async def test_only_the_first_delta_of_a_text_carries_annotations() -> None:
    feed = message_feed("a", "b")
    feed.rest()
    whole, rest = (await read(feed))[1], (await read(feed, after=2))[0]
    assert data(whole)["delta"]["content"][0]["text"] == {"value": "ab", "annotations": []}
    assert data(rest)["delta"]["content"][0]["text"] == {"value": "b"}


async def test_a_reader_far_behind_gets_joined_deltas_and_loses_nothing() -> None:
    feed = message_feed()
    batches = feed.batches()
    await anext(batches)
    pieces = [f"{number} " for number in range(RECENT_EVENTS + 5)]
    for piece in pieces:
        feed.publish_text("msg_1", piece)
    (joined,) = await anext(batches)
    assert text(joined) == "".join(pieces)
    feed.publish_text("msg_1", "end")
    assert [text(event) for event in await anext(batches)] == ["end"]
    await batches.aclose()


async def test_a_feed_without_its_last_events_has_all_that_was_said() -> None:
    feed = message_feed("a", "b")
    batches = feed.batches()
    await anext(batches)
    feed.publish_text("msg_1", "c")
    feed.publish_text("msg_1", "d")
    feed.rest()
    feed.forget_recent()
    assert [event.name for event in await anext(batches)] == ["thread.message.delta", "done"]
    assert [text(event) for event in (await read(feed))[1:-1]] == ["abcd"]
    assert [text(event) for event in (await read(feed, after=3))[:-1]] == ["cd"]


async def test_a_stream_ends_at_its_done_though_the_run_went_on() -> None:
    feed = message_feed("first")
    batches = feed.batches()
    await anext(batches)
    feed.publish("thread.run.requires_action", {})
    feed.rest()
    feed.publish("thread.run.queued", {})
    assert [event.name for event in await anext(batches)] == ["thread.run.requires_action", "done"]
    assert [batch async for batch in batches] == []


async def test_a_reader_that_comes_after_the_run_went_on_sees_no_end_in_the_middle() -> None:
    feed = message_feed("first")
    feed.rest()
    feed.publish("thread.run.queued", {})
    feed.rest()
    assert [event.name for event in await read(feed)] == [
        "thread.message.created",
        "thread.message.delta",
        "thread.run.queued",
        "done",
    ]


async def test_a_quiet_feed_beats() -> None:
    feed = message_feed()
    batches = feed.batches(beat=0.001)
    assert [event.name for event in await anext(batches)] == ["thread.message.created"]
    assert await anext(batches) == []
    await batches.aclose()


async def test_a_reader_that_leaves_is_forgotten() -> None:
    feed = Feed()
    reader = asyncio.create_task(read(feed))
    await asyncio.sleep(0)
    reader.cancel()
    await asyncio.wait({reader})
    feed.publish("thread.run.created", {})
    feed.rest()
    assert [event.name for event in await read(feed)] == ["thread.run.created", "done"]


async def test_all_readers_share_the_bytes_of_an_event_and_may_number_them() -> None:
    feed = Feed()
    feed.publish("thread.run.created", {"id": "run_1"})
    feed.rest()
    (first, done), (again, _) = await read(feed), await read(feed)
    assert first.plain is again.plain
    assert first.plain == b'event: thread.run.created\ndata: {"id":"run_1"}\n\n'
    assert done.numbered == b"id: 2\nevent: done\ndata: [DONE]\n\n"


async def test_whatever_a_model_writes_is_one_line_of_ascii() -> None:
    feed = Feed()
    feed.publish_text("msg_1", 'a "quote"\n\u2028 \ud800 \x00 ü')
    feed.rest()
    event = (await read(feed))[0]
    assert event.plain.isascii()
    assert event.plain.count(b"\n") == 3
    assert text(event) == 'a "quote"\n\u2028 \ud800 \x00 ü'
