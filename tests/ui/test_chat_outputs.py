"""Outputs of function calls are asked for, one after the other, without taking the keyboard."""

from __future__ import annotations

from playground_tui.assistants.events import RunChanged, StepChanged
from playground_tui.assistants.objects import Run, Step, ToolCall
from tests.support.wait import until
from tests.ui.chat_support import NOW, chat_app, on_screen, thread_lines, until_shown

WEATHER = ToolCall("call_1", "function", "get_weather", '{"city":"Paris [/foo]","unit":"\\u001b[31m"}')
CLOCK = ToolCall("call_2", "function", "get_time", "{}")


def asking(*calls: ToolCall, run_id: str = "run_1") -> RunChanged:
    return RunChanged(Run(run_id, status="requires_action", created_at=NOW, waiting_for=calls))


async def test_each_call_is_shown_with_its_arguments_and_all_outputs_go_together() -> None:
    async with chat_app() as (app, pilot):
        app.pane.apply(asking(WEATHER, CLOCK))
        await until(lambda: "Output of get_weather (1 of 2)" in on_screen(app))
        assert "Paris [/foo]" in on_screen(app)
        assert "\x1b" not in on_screen(app)
        app.pane.outputs.area.focus()
        await pilot.press(*"rain", "ctrl+j", "!", "enter")
        await until(lambda: "Output of get_time (2 of 2)" in on_screen(app))
        assert "(no arguments)" in on_screen(app) or "{}" in on_screen(app)
        await pilot.press(*"noon", "enter")
        await until(lambda: ("outputs", {"call_1": "rain\n!", "call_2": "noon"}) in app.posted)
        assert not app.pane.outputs.display
        await until(lambda: app.pane.composer.has_focus)


async def test_an_output_may_be_empty() -> None:
    async with chat_app() as (app, pilot):
        app.pane.apply(asking(CLOCK))
        app.pane.outputs.area.focus()
        await pilot.press("enter")
        await until(lambda: ("outputs", {"call_2": ""}) in app.posted)


async def test_the_panel_takes_neither_focus_nor_text() -> None:
    async with chat_app() as (app, pilot):
        app.pane.composer.focus()
        await pilot.press(*"hel")
        app.pane.apply(asking(CLOCK))
        await until(lambda: app.pane.outputs.display)
        await pilot.press(*"lo")
        assert app.pane.composer.text == "hello"
        await pilot.press("shift+tab", *"out", "tab")
        assert app.pane.composer.has_focus
        assert app.pane.outputs.area.text == "out"


async def test_a_half_typed_output_outlives_news_of_the_same_run() -> None:
    async with chat_app() as (app, pilot):
        app.pane.apply(asking(WEATHER, CLOCK))
        app.pane.outputs.area.focus()
        await pilot.press(*"half")
        app.pane.apply(asking(WEATHER, CLOCK))
        assert app.pane.outputs.area.text == "half"
        app.pane.show_run(None)
        assert not app.pane.outputs.display
        app.pane.apply(asking(WEATHER, CLOCK))
        assert app.pane.outputs.area.text == "half"


async def test_a_run_that_is_read_again_from_its_beginning_takes_no_cursor_away() -> None:
    async with chat_app() as (app, pilot):
        app.pane.apply(asking(CLOCK))
        app.pane.outputs.area.focus()
        await pilot.press(*"ha")
        app.pane.apply(RunChanged(Run("run_1", status="in_progress", created_at=NOW)))
        await pilot.press(*"lf")
        app.pane.apply(asking(CLOCK))
        assert app.pane.outputs.area.has_focus
        assert app.pane.outputs.area.text == "half"


async def test_outputs_are_forgotten_when_the_run_has_ended() -> None:
    async with chat_app() as (app, pilot):
        app.pane.apply(asking(CLOCK))
        app.pane.outputs.area.focus()
        await pilot.press(*"x")
        app.pane.apply(RunChanged(Run("run_1", status="cancelled", created_at=NOW)))
        app.pane.apply(asking(CLOCK, run_id="run_2"))
        assert app.pane.outputs.area.text == ""


async def test_the_panel_leaves_the_field_in_sight_in_a_low_window() -> None:
    async with chat_app((60, 20)) as (app, _):
        app.pane.apply(asking(ToolCall("c", "function", "f", '{"key": "' + "long " * 400 + '"}')))
        await until(lambda: app.pane.outputs.area.region.height >= 3)
        assert app.pane.outputs.area.region.bottom <= app.pane.outputs.region.bottom
        assert app.thread.size.height >= 3


async def test_steps_show_calls_arguments_and_outputs_where_they_happened() -> None:
    async with chat_app() as (app, _):
        step = Step("step_1", "run_1", "tool_calls", "in_progress", (WEATHER, CLOCK))
        app.pane.apply(StepChanged(Step("step_0", "run_1", "message_creation", "in_progress")))
        app.pane.apply(StepChanged(step))
        await until_shown(app, "→ get_weather")
        await until_shown(app, '"city": "Paris [/foo]"')
        done = ToolCall("call_1", "function", "get_weather", WEATHER.arguments, output="rain")
        app.pane.apply(StepChanged(Step("step_1", "run_1", "tool_calls", "cancelled", (done,))))
        await until_shown(app, "= rain")
        assert any("Tool call" in line and "cancelled" in line for line in thread_lines(app))
