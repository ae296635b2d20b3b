"""The first minute of a newcomer: no key, no configuration, a keyboard."""

from __future__ import annotations

import asyncio

from textual import events
from textual.keys import _character_to_key

from playground_tui.config import Settings
from playground_tui.ui.dialogs.help import Help
from tests.support.engine import RunningEngine
from tests.support.playground import playground


async def test_an_assistant_is_created_and_answers(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        assert "rehearsal: no model is connected" in str(p.screen.where.content)
        await p.press("ctrl+f", *"Helper", "f5")
        await p.until(lambda: p.screen.editing.assistant_id)
        created = (await engine.client().list_assistants())[0]
        assert (created.name, created.model) == ("Helper", "rehearsal/echo")
        await p.press("ctrl+l", *"hello", "enter")
        await p.answered("> hello")
        assert p.chat.composer.text == ""
        assert "completed" in p.status and "tokens" in p.status


async def test_a_message_before_the_assistant_exists_stays_in_the_composer(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        await p.write("hello")
        assert p.chat.composer.text == "hello"
        assert "f5 creates it" in str(p.chat.problem.content)


async def test_a_problem_in_the_form_keeps_it_from_being_created(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        await p.press("f5")
        await p.pilot.pause()
        assert "name" in p.form.draft.problems()
        assert await engine.client().list_assistants() == []


async def test_what_is_edited_is_saved_by_itself(engine: RunningEngine) -> None:
    client = engine.client()
    made = await client.create_assistant({"model": "rehearsal/echo", "name": "Old"}, key="k")
    async with playground(engine) as p:
        await p.screen.picking.open_assistant(made.id)
        await p.press("ctrl+f", "end", *"er")
        await p.until(lambda: p.screen.editing.editor and p.screen.editing.editor.state.at)
        await p.until(lambda: p.screen.editing.editor and p.screen.editing.editor.state.kind == "saved")
        assert (await client.retrieve_assistant(made.id)).name == "Older"


async def test_a_message_is_answered_with_the_form_as_it_is_at_that_moment(engine: RunningEngine) -> None:
    client = engine.client()
    made = await client.create_assistant({"model": "rehearsal/echo", "name": "A"}, key="k")
    async with playground(engine) as p:
        p.screen.desk.settings = type(p.screen.desk.settings)(autosave_delay=60)
        await p.screen.picking.open_assistant(made.id)
        p.form.set_value("instructions", "Answer in verse.")
        await p.write("hello")
        await p.answered("Answer in verse.")
        assert (await client.retrieve_assistant(made.id)).raw["instructions"] == "Answer in verse."


async def test_below_80_columns_one_pane_is_shown_and_f6_switches(engine: RunningEngine) -> None:
    async with playground(engine, size=(60, 20)) as p:
        await p.press("ctrl+l")
        assert p.chat.display and not p.form.region.width
        await p.press("f6")
        await p.pilot.pause()
        assert p.form.region.width == 60 and not p.chat.region.width
        await p.pilot.resize_terminal(120, 40)
        await p.pilot.pause()
        assert p.form.region.width > 40 and p.chat.region.width > 60


async def test_the_help_is_closed_by_escape_and_nothing_typed_is_lost(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        await p.press("ctrl+l", *"half a tho", "f1")
        await p.until(lambda: isinstance(p.app.screen, Help))
        await p.press(*"xyz", "escape")
        await p.until(lambda: p.app.screen is p.screen)
        await p.press(*"ught")
        await p.until(lambda: p.chat.composer.text == "half a thought")


async def test_the_form_can_be_hidden_and_shown(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        await p.press("f2")
        await p.pilot.pause()
        assert not p.form.region.width
        await p.press("ctrl+f")
        await p.pilot.pause()
        assert p.form.region.width and p.screen.pane == "form"
        await p.press("escape")
        await p.pilot.pause()
        assert p.screen.pane == "chat"


async def test_a_new_assistant_says_what_to_do_and_scolds_nobody(engine: RunningEngine) -> None:
    async with playground(engine) as p:
        assert p.text("#save-status") == "Not created yet: f5 creates it"
        assert p.form.query_one("#form-create").display
        await p.press("ctrl+f", *"A", "backspace")
        assert p.text("#save-status") == "Not created yet: f5 creates it"


async def test_what_was_typed_before_the_server_answered_gets_its_model(engine: RunningEngine) -> None:
    door = asyncio.Event()
    async with playground(engine, connect=False, door=door) as p:
        await p.press("ctrl+f", *"Early")
        assert p.form.draft.text("model") == ""
        door.set()
        await p.connected()
        await p.until(lambda: p.form.draft.text("model") == "rehearsal/echo")
        assert p.form.draft.text("name") == "Early"
        await p.press("f5")
        await p.until(lambda: p.screen.editing.assistant_id)


async def test_the_foot_names_the_keys_of_the_pane_as_far_as_they_fit(engine: RunningEngine) -> None:
    async with playground(engine, size=(60, 20)) as p:
        await p.press("ctrl+l")
        await p.pilot.pause()
        assert str(p.screen.foot.render()) == "f1 help · ctrl+f form · ctrl+o assistants · ctrl+q quit"
        await p.press("f6")
        await p.pilot.pause()
        assert str(p.screen.foot.render()) == "f1 help · ctrl+l composer · f5 save · ctrl+q quit"
        await p.pilot.resize_terminal(120, 40)
        await p.pilot.pause()
        assert "ctrl+p more · ctrl+q quit" in str(p.screen.foot.render())


async def test_in_the_smallest_window_one_can_still_write_and_read(engine: RunningEngine) -> None:
    async with playground(engine, size=(20, 5)) as p:
        await p.press("ctrl+l", *"hi")
        await p.pilot.pause()
        assert p.chat.composer.region.height >= 1
        assert p.chat.composer.region.bottom <= 5
        assert p.chat.thread.region.height >= 1


async def test_a_long_burst_of_keys_loses_none_while_saves_come_back(engine: RunningEngine) -> None:
    client = engine.client()
    made = await client.create_assistant({"model": "rehearsal/echo", "name": "A"}, key="k")
    async with playground(engine, settings=Settings(autosave_delay=0.0)) as p:
        await p.screen.picking.open_assistant(made.id)
        p.form.focus_field("name")
        text = "0123456789 abcdefghijklmnopqrstuvwxyz " * 4
        for key in ["end", *["backspace"] * 40]:
            p.app.post_message(events.Key(key, None))
        for character in text:
            p.app.post_message(events.Key(_character_to_key(character), character))
        await p.until(lambda: p.form.draft.text("name") == text)
        await p.until(lambda: p.screen.editing.editor and p.screen.editing.editor.state.kind == "saved")
        assert (await client.retrieve_assistant(made.id)).name == text
