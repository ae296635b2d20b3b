"""Messages that wait to be sent, as lines above the composer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from playground_tui.text import shorten
from playground_tui.ui.chat.messages import EditWaiting, SendWaiting

HINT = "enter sends, e edits"
FROM_AFAR = "ctrl+r sends it, shift+tab goes here"
SHORT = "ctrl+r sends it"
"""The hint while the cursor is elsewhere, where there is room and where there is little."""
WIDE = 64
"""Columns from which there is room."""


class WaitingLine(Protocol):
    """A message on its way. `state` is "waiting" or "not sent"."""

    @property
    def key(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def files(self) -> Sequence[object]: ...


class WaitingList(Widget, can_focus=True):
    """One line for each message. Up and down choose one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "up", show=False, id="waiting-up"),
        Binding("down", "choose(1)", "down", show=False, id="waiting-down"),
        Binding("enter", "send", "send", show=False, id="waiting-send"),
        Binding("e", "edit", "edit", show=False, id="waiting-edit"),
    ]

    def __init__(self) -> None:
        super().__init__(id="waiting")
        self._lines: tuple[WaitingLine, ...] = ()
        self._chosen = 0
        self.display = False

    def show(self, lines: Sequence[WaitingLine]) -> None:
        """Show these messages, in order."""
        self._lines = tuple(lines)
        self._chosen = min(self._chosen, max(0, len(self._lines) - 1))
        if not self._lines and self.has_focus:
            self.screen.focus_next(selector="#composer")
        self.display = bool(self._lines)
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines)

    def render(self) -> Content:
        return Content("\n").join(self._line(number, line) for number, line in enumerate(self._lines))

    def _line(self, number: int, line: WaitingLine) -> Content:
        lead = "> " if self.has_focus and number == self._chosen else "  "
        hint = f"  ({self._hint})" if line.state == "not sent" and number == self._chosen else ""
        hint = _files(len(line.files)) + hint
        room = max(4, self.size.width - len(lead) - len(line.state) - 2 - len(hint))
        return Content.assemble(lead, (line.state, "bold"), "  ", shorten(line.text, room), hint)

    @property
    def _hint(self) -> str:
        if self.has_focus:
            return HINT
        return FROM_AFAR if self.size.width >= WIDE else SHORT

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def action_choose(self, lines: int) -> None:
        self._chosen = min(max(0, self._chosen + lines), len(self._lines) - 1)
        self.refresh()

    def action_send(self) -> None:
        if self._lines:
            self.post_message(SendWaiting(self._lines[self._chosen].key))

    def action_edit(self) -> None:
        if self._lines:
            self.post_message(EditWaiting(self._lines[self._chosen].key))


def _files(count: int) -> str:
    return "" if not count else f" + {count} file{'s' if count > 1 else ''}"
