"""The thread's view: what stands where, what moves and what does not, and how little is repainted."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from textual.geometry import Region

from playground_tui.assistants.events import MessageChanged, TextDelta
from playground_tui.assistants.objects import Message, Run
from playground_tui.ui.chat.thread import calm_top
from tests.support.wait import until
from tests.ui.chat_support import (
    MARKDOWN,
    NOW,
    ChatApp,
    chat_app,
    conversation,
    thread_lines,
    top_line,
    until_shown,
)

RUN = Run("run_1", status="in_progress", created_at=NOW)
ANSWER = Message("msg_answer", "assistant", status="in_progress", created_at=NOW)


async def stream(app: ChatApp, text: str, size: int = 7) -> None:
    """Stream `text` as an answer and wait until it is all shown."""
    for at in range(0, len(text), size):
        app.pane.apply(TextDelta("msg_answer", text[at : at + size]))
    await settled(app)


async def settled(app: ChatApp) -> None:
    await until(lambda: not app.thread.frames.coming)


async def test_an_empty_thread_says_what_to_do() -> None:
    async with chat_app() as (app, _):
        app.pane.show_thread(None, [], more=False)
        shown = "\n".join(thread_lines(app))
        assert "press enter" in shown
        assert "ctrl+o" in shown


async def test_a_thread_is_shown_at_its_end() -> None:
    async with chat_app() as (app, _):
        app.pane.show_thread("thread_1", conversation(40), more=False)
        assert "message 39 line 2" in thread_lines(app)[-1]


async def test_streamed_text_is_shown_as_the_whole_text_is() -> None:
    async with chat_app((72, 60)) as (app, _):
        app.pane.show_thread("thread_1", [], more=False)
        app.pane.apply(MessageChanged(ANSWER))
        rng = random.Random(7)
        at = 0
        while at < len(MARKDOWN):
            size = rng.randint(1, 9)
            app.pane.apply(TextDelta("msg_answer", MARKDOWN[at : at + size]))
            at += size
            if rng.random() < 0.2:
                await settled(app)
        await settled(app)
        streamed = thread_lines(app)
        whole = Message("msg_answer", "assistant", text=MARKDOWN, created_at=NOW)
        app.pane.show_thread("thread_1", [whole], more=False)
        assert thread_lines(app) == streamed
        assert app.pane.last_answer() == MARKDOWN


async def test_a_token_repaints_a_few_cells() -> None:
    async with chat_app() as (app, _):
        app.pane.show_thread("thread_1", conversation(2), more=False)
        app.pane.apply(MessageChanged(ANSWER))
        await stream(app, "The first words")
        painted: list[Region] = []
        refresh = app.thread.refresh
        app.thread.refresh = lambda *regions, **options: painted.extend(regions) or refresh(*regions, **options)
        await stream(app, " and more", size=9)
        assert [(region.width, region.height) for region in painted] == [(8, 1)]


async def test_text_grows_in_place_and_the_view_moves_by_part_of_a_page() -> None:
    async with chat_app() as (app, _):
        app.pane.show_thread("thread_1", [Message("msg_answer", "assistant", created_at=NOW)], more=False)
        app.pane.show_run(RUN)
        tops = [0.0]
        for number in range(60):
            await stream(app, f"paragraph {number}\n\n", size=40)
            tops.append(app.thread.scroll_y)
            assert any(f"paragraph {number}" in line for line in thread_lines(app)), "the newest text is in sight"
        moves = [b - a for a, b in pairwise(tops) if a != b]
        assert len(moves) < 12
        assert min(moves) >= app.thread.size.height // 3


async def test_nothing_of_an_answer_that_comes_at_once_is_out_of_sight_before_it_was_shown() -> None:
    async with chat_app() as (app, _):
        app.pane.show_thread("thread_1", conversation(4), more=False)
        app.pane.show_run(RUN)
        paragraphs = [f"paragraph {number}." for number in range(app.thread.size.height // 2 - 1)]
        await stream(app, "\n\n".join(paragraphs), size=4000)
        shown = "\n".join(thread_lines(app))
        assert [paragraph for paragraph in paragraphs if paragraph not in shown] == []


async def test_the_window_is_filled_once_the_answer_is_whole() -> None:
    async with chat_app() as (app, _):
        app.pane.show_thread("thread_1", conversation(4), more=False)
        app.pane.show_run(RUN)
        for number in range(20):
            await stream(app, f"paragraph {number}\n\n", size=40)
        app.pane.show_run(replace(RUN, status="completed"))
        await settled(app)
        assert "paragraph 19" in thread_lines(app)[-1]
        assert thread_lines(app)[0].strip()


async def test_line_scrolling_keeps_the_last_line_at_the_bottom() -> None:
    async with chat_app(scroll="line") as (app, _):
        app.pane.show_thread("thread_1", conversation(1), more=False)
        for number in range(40):
            await stream(app, f"paragraph {number}\n\n", size=40)
        assert "paragraph 39" in thread_lines(app)[-1]


async def test_scrolling_up_holds_still_and_a_key_goes_back() -> None:
    async with chat_app() as (app, pilot):
        app.pane.show_thread("thread_1", conversation(40), more=False)
        app.pane.composer.focus()
        await pilot.press("pageup", "pageup")
        before = thread_lines(app)
        for number in range(60):
            await stream(app, f"paragraph {number}\n\n", size=40)
        assert thread_lines(app) == before
        await until(lambda: "more below" in app.status)
        await pilot.press("ctrl+end")
        await until_shown(app, "paragraph 59")
        await until(lambda: "more below" not in app.status)
        await stream(app, "then\n\n" * 40, size=40)
        assert "then" in thread_lines(app)[-1] or any("then" in line for line in thread_lines(app))


@pytest.mark.parametrize("key", ["up", "home", "pageup"])
async def test_the_thread_scrolls_by_its_own_keys(key: str) -> None:
    async with chat_app() as (app, pilot):
        app.pane.show_thread("thread_1", conversation(40), more=False)
        app.thread.focus()
        await pilot.press(key)
        assert not app.thread.following
        if key == "home":
            assert "You" in top_line(app)
        await pilot.press("end")
        assert app.thread.following
        assert "message 39 line 2" in thread_lines(app)[-1]
        await pilot.press("pageup", "up", "down", "pagedown", "pagedown")
        assert app.thread.following


async def test_reading_every_page_shows_every_line_once() -> None:
    async with chat_app() as (app, pilot):
        app.pane.show_thread("thread_1", conversation(30, lines=9), more=False)
        app.thread.focus()
        await pilot.press("home")
        seen = thread_lines(app)
        while not app.thread.following:
            app.thread.action_lines(1)
            seen.append(thread_lines(app)[-1])
        wanted = [f" message {n} line {i}" for n in range(30) for i in range(9)]
        assert [line for line in seen if "line" in line] == wanted


async def test_older_messages_are_asked_for_once_and_do_not_move_what_is_read() -> None:
    async with chat_app() as (app, pilot):
        app.pane.show_thread("thread_1", conversation(20, start=50), more=True)
        app.thread.focus()
        await pilot.press("home")
        await until(lambda: "older" in app.posted)
        await pilot.press("down", "up")
        assert app.posted.count("older") == 1
        before = thread_lines(app)
        app.pane.prepend(conversation(50), more=False)
        await settled(app)
        assert [line for line in thread_lines(app) if line] == [line for line in before if line]
        assert [message.id for message in app.pane.messages()] == [f"msg_{n}" for n in range(70)]
        await pilot.press("home")
        assert thread_lines(app)[1] == " message 0 line 0"


async def test_messages_known_already_are_not_prepended_again() -> None:
    async with chat_app() as (app, _):
        app.pane.show_thread("thread_1", conversation(4, start=2), more=True)
        app.pane.prepend(conversation(4), more=False)
        assert [message.id for message in app.pane.messages()] == [f"msg_{n}" for n in range(6)]


async def test_resizing_wraps_again_and_keeps_the_place() -> None:
    async with chat_app((72, 24)) as (app, pilot):
        long = [Message(f"m{n}", "user", f"start {n} " + "word " * 60, created_at=NOW) for n in range(60)]
        app.pane.show_thread("thread_1", long, more=False)
        app.thread.focus()
        await pilot.press(*["pageup"] * 6)
        top = app.thread.column.place(round(app.thread.scroll_y))
        assert top is not None
        for width, height in ((40, 24), (20, 5), (100, 40), (72, 24)):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            now = app.thread.column.place(round(app.thread.scroll_y))
            assert now is not None
            assert now.item is top.item, f"at {width}x{height} another message is at the top"


async def test_resizing_to_almost_nothing_while_text_streams_loses_nothing() -> None:
    async with chat_app((72, 24)) as (app, pilot):
        app.pane.show_thread("thread_1", conversation(6), more=False)
        for number, size in enumerate([(20, 5), (1, 1), (300, 100), (20, 5), (72, 24)]):
            await stream(app, f"paragraph {number}\n\n{MARKDOWN}\n\n")
            await pilot.resize_terminal(*size)
            await pilot.pause()
        await stream(app, "the end")
        await until_shown(app, "the end")
        assert (app.pane.last_answer() or "").count("# Sorting") == 5


async def test_a_thread_of_ten_thousand_messages_renders_only_what_is_near() -> None:
    async with chat_app() as (app, pilot):
        app.pane.show_thread("thread_1", conversation(10_000), more=False)
        assert "message 9999 line 2" in thread_lines(app)[-1]
        app.thread.focus()
        await pilot.press("home")
        assert thread_lines(app)[1] == " message 0 line 0"
        await pilot.press("end")
        assert "message 9999 line 2" in thread_lines(app)[-1]
        assert sum(bool(item.units) for item in app.thread.column.items) < 100


async def test_lines_far_from_the_window_are_forgotten_and_rendered_again() -> None:
    async with chat_app() as (app, pilot):
        app.pane.show_thread("thread_1", conversation(2_000), more=False)
        app.thread.focus()
        for _ in range(150):
            app.thread.action_pages(-1)
        rendered = sum(unit.strips is not None for item in app.thread.column.items for unit in item.units)
        assert rendered <= 1_500
        await pilot.press("end")
        assert "message 1999 line 2" in thread_lines(app)[-1]


async def test_the_work_of_a_frame_does_not_grow_with_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    from playground_tui.ui.chat import items

    rendered: list[int] = []
    render = items.render
    monkeypatch.setattr(items, "render", lambda block, *rest: rendered.append(len(block.text)) or render(block, *rest))
    async with chat_app() as (app, _):
        app.pane.show_thread("thread_1", [], more=False)
        await stream(app, "```python\n" + "value = compute(1)\n" * 3_000, size=4_000)
        rendered.clear()
        await stream(app, "x = 1")
        assert sum(rendered) < 4_000


async def test_a_theme_recolours_the_thread() -> None:
    async with chat_app() as (app, pilot):
        app.pane.show_thread("thread_1", conversation(4), more=False)
        before = app.thread.render_line(0)
        app.theme = "textual-light"
        await pilot.pause()
        await until(lambda: app.thread.render_line(0) != before)
        assert app.thread.render_line(0).text == before.text


async def test_nothing_ticks_when_nothing_happens() -> None:
    async with chat_app() as (app, _):
        app.pane.show_thread("thread_1", conversation(4), more=False)
        await stream(app, "done")
        assert not app.thread.frames.coming
        assert app.pane.run_status._second is None
        assert app.pane.composer.cursor_blink is False


@pytest.mark.parametrize(
    ("top", "height", "content", "starts", "new", "wanted"),
    [
        (0, 20, 20, [0, 15], 19, 0),
        (0, 20, 21, [0, 15], 19, 15),
        (0, 20, 21, [10, 15], 19, 10),
        (0, 20, 60, [0, 0], 59, 55),
        (50, 20, 71, [0, 40], 70, 66),
        (0, 20, 21, [0, 15], 3, 3),
        (0, 20, 60, [0, 58], 19, 40),
        (50, 20, 75, [0, 70], 60, 60),
    ],
)
def test_calm_scrolling_puts_what_is_written_at_the_top_and_nothing_new_out_of_sight(
    top: int, height: int, content: int, starts: list[int], new: int, wanted: int
) -> None:
    assert calm_top(top, height, content, starts, new) == wanted
