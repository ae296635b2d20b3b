"""A text area to write in: enter sends, ctrl+j makes a new line, and whatever is pasted is shown harmlessly."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import TextArea

from playground_tui.text import aligned
from playground_tui.ui.area import Area, longest


class Writing(Area):
    """Base of the fields of the left pane. Enter calls `send()`; a paste never does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "send", show=False, priority=True, id="send"),
        Binding("ctrl+j,shift+enter", "new_line", "new line", show=False, priority=True, id="new-line"),
    ]

    def __init__(self, *, placeholder: str = "", id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, placeholder=placeholder, compact=True)

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
        super().load(text)
        self.move_cursor(self.document.end)

    def get_line(self, line_index: int) -> Text:
        return Text(aligned(self.document.get_line(line_index)), end="", no_wrap=True)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Wrap again, or no longer, as the longest line has it, and say so."""
        self.fit()
        said = "" if self.soft_wrap else f"a line of {longest(self.document.lines):,} characters is shown unwrapped"
        self.border_subtitle = said
