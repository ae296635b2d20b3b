"""Two playgrounds on one assistant and one thread: nothing of either is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from playground_tui.cache.state import WaitingMessage
from playground_tui.config import Settings
from playground_tui.engine.providers.rehearsal import RehearsalProvider
from tests.support.engine import RunningEngine
from tests.support.playground import Playground, playground

SLOW = Settings(autosave_delay=60)


@asynccontextmanager
async def on_one_assistant(engine: RunningEngine, model: str = "rehearsal/echo") -> AsyncIterator[Playground]:
    await engine.client().create_assistant({"model": model, "name": "Shared"}, key="shared")
    async with playground(engine, settings=Settings(autosave_delay=60, assistant="Shared")) as p:
        await p.until(lambda: p.screen.editing.assistant_id)
        yield p


def slow(engine: RunningEngine) -> None:
    provider, _ = engine.engine.providers.resolve("rehearsal/markdown")
    assert isinstance(provider, RehearsalProvider)
    provider._pace = 200.0


async def run_elsewhere(engine: RunningEngine, thread_id: str, assistant_id: str) -> None:
    async for _ in engine.client("elsewhere").run(thread_id, assistant_id, key="elsewhere"):
        pass


async def hears_nothing() -> None:
    """In place of reading the thread when it was changed elsewhere: the report of it is late."""


async def test_a_message_sent_into_a_run_begun_elsewhere_waits_for_its_end(engine: RunningEngine) -> None:
    async with on_one_assistant(engine, "rehearsal/markdown") as p:
        await p.write("from here")
        await p.answered("A text to look at")
        slow(engine)
        thread, assistant = p.screen.sending.chatting.thread_id, p.screen.editing.assistant_id
        assert thread and assistant
        p.screen.arrival.read_thread = hears_nothing  # type: ignore[method-assign]
        other = asyncio.ensure_future(run_elsewhere(engine, thread, assistant))
        client = engine.client()

        async def runs_elsewhere() -> bool:
            return await client.active_run(thread) is not None

        while not await runs_elsewhere():
            await asyncio.sleep(0)
        await p.write("mine")
        await p.until(lambda: p.screen.sending.chatting.running)
        assert [item.text for item in p.screen.sending.chatting.outbox.items] == ["mine"]
        assert p.chat.composer.text == ""
        assert str(p.chat.problem.content) == ""
        await other
        await p.until(lambda: p.screen.sending.chatting.outbox.items == () and not p.screen.sending.busy)
        texts = [message.text[:9] for message in await client.list_messages(thread)]
        assert [text for text in texts if text in {"from here", "mine"}] == ["from here", "mine"]
        assert len(texts) == 5


async def test_a_text_handed_back_and_sent_again_is_not_there_twice(engine: RunningEngine) -> None:
    async with on_one_assistant(engine) as p:
        chatting = p.screen.sending.chatting
        keys: list[str] = []
        add = chatting.outbox.add

        def adding(*args: Any, **options: Any) -> WaitingMessage:
            item = add(*args, **options)
            keys.append(item.key)
            return item

        chatting.outbox.add = adding  # type: ignore[method-assign]
        p.form.set_value("name", "")
        await p.write("once")
        await p.until(lambda: p.chat.composer.text == "once")
        p.form.set_value("name", "Shared")
        await p.press("enter")
        await p.until(lambda: len(keys) == 2)
        assert keys[0] == keys[1]
        await p.until(lambda: chatting.outbox.items == () and not p.screen.sending.busy)
        await p.write("once")
        await p.until(lambda: len(keys) == 3)
        assert keys[2] != keys[1]


async def test_edits_of_different_fields_are_joined_and_of_the_same_mine_is_saved(engine: RunningEngine) -> None:
    async with on_one_assistant(engine) as p:
        client, assistant = engine.client("elsewhere"), p.screen.editing.assistant_id
        assert assistant
        p.form.set_value("name", "Mine")
        await p.pilot.pause()
        await client.update_assistant(assistant, {"name": "Theirs", "description": "Theirs too"})
        await p.until(lambda: p.form.draft.text("description") == "Theirs too")
        assert p.form.draft.text("name") == "Mine"
        await p.press("f5")
        await p.until(lambda: p.screen.editing.editor and p.screen.editing.editor.state.kind == "saved")
        saved = (await client.retrieve_assistant(assistant)).raw
        assert (saved["name"], saved["description"]) == ("Mine", "Theirs too")
        editor = p.screen.editing.editor
        assert editor is not None
        assert editor.elsewhere["name"].value == "Theirs"
        editor.take_other("name")
        await p.until(lambda: p.form.draft.text("name") == "Theirs")


async def test_a_message_typed_while_the_thread_is_read_goes_out_after_it(engine: RunningEngine) -> None:
    async with on_one_assistant(engine) as p:
        chatting = p.screen.sending.chatting
        chatting._loads += 1
        await p.write("early")
        assert [item.text for item in chatting.outbox.items] == ["early"]
        chatting._loads -= 1
        await chatting.load()
        await p.answered("early")


def reads_of(p: Playground) -> list[str]:
    """Grows with each time that the open thread is read anew for another reason than a change told of now."""
    reads: list[str] = []
    load = p.screen.sending.chatting.load

    async def loading() -> None:
        reads.append("read")
        await load()

    p.screen.sending.chatting.load = loading  # type: ignore[method-assign]
    p.screen.arrival.read_thread = hears_nothing  # type: ignore[method-assign]
    return reads


async def test_what_is_deleted_elsewhere_while_a_run_is_read_goes_after_it(engine: RunningEngine) -> None:
    async with on_one_assistant(engine, "rehearsal/markdown") as p:
        await p.write("first")
        await p.answered("A text to look at")
        slow(engine)
        thread, first = p.screen.sending.chatting.thread_id, p.chat.messages()[0]
        assert thread
        reads = reads_of(p)
        await p.write("second")
        await p.until(lambda: p.screen.sending.chatting.running)
        with pytest.deprecated_call():
            await engine.client().transport.sdk.beta.threads.messages.delete(first.id, thread_id=thread)
        await p.until(lambda: any(change.action == "deleted" for change in p.screen.sending._heard))
        assert first.id in {message.id for message in p.chat.messages()}
        await p.press("escape")
        await p.until(lambda: first.id not in {message.id for message in p.chat.messages()})
        assert (reads, p.chat.messages()[-2].text) == (["read"], "second")


async def test_a_run_of_ones_own_needs_no_second_look(engine: RunningEngine) -> None:
    async with on_one_assistant(engine) as p:
        await p.write("first")
        await p.answered("first")
        reads = reads_of(p)
        await p.write("second")
        await p.answered("second")
        await p.until(lambda: not p.screen.sending.busy)
        assert (reads, p.screen.sending._heard) == ([], [])
