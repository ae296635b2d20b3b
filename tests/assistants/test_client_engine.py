"""The client and the conversation with a real engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from playground_tui.assistants.client import AssistantsClient
from playground_tui.assistants.conversation import Conversation
from playground_tui.assistants.engine_objects import Change
from playground_tui.assistants.errors import NotFound, NotReachable, Rejected, ThreadGone
from playground_tui.assistants.events import Reconnected, Reconnecting
from playground_tui.assistants.objects import Run
from tests.assistants.test_conversation import Screen
from tests.support.engine import NO_PROVIDERS, RunningEngine
from tests.support.wait import until

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture
def client(engine: RunningEngine, at_once: None) -> AssistantsClient:
    return engine.client("a terminal")


async def assistant(client: AssistantsClient, model: str = "rehearsal/markdown", **fields: Any) -> str:
    return (await client.create_assistant({"model": model, "name": "A", **fields}, key=model)).id


async def on_the_server(client: AssistantsClient, thread_id: str | None) -> dict[str, str]:
    return {message.id: message.text for message in await client.list_messages(thread_id or "", limit=100)}


async def test_the_engine_takes_settings_and_says_what_it_is(client: AssistantsClient) -> None:
    status = await client.engine_settings(NO_PROVIDERS)
    assert status.default_model == "rehearsal/echo"
    assert "rehearsal" in status.sentence
    again = await client.engine_status()
    assert (again.sentence, again.default_model, again.providers) == (
        status.sentence,
        status.default_model,
        status.providers,
    )
    assert (client.where, client.server_key, client.is_engine) == ("engine", "engine", True)
    assert "rehearsal/echo" in await client.list_models()


async def test_an_assistant_is_made_once_changed_deleted_and_brought_back(client: AssistantsClient) -> None:
    fields = {"model": "rehearsal/echo", "name": "A"}
    made = await client.create_assistant(fields, key="same")
    assert await client.create_assistant(fields, key="same") == made
    changed = await client.update_assistant(made.id, {"name": "B", "temperature": 0.5})
    assert [one.raw for one in await client.list_assistants()] == [changed.raw]
    await client.delete_assistant(made.id)
    with pytest.raises(NotFound):
        await client.retrieve_assistant(made.id)
    assert (await client.versions.bring_back(made.id)).assistant.name == "B"


async def test_what_the_engine_refuses_is_told_with_its_field(client: AssistantsClient) -> None:
    with pytest.raises(Rejected) as caught:
        await client.create_assistant({"model": "rehearsal/echo", "temperature": 9}, key="k")
    assert (caught.value.status, caught.value.param) == (400, "temperature")


async def test_a_message_is_answered_and_the_screen_equals_the_thread(client: AssistantsClient) -> None:
    conversation = Conversation(client)
    screen = await Screen().watch(conversation.send("hi", await assistant(client), key="k"))
    assert screen.texts == await on_the_server(client, conversation.thread_id)
    assert screen.statuses == ["queued", "in_progress", "completed"]
    assert conversation.run is not None and conversation.run.usage is not None


async def test_a_run_that_ended_can_be_followed_again(client: AssistantsClient) -> None:
    conversation = Conversation(client)
    asst = await assistant(client)
    await Screen().watch(conversation.send("hi", asst, key="k"))
    run = conversation.run
    assert run is not None
    screen = await Screen().watch(conversation.follow(run))
    stored = await client.messages_of_run(run.thread_id, run.id)
    assert screen.texts == {message.id: message.text for message in stored}
    assert screen.statuses[-1] == "completed"
    assert [one.id for one in await client.list_runs(run.thread_id)] == [run.id]
    assert [step.type for step in await client.list_steps(run.thread_id, run.id)] == ["message_creation"]


class Breaking:
    """A client whose streams break after some events."""

    def __init__(self, client: AssistantsClient, after: list[int]):
        self._client = client
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def run(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        return self._broken(self._client.run(*args, **kwargs))

    def follow(self, *args: Any) -> AsyncIterator[Any]:
        return self._broken(self._client.follow(*args))

    async def _broken(self, events: Any) -> AsyncIterator[Any]:
        left = self._after.pop(0) if self._after else 1_000_000
        async for one in events:
            if left == 0:
                await events.aclose()
                raise NotReachable("cut")
            left -= 1
            yield one


@pytest.mark.parametrize("after", [[1], [4, 3], [6, 7, 8], [40, 0, 0, 2]])
async def test_however_a_stream_breaks_each_text_shows_once(client: AssistantsClient, after: list[int]) -> None:
    asst = await assistant(client)
    conversation = Conversation(Breaking(client, list(after)))
    screen = await Screen().watch(conversation.send("hi", asst, key="k"))
    assert screen.texts == await on_the_server(client, conversation.thread_id)
    assert screen.statuses[-1] == "completed"
    assert len(screen.of(Reconnecting)) == len(after)
    assert screen.of(Reconnected)


async def test_a_function_is_answered(client: AssistantsClient) -> None:
    asst = await assistant(client, "rehearsal/tools", tools=[TOOL])
    conversation = Conversation(client)
    screen = await Screen().watch(conversation.send("hi", asst, key="k"))
    assert screen.statuses[-1] == "requires_action"
    assert conversation.run is not None
    outputs = {call.id: "sunny" for call in conversation.run.waiting_for}
    await screen.watch(conversation.submit(outputs))
    assert screen.statuses[-1] == "completed"
    assert "sunny" in list(screen.texts.values())[-1]
    with pytest.raises(Rejected, match="do not accept"):
        await Screen().watch(conversation.submit(outputs))


async def test_a_waiting_run_is_found_and_cancelled(client: AssistantsClient) -> None:
    asst = await assistant(client, "rehearsal/tools", tools=[TOOL])
    conversation = Conversation(client)
    await Screen().watch(conversation.send("hi", asst, key="k"))
    thread = conversation.thread_id or ""
    assert (await client.active_run(thread) or pytest.fail("none")).status == "requires_action"
    await conversation.cancel()
    assert conversation.run is not None
    screen = await Screen().watch(conversation.follow(conversation.run))
    assert screen.statuses[-1] == "cancelled"
    assert await client.active_run(thread) is None
    ended = await conversation.cancel()
    assert ended is not None and ended.status == "cancelled"


async def test_a_run_is_started_once_though_sent_twice(client: AssistantsClient) -> None:
    asst = await assistant(client)
    conversation = Conversation(client)
    await Screen().watch(conversation.send("hi", asst, key="k"))
    await Screen().watch(conversation.send("hi", asst, key="k"))
    thread = conversation.thread_id or ""
    assert len(await client.list_runs(thread)) == 1
    assert [message.role for message in await client.list_messages(thread)] == ["user", "assistant"]


async def test_a_deleted_thread_is_gone_and_comes_back(client: AssistantsClient) -> None:
    asst = await assistant(client)
    conversation = Conversation(client)
    await Screen().watch(conversation.send("hi", asst, key="k"))
    thread = conversation.thread_id or ""
    assert [one.first_message for one in await client.list_threads(asst)] == ["hi"]
    await client.delete_thread(thread)
    with pytest.raises(ThreadGone):
        await Screen().watch(conversation.send("more", asst, key="l"))
    await client.restore_thread(thread)
    assert len(await client.list_threads(q="hi")) == 1


async def test_changes_begin_with_a_reset_and_end_with_the_connection(
    engine: RunningEngine, client: AssistantsClient
) -> None:
    heard: list[Change] = []

    async def listen() -> None:
        async for change in client.changes():
            heard.append(change)

    listening = asyncio.ensure_future(listen())
    await until(lambda: heard)
    assert heard[0].kind == "reset"
    first = await assistant(client)
    await until(lambda: len(heard) > 1)
    assert (heard[1].kind, heard[1].id, heard[1].action) == ("assistant", first, "created")
    assert heard[1].sequence > heard[0].sequence
    await engine.server.close()
    with pytest.raises(NotReachable):
        await listening


async def test_an_engine_that_is_gone_is_said(engine: RunningEngine, client: AssistantsClient) -> None:
    await client.list_assistants()
    await engine.server.close()
    with pytest.raises(NotReachable, match="The engine is not running") as caught:
        await client.list_assistants()
    assert not caught.value.sent


async def test_a_client_that_was_closed_says_so(client: AssistantsClient) -> None:
    await client.close()
    with pytest.raises(NotReachable, match="was closed"):
        await client.list_assistants()


async def test_a_label_is_made_fit_for_a_header(engine: RunningEngine, at_once: None) -> None:
    client = engine.client("hôst\r\nX-Evil: 1", provider="rehearsal")
    assert await client.list_assistants() == []


async def test_a_run_unknown_to_the_engine_is_not_found(client: AssistantsClient) -> None:
    conversation = Conversation(client)
    await Screen().watch(conversation.send("hi", await assistant(client), key="k"))
    with pytest.raises(NotFound):
        await Screen().watch(conversation.follow(Run("run_9", thread_id=conversation.thread_id or "")))


async def test_the_engine_over_tcp_is_a_server_as_any_other(engine: RunningEngine, at_once: None) -> None:
    address = await engine.tcp()
    client = AssistantsClient.for_server(address.base_url, address.key, label="test")
    asst = await assistant(client)
    conversation = Conversation(Breaking(client, [8, 2]))
    screen = await Screen().watch(conversation.send("hi", asst, key="k"))
    assert screen.texts == await on_the_server(client, conversation.thread_id)
    assert screen.statuses[-1] == "completed"
    await client.close()


async def test_the_engine_over_tcp_wants_its_key(engine: RunningEngine, at_once: None) -> None:
    address = await engine.tcp()
    client = AssistantsClient.for_server(address.base_url, None, label="test")
    with pytest.raises(Rejected, match="did not accept the key"):
        await client.list_assistants()
    await client.close()
