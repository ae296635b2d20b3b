"""The left pane as the screen sees it."""

from __future__ import annotations

import pytest

from playground_tui.assistants.events import (
    MessageAccepted,
    MessageChanged,
    RunChanged,
    ServerError,
    TextDelta,
    ThreadCreated,
)
from playground_tui.assistants.objects import Message, Run, Step, ToolCall, Usage
from playground_tui.cache.state import WaitingMessage
from playground_tui.ui.times import clock_time
from tests.support.wait import until
from tests.ui.chat_support import NOW, chat_app, conversation, on_screen, thread_lines, until_shown

USER = Message("msg_u", "user", "what is `this`?", run_id="", created_at=NOW)
ANSWER = Message("msg_a", "assistant", "", run_id="run_1", status="in_progress", created_at=NOW)


async def test_a_run_from_its_first_event_to_its_tokens() -> None:
    async with chat_app() as (app, _):
        app.pane.show_thread(None, [], more=False)
        assert "new thread" in on_screen(app)
        app.pane.apply(ThreadCreated("thread_[/x]"))
        app.pane.apply(MessageAccepted(USER))
        app.pane.apply(MessageAccepted(USER))
        app.pane.apply(RunChanged(Run("run_1", status="in_progress", model="openai/gpt", created_at=NOW)))
        app.pane.apply(MessageChanged(ANSWER))
        app.pane.apply(TextDelta("msg_a", "It is **"))
        app.pane.apply(TextDelta("msg_a", "this**."))
        await until_shown(app, "It is this.")
        app.pane.apply(MessageChanged(Message("msg_a", "assistant", "It is **this**.", run_id="run_1", created_at=NOW)))
        app.pane.apply(
            RunChanged(Run("run_1", status="completed", model="openai/gpt", created_at=NOW, usage=Usage(1, 2, 3)))
        )
        await until_shown(app, "openai/gpt  3 tokens")
        assert "thread_[/x]" in on_screen(app)
        assert [line for line in thread_lines(app) if line][:2] == [f" You  {clock_time(NOW, NOW)}", " what is `this`?"]
        assert app.pane.last_answer() == "It is **this**."
        assert [message.text for message in app.pane.messages()] == ["what is `this`?", "It is **this**."]


async def test_text_of_an_unknown_message_is_an_answer() -> None:
    async with chat_app() as (app, _):
        app.pane.apply(TextDelta("msg_x", "late"))
        await until_shown(app, "late")
        await until_shown(app, "Assistant")


async def test_a_message_begun_anew_after_a_reconnection_replaces_its_text() -> None:
    async with chat_app() as (app, _):
        app.pane.apply(MessageChanged(ANSWER))
        app.pane.apply(TextDelta("msg_a", "half of i"))
        await until_shown(app, "half of i")
        app.pane.apply(MessageChanged(ANSWER))
        app.pane.apply(TextDelta("msg_a", "other text"))
        await until_shown(app, "other text")
        assert app.pane.last_answer() == "other text"
        app.pane.apply(MessageChanged(Message("msg_a", "assistant", "other text, and more")))
        await until_shown(app, "other text, and more")


async def test_an_incomplete_message_says_why() -> None:
    async with chat_app() as (app, _):
        messages = [
            Message("m1", "assistant", "so far", status="incomplete", incomplete_reason="run_cancelled"),
            Message("m2", "assistant", "", status="incomplete", incomplete_reason="odd_reason"),
        ]
        app.pane.show_thread("thread_1", messages, more=False)
        shown = "\n".join(thread_lines(app))
        assert "incomplete: cancelled" in shown
        assert "incomplete: odd reason" in shown


async def test_an_opened_thread_gets_its_runs_and_steps() -> None:
    async with chat_app() as (app, _):
        app.pane.show_thread("thread_1", [USER, Message("msg_a", "assistant", "sunny", run_id="run_1")], more=False)
        app.pane.show_runs([Run("run_1", status="completed", model="m/1", usage=Usage(1, 1, 2))])
        call = ToolCall("c", "function", "get_weather", '{"city": "Paris"}', output="")
        app.pane.show_steps([Step("s", "run_1", "tool_calls", "completed", (call,))])
        await until_shown(app, "get_weather")
        lines = [line.strip() for line in thread_lines(app) if line.strip()]
        call_lines = ["Tool call", "→ get_weather", '{"city": "Paris"}', "= (empty output)"]
        assert lines[2:] == [*call_lines, "Assistant  m/1  2 tokens", "sunny"]
        assert "completed · 2 tokens" in app.status
        app.pane.show_runs([])


async def test_another_thread_replaces_everything() -> None:
    async with chat_app() as (app, _):
        app.pane.show_thread("thread_1", conversation(30), more=False)
        app.pane.show_thread("thread_2", conversation(1, start=90), more=False)
        assert [line for line in thread_lines(app) if "message" in line] == [f" message 90 line {n}" for n in range(3)]
        assert "thread_2" in on_screen(app)
        assert app.pane.last_answer() is None


async def test_code_blocks_are_given_out_raw() -> None:
    async with chat_app() as (app, _):
        app.pane.show_thread("t", [Message("m", "assistant", "a\n```py\nx = 1\n```\n```\ny\n```")], more=False)
        assert app.pane.code_blocks() == ["x = 1", "y"]


async def test_a_hostile_message_changes_nothing_but_its_own_lines() -> None:
    async with chat_app() as (app, pilot):
        text = "[/foo] [@click=app.quit]x[/] \x1b]52;c;aGk=\x07 \x9b2J \u202egnp.exe &#27;[2J `\x1b[31m`\n\n"
        text += "```\n\x1b[2J\n```"
        app.pane.show_thread(
            "\x1b]0;t\x07", [Message("m", "as\x1b[7msistant", text), Message("n", "user", text)], more=False
        )
        app.pane.show_problem(f"Not sent: {text}")
        app.pane.show_waiting([WaitingMessage("k", text, "not sent")])
        await pilot.pause()
        shown = on_screen(app)
        assert "[/foo] [@click=app.quit]x[/]" in shown
        assert not set(shown) & {"\x1b", "\x07", "\x9b", "\u202e"}


async def test_a_problem_stands_beside_the_composer_until_taken_away() -> None:
    async with chat_app() as (app, pilot):
        app.pane.apply(ServerError("The server is busy [/red]."))
        await until(lambda: "The server is busy [/red]." in on_screen(app))
        app.pane.show_problem("")
        await pilot.pause()
        assert "busy" not in on_screen(app)


async def test_the_chosen_one_of_many_waiting_messages_is_in_sight() -> None:
    async with chat_app() as (app, pilot):
        app.pane.show_waiting([WaitingMessage(f"k{number}", f"number {number}", "not sent") for number in range(7)])
        app.pane.waiting.focus()
        await pilot.press(*["down"] * 5)
        await until(lambda: "> not sent  number 5" in on_screen(app))
        assert "number 1" not in on_screen(app)
        await pilot.press(*["up"] * 5)
        await until(lambda: "> not sent  number 0" in on_screen(app))


async def test_the_same_waiting_messages_again_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with chat_app() as (app, _):
        waiting = [WaitingMessage("k1", "first"), WaitingMessage("k2", "second")]
        app.pane.show_waiting(waiting)
        drawn: list[object] = []
        monkeypatch.setattr(app.pane.waiting, "refresh", lambda **how: drawn.append(how))
        app.pane.show_waiting([WaitingMessage("k1", "first"), WaitingMessage("k2", "second")])
        assert drawn == []
        app.pane.show_waiting(waiting[1:])
        assert drawn == [{"layout": True}]


async def test_waiting_messages_are_lines_with_keys() -> None:
    async with chat_app() as (app, pilot):
        waiting = [WaitingMessage("k1", "first\nmessage", "waiting"), WaitingMessage("k2", "second", "not sent")]
        app.pane.show_waiting(waiting)
        await until(lambda: "not sent  second" in on_screen(app))
        assert "waiting  first message" in on_screen(app)
        app.pane.waiting.focus()
        await pilot.press("down", "enter", "e", "up", "up", "e")
        await until(lambda: ("edit waiting", "k1") in app.posted)
        assert ("send waiting", "k2") in app.posted
        assert ("edit waiting", "k2") in app.posted
        app.pane.show_waiting([])
        await until(lambda: app.pane.composer.has_focus)
        assert not app.pane.waiting.display
