"""Lines above the composer, one of which can be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, Generic, Protocol, TypeVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

MOST: Final = 4
"""Lines shown at once; the others scroll by."""


class Line(Protocol):
    """What one line shows."""

    @property
    def key(self) -> str: ...


L = TypeVar("L", bound=Line)


class LineList(Widget, Generic[L], can_focus=True):
    """Hidden while it has no lines. Subclasses draw a line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "up", show=False),
        Binding("down", "choose(1)", "down", show=False),
    ]

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._lines: tuple[L, ...] = ()
        self._at = 0
        self.display = False

    def show(self, lines: Sequence[L]) -> None:
        """Show these, in order."""
        before, self._lines = self._lines, tuple(lines)
        if before == self._lines:
            return
        self._at = min(self._at, max(0, len(lines) - 1))
        if not lines and self.has_focus:
            self.screen.focus_next(selector="#composer")
        self.display = bool(lines)
        self.refresh(layout=len(before) != len(lines))

    @property
    def chosen(self) -> L | None:
        """The line that the keys act on."""
        return self._lines[self._at] if self._lines else None

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return min(MOST, len(self._lines))

    def render(self) -> Content:
        first = max(0, min(self._at - MOST + 1, len(self._lines) - MOST))
        return Content("\n").join(self.line(line) for line in self._lines[first : first + MOST])

    def line(self, line: L) -> Content:
        """One line, as it is drawn."""
        raise NotImplementedError

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def action_choose(self, lines: int) -> None:
        self._at = min(max(0, self._at + lines), len(self._lines) - 1)
        self.refresh()
