"""Messages that wait to be sent, as lines above the composer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from textual.binding import Binding, BindingType
from textual.content import Content

from playground_tui.text import shorten
from playground_tui.ui.chat.line_list import Line, LineList, choosing
from playground_tui.ui.chat.messages import EditWaiting, SendWaiting

HINT = "enter sends, e edits"
FROM_AFAR = "ctrl+r sends it, shift+tab goes here"
SHORT = "ctrl+r sends it"
"""The hint while the cursor is elsewhere, where there is room and where there is little."""
WIDE = 64
"""Columns from which there is room."""


class WaitingLine(Line, Protocol):
    """A message on its way. `state` is "waiting" or "not sent"."""

    @property
    def text(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def files(self) -> Sequence[object]: ...


class WaitingList(LineList[WaitingLine]):
    """One line for each message."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *choosing("waiting"),
        Binding("enter", "send", "send", show=False, id="waiting-send"),
        Binding("e", "edit", "edit", show=False, id="waiting-edit"),
    ]

    def __init__(self) -> None:
        super().__init__(id="waiting")

    def line(self, line: WaitingLine) -> Content:
        chosen = line is self.chosen
        lead = "> " if self.has_focus and chosen else "  "
        hint = f"  ({self._hint})" if line.state == "not sent" and chosen else ""
        hint = _files(len(line.files)) + hint
        room = max(4, self.size.width - len(lead) - len(line.state) - 2 - len(hint))
        return Content.assemble(lead, (line.state, "bold"), "  ", shorten(line.text, room), hint)

    @property
    def _hint(self) -> str:
        if self.has_focus:
            return HINT
        return FROM_AFAR if self.size.width >= WIDE else SHORT

    def action_send(self) -> None:
        if self.chosen is not None:
            self.post_message(SendWaiting(self.chosen.key))

    def action_edit(self) -> None:
        if self.chosen is not None:
            self.post_message(EditWaiting(self.chosen.key))


def _files(count: int) -> str:
    return "" if not count else f" + {count} file{'s' if count > 1 else ''}"
