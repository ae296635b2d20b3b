from __future__ import annotations

from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.fields import matching
from playground_tui.ui.form.messages import ModelsWanted
from tests.support.wait import until
from tests.ui.form_app import BASE, FormApp
from tests.ui.test_form import focus, form, note


def listed(app: FormApp) -> list[str]:
    models = app.query_one("#model-list", OptionList)
    return [str(option.prompt) for option in models.options] if models.display else []


async def at_the_model(app: FormApp, pilot: Pilot[None]) -> Input:
    await focus(app, pilot, "model")
    return app.query_one("#model", Input)


def test_every_word_typed_has_to_match_and_beginnings_come_first() -> None:
    models = ["a/gpt-6", "gpt-6", "gpt-6-mini", "qwen"]
    assert matching(models, "gpt") == ["gpt-6", "gpt-6-mini", "a/gpt-6"]
    assert matching(models, "6 mini") == ["gpt-6-mini"]
    assert matching(models, "") == models


async def test_typing_searches_and_enter_takes_what_is_highlighted() -> None:
    async with form() as (app, pilot):
        box = await at_the_model(app, pilot)
        await pilot.press("ctrl+u", "r", "e", "h")
        await until(lambda: listed(app)[:2] == ["rehearsal/echo", "rehearsal/markdown"])
        await pilot.press("down", "down", "enter")
        await until(lambda: app.pane.draft.value("model") == "rehearsal/markdown")
        assert box.value == "rehearsal/markdown"
        assert listed(app) == []
        assert len(app.told_of(ModelsWanted)) == 1


async def test_typing_in_a_field_just_entered_searches_instead_of_adding_to_the_present_model() -> None:
    async with form() as (app, pilot):
        await at_the_model(app, pilot)
        await pilot.press(*"mark", "down", "enter")
        await until(lambda: app.pane.draft.value("model") == "rehearsal/markdown")
        await pilot.press("end", *"-x")
        assert app.pane.draft.value("model") == "rehearsal/markdown-x"


async def test_any_id_can_be_typed_and_an_unlisted_one_is_said() -> None:
    async with form() as (app, pilot):
        box = await at_the_model(app, pilot)
        await pilot.press("ctrl+u", *"my/own", "enter")
        await until(lambda: app.pane.draft.value("model") == "my/own")
        assert listed(app) == []
        assert box.value == "my/own"
        assert note(app, "model") == "this model is not in the server's list"
        app.pane.set_models(["my/own"])
        assert note(app, "model") == ""


async def test_down_opens_the_whole_list_on_the_present_model_and_goes_round() -> None:
    async with form() as (app, pilot):
        await at_the_model(app, pilot)
        await pilot.press("up")
        assert listed(app) == []
        await pilot.press("down")
        models = app.query_one("#model-list", OptionList)
        await until(lambda: len(listed(app)) == 5)
        assert models.highlighted == 0
        await pilot.press("up")
        assert models.highlighted == 4
        await pilot.press("down", "pagedown")
        assert models.highlighted == 4
        await pilot.press("pageup")
        assert models.highlighted == 0
        assert app.changes == []


async def test_the_list_can_be_asked_for_anew() -> None:
    async with form() as (app, pilot):
        await at_the_model(app, pilot)
        await pilot.press("enter", "up", "enter")
        await until(lambda: len(app.told_of(ModelsWanted)) == 2)
        app.pane.set_models(["new/one"])
        assert listed(app) == ["new/one", "ask the server for the list anew"]
        assert app.changes == []


async def test_escape_and_tab_close_the_list_and_keep_what_was_typed() -> None:
    async with form() as (app, pilot):
        box = await at_the_model(app, pilot)
        for key in ("escape", "tab"):
            await pilot.press("x")
            await until(lambda: listed(app))
            await pilot.press(key)
            await until(lambda: not listed(app))
        assert box.value == "xx"
        assert app.pane.draft.value("model") == "xx"


async def test_a_click_chooses_too() -> None:
    async with form() as (app, pilot):
        await at_the_model(app, pilot)
        await pilot.press("down")
        await pilot.pause()
        await pilot.click("#model-list", offset=(3, 2))
        await until(lambda: app.pane.draft.value("model") == "ollama/qwen3")


async def test_a_long_list_shows_its_first_part_and_how_many_more() -> None:
    async with form() as (app, pilot):
        app.pane.set_models([f"m/{number}" for number in range(2000)])
        await at_the_model(app, pilot)
        await pilot.press("down")
        await until(lambda: len(listed(app)) == 51)
        assert listed(app)[-1] == "1,950 more; ask the server anew"
        await pilot.press("ctrl+u", *"m/1999")
        await until(lambda: listed(app)[0] == "m/1999")


async def test_without_a_list_it_says_so_and_warns_of_nothing() -> None:
    async with form() as (app, pilot):
        app.pane.show(AssistantDraft({**BASE, "model": "[/x]\x1b"}), models=[])
        await at_the_model(app, pilot)
        await pilot.press("down")
        await until(lambda: listed(app) == ["no list yet: ask the server for it"])
        assert note(app, "model") == ""
        app.pane.set_models(["[/x]\x1b[1m"])
        assert listed(app)[0] == "[/x]␛[1m"
