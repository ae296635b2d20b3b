"""The composer sends, keeps, recalls, and stays quick."""

from __future__ import annotations

import time

from textual.events import Paste

from playground_tui.text import aligned
from playground_tui.ui.area import LONGEST_WRAPPED
from tests.support.wait import until
from tests.ui.chat_support import chat_app, conversation, on_screen


async def test_enter_sends_and_ctrl_j_makes_a_line() -> None:
    async with chat_app() as (app, pilot):
        app.pane.composer.focus()
        await pilot.press(*"hello", "ctrl+j", *"you", "shift+enter", "!", "enter")
        await until(app.sent)
        assert app.sent() == ["hello\nyou\n!"]
        assert app.pane.composer.text == ""


async def test_an_empty_text_is_not_sent() -> None:
    async with chat_app() as (app, pilot):
        app.pane.composer.focus()
        await pilot.press("enter", "space", "ctrl+j", "enter")
        assert app.sent() == []
        assert app.pane.composer.text == " \n"


async def test_a_paste_of_many_lines_never_sends() -> None:
    async with chat_app() as (app, pilot):
        app.pane.composer.focus()
        app.pane.composer.post_message(Paste("one\r\ntwo\rthree\n"))
        await until(lambda: app.pane.composer.text == "one\ntwo\nthree\n")
        await pilot.pause()
        assert app.pane.composer.text == "one\ntwo\nthree\n", "it is pasted once"
        assert app.sent() == []
        await pilot.press("enter")
        await until(app.sent)


async def test_every_change_is_told() -> None:
    async with chat_app() as (app, pilot):
        app.pane.composer.focus()
        await pilot.press("a", "b")
        await until(lambda: ("typed", "ab") in app.posted)


async def test_history_goes_back_and_forth_and_gives_the_draft_back() -> None:
    async with chat_app() as (app, pilot):
        composer = app.pane.composer
        composer.sent = ["first", "second\nline"]
        composer.focus()
        await pilot.press(*"draft", "up")
        assert composer.text == "second\nline"
        await pilot.press("up")
        assert composer.text == "second\nline", "up inside the text moves the cursor"
        await pilot.press("up")
        assert composer.text == "first"
        await pilot.press("up")
        assert composer.text == "first"
        await pilot.press("down", "down")
        assert composer.text == "draft"
        await pilot.press("down")
        assert composer.text == "draft"


async def test_a_draft_stands_there_again_after_an_old_text_was_sent_in_its_place() -> None:
    async with chat_app() as (app, pilot):
        app.pane.composer.sent = ["old"]
        app.pane.composer.focus()
        await pilot.press(*"draft", "up", "enter")
        await until(app.sent)
        assert app.sent() == ["old"]
        assert app.pane.composer.text == "draft"


async def test_a_draft_is_kept_while_another_text_is_made_of_an_old_one() -> None:
    async with chat_app() as (app, pilot):
        composer = app.pane.composer
        composer.sent = ["older", "old"]
        composer.focus()
        await pilot.press(*"draft", "up")
        assert composer.written == "draft"
        await pilot.press("!")
        assert composer.text == "old!"
        assert composer.written == "old!\ndraft"
        await pilot.press("up", "down", "down")
        assert composer.text == "old!\ndraft", "what was made of it is not lost by looking further"


async def test_a_text_given_back_stands_above_the_draft_and_not_above_what_is_looked_at() -> None:
    async with chat_app() as (app, pilot):
        composer = app.pane.composer
        composer.sent = ["old"]
        composer.focus()
        await pilot.press(*"draft", "up")
        composer.give_back("lost")
        assert composer.text == "lost\ndraft"


async def test_a_sent_text_joins_the_history_once() -> None:
    async with chat_app() as (app, pilot):
        composer = app.pane.composer
        composer.focus()
        await pilot.press("a", "enter", "a", "enter", "b", "enter", "up", "up")
        assert composer.sent == ["a", "b"]
        assert composer.text == "a"


async def test_shift_up_selects_and_never_leaves_the_text() -> None:
    async with chat_app() as (app, pilot):
        composer = app.pane.composer
        composer.sent = ["old"]
        composer.focus()
        await pilot.press("a", "shift+up", "shift+down")
        assert composer.text == "a"


async def test_a_text_given_back_stands_above_what_was_typed_since() -> None:
    async with chat_app() as (app, _):
        composer = app.pane.composer
        composer.give_back("lost")
        assert composer.text == "lost"
        composer.give_back("more")
        assert composer.text == "more\nlost"


async def test_it_grows_with_its_text_and_leaves_room_for_the_thread() -> None:
    async with chat_app((72, 30)) as (app, pilot):
        composer = app.pane.composer
        assert composer.content_size.height == 1
        composer.load("a\nb\nc")
        await until(lambda: composer.content_size.height == 3)
        composer.load("x\n" * 50)
        await until(lambda: composer.content_size.height == 8)
        await pilot.resize_terminal(60, 12)
        await until(lambda: app.thread.size.height >= 4)


async def test_pages_scroll_the_thread_from_the_composer() -> None:
    async with chat_app() as (app, pilot):
        app.pane.show_thread("thread_1", conversation(40), more=False)
        app.pane.composer.focus()
        end = app.thread.scroll_y
        await pilot.press("pageup")
        await until(lambda: app.thread.scroll_y < end)
        await pilot.press("pagedown")
        await until(lambda: app.thread.following)
        assert app.pane.composer.has_focus


async def test_undo_and_redo() -> None:
    async with chat_app() as (app, pilot):
        app.pane.composer.focus()
        await pilot.press("a", "ctrl+z")
        assert app.pane.composer.text == ""
        await pilot.press("alt+z")
        assert app.pane.composer.text == "a"


async def test_a_very_long_line_is_not_wrapped_and_said() -> None:
    async with chat_app() as (app, pilot):
        composer = app.pane.composer
        composer.focus()
        composer.post_message(Paste("x" * 200_000))
        await until(lambda: len(composer.text) == 200_000)
        await until(lambda: "200,000 characters" in on_screen(app))
        start = time.process_time()
        await pilot.press("y", "backspace", "z")
        assert time.process_time() - start < 3
        composer.load("short")
        await until(lambda: composer.soft_wrap)
        await until(lambda: not composer.border_subtitle)


async def test_many_lines_of_200_000_characters_stay_quick_to_type_in() -> None:
    async with chat_app() as (app, pilot):
        composer = app.pane.composer
        composer.focus()
        composer.load(("word " * 20 + "\n") * 2_000)
        await pilot.pause()
        start = time.process_time()
        await pilot.press(*"typed")
        assert time.process_time() - start < 3
        assert composer.text.endswith("typed")
        assert composer.soft_wrap


def test_a_line_is_shown_with_a_harmless_character_for_each() -> None:
    assert aligned("plain 👩‍🚀") == "plain 👩‍🚀"
    assert aligned("a\x1b[31m\u202eb") == "a␛[31m\ufffdb"
    assert LONGEST_WRAPPED == 10_000


async def test_escape_sequences_and_brackets_are_shown_not_obeyed() -> None:
    async with chat_app() as (app, _):
        app.pane.composer.load("[/foo] [TODO] \x1b]0;title\x07 \x9b31m")
        await until(lambda: "[/foo] [TODO] ␛]0;title␇" in on_screen(app))
        assert "\x1b" not in on_screen(app)
        assert app.pane.composer.text.count("\x1b") == 1, "what is sent is what was pasted"


async def test_a_text_on_its_way_to_be_sent_is_still_written() -> None:
    async with chat_app() as (app, pilot):
        app.pane.composer.focus()
        await pilot.press(*"hello")
        app.pane.composer.send()
        assert app.pane.composer.written == "hello"  # nobody has it yet: a signal may come now
        app.pane.composer.taken_over()
        assert app.pane.composer.written == ""
