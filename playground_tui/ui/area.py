"""Textual's text area, with a paste whose lines stay lines, and quick with very long ones."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult

from playground_tui.text import with_newlines

LONGEST_WRAPPED: Final = 10_000
"""Characters of a line. Wrapping begins anew at each key: a longer line would hold up the typing."""


class Area(TextArea):
    """With a line beyond LONGEST_WRAPPED characters it does not wrap."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("alt+z", "redo", "redo", show=False, id="redo")]

    def __init__(self, **named: Any) -> None:
        super().__init__(highlight_cursor_line=False, **named)
        self.cursor_blink = False

    def load(self, text: str) -> None:
        """Put `text` in place of what is there."""
        self.soft_wrap = longest(text.split("\n")) <= LONGEST_WRAPPED
        self.load_text(text)

    def fit(self) -> None:
        """Wrap when every line is short enough for it."""
        self.soft_wrap = longest(self.document.lines) <= LONGEST_WRAPPED

    def edit(self, edit: Edit) -> EditResult:
        """A long line that comes in by one edit is not wrapped first."""
        if len(edit.text) > LONGEST_WRAPPED and longest(edit.text.split("\n")) > LONGEST_WRAPPED:
            self.soft_wrap = False
        return super().edit(edit)

    def pasted(self, text: str) -> str:
        """What is taken in of a text that was pasted."""
        return with_newlines(text)

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.text = self.pasted(event.text)


def longest(lines: list[str]) -> int:
    """Characters of the longest line."""
    return max(map(len, lines), default=0)
