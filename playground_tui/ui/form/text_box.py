"""Textual's text widgets, made safe for pasted text, and loaded without a message."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Input, TextArea

from playground_tui.text import clean
from playground_tui.ui.area import Area
from playground_tui.ui.line import Line


class LineBox(Line):
    """A Line whose text is loaded without a message."""

    def __init__(self, *, placeholder: str = "", id: str | None = None, select: bool = False) -> None:  # noqa: A002
        """`select`: what is there is selected when the cursor comes, so that typing replaces it."""
        super().__init__(placeholder=placeholder, id=id, select_on_focus=select)

    def load(self, text: str) -> None:
        """Shows `text`; posts nothing."""
        with self.prevent(Input.Changed):
            self.value = text


class TextBox(Area):
    """An Area that tab leaves, whose text is loaded without a message and pasted without control characters."""

    def __init__(self, *, id: str | None = None, placeholder: Content | str = "") -> None:  # noqa: A002
        super().__init__(id=id, placeholder=placeholder, tab_behavior="focus")
        self.match_cursor_bracket = False

    def load(self, text: str) -> None:
        """Shows `text`, the cursor about where it was; posts nothing."""
        cursor = self.cursor_location
        with self.prevent(TextArea.Changed):
            super().load(text)
        self.cursor_location = self.clamp_visitable(cursor)

    def pasted(self, text: str) -> str:
        return clean(super().pasted(text))
