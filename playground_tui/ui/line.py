"""Textual's field of one line, made safe for whatever is in it."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual import events
from textual.widgets import Input

from playground_tui.text import aligned, clean, with_newlines


class Line(Input):
    """An Input that shows its text harmlessly and takes pasted text without control characters."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.cursor_blink = False

    @property
    def _value(self) -> Text:
        return Text(aligned(self.value), no_wrap=True, overflow="ignore", end="")

    def _on_paste(self, event: events.Paste) -> None:
        """Lines are joined: Input would keep the first alone."""
        event.text = clean(with_newlines(event.text).strip("\n"), newlines=False)
