"""What is sent once arrives once: a message or run whose outcome is unknown is looked up before it is sent again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from playground_tui.assistants import runs
from playground_tui.assistants.client import AssistantsClient
from playground_tui.assistants.errors import AssistantsError, NotReachable, Rejected
from playground_tui.assistants.events import Event, MessageChanged, RunChanged, TextDelta
from tests.support.assistants_server import (
    DONE,
    AssistantsServer,
    abort,
    answered,
    cut_json,
    cut_stream,
    error,
    event,
    hang,
    raw,
)
from tests.support.provider_server import Exchange, Reply
from tests.support.wait import until


async def all_of(events: AsyncIterator[Event]) -> list[Event]:
    return [one async for one in events]


def texts(server: AssistantsServer, thread_id: str) -> list[str]:
    return [message["content"][0]["text"]["value"] for message in server.messages[thread_id]]


def statuses(events: list[Event]) -> list[str]:
    return [one.run.status for one in events if isinstance(one, RunChanged)]


def final_texts(events: list[Event]) -> dict[str, str]:
    return {one.message.id: one.message.text for one in events if isinstance(one, MessageChanged)}


@pytest.mark.parametrize("broken", [abort, cut_json, lambda: raw(200, b"{}{", "application/json")])
async def test_a_message_that_arrived_is_found_and_not_sent_again(
    server: AssistantsServer, client: AssistantsClient, broken: Callable[[], Reply]
) -> None:
    thread = server.add_thread()
    server.now = int(client._outcomes.now())
    server.after("POST", "/messages", broken())
    message = await client.create_message(thread, "hi", key="k")
    assert message.id == server.messages[thread][0]["id"]
    assert texts(server, thread) == ["hi"]


async def test_a_message_that_did_not_arrive_is_sent_again(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    server.instead("POST", "/messages", abort())
    await client.create_message(thread, "hi", key="k")
    assert texts(server, thread) == ["hi"]
    assert len(server.asked("GET", "/messages")) == 1


async def test_an_earlier_message_of_the_same_text_is_another(
    server: AssistantsServer, client: AssistantsClient
) -> None:
    thread = server.add_thread()
    server.now = int(client._outcomes.now())
    server.add_message(thread, "user", "again")
    await client.list_messages(thread)
    server.instead("POST", "/messages", abort())
    await client.create_message(thread, "again", key="k")
    assert texts(server, thread) == ["again", "again"]


async def test_a_message_from_long_ago_is_another(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    server.add_message(thread, "user", "again")
    server.instead("POST", "/messages", abort())
    await client.create_message(thread, "again", key="k")
    assert texts(server, thread) == ["again", "again"]


async def test_an_answered_message_is_another(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    server.now = int(client._outcomes.now())
    server.add_message(thread, "user", "again")
    server.add_message(thread, "assistant", "yes")
    server.instead("POST", "/messages", abort())
    await client.create_message(thread, "again", key="k")
    assert texts(server, thread) == ["again", "yes", "again"]


async def test_sending_again_by_hand_looks_first(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    server.now = int(client._outcomes.now())
    server.after("POST", "/messages", error(502, "bad gateway"))
    with pytest.raises(Rejected):
        await client.create_message(thread, "hi", key="k")
    await client.create_message(thread, "hi", key="k")
    assert texts(server, thread) == ["hi"]


async def test_a_refused_message_is_not_tried_again(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    server.instead("POST", "/messages", error(400, "Can't add messages while a run is active."))
    with pytest.raises(Rejected, match="while a run is active"):
        await client.create_message(thread, "hi", key="k")
    assert len(server.requests) == 1


async def test_a_server_that_stays_away_is_told_in_the_end(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    server.instead("POST", "/messages", *[abort() for _ in range(2)])
    with pytest.raises(NotReachable):
        await client.create_message(thread, "hi", key="k")
    assert len(server.asked("POST", "/messages")) == 2


async def test_an_assistant_that_was_made_is_found_and_not_made_again(
    server: AssistantsServer, client: AssistantsClient
) -> None:
    server.now = int(client._outcomes.now())
    await client.create_assistant({"model": "m", "name": "A"}, key="one")
    server.after("POST", "/assistants", abort())
    made = await client.create_assistant({"model": "m", "name": "A"}, key="two")
    assert list(server.assistants)[1:] == [made.id]


async def test_an_assistant_that_was_not_made_is_made_and_no_other_taken_for_it(
    server: AssistantsServer, client: AssistantsClient
) -> None:
    server.now = int(client._outcomes.now())
    server.assistants["asst_0"] = server._object("asst", model="m", name="B")
    server.instead("POST", "/assistants", abort())
    made = await client.create_assistant({"model": "m", "name": "A"}, key="k")
    assert server.assistants[made.id]["name"] == "A"


async def test_a_message_in_doubt_that_was_seen_meanwhile_is_known_again(
    server: AssistantsServer, client: AssistantsClient
) -> None:
    thread = server.add_thread()
    server.now = int(client._outcomes.now())
    server.after("POST", "/messages", error(502, "bad gateway"))
    with pytest.raises(Rejected):
        await client.create_message(thread, "hi", key="k")
    await client.list_messages(thread)  # the screen shows the thread anew
    await client.create_message(thread, "hi", key="k")
    assert texts(server, thread) == ["hi"]


async def test_a_run_streams(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    events = await all_of(client.run(thread, "asst_1", key="k", overrides={"temperature": 0.5}))
    assert statuses(events) == ["queued", "in_progress", "completed"]
    assert list(final_texts(events).values()) == ["Hello"]
    sent = server.asked("POST", "/runs")[0].json
    assert sent == {"assistant_id": "asst_1", "stream": True, "temperature": 0.5}


@pytest.mark.parametrize("broken", [abort, lambda: cut_stream(b": nothing\n\n"), lambda: cut_stream(DONE)])
async def test_a_run_that_started_is_joined_and_not_started_again(
    server: AssistantsServer, client: AssistantsClient, broken: Callable[[], Reply]
) -> None:
    thread = server.add_thread()
    server.now = int(client._outcomes.now())
    server.after("POST", "/runs", broken())
    server.add_run(thread, "asst_1", "completed")
    await client.list_runs(thread)
    server.events = lambda run: list(server.hello(run))
    events = await all_of(client.run(thread, "asst_1", key="k"))
    assert statuses(events)[-1] == "completed"
    assert final_texts(events) == {server.messages[thread][0]["id"]: "Hello"}
    assert len(server.asked("POST", "/runs")) == 1


async def test_a_run_that_did_not_start_is_started_again(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    server.instead("POST", "/runs", abort())
    events = await all_of(client.run(thread, "asst_1", key="k"))
    assert statuses(events)[-1] == "completed"
    assert len(server.runs[thread]) == 1


async def test_a_stream_that_tells_nothing_of_no_run_is_a_failure(
    server: AssistantsServer, client: AssistantsClient
) -> None:
    thread = server.add_thread()
    server.instead("POST", "/runs", cut_stream(b": nothing\n\n"))
    with pytest.raises(NotReachable):
        await all_of(client.run(thread, "asst_1", key="k"))


async def test_a_stream_that_breaks_within_the_text_is_told(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    server.events = lambda run: list(server.hello(run))[:5]
    events: list[Event] = []
    with pytest.raises(NotReachable, match="ended the stream before"):
        async for one in client.run(thread, "asst_1", key="k"):
            events.append(one)
    assert [one.text for one in events if isinstance(one, TextDelta)] == ["Hel", "lo"]


async def test_a_server_that_answers_with_the_run_is_asked_until_it_ends(
    server: AssistantsServer, client: AssistantsClient
) -> None:
    thread = server.add_thread()
    run = server.add_run(thread, "asst_1")
    server.instead("POST", "/runs", answered(run))
    server.add_message(thread, "assistant", "Hello", run_id=run["id"])
    run["status"] = "completed"
    events = await all_of(client.run(thread, "asst_1", key="k"))
    assert statuses(events) == ["queued", "completed"]
    assert list(final_texts(events).values()) == ["Hello"]


async def test_a_web_page_in_place_of_a_stream_is_said(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    server.instead("POST", "/runs", raw(200, b"<html>"))
    with pytest.raises(AssistantsError, match="web page"):
        await all_of(client.run(thread, "asst_1", key="k"))


def waiting(server: AssistantsServer, thread: str) -> str:
    run = server.add_run(thread, "asst_1", "requires_action")
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    run["required_action"] = {"submit_tool_outputs": {"tool_calls": [call]}}
    return str(run["id"])


async def test_outputs_are_given_and_the_run_goes_on(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    run_id = waiting(server, thread)
    events = await all_of(client.submit_outputs(thread, run_id, {"call_1": "42"}))
    assert statuses(events)[-1] == "completed"
    assert server.asked("POST", "/submit_tool_outputs")[0].json == {
        "stream": True,
        "tool_outputs": [{"tool_call_id": "call_1", "output": "42"}],
    }


@pytest.mark.parametrize("arrived", [True, False])
async def test_outputs_in_doubt_are_given_once(
    server: AssistantsServer, client: AssistantsClient, arrived: bool
) -> None:
    thread = server.add_thread()
    run_id = waiting(server, thread)

    def go_on(run: dict[str, object]) -> list[bytes]:
        run["required_action"] = None
        return [event("thread.run.queued", run), *server.hello(run)]

    server.events = go_on
    (server.after if arrived else server.instead)("POST", "/submit_tool_outputs", abort())
    events = await all_of(client.submit_outputs(thread, run_id, {"call_1": "42"}))
    assert statuses(events)[-1] == "completed"
    assert len(server.asked("POST", "/submit_tool_outputs")) == (1 if arrived else 2)


@pytest.mark.parametrize("beats", [True, False], ids=["kept alive", "silent"])
async def test_a_stream_that_says_nothing_is_left_once_the_run_has_ended(
    server: AssistantsServer, client: AssistantsClient, monkeypatch: pytest.MonkeyPatch, beats: bool
) -> None:
    monkeypatch.setattr(runs, "LOOK", 0.3)  # longer than the first event may take

    async def begun(exchange: Exchange) -> None:
        await exchange.head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        await exchange.chunk(next(iter(server.hello(server.runs[thread][-1]))))
        server.runs[thread][-1]["status"] = "completed"
        while beats:
            await exchange.chunk(b": beat\n\n")
            await asyncio.sleep(0.005)
        await asyncio.Event().wait()

    thread = server.add_thread()
    server.add_run(thread, "asst_1")
    server.instead("POST", "/runs", begun)
    with pytest.raises(NotReachable, match="says nothing in the stream"):
        await all_of(client.run(thread, "asst_1", key="k"))


async def test_a_stream_that_told_of_no_run_is_in_doubt(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    server.now = int(client._outcomes.now())
    server.events = lambda run: list(server.hello(run))
    server.after("POST", "/runs", raw(200, b"<html>"))
    server.instead("GET", "/runs", *[error(503)] * 3)
    with pytest.raises(AssistantsError):
        await all_of(client.run(thread, "asst_1", key="k"))
    events = await all_of(client.run(thread, "asst_1", key="k"))
    assert statuses(events)[-1] == "completed"
    assert len(server.runs[thread]) == 1


async def test_a_message_whose_sending_was_left_is_in_doubt(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    server.now = int(client._outcomes.now())
    server.after("POST", "/messages", hang())
    sending = asyncio.ensure_future(client.create_message(thread, "hi", key="k"))
    await until(lambda: server.messages[thread])
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    await client.create_message(thread, "hi", key="k")
    assert texts(server, thread) == ["hi"]
