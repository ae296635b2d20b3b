"""A text area to write in: enter sends, ctrl+j makes a new line, and whatever is pasted is shown harmlessly."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult

from playground_tui.text import aligned, with_newlines

UNWRAPPED: Final = 10_000
"""Characters of a single line above which it is not wrapped: wrapping it takes longer than a key may."""


class Writing(TextArea):
    """Base of the fields of the left pane. Enter calls `send()`; a paste never does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "send", show=False, priority=True, id="send"),
        Binding("ctrl+j,shift+enter", "new_line", "new line", show=False, priority=True, id="new-line"),
        Binding("alt+z", "redo", "redo", show=False, id="redo"),
    ]

    def __init__(self, *, placeholder: str = "", id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, placeholder=placeholder, highlight_cursor_line=False, compact=True)
        self.cursor_blink = False

    def send(self) -> None:
        """Enter was pressed."""
        raise NotImplementedError

    def action_send(self) -> None:
        """Send once the keys typed before enter have arrived: priority bindings overtake them in a burst."""
        self.call_later(self.send)

    def action_new_line(self) -> None:
        self.call_later(self._insert_new_line)

    def _insert_new_line(self) -> None:
        self._restart_blink()
        start, end = self.selection
        self._replace_via_keyboard("\n", start, end)

    def load(self, text: str) -> None:
        """Put `text` in place of what is there, with the cursor at its end."""
        self.soft_wrap = longest_line(text) <= UNWRAPPED
        self.load_text(text)
        self.move_cursor(self.document.end)

    def edit(self, edit: Edit) -> EditResult:
        if longest_line(edit.text) > UNWRAPPED:
            self.soft_wrap = False
        return super().edit(edit)

    def get_line(self, line_index: int) -> Text:
        return Text(aligned(self.document.get_line(line_index)), end="", no_wrap=True)

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        start, end = self.selection
        if result := self._replace_via_keyboard(with_newlines(event.text), start, end):
            self.move_cursor(result.end_location)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Wrap again, or no longer, as the longest line has it, and say so."""
        longest = max(map(len, self.document.lines))
        self.soft_wrap = longest <= UNWRAPPED
        self.border_subtitle = "" if self.soft_wrap else f"a line of {longest:,} characters is shown unwrapped"


def longest_line(text: str) -> int:
    """Characters of the longest line."""
    return max(map(len, text.split("\n"))) if len(text) > UNWRAPPED else len(text)
