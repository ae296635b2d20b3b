"""The run's line says every state in words."""

from __future__ import annotations

import pytest

from playground_tui.assistants.events import Reconnected, Reconnecting, Retrying, RunChanged
from playground_tui.assistants.objects import Run, ToolCall, Usage
from playground_tui.ui.chat.status import duration, run_words
from tests.support.wait import until
from tests.ui.chat_support import NOW, chat_app

USAGE = Usage(1_000, 234, 1_234)


def run(status: str, **fields: object) -> Run:
    return Run("run_1", status=status, created_at=NOW, started_at=NOW, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (run("queued"), "queued · 7 s · escape cancels"),
        (run("in_progress"), "in progress · 7 s · escape cancels"),
        (run("cancelling"), "cancelling · 7 s"),
        (run("cancelled"), "cancelled"),
        (
            run("requires_action", waiting_for=(ToolCall("c", "function"),)),
            "requires action: 1 function output to give · 7 s · escape cancels",
        ),
        (run("completed", usage=USAGE, completed_at=NOW + 5), "completed · 1,234 tokens · 5 s"),
        (run("failed", error_code="rate_limit_exceeded", error_message="Too fast."), "failed: Too fast."),
        (run("failed", error_code="server_error"), "failed: server_error"),
        (run("failed"), "failed: the server gave no reason"),
        (run("expired"), "expired: the run took longer than the server allows"),
        (
            run("incomplete", incomplete_reason="max_completion_tokens", usage=USAGE),
            "incomplete: the limit of completion tokens was reached · 1,234 tokens",
        ),
        (run("incomplete", incomplete_reason="some_reason"), "incomplete: some reason"),
        (run("completed", notes="temperature is not used"), "completed · temperature is not used"),
    ],
)
def test_each_state_has_its_words(state: Run, words: str) -> None:
    assert run_words(state, NOW + 7) == words


def test_a_long_run_says_so_and_goes_on() -> None:
    assert "a long run, it goes on; escape cancels it" in run_words(run("in_progress"), NOW + 61)
    assert "1 min 1 s" in run_words(run("in_progress"), NOW + 61)


@pytest.mark.parametrize(("seconds", "words"), [(-3, "0 s"), (59.9, "59 s"), (125, "2 min 5 s"), (3_720, "1 h 2 min")])
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


async def test_the_seconds_run_only_while_the_run_is_active() -> None:
    async with chat_app() as (app, _):
        app.pane.apply(RunChanged(run("in_progress")))
        assert "in progress · 0 s" in app.status
        app.clock = NOW + 3
        await until(lambda: "in progress · 3 s" in app.status)
        assert app.pane.run_status._second is not None
        app.pane.apply(RunChanged(run("completed", completed_at=NOW + 4)))
        assert "completed · 4 s" in app.status
        assert app.pane.run_status._second is None
        app.pane.show_run(None)
        assert app.status.strip() == ""


async def test_a_broken_stream_counts_down_and_comes_back() -> None:
    async with chat_app((100, 24)) as (app, _):
        app.pane.apply(RunChanged(run("in_progress")))
        app.pane.apply(Reconnecting("[/b] connection reset", 2, 4.0))
        assert "again in 4 s (attempt 2) · escape stops" in app.status
        assert str(app.pane.problem.content) == "[/b] connection reset The run goes on."
        app.clock = NOW + 5
        await until(lambda: "again now" in app.status)
        app.pane.apply(Reconnected())
        assert "in progress · 5 s" in app.status
        assert not app.pane.problem.display


async def test_a_request_that_takes_long_is_told_of_with_the_key_that_stops_it() -> None:
    async with chat_app((100, 24)) as (app, _):
        app.pane.show_sending("sending")
        assert app.status.strip() == ""
        app.clock = NOW + 7
        await until(lambda: "sending · 7 s · escape stops" in app.status)
        app.pane.apply(Retrying("not sent yet", "[/b] busy", 2, 90.0))
        assert "not sent yet · again in 1 min 30 s (attempt 2) · escape stops" in app.status
        app.pane.show_sending("")
        assert app.status.strip() == ""
        assert app.pane.run_status._second is None


async def test_a_long_reason_is_cut_and_harmless() -> None:
    async with chat_app((40, 24)) as (app, _):
        app.pane.apply(RunChanged(run("failed", error_message="日本\x1b[31m " * 40)))
        app.pane.run_status.show_below(True)
        assert "more below" in app.status
        assert "\x1b" not in app.status
        assert app.pane.run_status.has_class("-ended-badly")


async def test_what_stood_beside_the_composer_stands_there_again_after_a_retry() -> None:
    async with chat_app((100, 24)) as (app, _):
        app.pane.show_problem("Stopped waiting.")
        for attempt in (2, 3):
            app.pane.apply(Retrying("the thread is not read yet", "Too slow.", attempt, 4.0))
            assert str(app.pane.problem.content) == "Too slow."
        app.pane.apply(Reconnected())
        assert str(app.pane.problem.content) == "Stopped waiting."
        app.pane.show_problem("")
        app.pane.apply(Retrying("not sent yet", "Too slow.", 2, 4.0))
        app.pane.apply(Reconnected())
        assert not app.pane.problem.display
