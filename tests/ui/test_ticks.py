"""Checkboxes say on or off without colours."""

from __future__ import annotations

from playground_tui.ui.form.fields import Tick
from tests.support.wait import until
from tests.ui.form_app import FormApp


async def test_a_tick_is_told_from_none_by_its_letters() -> None:
    app = FormApp()
    async with app.run_test(size=(60, 40)) as pilot:
        await until(lambda: app.complete)
        tick = app.query_one("#tool-file_search", Tick)
        assert str(tick.render()).startswith("[ ]")
        tick.focus()
        await pilot.press("space")
        assert str(tick.render()).startswith("[x]")


async def test_a_ticked_interpreter_says_what_that_allows_and_where_it_is_revoked() -> None:
    app = FormApp()
    async with app.run_test(size=(60, 40)) as pilot:
        await until(lambda: app.complete)
        app.pane.show_tool_problems({"code_interpreter": ""})
        app.query_one("#tool-code_interpreter", Tick).focus()
        assert app.pane._boxes["code_interpreter"].remarks.note == ""
        await pilot.press("space")
        await until(lambda: "[allow] in config.toml revokes it" in app.pane._boxes["code_interpreter"].remarks.note)
