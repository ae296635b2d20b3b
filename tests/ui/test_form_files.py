"""The form says under its tools how many files they have, and asks for their list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.stored import FileCounts
from playground_tui.ui.form.messages import CountsWanted, ToolFilesRequested
from playground_tui.ui.form.tools import FilesButton
from tests.support.wait import until
from tests.ui.form_app import BASE, FormApp

RESOURCES = {"file_search": {"vector_store_ids": ["vs_1"]}, "code_interpreter": {"file_ids": ["file-1", "file-2"]}}


@asynccontextmanager
async def form(**base: Any) -> AsyncIterator[tuple[FormApp, Any]]:
    app = FormApp(AssistantDraft({**BASE, **base}))
    async with app.run_test(size=(60, 60), notifications=True, tooltips=True) as pilot:
        await until(lambda: app.complete)
        await pilot.pause()
        yield app, pilot


def files(app: FormApp, tool: str) -> str:
    button = app.query_one(f"#files-{tool}", FilesButton)
    return str(button.label) if button.display else ""


async def test_a_tool_without_files_says_so_while_it_is_ticked() -> None:
    async with form() as (app, _):
        assert files(app, "file_search") == files(app, "code_interpreter") == ""
        app.pane.set_value("file_search", True)
        assert files(app, "file_search") == "Files: none ›"
        assert app.told_of(CountsWanted) == []


async def test_files_are_counted_also_of_a_tool_that_is_off() -> None:
    async with form(tool_resources=RESOURCES) as (app, _):
        assert files(app, "code_interpreter") == "Files: 2 ›"
        assert files(app, "file_search") == "Files: … ›"
        await until(lambda: app.told_of(CountsWanted))
        assert app.told_of(CountsWanted)[0].store == "vs_1"
        app.pane.tools.show_counts("vs_1", FileCounts(3, 1, 1))
        assert files(app, "file_search") == "Files: 3, 1 indexing, 1 failed ›"
        app.pane.tools.show_counts("vs_2", FileCounts(9))
        assert "Files: 3," in files(app, "file_search")


async def test_a_new_assistant_has_none_yet() -> None:
    app = FormApp(AssistantDraft.new("rehearsal/echo").with_(file_search=True))
    async with app.run_test(size=(60, 60), notifications=True) as pilot:
        await until(lambda: app.complete)
        await pilot.pause()
        assert files(app, "file_search") == ""


async def test_enter_asks_for_the_list() -> None:
    async with form(tool_resources=RESOURCES) as (app, pilot):
        app.query_one("#files-code_interpreter", FilesButton).focus()
        await pilot.press("enter")
        await until(lambda: app.told_of(ToolFilesRequested))
        assert app.told_of(ToolFilesRequested)[0].tool == "code_interpreter"


def test_a_clone_has_the_same_files() -> None:
    clone = AssistantDraft.copy_of({**BASE, "tool_resources": RESOURCES}, "B")
    assert clone.changes()["tool_resources"] == RESOURCES
    assert "tool_resources" not in AssistantDraft.copy_of(BASE, "B").changes()
    assert "tool_resources" not in AssistantDraft({**BASE, "tool_resources": RESOURCES}).with_(name="B").changes()
