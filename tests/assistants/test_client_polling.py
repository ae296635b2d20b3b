"""What a server other than the engine offers, and what it does not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from playground_tui.assistants.client import LARGEST_PAGE, AssistantsClient
from playground_tui.assistants.errors import NotSupported
from tests.support.assistants_server import AssistantsServer, answered


async def test_all_assistants_come_newest_first_across_pages(
    server: AssistantsServer, client: AssistantsClient
) -> None:
    ids = [f"asst_{number}" for number in range(2 * LARGEST_PAGE + 1)]
    server.assistants = {one: {"id": one, "model": "m"} for one in ids}
    assert [assistant.id for assistant in await client.list_assistants()] == ids[::-1]
    assert len(server.requests) == 3


async def test_a_server_that_repeats_its_page_does_not_hold_us(
    server: AssistantsServer, client: AssistantsClient
) -> None:
    page = answered({"data": [{"id": "asst_1"}], "has_more": True})
    server.instead("GET", "/assistants", page, page, page)
    assert [assistant.id for assistant in await client.list_assistants()] == ["asst_1"]
    assert len(server.requests) == 2


async def test_an_assistant_lives(server: AssistantsServer, client: AssistantsClient) -> None:
    tools = [{"type": "web_search", "depth": {"new": True}}]
    made = await client.create_assistant({"model": "m", "name": "A", "tools": tools, "unheard_of": 1}, key="k")
    assert server.requests[-1].json == {"model": "m", "name": "A", "tools": tools, "unheard_of": 1}
    changed = await client.update_assistant(made.id, {"description": None})
    assert server.requests[-1].json == {"description": None}
    assert await client.retrieve_assistant(made.id) == changed
    await client.delete_assistant(made.id)
    assert server.assistants == {}


async def test_messages_are_read_backwards_page_by_page(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    for number in range(5):
        server.add_message(thread, "user", str(number))
    newest = await client.list_messages(thread, limit=2)
    older = await client.list_messages(thread, before_id=newest[0].id, limit=10)
    assert [message.text for message in older + newest] == ["0", "1", "2", "3", "4"]


async def test_the_active_run_is_found(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = server.add_thread()
    server.add_run(thread, "asst_1", "completed")
    assert await client.active_run(thread) is None
    active = server.add_run(thread, "asst_1", "requires_action")
    assert (await client.active_run(thread) or pytest.fail("none")).id == active["id"]


async def test_a_thread_is_made_read_and_deleted(server: AssistantsServer, client: AssistantsClient) -> None:
    thread = await client.create_thread(key="k")
    assert (await client.retrieve_thread(thread))["id"] == thread
    await client.delete_thread(thread)
    assert server.threads == {}


async def test_models_are_listed_sorted_and_once(server: AssistantsServer, client: AssistantsClient) -> None:
    server.models = ["b", "a", "b"]
    assert await client.list_models() == ["a", "b"]


EXTENSIONS: dict[str, Callable[[AssistantsClient], Awaitable[object]]] = {
    "threads": lambda client: client.list_threads(),
    "deleted threads": lambda client: client.deleted_threads(),
    "restore thread": lambda client: client.restore_thread("thread_1"),
    "status": lambda client: client.engine_status(),
    "settings": lambda client: client.engine_settings({}),
}


@pytest.mark.parametrize("name", EXTENSIONS)
async def test_what_only_the_engine_has_is_said_and_not_asked(
    server: AssistantsServer, client: AssistantsClient, name: str
) -> None:
    with pytest.raises(NotSupported, match="is not the engine"):
        await EXTENSIONS[name](client)
    assert server.requests == []


async def test_no_changes_are_told(server: AssistantsServer, client: AssistantsClient) -> None:
    assert [change async for change in client.changes()] == []
    assert server.requests == []


async def test_the_server_is_named_for_people(server: AssistantsServer, client: AssistantsClient) -> None:
    assert client.where == f"127.0.0.1:{server.port}"
    assert not client.is_engine
