"""A run's raw stream becomes typed events, whatever servers do to it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground_tui.assistants import streams
from playground_tui.assistants.errors import Malformed
from playground_tui.assistants.events import Event, MessageChanged, RunChanged, ServerError, StepChanged, TextDelta
from playground_tui.assistants.streams import REST, EventReader, RawEvent, RunEvents, in_gusts, read_events
from tests.support.assistants_server import delta

RUN = {"id": "run_1", "thread_id": "thread_1", "status": "queued"}
MESSAGE = {"id": "msg_1", "thread_id": "thread_1", "run_id": "run_1", "role": "assistant", "status": "in_progress"}


def cut(data: bytes, size: int) -> list[RawEvent]:
    reader = EventReader()
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    return [event for chunk in chunks for event in reader.feed(chunk)]


def told(reader: RunEvents, *events: tuple[str, Any]) -> list[Event]:
    raw = [RawEvent(name, "", json.dumps(data).encode()) for name, data in events]
    return [event for one in raw for event in reader.read(one)]


def shown(events: Sequence[Event]) -> dict[str, str]:
    """The texts on a screen that follows these events."""
    texts: dict[str, str] = {}
    for event in events:
        if isinstance(event, MessageChanged):
            texts[event.message.id] = event.message.text
        elif isinstance(event, TextDelta):
            texts[event.message_id] += event.text
    return texts


def whole(text: str, **changes: Any) -> dict[str, Any]:
    return {**MESSAGE, "status": "completed", "content": [{"type": "text", "text": {"value": text}}], **changes}


STREAM = ": beat\n\nevent: one\ndata: {}\n\nid: 7\nevent: two\ndata: ä\ndata: b\n\n\n\ndata: three\n\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_events_are_the_same_however_the_bytes_arrive(size: int, newline: str) -> None:
    events = cut(STREAM.replace("\n", newline).encode(), size)
    assert events == [
        RawEvent("one", "", b"{}"),
        RawEvent("two", "7", "ä\nb".encode()),
        RawEvent("", "", b"three"),
    ]


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(1, 20))
def test_no_bytes_break_the_reader_and_chunks_make_no_difference(data: bytes, size: int) -> None:
    assert cut(data, size) == cut(data, 1000)


async def test_the_last_event_counts_though_its_empty_line_is_missing() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"event: done\ndata: [DONE]"

    assert [event async for event in read_events(chunks())] == [RawEvent("done", "", b"[DONE]")]


def test_an_event_of_ten_megabytes_is_read_and_an_endless_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    big = b"data: " + b"x" * 10_000_000 + b"\n\n"
    assert len(cut(big, 65536)[0].data) == 10_000_000
    monkeypatch.setattr(streams, "LARGEST_EVENT", 1000)
    with pytest.raises(Malformed, match="without an end"):
        cut(big, 600)


def test_a_text_run_in_order() -> None:
    reader = RunEvents("thread_1")
    events = told(
        reader,
        ("thread.run.created", RUN),
        ("thread.run.step.created", {"id": "step_1", "run_id": "run_1", "status": "in_progress"}),
        ("thread.run.step.delta", {"id": "step_1"}),
        ("thread.message.created", MESSAGE),
        ("thread.message.in_progress", MESSAGE),
        ("thread.message.delta", delta("msg_1", "Hel")),
        ("thread.message.delta", delta("msg_1", "lo")),
        ("thread.message.completed", whole("Hello")),
        ("thread.run.completed", {**RUN, "status": "completed"}),
        ("done", "[DONE]"),
    )
    assert [type(event) for event in events] == [
        *(RunChanged, StepChanged, MessageChanged, TextDelta, TextDelta, MessageChanged, RunChanged)
    ]
    assert shown(events) == {"msg_1": "Hello"}
    assert reader.done
    assert reader.run is not None and reader.run.status == "completed"


def test_the_bytes_done_end_the_stream_without_a_name() -> None:
    reader = RunEvents("thread_1")
    assert list(reader.read(RawEvent("", "", b"[DONE]"))) == []
    assert reader.done


def test_names_within_the_data_are_understood() -> None:
    event = {"event": "thread.run.created", "data": RUN}
    assert isinstance(told(RunEvents("thread_1"), ("", event))[0], RunChanged)


@pytest.mark.parametrize(
    "event",
    [
        ("thread.run.created", {**RUN, "id": "run_2"}),
        ("thread.run.created", {**RUN, "thread_id": "thread_2"}),
        ("thread.run.created", {}),
        ("thread.run.in_progress", "half an ev"),
        ("thread.run.step.created", {"id": "step_1", "run_id": "run_2"}),
        ("thread.message.created", {**MESSAGE, "run_id": "run_2"}),
        ("thread.message.created", {**MESSAGE, "thread_id": "thread_2"}),
        ("thread.message.delta", {}),
        ("thread.something.new", RUN),
        ("keepalive", {}),
    ],
)
def test_what_is_unknown_half_or_of_another_run_is_dropped(event: tuple[str, Any]) -> None:
    assert told(RunEvents("thread_1", "run_1"), event) == []


def test_events_told_twice_change_nothing() -> None:
    created, message = ("thread.run.created", RUN), ("thread.message.created", MESSAGE)
    completed = ("thread.message.completed", whole("Hello"))
    ended = ("thread.run.completed", {**RUN, "status": "completed"})
    step = ("thread.run.step.completed", {"id": "step_1", "run_id": "run_1", "status": "completed"})
    twice = [event for event in (created, message, completed, step, ended) for _ in range(2)]
    assert len(told(RunEvents("thread_1"), *twice)) == 5


def test_text_shows_once_when_its_deltas_came_before_and_after_their_time() -> None:
    events = told(
        RunEvents("thread_1"),
        ("thread.message.delta", delta("msg_1", "Hel")),
        ("thread.message.created", MESSAGE),
        ("thread.message.delta", delta("msg_1", "lo")),
        ("thread.message.delta", delta("msg_1", "lo")),
        ("thread.message.completed", whole("Hello")),
        ("thread.message.delta", delta("msg_1", "lo")),
        ("thread.message.in_progress", MESSAGE),
    )
    assert shown(events) == {"msg_1": "Hello"}


def test_an_end_without_text_keeps_the_text_so_far() -> None:
    events = told(
        RunEvents("thread_1"),
        ("thread.message.created", MESSAGE),
        ("thread.message.delta", delta("msg_1", "Hel")),
        ("thread.message.incomplete", {**MESSAGE, "status": "incomplete", "content": []}),
    )
    assert shown(events) == {"msg_1": "Hel"}


def test_a_further_content_part_is_joined_as_in_the_whole_message() -> None:
    image = {"delta": {"content": [{"index": 1, "type": "image_file", "image_file": {"file_id": "file-1"}}]}}
    events = told(
        RunEvents("thread_1"),
        ("thread.message.delta", delta("msg_1", "See")),
        ("thread.message.delta", {"id": "msg_1", **image}),
        ("thread.message.delta", delta("msg_1", "there", 2)),
    )
    assert shown(events) == {"msg_1": "See\n\n[image_file: file-1]\n\nthere"}


@pytest.mark.parametrize(
    ("statuses", "kept"),
    [
        (["queued", "in_progress", "queued", "completed"], ["queued", "in_progress", "completed"]),
        (["completed", "in_progress"], ["completed"]),
        (["in_progress", "cancelling", "in_progress", "cancelled"], ["in_progress", "cancelling", "cancelled"]),
        (["requires_action", "queued", "in_progress"], ["requires_action", "queued", "in_progress"]),
        (["invented", "queued", "failed"], ["invented"]),
    ],
)
def test_a_run_never_goes_back_in_time(statuses: list[str], kept: list[str]) -> None:
    runs = [(f"thread.run.{status}", {**RUN, "status": status}) for status in statuses]
    events = told(RunEvents("thread_1"), *runs)
    assert [event.run.status for event in events if isinstance(event, RunChanged)] == kept


@pytest.mark.parametrize("data", [{"error": {"message": "no"}}, {"message": "no"}])
def test_an_error_event_is_told(data: dict[str, Any]) -> None:
    assert told(RunEvents("thread_1"), ("error", data)) == [ServerError("no")]


names = st.sampled_from(["thread.run.x", "thread.message.x", "thread.message.delta", "thread.run.step.x", "error", ""])
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "status", "content", "delta", "text", "type", "index", "event", "data", "error"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(names, trees)
def test_no_data_breaks_the_reader(name: str, data: Any) -> None:
    told(RunEvents("thread_1"), (name, data))


async def test_tokens_that_trickle_in_are_let_come_together_and_a_flood_is_not_held_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, rests = 0.0, []

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    async def coming(waits: list[float]) -> AsyncIterator[bytes]:
        nonlocal now
        for number, wait in enumerate(waits):
            now += wait
            yield b"%d" % number

    monkeypatch.setattr(streams, "monotonic", lambda: now)
    monkeypatch.setattr(streams.asyncio, "sleep", rest)
    assert [chunk async for chunk in in_gusts(coming([0.2, 0.0, 0.0, 0.1]))] == [b"0", b"1", b"2", b"3"]
    assert rests == [REST, REST]
    assert [chunk async for chunk in in_gusts(coming([0.0] * 50))] == [b"%d" % number for number in range(50)]
    assert rests == [REST, REST]
