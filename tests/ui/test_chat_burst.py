"""Keys that arrive together, as a slow line, tmux or a script sends them, do what they do one by one."""

from __future__ import annotations

from textual import events

from tests.support.wait import until
from tests.ui.chat_support import chat_app


async def test_text_and_enter_in_one_burst_are_sent_as_typed() -> None:
    async with chat_app() as (app, _):
        app.pane.composer.focus()
        for key in ("h", "i", "ctrl+j", "y", "o", "u", "enter"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(app.sent)
        assert app.sent() == ["hi\nyou"]
        assert app.pane.composer.text == ""
