"""The files that go with the next message, as lines above the composer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from playground_tui.desk.panes import AttachmentLine
from playground_tui.text import clean, shorten
from playground_tui.ui.chat.messages import AttachmentAction

MOST: Final = 4
"""Lines shown at once; the others scroll by."""
HINT: Final = "delete removes · u other use · enter uploads again"
SHORT: Final = "delete removes · u use"
FROM_AFAR: Final = "shift+tab goes here"
WIDE: Final = 96
"""Columns from which the whole hint is shown."""


class AttachmentList(Widget, can_focus=True):
    """One line for each file. Up and down choose one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "up", show=False, id="attachment-up"),
        Binding("down", "choose(1)", "down", show=False, id="attachment-down"),
        Binding("delete,backspace", "act('remove')", "remove", show=False, id="attachment-remove"),
        Binding("u", "act('use')", "other use", show=False, id="attachment-use"),
        Binding("enter", "act('upload')", "upload again", show=False, id="attachment-upload"),
    ]

    def __init__(self) -> None:
        super().__init__(id="attachments")
        self._lines: tuple[AttachmentLine, ...] = ()
        self._chosen = 0
        self.display = False

    def show(self, lines: Sequence[AttachmentLine]) -> None:
        """Show these files, in order."""
        before, self._lines = self._lines, tuple(lines)
        if before == self._lines:
            return
        self._chosen = min(self._chosen, max(0, len(lines) - 1))
        if not lines and self.has_focus:
            self.screen.focus_next(selector="#composer")
        self.display = bool(lines)
        self.refresh(layout=len(before) != len(lines))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return min(MOST, len(self._lines))

    def render(self) -> Content:
        first = max(0, min(self._chosen - MOST + 1, len(self._lines) - MOST))
        shown = list(enumerate(self._lines))[first : first + MOST]
        return Content("\n").join(self._line(number, line) for number, line in shown)

    def _line(self, number: int, line: AttachmentLine) -> Content:
        chosen = number == self._chosen
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
            return FROM_AFAR
        return HINT if self.size.width >= WIDE else SHORT

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def action_choose(self, lines: int) -> None:
        self._chosen = min(max(0, self._chosen + lines), len(self._lines) - 1)
        self.refresh()

    def action_act(self, action: str) -> None:
        if self._lines:
            self.post_message(AttachmentAction(self._lines[self._chosen].key, action))
