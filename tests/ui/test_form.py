from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Checkbox, Input, Select, Static, TextArea

from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.editor import Elsewhere
from playground_tui.assistants.fields import API_FIELD
from playground_tui.assistants.save_state import SaveState
from playground_tui.ui.form.messages import (
    ConfigurationToggled,
    CreateRequested,
    EditorRequested,
    ListRequested,
    SaveRequested,
    TakeOther,
)
from playground_tui.ui.form.slider import Slider
from tests.support.wait import until
from tests.ui.form_app import BASE, FormApp

HOSTILE = "[/b] [@click=app.quit]x[/] [link='y \x1b[31m\x1b]52;c;aGk=\x07 \x9b1m \u202e \r\n\ttab [TODO]"


@asynccontextmanager
async def form(draft: AssistantDraft | None = None, size: tuple[int, int] = (40, 50)) -> AsyncIterator[Any]:
    app = FormApp(draft)
    async with app.run_test(size=size, notifications=True, tooltips=True) as pilot:
        await until(lambda: app.complete)
        await pilot.pause()
        yield app, pilot


def screen(app: FormApp) -> str:
    """What stands on the screen."""
    return "\n".join("".join(segment.text for segment in line) for line in app.screen._compositor.render_strips())


def note(app: FormApp, field: str) -> str:
    box = app.pane._boxes[field]
    return box._note.render().plain if box._note is not None and box._note.display else ""


async def focus(app: FormApp, pilot: Pilot[None], field: str) -> None:
    app.pane.focus_field(field)
    await pilot.pause()


async def test_loading_shows_every_field_and_tells_nothing() -> None:
    draft = AssistantDraft(
        {
            **BASE,
            "tools": [{"type": "file_search"}, {"type": "function", "function": {"name": "f"}}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "answer"}},
            "reasoning_effort": "ultra",
        }
    )
    async with form(draft) as (app, pilot):
        assert app.query_one("#name", Input).value == "Helper"
        assert app.query_one("#description", TextArea).text == "Helps"
        assert app.query_one("#instructions", TextArea).text == "Be brief."
        assert app.query_one("#model", Input).value == "rehearsal/echo"
        assert app.query_one("#tool-file_search", Checkbox).value
        assert not app.query_one("#tool-code_interpreter", Checkbox).value
        assert app.query_one("#tool-function", Checkbox).value
        assert app.query_one("#response_format", Select).value == "json_schema"
        assert app.query_one("#temperature", Slider).value == 0.7
        assert app.query_one("#top_p", Slider).value == 1.0
        assert app.query_one("#reasoning_effort", Select).value == "ultra"
        assert app.query_one("#metadata", TextArea).text == "category = work"
        app.pane.show(AssistantDraft(BASE))
        await pilot.pause()
        app.pane.show(draft)
        await pilot.pause()
        assert app.changes == []
        assert app.pane.draft is draft
        assert {field: box.value for field, box in app.pane._boxes.items()} == {f: draft.value(f) for f in API_FIELD}


@pytest.mark.parametrize(
    ("field", "keys", "changes"),
    [
        ("name", ["!"], {"name": "Helper!"}),
        ("description", ["end", "enter", "x"], {"description": "Helps\nx"}),
        ("instructions", ["N"], {"instructions": "NBe brief."}),
        ("model", ["ctrl+u", "m", "x"], {"model": "mx"}),
        ("file_search", ["space"], {"tools": [{"type": "web_search"}, {"type": "file_search"}]}),
        ("code_interpreter", ["enter"], {"tools": [{"type": "web_search"}, {"type": "code_interpreter"}]}),
        ("response_format", ["enter", "down", "enter"], {"response_format": {"type": "text"}}),
        ("temperature", ["right"], {"temperature": 0.8}),
        ("top_p", ["left"], {"top_p": 0.95}),
        ("reasoning_effort", ["enter", "h", "i", "g", "h", "enter"], {"reasoning_effort": "high"}),
        ("metadata", ["end", "!"], {"metadata": {"category": "work!"}}),
    ],
)
async def test_every_field_edits_the_draft(field: str, keys: list[str], changes: dict[str, Any]) -> None:
    async with form() as (app, pilot):
        await focus(app, pilot, field)
        await pilot.press(*keys)
        await until(lambda: app.changes)
        assert app.pane.draft.changes() == changes
        assert app.changes[-1].draft is app.pane.draft


async def test_a_function_is_defined_after_ticking() -> None:
    async with form() as (app, pilot):
        assert not app.pane._boxes["functions"].display
        await focus(app, pilot, "function")
        await pilot.press("space")
        await until(lambda: app.pane._boxes["functions"].display)
        assert "no function is defined yet" in note(app, "functions")
        await focus(app, pilot, "functions")
        app.post_message(events.Paste('{"name": "f"'))
        await until(lambda: "line 1" in note(app, "functions"))
        await pilot.press("}")
        await until(lambda: note(app, "functions") == "")
        assert app.pane.draft.changes()["tools"][1] == {"type": "function", "function": {"name": "f"}}
        assert "web_search (kept, not editable here)" in screen(app)


async def test_a_schema_is_asked_for_when_chosen() -> None:
    async with form() as (app, pilot):
        await focus(app, pilot, "response_format")
        await pilot.press("enter", "end", "enter")
        await until(lambda: app.pane._boxes["schema"].display)
        assert "JSON schema: empty" in note(app, "schema")
        assert "Model configuration (1 problem)" in screen(app)
        await focus(app, pilot, "schema")
        app.post_message(events.Paste('{"name": "a"}'))
        await until(lambda: app.pane.draft.problems() == {})
        assert app.pane.draft.changes()["response_format"]["json_schema"] == {"name": "a"}
        assert "problem" not in screen(app)


async def test_typing_back_is_no_edit_any_more() -> None:
    async with form() as (app, pilot):
        await focus(app, pilot, "name")
        await pilot.press("x", "backspace")
        await until(lambda: len(app.changes) == 2)
        assert app.pane.draft.edits == {}


async def test_an_empty_name_is_said_at_the_field_and_gone_to() -> None:
    async with form() as (app, pilot):
        await focus(app, pilot, "name")
        await pilot.press("ctrl+u")
        await until(lambda: note(app, "name") == "name is empty")
        assert app.pane.draft.problems() == {"name": "name is empty"}
        await focus(app, pilot, "metadata")
        await pilot.press("f5")
        await until(lambda: app.focused is app.query_one("#name"))
        assert app.told_of(SaveRequested) == []
        await pilot.press("A", "f5")
        await until(lambda: app.told_of(SaveRequested))


async def test_a_new_assistant_is_not_scolded_before_it_is_asked_for() -> None:
    async with form(AssistantDraft.new(model="rehearsal/echo")) as (app, pilot):
        assert note(app, "name") == "name is empty"
        assert not app.pane._boxes["name"].has_class("-problem")
        await pilot.click("#form-create")
        await until(lambda: app.pane._boxes["name"].has_class("-problem"))
        assert app.told_of(CreateRequested) == []
        await pilot.press("A", "f5")
        await until(lambda: app.told_of(CreateRequested))


async def test_the_list_of_assistants_is_one_button_away() -> None:
    async with form() as (app, pilot):
        assert not app.query_one("#form-create").display
        await pilot.click("#form-list")
        await until(lambda: app.told_of(ListRequested))


async def test_a_deleted_assistant_can_be_created_again() -> None:
    async with form() as (app, pilot):
        app.pane.update_draft(AssistantDraft({**BASE, "id": ""}))
        app.pane.show_state(SaveState("deleted"))
        await pilot.pause()
        assert "Deleted elsewhere: f5 creates it again" in " ".join(screen(app).split())
        await pilot.click("#form-create")
        await until(lambda: app.told_of(CreateRequested))


async def test_hostile_text_shows_and_is_not_changed_by_showing() -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": HOSTILE}}]
    base = {**BASE, "name": HOSTILE, "description": HOSTILE, "instructions": HOSTILE, "model": HOSTILE, "tools": tools}
    base["response_format"] = {"type": "json_schema", "json_schema": {"name": HOSTILE}}
    base["metadata"] = {HOSTILE: HOSTILE}
    draft = AssistantDraft(base)
    async with form(draft) as (app, pilot):
        app.pane.set_models([HOSTILE])
        app.pane.show_state(SaveState("failed", 0.0, HOSTILE))
        for field in ("name", "description", "instructions", "model", "functions", "schema", "metadata"):
            app.pane.show(draft)
            await focus(app, pilot, field)
            assert not set(screen(app)) & set("\x1b\x07\x9b\u202e\r")
            assert app.pane.settle() is draft
            before = draft.text(field)
            await pilot.press("end", "z")
            await until(lambda: app.pane.draft.edits)
            assert app.pane.draft.text(field).replace("z", "", 1) == before
            assert set(app.pane.draft.edits) == {field}


async def test_200_000_characters_are_shown_edited_and_counted() -> None:
    async with form() as (app, pilot):
        for field in ("name", "description", "instructions", "model", "metadata"):
            text = "a = " + "x" * 200_000
            app.pane.show(AssistantDraft({**BASE, field: {"a": text[4:]} if field == "metadata" else text}))
            await focus(app, pilot, field)
            assert app.pane.draft.edits == {}
            await pilot.press("end", "y")
            await until(lambda: app.pane.draft.edits)
            assert len(app.pane.draft.text(field)) == 200_005
            expected = "200,005 / 256,000" if field == "instructions" else "at most"
            assert expected in " ".join(screen(app).split())
            if field in {"description", "instructions", "metadata"}:
                assert not app.query_one(f"#{field}", TextArea).soft_wrap
                assert "shown unwrapped" in " ".join(note(app, field).split())


async def test_pasted_control_characters_never_reach_the_screen_and_lines_stay_lines() -> None:
    async with form() as (app, pilot):
        for field in ("name", "instructions"):
            await focus(app, pilot, field)
            app.post_message(events.Paste("one\x1b[31m\rtwo\r"))
            await until(lambda field=field: "two" in app.pane.draft.text(field))
            assert "\x1b" not in app.pane.draft.text(field)
        assert app.pane.draft.text("name") == "Helperone␛[31m two"
        assert app.pane.draft.text("instructions") == "one␛[31m\ntwo\nBe brief."


async def test_a_long_line_pasted_is_not_wrapped_and_is_again_when_it_is_gone() -> None:
    async with form() as (app, pilot):
        await focus(app, pilot, "instructions")
        area = app.query_one("#instructions", TextArea)
        app.post_message(events.Paste("x" * 20_000))
        await until(lambda: not area.soft_wrap and app.changes)
        await pilot.press("ctrl+u")
        await until(lambda: area.soft_wrap)
        assert note(app, "instructions") == ""


async def test_a_change_from_elsewhere_comes_in_without_taking_what_is_being_typed() -> None:
    async with form() as (app, pilot):
        await focus(app, pilot, "name")
        await pilot.press("!")
        await until(lambda: app.changes)
        app.query_one("#name", Input).value = "Helper!?"
        newer, _ = app.pane.draft.rebased({**BASE, "description": "theirs"})
        app.pane.update_draft(newer)
        assert app.query_one("#description", TextArea).text == "theirs"
        assert app.query_one("#name", Input).value == "Helper!?"
        app.pane.update_draft(newer)
        assert app.query_one("#name", Input).value == "Helper!?"
        await until(lambda: app.pane.draft.value("name") == "Helper!?")


async def test_a_field_that_is_being_edited_is_loaded_about_where_the_cursor_was() -> None:
    async with form() as (app, pilot):
        await focus(app, pilot, "instructions")
        await pilot.press("right", "right", "right")
        app.pane.update_draft(AssistantDraft({**BASE, "instructions": "Be precise.\nAlways."}))
        assert app.query_one("#instructions", TextArea).cursor_location == (0, 3)
        assert app.changes == []


async def test_the_other_value_is_shown_and_one_key_away() -> None:
    async with form() as (app, pilot):
        await focus(app, pilot, "instructions")
        await pilot.press("f8")
        now = time.time()
        app.pane.show_elsewhere(
            {
                "instructions": Elsewhere("[theirs]", now, taken=False),
                "temperature": Elsewhere(None, now, taken=True),
                "top_p": Elsewhere(0.0, now, taken=True),
                "file_search": Elsewhere(True, now, taken=True),
                "code_interpreter": Elsewhere(False, now, taken=True),
                "description": Elsewhere("", now, taken=True),
            }
        )
        clock = time.strftime("%H:%M", time.localtime(now))
        assert note(app, "instructions") == f"changed elsewhere {clock} · f8 takes: [theirs]"
        assert note(app, "temperature").endswith("f8 brings back: default")
        assert note(app, "top_p").endswith("f8 brings back: 0.0")
        assert note(app, "file_search").endswith(": on")
        assert note(app, "code_interpreter").endswith(": off")
        assert note(app, "description").endswith(": (empty)")
        await pilot.press("f8")
        await until(lambda: app.told_of(TakeOther))
        assert [message.field for message in app.told_of(TakeOther)] == ["instructions"]
        app.pane.show_elsewhere({})
        assert note(app, "instructions") == ""


async def test_the_text_of_a_field_goes_to_the_editor_and_comes_back() -> None:
    async with form() as (app, pilot):
        assert app.pane.focused_field is None
        await focus(app, pilot, "instructions")
        assert app.pane.focused_field == "instructions"
        await pilot.press("f4")
        await until(lambda: app.told_of(EditorRequested))
        assert app.told_of(EditorRequested)[0].field == "instructions"
        app.pane.set_value("instructions", "from the editor")
        assert app.query_one("#instructions", TextArea).text == "from the editor"
        await until(lambda: app.changes)
        assert app.changes[-1].draft.changes() == {"instructions": "from the editor"}


async def test_the_save_state_is_said_in_words_and_counts_down() -> None:
    async with form() as (app, _pilot):
        status = app.query_one("#save-status", Static)
        app.pane.show_state(SaveState("failed", time.time() - 3, "no [answer]\x1b", retry_in=4.0))
        assert status.sentence == "Save failed: no [answer]␛; retrying in 1 s, escape stops"
        assert status.has_class("-failed")
        await until(lambda: "retrying in 0 s" in status.sentence)
        app.pane.show_state(SaveState("saved", time.time()))
        assert status.sentence.startswith("Saved ")
        assert not status.has_class("-failed")
        assert status._timer is None


async def test_notes_about_the_last_run_stand_at_their_field() -> None:
    async with form() as (app, _):
        app.pane.show_notes({"temperature": "temperature not used by this model"})
        assert note(app, "temperature") == "temperature not used by this model"
        app.pane.show_notes({})
        assert note(app, "temperature") == ""


async def test_a_tool_that_does_not_work_there_says_why_where_it_is_ticked() -> None:
    async with form() as (app, _):
        app.pane.show_tool_problems({"code_interpreter": "bubblewrap is missing.", "file_search": ""})
        assert note(app, "code_interpreter") == ""
        app.pane.set_value("code_interpreter", True)
        app.pane.set_value("file_search", True)
        await until(lambda: note(app, "code_interpreter") == "bubblewrap is missing.")
        assert note(app, "file_search") == ""


async def test_the_configuration_opens_with_a_key_and_says_so() -> None:
    async with form() as (app, pilot):
        assert not app.pane.configuration_open
        app.query_one("CollapsibleTitle").focus()
        await pilot.press("enter")
        await until(lambda: app.told_of(ConfigurationToggled))
        assert app.told_of(ConfigurationToggled)[0].open
        assert app.pane.configuration_open


async def test_escape_closes_what_is_open_first() -> None:
    async with form() as (app, pilot):
        assert not app.pane.close_open()
        await focus(app, pilot, "response_format")
        await pilot.press("enter")
        assert app.pane.close_open()
        assert not app.query_one("#response_format", Select).expanded
        await focus(app, pilot, "temperature")
        await pilot.press("1")
        assert app.pane.close_open()
        assert app.query_one("#temperature", Slider).value == 0.7
        await focus(app, pilot, "model")
        await pilot.press("down")
        assert app.pane.close_open()
        assert not app.pane.close_open()


async def test_tab_goes_through_the_fields_and_back() -> None:
    async with form() as (app, pilot):
        app.pane.focus_first()
        await pilot.press("tab", "tab", "tab", "tab")
        assert app.focused is app.query_one("#tool-file_search")
        await pilot.press("shift+tab", "shift+tab")
        assert app.focused is app.query_one("#instructions")


async def test_any_size_holds_the_form() -> None:
    async with form(size=(1, 1)) as (app, pilot):
        for number, size in enumerate([(1, 1), (20, 5), (30, 12), (60, 20), (300, 100)], start=1):
            await pilot.resize_terminal(*size)
            for field in ("name", "temperature", "metadata"):
                await focus(app, pilot, field)
                await pilot.press("5")
            await until(lambda number=number: app.pane.draft.text("metadata").startswith("5" * number))
