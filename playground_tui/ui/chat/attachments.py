"""The files that go with the next message, as lines above the composer."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.content import Content

from playground_tui.desk.panes import AttachmentLine
from playground_tui.text import clean, shorten
from playground_tui.ui.chat.line_list import LineList
from playground_tui.ui.chat.messages import AttachmentAction
from playground_tui.ui.keys import KeyOf

HINT: Final = "delete removes · u other use · enter uploads again"
SHORT: Final = "delete removes · u use"
WIDE: Final = 96
"""Columns from which the whole hint is shown."""


class AttachmentList(LineList[AttachmentLine]):
    """One line for each file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete,backspace", "act('remove')", "remove", show=False),
        Binding("u", "act('use')", "other use", show=False),
        Binding("enter", "act('upload')", "upload again", show=False),
    ]

    def __init__(self, key: KeyOf) -> None:
        super().__init__(id="attachments")
        self._from_afar = f"{key('previous-field')} goes here"

    def line(self, line: AttachmentLine) -> Content:
        chosen = line is self.chosen
        lead = "> + " if self.has_focus and chosen else "  + "
        facts = "".join(f" · {fact}" for fact in (line.use, line.state) if fact)
        problem = f" · {line.problem}" if line.problem else ""
        name = clean(line.name, newlines=False)
        room = self.size.width - len(lead) - len(facts) - len(problem)
        name = shorten(name, max(8, room))
        hint = f"  ({self._hint})" if chosen and room - len(name) >= len(self._hint) + 4 else ""
        return Content.assemble(lead, (name, "bold"), facts, (clean(problem, newlines=False), "$text-error"), hint)

    @property
    def _hint(self) -> str:
        if not self.has_focus:
            return self._from_afar
        return HINT if self.size.width >= WIDE else SHORT

    def action_act(self, action: str) -> None:
        if self.chosen is not None:
            self.post_message(AttachmentAction(self.chosen.key, action))
