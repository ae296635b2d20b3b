"""Textual's text widgets, made safe for pasted text and quick with very long lines."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.document._edit import Edit
from textual.widgets import Input, TextArea
from textual.widgets.text_area import EditResult

from playground_tui.text import clean, with_newlines
from playground_tui.ui.line import Line

LONGEST_WRAPPED = 10_000
"""Characters of a line. Wrapping begins anew at each key: a longer line would hold up the typing."""


class LineBox(Line):
    """A Line whose text is loaded without a message."""

    def __init__(self, *, placeholder: str = "", id: str | None = None, select: bool = False) -> None:  # noqa: A002
        """`select`: what is there is selected when the cursor comes, so that typing replaces it."""
        super().__init__(placeholder=placeholder, id=id, select_on_focus=select)

    def load(self, text: str) -> None:
        """Shows `text`; posts nothing."""
        with self.prevent(Input.Changed):
            self.value = text


class TextBox(TextArea):
    """A TextArea that tab leaves, whose text is loaded without a message and pasted without control characters.

    With a line beyond LONGEST_WRAPPED characters it does not wrap.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("alt+z", "redo", "Redo", show=False)]

    def __init__(self, *, id: str | None = None, placeholder: Content | str = "") -> None:  # noqa: A002
        super().__init__(id=id, placeholder=placeholder, tab_behavior="focus")
        self.cursor_blink = False
        self.highlight_cursor_line = False
        self.match_cursor_bracket = False

    def load(self, text: str) -> None:
        """Shows `text`, the cursor about where it was; posts nothing."""
        cursor = self.cursor_location
        self.soft_wrap = _longest(text.split("\n")) <= LONGEST_WRAPPED
        with self.prevent(TextArea.Changed):
            self.load_text(text)
        self.cursor_location = self.clamp_visitable(cursor)

    def fit(self) -> None:
        """Wraps when every line is short enough for it."""
        wraps = _longest(self.document.lines) <= LONGEST_WRAPPED
        if wraps != self.soft_wrap:
            self.soft_wrap = wraps

    def edit(self, edit: Edit) -> EditResult:
        """A long line that comes in by one edit is not wrapped first."""
        if self.soft_wrap and len(edit.text) > LONGEST_WRAPPED and _longest(edit.text.split("\n")) > LONGEST_WRAPPED:
            self.soft_wrap = False
        return super().edit(edit)

    async def _on_paste(self, event: events.Paste) -> None:
        event.text = clean(with_newlines(event.text))


def _longest(lines: list[str]) -> int:
    return max(map(len, lines), default=0)
