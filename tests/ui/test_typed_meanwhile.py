"""Keys that arrive while another draft is about to be shown are in the draft they were typed into."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import pytest

from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.fields import Value
from playground_tui.cache.cache import Cache
from playground_tui.cache.state import ComposerState, DraftState, WaitingMessage
from playground_tui.config import Settings
from playground_tui.desk.creating import Creating
from playground_tui.ui.app import PlaygroundApp
from playground_tui.ui.form.fields import FieldBox, SliderField
from playground_tui.ui.form.pane import FormPane
from playground_tui.ui.screen import SplitScreen
from tests.support.engine import RunningEngine
from tests.support.playground import Playground, playground

SLOW = Settings(autosave_delay=60)


def types_while_it_is_read(p: Playground, text: str) -> None:
    """Let keys arrive in the moment in which the server's answer does."""
    client = p.app.desk.client
    assert client is not None
    retrieve = client.retrieve_assistant

    async def answered(assistant_id: str) -> Any:
        found = await retrieve(assistant_id)
        p.form._boxes["name"].control.value = text  # type: ignore[attr-defined]
        return found

    client.retrieve_assistant = answered  # type: ignore[method-assign]


async def test_what_is_typed_as_the_same_assistant_is_read_stays_in_it(engine: RunningEngine) -> None:
    made = await engine.client().create_assistant({"model": "rehearsal/echo", "name": "A"}, key="k")
    async with playground(engine, settings=SLOW) as p:
        await p.screen.editing.open(made.id)
        types_while_it_is_read(p, "typed")
        await p.screen.editing.open(made.id)
        assert p.form.draft.text("name") == "typed"
        kept = p.app.desk.cache.load_draft(made.id)
        assert kept is not None and kept.edits == {"name": "typed"}


async def test_what_is_typed_as_another_assistant_is_read_stays_in_the_one_that_was_open(engine: RunningEngine) -> None:
    client = engine.client()
    first = await client.create_assistant({"model": "rehearsal/echo", "name": "A"}, key="a")
    second = await client.create_assistant({"model": "rehearsal/echo", "name": "B"}, key="b")
    async with playground(engine, settings=SLOW) as p:
        await p.screen.editing.open(first.id)
        types_while_it_is_read(p, "typed")
        await p.screen.editing.open(second.id)
        assert p.form.draft.text("name") == "B"
        await p.screen.editing.open(first.id)
        assert p.form.draft.text("name") == "typed"


async def test_an_edit_that_is_told_of_late_stays_in_the_assistant_it_was_made_in(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = engine.client()
    first = await client.create_assistant({"model": "rehearsal/echo", "name": "A"}, key="a")
    second = await client.create_assistant({"model": "rehearsal/echo", "name": "B"}, key="b")
    async with playground(engine, settings=SLOW) as p:
        await p.screen.editing.open(first.id)
        kept: list[tuple[str, Mapping[str, Any]]] = []
        told = asyncio.Event()
        monkeypatch.setattr(p.app.desk.cache, "save_draft", lambda draft: kept.append((draft.key, draft.edits)))
        monkeypatch.setattr(p.screen.sending.chatting.attaching, "show", told.set)
        p.form.set_value("name", "typed")  # which the form tells of, behind what the screen does at this moment
        p.screen.editing._begin(second.id, AssistantDraft(second.raw))
        p.screen.editing._attach()
        await p.until(told.is_set)
        assert kept == [(first.id, {"name": "typed"}), (second.id, {})]


@pytest.mark.parametrize("asked_for", [False, True])
async def test_what_is_typed_before_the_assistant_was_ever_read_is_an_edit_of_it(
    engine: RunningEngine, asked_for: bool
) -> None:
    fields = {"model": "rehearsal/echo", "name": "A", "description": "second"}
    made = await engine.client().create_assistant(fields, key="k")
    async with playground(engine, settings=SLOW) as p:
        await p.screen.editing.open(made.id)
    for draft in engine.paths.cache.glob("*--draft-*"):
        draft.unlink()
    settings = Settings(autosave_delay=60, assistant=made.id if asked_for else None)
    door = asyncio.Event()
    async with playground(engine, settings=settings, connect=False, door=door) as p:
        await p.press("ctrl+f", "tab", *"typed")
        door.set()
        await p.until(lambda: p.form.draft.text("name") == "A")
        assert (p.screen.editing.assistant_id, p.form.draft.edits) == (made.id, {"description": "typed"})


async def test_what_is_typed_as_the_server_answers_begins_the_new_assistant(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = asyncio.Event()
    async with playground(engine, settings=SLOW, connect=False, door=door) as p:
        connected = p.screen.editing.connected

        async def answered(wanted: str | None) -> None:
            p.form._boxes["name"].control.value = "typed"  # type: ignore[attr-defined]
            await connected(wanted)

        monkeypatch.setattr(p.screen.editing, "connected", answered)
        door.set()
        await p.until(lambda: p.form.draft.text("model"))
        assert p.form.draft.text("name") == "typed"


async def at_two_threads(engine: RunningEngine, p: Playground, *, own: str) -> str:
    """A new thread in which "draft A" was written, and one with this text of its own, which is opened then."""
    client = engine.client()
    made = await client.create_assistant({"model": "rehearsal/echo", "name": "A"}, key="k")
    thread = await client.create_thread(key="t")
    await p.screen.picking.open_assistant(made.id)
    p.app.desk.cache.save_composer(thread, ComposerState("draft B", updated_at=time.time()))
    p.chat.composer.load("draft A")
    p.screen.sending.chatting.outbox.load([WaitingMessage("key", "not sent yet")])
    await p.screen.picking.show_thread(thread)
    p.chat.composer.load(own)
    return thread


@pytest.mark.parametrize("own", ["draft B", ""])
async def test_what_was_typed_for_a_new_thread_stays_when_the_open_one_is_gone(engine: RunningEngine, own: str) -> None:
    async with playground(engine, settings=SLOW) as p:
        thread = await at_two_threads(engine, p, own=own)
        await engine.client().delete_thread(thread)
        await p.screen.sending.chatting.load()
        await p.until(lambda: p.screen.sending.chatting.thread_id is None)
        waiting = [item.text for item in p.screen.sending.chatting.outbox.items]
        assert (p.chat.composer.text, waiting) == (
            ("draft B", ["draft A", "not sent yet"]) if own else ("draft A", ["not sent yet"])
        )
        kept = p.app.desk.cache.load_composer(None)
        assert (kept.text, [item.text for item in kept.waiting]) == (p.chat.composer.text, waiting)


async def test_a_draft_stays_in_its_thread_while_an_old_text_is_looked_at(engine: RunningEngine) -> None:
    async with playground(engine, settings=SLOW) as p:
        thread = await at_two_threads(engine, p, own="draft B")
        p.chat.composer.sent = ["old"]
        p.screen.action_to_composer()
        await p.press("up")
        assert p.chat.composer.text == "old"
        await p.screen.picking.show_thread(None)
        assert p.chat.composer.text == "draft A"
        assert p.app.desk.cache.load_composer(thread).text == "draft B"


async def test_keys_wait_until_every_field_has_its_place(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then tab would go from the first field to what has none."""
    mount_rest = FormPane._mount_rest
    taken: list[bool] = []

    async def watched(form: FormPane) -> None:
        assert isinstance(form.app, PlaygroundApp)
        taken.append(form.app.takes_keys)
        await mount_rest(form)
        taken.append(form.app.takes_keys)

    monkeypatch.setattr(FormPane, "_mount_rest", watched)
    async with playground(engine) as p:
        assert taken == [False, False]
        chain = [widget.id for widget in p.screen.focus_chain]
        order = [chain.index(field) for field in ("name", "description", "instructions", "model", "tool-file_search")]
        assert order == sorted(order)


async def test_an_end_while_the_fields_are_filled_makes_no_edits(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal may come between any two of them, when some still hold what another assistant has, or nothing."""
    client = engine.client()
    fields = {"model": "rehearsal/echo", "metadata": {"a": "b"}, "temperature": 0.5}
    first = await client.create_assistant({**fields, "name": "A", "top_p": 0.1}, key="a")
    second = await client.create_assistant({**fields, "name": "B", "top_p": 0.2}, key="b")
    edits: list[Mapping[str, Any]] = []
    save = Cache.save_draft

    def saved(cache: Cache, draft: DraftState) -> None:
        edits.append(draft.edits)
        save(cache, draft)

    def signalled(box: FieldBox, value: Value) -> None:
        for_slider(box, value)
        if isinstance(box.screen, SplitScreen):
            box.screen.keep()

    for_slider = SliderField.load
    monkeypatch.setattr(Cache, "save_draft", saved)
    monkeypatch.setattr(SliderField, "load", signalled)
    async with playground(engine, settings=SLOW) as p:
        await p.screen.editing.open(first.id)
        await p.screen.editing.open(second.id)
        await client.update_assistant(second.id, {"temperature": 0.7, "metadata": {"a": "c"}})
        await p.until(lambda: p.form.draft.value("temperature") == 0.7)
    async with playground(engine, settings=SLOW) as p:
        await p.until(lambda: p.form.held.get("top_p") == 0.2)
    assert [kept for kept in edits if kept.keys() & {"name", "top_p", "temperature", "metadata"}] == []


async def test_an_end_as_another_assistant_is_opened_keeps_each_draft_where_it_belongs(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await engine.client().create_assistant({"model": "rehearsal/echo", "name": "A"}, key="a")
    begin = Creating.begin
    async with playground(engine, settings=Settings(autosave_delay=60)) as p:

        def signalled(creating: Creating, key: str, **named: str) -> None:
            begin(creating, key, **named)
            p.screen.keep()

        await p.screen.editing.open(made.id)
        p.form.set_value("model", "")  # cannot be saved
        monkeypatch.setattr(Creating, "begin", signalled)
        await p.screen.editing.begin()
        kept = p.app.desk.cache.load_draft(p.screen.editing.key)
        assert kept is None or not kept.base
        left = p.app.desk.cache.load_draft(made.id)
        assert left is not None and left.edits == {"model": ""}
