"""A conversation with a server whose runs cannot be joined: across breaks, each text shows once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from playground_tui.assistants import conversation as module
from playground_tui.assistants.client import AssistantsClient
from playground_tui.assistants.conversation import Conversation
from playground_tui.assistants.errors import AssistantsError, NotFound, NotReachable, Rejected, SwitchedOff, ThreadGone
from playground_tui.assistants.events import (
    Event,
    MessageAccepted,
    MessageChanged,
    Reconnected,
    Reconnecting,
    RunChanged,
    StepChanged,
    TextDelta,
    ThreadCreated,
)
from playground_tui.assistants.objects import Run
from tests.support.assistants_server import AssistantsServer, abort, delta, error, event
from tests.support.wait import until


class Screen:
    """What a reader sees of the events so far."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.texts: dict[str, str] = {}

    async def watch(self, events: AsyncIterator[Event]) -> Screen:
        async for one in events:
            self.events.append(one)
            if isinstance(one, MessageChanged | MessageAccepted):
                self.texts[one.message.id] = one.message.text
            elif isinstance(one, TextDelta):
                self.texts[one.message_id] += one.text
        return self

    def of(self, kind: type[Any]) -> list[Any]:
        return [one for one in self.events if isinstance(one, kind)]

    @property
    def statuses(self) -> list[str]:
        return [one.run.status for one in self.of(RunChanged)]


def thread_texts(server: AssistantsServer, thread_id: str | None) -> dict[str, str]:
    messages = server.messages[thread_id or ""]
    return {m["id"]: "".join(part["text"]["value"] for part in m["content"]) for m in messages}


def halves(server: AssistantsServer) -> None:
    """Runs whose stream breaks within the text, and which go on at the server by themselves."""

    def events(run: dict[str, Any]) -> Iterable[bytes]:
        return list(server.hello(run))[:4]  # made to the end, told to the first delta

    server.events = events


async def test_the_first_message_makes_the_thread_and_is_answered(
    server: AssistantsServer, client: AssistantsClient
) -> None:
    conversation = Conversation(client)
    screen = await Screen().watch(conversation.send("hi", "asst_1", key="k"))
    assert [type(one) for one in screen.events[:3]] == [ThreadCreated, MessageAccepted, RunChanged]
    assert screen.texts == thread_texts(server, conversation.thread_id)
    assert list(screen.texts.values()) == ["hi", "Hello"]
    assert conversation.run is not None and conversation.run.status == "completed"


async def test_the_second_message_goes_to_the_same_thread(server: AssistantsServer, client: AssistantsClient) -> None:
    conversation = Conversation(client)
    for key in ("one", "two"):
        screen = await Screen().watch(conversation.send("hi", "asst_1", key=key))
    assert screen.of(ThreadCreated) == []
    assert len(server.threads) == 1


async def test_a_stream_that_breaks_is_followed_up(server: AssistantsServer, client: AssistantsClient) -> None:
    halves(server)
    conversation = Conversation(client)
    screen = await Screen().watch(conversation.send("hi", "asst_1", key="k"))
    assert screen.statuses[-1] == "completed"
    assert screen.texts == thread_texts(server, conversation.thread_id)
    assert [one.attempt for one in screen.of(Reconnecting)] == [1]
    assert len(screen.of(Reconnected)) == 1


async def test_a_run_is_asked_for_until_it_ends_however_often_the_server_fails(
    server: AssistantsServer, client: AssistantsClient
) -> None:
    halves(server)
    server.instead("GET", "/runs/run_3", *[error(503)] * 9)
    screen = await Screen().watch(Conversation(client).send("hi", "asst_1", key="k"))
    assert [one.attempt for one in screen.of(Reconnecting)] == [1, 2, 3, 4]
    delays = [one.delay for one in screen.of(Reconnecting)]
    assert delays == sorted(delays) and delays[-1] == module.LONGEST_DELAY
    assert screen.statuses[-1] == "completed"


async def test_the_delay_a_server_asks_for_is_kept(server: AssistantsServer, client: AssistantsClient) -> None:
    halves(server)
    server.instead("GET", "/runs/run_3", error(429, "busy", headers={"retry-after": "3600"}))
    conversation = Conversation(client)
    screen = Screen()
    watching = asyncio.ensure_future(screen.watch(conversation.send("hi", "asst_1", key="k")))
    await until(lambda: len(screen.of(Reconnecting)) == 2)
    assert screen.of(Reconnecting)[-1].delay == 3600.0
    conversation.stop_waiting()
    with pytest.raises(Rejected, match="slow down"):
        await watching


async def test_waiting_can_be_stopped_and_taken_up_again(
    server: AssistantsServer, client: AssistantsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_DELAY", 1000.0)
    monkeypatch.setattr(module, "LONGEST_DELAY", 1000.0)
    halves(server)
    conversation = Conversation(client)
    screen = Screen()
    watching = asyncio.ensure_future(screen.watch(conversation.send("hi", "asst_1", key="k")))
    await until(lambda: screen.of(Reconnecting))
    conversation.stop_waiting()
    with pytest.raises(NotReachable):
        await watching
    run = conversation.run
    assert run is not None and run.active
    await screen.watch(conversation.follow(run))
    assert screen.texts == thread_texts(server, conversation.thread_id)


async def test_a_run_that_goes_on_is_polled_with_its_text_and_steps(
    server: AssistantsServer, client: AssistantsClient
) -> None:
    thread = server.add_thread()
    run = server.add_run(thread, "asst_1", "in_progress")
    message = server.add_message(thread, "assistant", "Hel", run_id=run["id"])
    message["status"] = "in_progress"
    server.add_message(thread, "assistant", "another run's", run_id="run_0")
    server.steps.append({"id": "step_1", "run_id": run["id"], "type": "message_creation", "status": "in_progress"})
    conversation = Conversation(client, thread)
    screen = Screen()
    watching = asyncio.ensure_future(screen.watch(conversation.follow(Run.from_json(run))))
    await until(lambda: screen.texts == {message["id"]: "Hel"})
    message["content"][0]["text"]["value"] = "Hello"
    message["status"] = run["status"] = "completed"
    await watching
    assert screen.texts == {message["id"]: "Hello"}
    assert screen.statuses == ["in_progress", "completed"]
    assert len(screen.of(StepChanged)) == 1
    assert isinstance(screen.events[-1], RunChanged)


async def test_the_thread_is_run_again_without_a_message(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    server.add_message(thread, "user", "hi")
    screen = await Screen().watch(Conversation(client, thread).run_again("asst_1", key="k"))
    assert screen.statuses[-1] == "completed"
    assert server.asked("POST", "/messages") == []


async def test_a_message_that_was_refused_starts_nothing(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    server.instead("POST", "/messages", error(400, "too long"))
    screen = Screen()
    with pytest.raises(Rejected, match="too long"):
        await screen.watch(Conversation(client, thread).send("hi", "asst_1", key="k"))
    assert screen.events == []
    assert server.asked("POST", "/runs") == []


async def test_a_run_that_was_refused_left_the_message_accepted(
    server: AssistantsServer, client: AssistantsClient
) -> None:
    server.instead("POST", "/runs", error(400, "no such model"))
    screen = Screen()
    with pytest.raises(Rejected, match="no such model"):
        await screen.watch(Conversation(client).send("hi", "asst_1", key="k"))
    assert len(screen.of(MessageAccepted)) == 1


@pytest.mark.parametrize("way", ["send", "run_again", "follow"])
async def test_a_thread_the_server_lost_is_said_to_be_gone(client: AssistantsClient, way: str) -> None:
    conversation = Conversation(client, "thread_9")
    events = {
        "send": lambda: conversation.send("hi", "asst_1", key="k"),
        "run_again": lambda: conversation.run_again("asst_1", key="k"),
        "follow": lambda: conversation.follow(Run("run_1", thread_id="thread_9")),
    }[way]()
    with pytest.raises(ThreadGone, match="no longer knows the thread thread_9"):
        await Screen().watch(events)


async def test_a_lost_assistant_is_not_a_lost_thread(server: AssistantsServer, client: AssistantsClient) -> None:
    server.instead("POST", "/runs", error(404, "No assistant found with id 'asst_9'."))
    with pytest.raises(NotFound, match="No assistant found") as caught:
        await Screen().watch(Conversation(client).send("hi", "asst_9", key="k"))
    assert not isinstance(caught.value, ThreadGone)


async def test_a_404_that_cannot_be_explained_stays_as_it_is(
    server: AssistantsServer, client: AssistantsClient
) -> None:
    thread = server.add_thread()
    server.instead("POST", "/messages", error(404, "No such thing."))
    server.instead("GET", thread, error(401, "who are you"))
    with pytest.raises(NotFound, match="No such thing"):
        await Screen().watch(Conversation(client, thread).send("hi", "asst_1", key="k"))


async def test_a_service_that_was_switched_off_is_not_a_lost_thread(
    server: AssistantsServer, client: AssistantsClient
) -> None:
    client.transport.where = "api.openai.com"
    with pytest.raises(SwitchedOff):
        await Screen().watch(Conversation(client, "thread_9").send("hi", "asst_1", key="k"))
    assert server.asked("GET", "/thread_9") == []


def asks(server: AssistantsServer) -> None:
    """Runs that await the output of a function, and say it then."""

    def events(run: dict[str, Any]) -> Iterable[bytes]:
        if run["status"] == "queued":
            call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            run |= {
                "status": "requires_action",
                "required_action": {"submit_tool_outputs": {"tool_calls": [call]}},
            }
            return [event("thread.run.requires_action", run)]
        run |= {"status": "queued", "required_action": None}
        return [event("thread.run.queued", run), *server.hello(run)]

    server.events = events


async def test_a_function_is_asked_for_and_its_output_answered(
    server: AssistantsServer, client: AssistantsClient
) -> None:
    asks(server)
    conversation = Conversation(client)
    screen = await Screen().watch(conversation.send("hi", "asst_1", key="k"))
    assert screen.statuses == ["requires_action"]
    assert conversation.run is not None
    assert [call.name for call in conversation.run.waiting_for] == ["f"]
    await screen.watch(conversation.submit({"call_1": "42"}))
    assert screen.statuses[-1] == "completed"


async def test_outputs_that_did_not_leave_are_still_awaited(server: AssistantsServer, client: AssistantsClient) -> None:
    asks(server)
    conversation = Conversation(client)
    await Screen().watch(conversation.send("hi", "asst_1", key="k"))
    server.instead("POST", "/submit_tool_outputs", error(400, "not now"))
    with pytest.raises(Rejected, match="not now"):
        await Screen().watch(conversation.submit({"call_1": "42"}))
    assert conversation.run is not None and conversation.run.status == "requires_action"


async def test_outputs_need_a_run(client: AssistantsClient) -> None:
    with pytest.raises(AssistantsError, match="no run"):
        await Screen().watch(Conversation(client).submit({}))


async def test_a_run_is_cancelled(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    conversation = Conversation(client, thread)
    conversation.run = Run.from_json(server.add_run(thread, "asst_1", "in_progress"))
    run = await conversation.cancel()
    assert run is not None and run.status == "cancelling"
    assert conversation.run == run
    assert (await conversation.cancel()) == run


async def test_cancelling_what_had_ended_gives_its_end(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    conversation = Conversation(client, thread)
    raw = server.add_run(thread, "asst_1", "in_progress")
    conversation.run = Run.from_json(raw)
    raw["status"] = "completed"
    run = await conversation.cancel()
    assert run is not None and run.status == "completed"


async def test_a_cancel_refused_for_another_reason_is_told(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    conversation = Conversation(client, thread)
    conversation.run = Run.from_json(server.add_run(thread, "asst_1", "in_progress"))
    server.instead("POST", "/cancel", error(403, "not yours"))
    with pytest.raises(Rejected, match="not yours"):
        await conversation.cancel()


async def test_a_cancel_before_the_run_is_there_reaches_it(server: AssistantsServer, client: AssistantsClient) -> None:
    def events(run: dict[str, Any]) -> Iterable[bytes]:
        run["status"] = "in_progress"
        yield event("thread.run.in_progress", run)

    server.events = events
    conversation = Conversation(client)
    sending = conversation.send("hi", "asst_1", key="k")
    assert isinstance(await anext(sending), ThreadCreated)
    assert await conversation.cancel() is None
    screen = Screen()
    watching = asyncio.ensure_future(screen.watch(sending))
    await until(lambda: server.asked("POST", "/cancel"))
    await until(lambda: "cancelling" in screen.statuses)
    server.runs[conversation.thread_id or ""][0]["status"] = "cancelled"
    await watching
    assert screen.statuses[-1] == "cancelled"


async def test_text_told_twice_and_out_of_order_equals_the_thread(
    server: AssistantsServer, client: AssistantsClient
) -> None:
    def events(run: dict[str, Any]) -> Iterable[bytes]:
        blocks = list(server.hello(run))
        stray = event("thread.message.delta", delta(server.messages[run["thread_id"]][-1]["id"], "Hel"))
        return [stray, *blocks[:4], blocks[3], event("thread.new", {}), b"data: {ha\n\n", *blocks[4:-1], *blocks[-2:]]

    server.events = events
    conversation = Conversation(client)
    screen = await Screen().watch(conversation.send("hi", "asst_1", key="k"))
    assert screen.texts == thread_texts(server, conversation.thread_id)


async def test_a_message_and_a_run_in_doubt_are_sent_once(server: AssistantsServer, client: AssistantsClient) -> None:
    server.now = int(client._outcomes.now())
    server.after("POST", "/messages", abort())
    server.after("POST", "/runs", abort())
    server.events = lambda run: list(server.hello(run))
    conversation = Conversation(client)
    screen = await Screen().watch(conversation.send("hi", "asst_1", key="k"))
    assert list(screen.texts.values()) == ["hi", "Hello"]
    assert len(server.runs[conversation.thread_id or ""]) == 1
