"""Messages that wait to be sent, as lines above the composer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from textual.binding import Binding, BindingType
from textual.content import Content

from playground_tui.text import shorten
from playground_tui.ui.chat.line_list import Line, LineList
from playground_tui.ui.chat.messages import EditWaiting, SendWaiting
from playground_tui.ui.keys import KeyOf

HINT = "enter sends, e edits"
WIDE = 64
"""Columns from which there is room for the whole hint while the cursor is elsewhere."""


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
        Binding("enter", "send", "send", show=False),
        Binding("e", "edit", "edit", show=False),
    ]

    def __init__(self, key: KeyOf) -> None:
        super().__init__(id="waiting")
        self._short = f"{key('run-again')} sends it"
        self._from_afar = f"{self._short}, {key('previous-field')} goes here"

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
        return self._from_afar if self.size.width >= WIDE else self._short

    def action_send(self) -> None:
        if self.chosen is not None:
            self.post_message(SendWaiting(self.chosen.key))

    def action_edit(self) -> None:
        if self.chosen is not None:
            self.post_message(EditWaiting(self.chosen.key))


def _files(count: int) -> str:
    return "" if not count else f" + {count} file{'s' if count > 1 else ''}"
