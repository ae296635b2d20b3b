"""Closed by any means and opened again, the same screen is back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from playground_tui.assistants.client import AssistantsClient
from playground_tui.config import Settings
from tests.support.engine import RunningEngine
from tests.support.playground import Playground, playground

SLOW = Settings(autosave_delay=60)
LOOKUP = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


async def test_an_unsaved_edit_comes_back_marked_unsaved(engine: RunningEngine) -> None:
    client = engine.client()
    made = await client.create_assistant({"model": "rehearsal/echo", "name": "A"}, key="k")
    async with playground(engine, settings=SLOW) as p:
        await p.screen.picking.open_assistant(made.id)
        p.form.set_value("instructions", "half a sen")
        await p.write("")
        p.chat.composer.load("and half a message")
        await p.pilot.pause()
        p.app.keep_now()
    async with playground(engine, settings=SLOW) as p:
        assert p.screen.editing.assistant_id == made.id
        assert p.form.draft.text("instructions") == "half a sen"
        editor = p.screen.editing.editor
        assert editor is not None and editor.state.kind == "unsaved"
        assert p.chat.composer.text == "and half a message"
    assert (await client.retrieve_assistant(made.id)).raw["instructions"] is None


async def test_a_half_typed_output_of_a_function_comes_back(engine: RunningEngine) -> None:
    client = engine.client()
    made = await client.create_assistant({"model": "rehearsal/tools", "name": "A", "tools": [LOOKUP]}, key="k")
    async with playground(engine) as p:
        await p.screen.picking.open_assistant(made.id)
        await p.write("hello")
        await p.until(lambda: p.chat.outputs.display and not p.screen.sending.busy)
        await p.press("shift+tab", *"rai")
        p.app.keep_now()
    async with playground(engine) as p:
        await p.until(lambda: p.chat.outputs.display)
        assert p.chat.outputs.area.text == "rai"
        await p.until(lambda: not p.screen.sending.busy)
        await p.press("shift+tab", "n", "enter")
        await p.answered("rain")
    assert not any('"outputs":{"' in file.read_text() for file in engine.paths.cache.glob("*composer*"))


async def test_a_creation_that_was_cut_off_is_repeated_and_what_was_typed_since_is_saved(engine: RunningEngine) -> None:
    client = engine.client()
    async with playground(engine, settings=SLOW) as p:
        await p.press("ctrl+f", *"Draft")
        await p.pilot.pause()
        creating = p.screen.editing._creating
        creating.asked = {"key": p.screen.editing.key, "fields": p.form.draft.changes()}
        p.screen.editing.edited(p.form.draft)
        p.app.keep_now()
        await client.create_assistant(creating.asked["fields"], key=creating.asked["key"])  # the answer never came
    async with playground(engine) as p:
        await p.press("ctrl+f", "end", *" more", "f5")
        await p.until(lambda: p.screen.editing.assistant_id is not None)
        await p.until(lambda: p.screen.editing.editor.state.kind == "saved")
    assert [assistant.name for assistant in await client.list_assistants()] == ["Draft more"]


async def test_what_is_asked_again_for_one_that_was_deleted_is_on_disk(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_answer(*_args: object, **_more: object) -> None:
        await asyncio.Event().wait()

    async with playground(engine, settings=SLOW) as p:
        await p.press("ctrl+f", *"Draft", "f5")
        await p.until(lambda: p.screen.editing.assistant_id is not None)
        await engine.client().delete_assistant(p.screen.editing.assistant_id or "")
        await p.until(lambda: p.screen.editing.editor.state.kind == "deleted")
        monkeypatch.setattr(AssistantsClient, "create_assistant", no_answer)
        await p.press("f5")
        drafts = engine.paths.cache.glob
        await p.until(lambda: any('"creating":{"key"' in file.read_text() for file in drafts("*--draft-asst*")))


async def test_the_draft_of_an_assistant_not_created_yet_comes_back(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        await p.press("ctrl+f", *"Draft")
        await p.pilot.pause()
    async with playground(engine) as p:
        assert p.form.draft.text("name") == "Draft"
        assert p.screen.editing.assistant_id is None


async def test_the_cache_shows_before_any_server_has_answered(engine: RunningEngine) -> None:
    made = await engine.client().create_assistant({"model": "rehearsal/echo", "name": "Shown at once"}, key="k")
    async with playground(engine) as p:
        await p.screen.picking.open_assistant(made.id)
        await p.write("hello")
        await p.answered("hello")
        thread = p.screen.sending.chatting.thread_id
    async with playground(engine, connect=False) as p:
        assert p.form.draft.text("name") == "Shown at once"
        assert p.screen.sending.chatting.thread_id == thread
        await p.until(lambda: [m.text for m in p.chat.messages()][:1] == ["hello"])
        assert "completed" in p.status


async def test_quitting_saves_what_is_unsaved(engine: RunningEngine) -> None:
    client = engine.client()
    made = await client.create_assistant({"model": "rehearsal/echo", "name": "A"}, key="k")
    async with playground(engine, settings=SLOW) as p:
        await p.screen.picking.open_assistant(made.id)
        p.form.set_value("name", "B")
        await p.pilot.pause()
        await p.app.action_quit()
    assert (await client.retrieve_assistant(made.id)).name == "B"


async def test_an_assistant_deleted_meanwhile_is_said_and_its_draft_kept(engine: RunningEngine) -> None:
    client = engine.client()
    made = await client.create_assistant({"model": "rehearsal/echo", "name": "A"}, key="k")
    async with playground(engine, settings=SLOW) as p:
        await p.screen.picking.open_assistant(made.id)
        p.form.set_value("instructions", "kept")
        await p.pilot.pause()
    await client.delete_assistant(made.id)
    async with playground(engine, settings=SLOW) as p:
        editor = p.screen.editing.editor
        assert editor is not None
        await p.until(lambda: editor.state.kind == "deleted")
        assert p.form.draft.text("instructions") == "kept"
        await p.press("f5")
        await p.until(lambda: p.screen.editing.assistant_id not in {None, made.id})
    assert [a.name for a in await client.list_assistants()] == ["A"]


async def test_a_thread_the_server_no_longer_knows_is_said_and_replaced(engine: RunningEngine) -> None:
    client = engine.client()
    made = await client.create_assistant({"model": "rehearsal/echo", "name": "A"}, key="k")
    async with playground(engine) as p:
        await p.screen.picking.open_assistant(made.id)
        await p.write("first")
        await p.answered("first")
        gone = p.screen.sending.chatting.thread_id
    assert gone is not None
    await client.delete_thread(gone)
    async with playground(engine) as p:
        await p.until(lambda: any("no longer knows" in said for said in p.said))
        await p.write("second")
        await p.answered("second")
        assert p.screen.sending.chatting.thread_id not in {None, gone}


async def test_a_broken_session_file_does_not_keep_it_from_starting(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        await p.write("kept apart")
    broken = 0
    for file in Path(engine.paths.cache).glob("session-*.json"):
        file.write_text("{")
        broken += 1
    assert broken
    async with playground(engine) as p:
        await p.until(lambda: any("broken" in said for said in p.said))


async def test_a_thread_whose_messages_are_not_here_yet_is_not_called_empty(engine: RunningEngine) -> None:
    client = engine.client()
    thread = await client.create_thread(key="t")
    async with playground(engine) as p:
        await p.screen.picking.show_thread(thread)
        await p.until(lambda: "This thread is empty." in thread_lines(p))
    async with playground(engine, connect=False, door=asyncio.Event()) as p:
        await p.until(lambda: "The messages of this thread are not here yet." in thread_lines(p))


def thread_lines(p: Playground) -> list[str]:
    thread = p.chat.thread
    return [thread.render_line(y).text.strip() for y in range(thread.size.height)]
