"""Enter to answer, and everything that can come between."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
from textual import events

from playground_tui.assistants.objects import Message
from playground_tui.config import Settings
from playground_tui.engine.providers.base import Dropped, ModelRequest, ProviderEvent
from playground_tui.engine.providers.rehearsal import RehearsalProvider
from playground_tui.ui.split_keys import GRACE, SplitKeys
from tests.support.engine import RunningEngine
from tests.support.playground import Playground, playground

LOOKUP = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture
async def paced(engine: RunningEngine) -> RunningEngine:
    """An engine whose `rehearsal/markdown` takes its time, so that a run can be caught under way."""
    provider, _ = engine.engine.providers.resolve("rehearsal/markdown")
    assert isinstance(provider, RehearsalProvider)
    provider._pace = 40.0
    return engine


async def opened(p: Playground, engine: RunningEngine, **fields: object) -> str:
    client = engine.client()
    made = await client.create_assistant({"model": "rehearsal/echo", "name": "A", **fields}, key=str(fields))
    await p.screen.picking.open_assistant(made.id)
    return made.id


def shown(p: Playground) -> list[str]:
    """The thread's lines in the window."""
    thread = p.chat.thread
    return [thread.render_line(y).text for y in range(thread.size.height)]


def roles(p: Playground) -> list[str]:
    return [message.role for message in p.chat.messages()]


async def test_a_message_sent_while_a_run_is_active_waits_visibly_and_goes_out_after_it(paced: RunningEngine) -> None:
    async with playground(paced) as p:
        await opened(p, paced, model="rehearsal/markdown")
        await p.write("first")
        await p.until(lambda: p.screen.sending.chatting.running)
        p.form.set_value("model", "rehearsal/echo")
        await p.write("second")
        assert [item.state for item in p.screen.sending.chatting.outbox.items] == ["waiting"]
        await p.press("escape")
        await p.until(lambda: "cancelled" in p.status)
        await p.until(lambda: [item.state for item in p.screen.sending.chatting.outbox.items] == ["not sent"])
        await p.press("ctrl+r")
        await p.answered("> second")
        assert p.screen.sending.chatting.outbox.items == ()


async def test_escape_cancels_the_run_and_keeps_its_text(paced: RunningEngine) -> None:
    async with playground(paced) as p:
        await opened(p, paced, model="rehearsal/markdown")
        await p.write("go on for long")
        await p.until(lambda: len(p.chat.last_answer() or "") > 100)
        await p.press("escape")
        await p.until(lambda: not p.screen.sending.busy)
        assert "cancelled" in p.status
        assert len(p.chat.last_answer() or "") > 100


async def test_an_arrow_key_split_by_the_line_does_not_cancel(paced: RunningEngine) -> None:
    async with playground(paced) as p:
        await opened(p, paced, model="rehearsal/markdown")
        await p.write("go on")
        await p.until(lambda: len(p.chat.last_answer() or "") > 10)
        p.app._split_keys = SplitKeys(lambda: 0.0)
        for key in (events.Key("escape", None), events.Key("left_square_bracket", "["), events.Key("A", "A")):
            p.app.post_message(key)
        await p.pilot.pause(2 * GRACE)
        assert p.screen.sending.chatting.running
        assert p.chat.composer.text == ""


async def test_a_function_call_asks_for_its_output_and_the_run_goes_on(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        await opened(p, engine, model="rehearsal/tools", tools=[LOOKUP])
        await p.write("what is the weather?")
        await p.until(lambda: "requires action" in p.status)
        panel = p.chat.outputs
        assert panel.display
        panel.area.focus()
        await p.press(*"sunny", "enter")
        await p.answered("sunny")
        assert "completed" in p.status


async def test_escape_cancels_a_run_that_waits_for_outputs(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        await opened(p, engine, model="rehearsal/tools", tools=[LOOKUP])
        await p.write("what is the weather?")
        await p.until(lambda: "requires action" in p.status and not p.screen.sending.busy)
        await p.press("escape")
        await p.until(lambda: "cancelled" in p.status and not p.screen.sending.busy)
        assert not p.chat.outputs.display
        p.form.set_value("model", "rehearsal/echo")
        await p.write("another")
        await p.answered("> another")


async def test_an_invalid_form_keeps_the_message_and_ctrl_r_sends_with_the_last_saved_version(
    engine: RunningEngine,
) -> None:
    async with playground(engine, settings=Settings(autosave_delay=60)) as p:
        await opened(p, engine, instructions="As saved.")
        p.form.set_value("instructions", "Not saved.")
        p.form.set_value("name", "")
        await p.write("hello")
        await p.until(lambda: p.chat.composer.text == "hello")
        assert "name" in str(p.chat.problem.content)
        assert roles(p) == []
        await p.press("ctrl+r")
        await p.answered("As saved.")
        assert "Not saved." not in (p.chat.last_answer() or "")
        assert p.chat.composer.text == ""


async def test_ctrl_r_sends_the_refused_message_and_not_the_draft_below_it(engine: RunningEngine) -> None:
    async with playground(engine, settings=Settings(autosave_delay=60)) as p:
        await opened(p, engine)
        p.chat.composer.sent = ["old"]
        p.form.set_value("name", "")
        p.screen.action_to_composer()
        await p.press(*"draft", "up", "enter")
        await p.until(lambda: "name" in str(p.chat.problem.content))
        assert [(item.text, item.state) for item in p.screen.sending.chatting.outbox.items] == [("old", "not sent")]
        await p.press("ctrl+r")
        await p.answered("> old")
        assert p.chat.composer.text == "draft"


async def test_a_message_that_is_being_sent_cannot_be_taken_back_or_dropped(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with playground(engine) as p:
        await opened(p, engine)
        client = p.app.desk.client
        assert client is not None
        create, go = client.create_message, asyncio.Event()

        async def slow(*given: Any, **named: Any) -> Message:
            await go.wait()
            return await create(*given, **named)

        monkeypatch.setattr(client, "create_message", slow)
        await p.write("hello")
        await p.until(lambda: "waiting  hello" in p.text("#waiting"))
        await p.press("shift+tab", "e")
        (item,) = p.screen.sending.chatting.outbox.items
        await p.until(lambda: p.said[-1:] == ["It is being sent: escape stops it."])
        p.screen.sending.drop_held(item.key)
        assert p.screen.sending.chatting.outbox.has(item.key) and p.chat.composer.text == ""
        go.set()
        await p.answered("> hello")


async def test_ctrl_r_runs_the_thread_again(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        await opened(p, engine)
        await p.press("ctrl+r")
        assert any("nothing to run" in said for said in p.said)
        await p.write("hello")
        await p.answered("hello")
        p.form.set_value("instructions", "Differently.")
        await p.press("ctrl+r")
        await p.answered("Differently.")
        assert roles(p) == ["user", "assistant", "assistant"]


async def test_a_message_typed_before_the_connection_goes_out_with_it(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        await opened(p, engine)
    async with playground(engine, connect=False) as p:
        await p.write("early")
        await p.answered("early")
        assert roles(p) == ["user", "assistant"]


async def test_what_was_not_sent_at_the_last_start_waits_for_a_key(paced: RunningEngine) -> None:
    async with playground(paced) as p:
        await opened(p, paced, model="rehearsal/markdown")
        await p.write("first")
        await p.until(lambda: p.screen.sending.chatting.running)
        await p.write("second")
        thread = p.screen.sending.chatting.thread_id
    async with playground(paced) as p:
        assert p.screen.sending.chatting.thread_id == thread
        items = p.screen.sending.chatting.outbox.items
        assert [(item.text, item.state) for item in items] == [("second", "not sent")]
        await p.until(lambda: p.screen.sending.chatting.running)
        await p.press("ctrl+r")
        assert [item.state for item in p.screen.sending.chatting.outbox.items] == ["waiting"]
        p.screen.sending.edit_held(items[0].key)
        assert p.chat.composer.text == "second"
        assert p.screen.sending.chatting.outbox.items == ()


async def test_a_run_goes_on_without_a_screen_and_is_followed_at_the_next_start(paced: RunningEngine) -> None:
    async with playground(paced) as p:
        await opened(p, paced, model="rehearsal/markdown")
        await p.write("a long one")
        await p.until(lambda: len(p.chat.last_answer() or "") > 50)
    async with playground(paced) as p:
        await p.until(lambda: p.screen.sending.chatting.running)
        before = len(p.chat.last_answer() or "")
        await p.until(lambda: len(p.chat.last_answer() or "") > before + 50)
        assert roles(p) == ["user", "assistant"]


async def test_history_brings_sent_texts_back(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        await opened(p, engine)
        await p.write("one")
        await p.answered("one")
        await p.press("up")
        assert p.chat.composer.text == "one"
        assert p.app.desk.cache.server.threads == (), "the engine lists its threads by itself"


async def test_two_playgrounds_see_each_others_messages_and_edits(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        assistant = await opened(p, engine)
        await p.write("from the first")
        await p.answered("from the first")
        thread = p.screen.sending.chatting.thread_id
        assert thread is not None
        client = engine.client("elsewhere")
        await client.update_assistant(assistant, {"name": "Renamed"})
        await p.until(lambda: p.form.draft.text("name") == "Renamed")
        await client.create_message(thread, "from elsewhere", key="e")
        await p.until(lambda: p.chat.messages()[-1].text == "from elsewhere")


async def test_what_a_run_did_without_is_said_at_its_field_until_another_model_is_chosen(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = RehearsalProvider._answer

    def without_temperature(self: RehearsalProvider, request: ModelRequest) -> tuple[Iterator[ProviderEvent], float]:
        events, pace = answer(self, request)
        return chain([Dropped("temperature")], events), pace

    monkeypatch.setattr(RehearsalProvider, "_answer", without_temperature)
    async with playground(engine) as p:
        await opened(p, engine, temperature=0.3)
        await p.write("hello")
        await p.answered("hello")
        assert "temperature is not used by this model" in p.status
        assert p.form._boxes["temperature"].remarks.note == "not used by this model"
        p.form.set_value("model", "rehearsal/markdown")
        await p.until(lambda: p.form._boxes["temperature"].remarks.note == "")


async def test_the_tool_calls_of_an_opened_thread_are_shown(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        await opened(p, engine, model="rehearsal/tools", tools=[LOOKUP])
        await p.write("what is the weather?")
        await p.until(lambda: "requires action" in p.status)
        p.chat.outputs.area.focus()
        await p.press(*"sunny", "enter")
        await p.answered("sunny")
    async with playground(engine) as p:

        def place(words: str) -> int:
            return next((at for at, line in enumerate(shown(p)) if words in line), -1)

        await p.until(lambda: 0 <= place("get_weather") < place("rehearsal/tools: no language model"))


async def test_shift_tab_goes_to_the_output_also_while_a_message_waits(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        await opened(p, engine, model="rehearsal/tools", tools=[LOOKUP])
        await p.write("what is the weather?")
        await p.until(lambda: "requires action" in p.status)
        await p.press(*"meanwhile", "enter", *"typed while it waits", "shift+tab", *"sunny", "enter")
        await p.answered("sunny")
        await p.until(lambda: "requires action" in p.status)
        assert roles(p) == ["user", "assistant", "user"]
        assert p.chat.composer.text == "typed while it waits"


async def test_a_message_that_was_not_sent_says_how_to_send_or_edit_it(paced: RunningEngine) -> None:
    async with playground(paced) as p:
        await opened(p, paced, model="rehearsal/markdown")
        await p.write("first")
        await p.until(lambda: p.screen.sending.chatting.running)
        await p.write("second\n[b]line[/b]")
        await p.press("escape")
        await p.until(lambda: "not sent" in p.text("#waiting"))
        assert "(ctrl+r sends it, shift+tab goes here)" in p.text("#waiting")
        assert "second [b]line[/b]" in p.text("#waiting")
        await p.press("shift+tab")
        await p.until(lambda: "(enter sends, e edits)" in p.text("#waiting"))
        await p.press("e")
        await p.until(lambda: p.chat.composer.text == "second\n[b]line[/b]")
        assert not p.chat.waiting.display
