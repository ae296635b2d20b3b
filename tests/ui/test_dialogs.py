"""The lists and questions over the split screen."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.widgets import Input, Static

from playground_tui.assistants.objects import Assistant, ThreadSummary
from playground_tui.ui.dialogs.assistants import AssistantPicker, assistant_row
from playground_tui.ui.dialogs.chooser import SHOWN, Choice, Chooser, Row, likeness
from playground_tui.ui.dialogs.confirm import Confirm
from playground_tui.ui.dialogs.help import Help
from playground_tui.ui.dialogs.threads import ThreadPicker


class Host(App[Any]):
    """Shows one dialog and keeps what it was dismissed with."""

    answer: Any = "nothing yet"

    def show(self, dialog: Any) -> None:
        self.push_screen(dialog, lambda answer: setattr(self, "answer", answer))


def assistants() -> list[Assistant]:
    return [
        Assistant.from_json({"id": "asst_1", "name": "Reviewer", "model": "m", "metadata": {"category": "code"}}),
        Assistant.from_json({"id": "asst_2", "name": "[/b] \x1b]0;x\x07", "model": "m"}),
        Assistant.from_json({"id": "asst_3", "name": "Poet", "model": "m", "metadata": {"category": "art"}}),
    ]


def shown(dialog: Chooser) -> list[str]:
    return [str(option.prompt) for option in dialog.choices.options]


async def test_assistants_are_grouped_by_category_and_found_by_typing() -> None:
    app = Host()
    async with app.run_test(notifications=True, tooltips=True) as pilot:
        picker = AssistantPicker(assistants(), where="engine")
        app.show(picker)
        await pilot.pause()
        lines = shown(picker)
        assert lines[1:] == ["art", "Poet  m", "code", "Reviewer  m"]
        assert "\x1b" not in lines[0] and "[/b]" in lines[0]
        await pilot.press(*"rview")
        assert "Reviewer  m" in shown(picker)[1]
        await pilot.press("enter")
        await pilot.pause()
    assert app.answer == Choice("asst_1")


async def test_keys_of_the_picker_say_what_to_do_with_the_highlighted_one() -> None:
    for key, action in (("ctrl+k", "clone"), ("ctrl+d", "delete"), ("ctrl+y", "copy id")):
        app = Host()
        async with app.run_test() as pilot:
            app.show(AssistantPicker(assistants(), where="engine"))
            await pilot.press("down", key)
            await pilot.pause()
        assert app.answer == Choice("asst_3", action)


async def test_new_and_escape_need_no_row() -> None:
    for key, answer in (("ctrl+n", Choice("", "new")), ("escape", None)):
        app = Host()
        async with app.run_test() as pilot:
            app.show(ThreadPicker("Threads", [], lambda at: "now"))
            await pilot.pause()
            await pilot.press("enter", key)
            await pilot.pause()
        assert app.answer == answer


async def test_a_thread_shows_its_first_line_time_and_count() -> None:
    app = Host()
    async with app.run_test() as pilot:
        threads = [ThreadSummary("t1", "hello\nworld", 1, 5), ThreadSummary("t2", "", 1200, 6)]
        picker = ThreadPicker("Threads", threads, lambda at: f"at {at}")
        app.show(picker)
        await pilot.pause()
        assert shown(picker) == ["hello world  at 5 · 1 message", "(empty)  at 6 · 1,200 messages"]
        await pilot.press("down", "ctrl+d")
        await pilot.pause()
    assert app.answer == Choice("t2", "delete")


async def test_the_highlight_stops_at_the_ends_and_steps_over_headings() -> None:
    app = Host()
    async with app.run_test() as pilot:
        rows = [Row("a", "a", group="one"), Row("b", "b", group="two")]
        picker = Chooser("Pick", rows, hint="", empty="none")
        app.show(picker)
        await pilot.pause()
        await pilot.press("pagedown")
        assert picker.highlighted_id == "b"
        await pilot.press("down", "up", "up", "up")
        assert picker.highlighted_id == "a"
        await pilot.press("pageup")
        assert picker.highlighted_id == "a"


async def test_a_long_list_says_how_much_more_there_is() -> None:
    app = Host()
    async with app.run_test() as pilot:
        picker = Chooser("Pick", [Row(str(i), f"row {i}") for i in range(SHOWN + 50)], hint="", empty="none")
        app.show(picker)
        await pilot.pause()
        assert shown(picker)[-1] == "… and 50 more: type to narrow"
        picker.query_one("#search", Input).value = "zzz"
        await pilot.pause()
        assert shown(picker) == ["nothing matches"]
        picker.set_rows([])
        assert shown(picker) == ["none"]


async def test_a_question_is_answered_with_yes_or_no() -> None:
    for key, answer in (("enter", True), ("y", True), ("escape", False), ("n", False)):
        app = Host()
        async with app.run_test() as pilot:
            app.show(Confirm("Delete [x]?", detail="It [/stays].", yes="delete", no="keep"))
            await pilot.pause()
            assert any("Delete [x]?" in str(static.content) for static in app.screen.query(Static))
            await pilot.press(key)
            await pilot.pause()
        assert app.answer is answer


async def test_help_shows_the_keys_and_closes() -> None:
    app = Host()
    async with app.run_test() as pilot:
        app.show(Help([("ctrl+x", "does [it]")], "Here.", saved_after=3))
        await pilot.pause()
        text = "\n".join(str(static.content) for static in app.screen.query(Static))
        assert "ctrl+x  does [it]" in text and "Here." in text
        await pilot.press("escape")
        await pilot.pause()
    assert app.answer is None


def test_an_assistant_without_a_name_shows_its_id() -> None:
    assert "asst_9" in assistant_row(Assistant.from_json({"id": "asst_9"})).title


def test_a_search_prefers_beginnings_then_words_then_letters_in_order() -> None:
    texts = ["Rev", "Rev two", "a rev", "prevent", "r-e-v", "r--e--v", "ver"]
    assert sorted(texts, key=lambda text: -likeness("rev", text)) == texts
    assert likeness("two rev", "Rev two") > likeness("two rev", "t-w-o rev") > likeness("two rev", "towrev") == 0


def test_a_long_text_of_equal_letters_is_searched_in_one_pass() -> None:
    assert likeness("a" * 50, "a-" * 10_000) == 50 / 99
