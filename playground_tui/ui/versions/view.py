"""The view of a comparison."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, TypeVar

from textual import events, work
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from playground_tui.assistants.comparison import Detail
from playground_tui.assistants.differences import Difference, differences
from playground_tui.assistants.draft import AssistantDraft
from playground_tui.ui.chat.wrapping import strip, wrap
from playground_tui.ui.versions.lines import CLASSES, NAMES, PREFIX, Look, laid_out

T = TypeVar("T")

WIDE = 100
"""Columns of the screen from which on both states stand side by side."""
SAME_TEXT = "They are the same."


class ComparisonView(ScrollView, can_focus=True):
    """Shows how two states differ. Long texts are compared in a thread of its own, the latest wins."""

    COMPONENT_CLASSES: ClassVar[set[str]] = CLASSES
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "lines(-1)", show=False),
        Binding("down", "lines(1)", show=False),
        Binding("home", "lines(-1000000)", show=False),
        Binding("end", "lines(1000000)", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="comparison")
        self._differences: Sequence[Difference] = ()
        self._lines: list[Strip] = []
        self._known_look: Look | None = None
        self._laid_out: Look | None = None
        """What the lines were made for."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="comparison")
        self._words = ""

    def on_unmount(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _aside(self, work: Callable[[], T]) -> T:
        """Done beside the screen. Whoever is cancelled while others are at it was never begun."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def compare(self, old: AssistantDraft, new: AssistantDraft, detail: Detail) -> None:
        """Show these two. Cancelled, it leaves what is there."""
        found = await self._aside(lambda: differences(old, new, detail))
        self._differences, self._words = found, "" if found else SAME_TEXT
        await self._lay_out()
        self.scroll_to(0, 0, animate=False)

    def say(self, words: str) -> None:
        """Show words in place of a comparison."""
        self._differences, self._words = (), words
        self._take(self._said())

    async def _lay_out(self) -> None:
        self._laid_out = look = self.look
        if self._differences and look.width > 0:
            self._take(await self._aside(lambda: laid_out(self._differences, look)))
        else:
            self._take(self._said())

    def _said(self) -> list[Strip]:
        style = self.look.styles["skipped"]
        return [strip(line, self.look.width, style) for line in wrap([(self._words, style)], self.look.width)]

    def _take(self, lines: list[Strip]) -> None:
        self._lines = lines
        self.virtual_size = Size(self.look.width, len(lines))
        self.refresh()

    @property
    def look(self) -> Look:
        """Width and styles as they are now."""
        width, columns = self.scrollable_content_region.width, self.screen.size.width >= WIDE
        known = self._known_look
        if known is None or (known.width, known.columns) != (width, columns):
            styles = {name: self.get_component_rich_style(PREFIX + name) for name in NAMES}
            self._known_look = known = Look(width, columns, styles)
        return known

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._known_look = None
        self._lay_out_again()

    def on_resize(self, event: events.Resize) -> None:
        self._lay_out_again()

    def _lay_out_again(self) -> None:
        if self.is_mounted and self._laid_out != self.look:
            self._lay_out_soon()

    @work(group="layout", exclusive=True)
    async def _lay_out_soon(self) -> None:
        await self._lay_out()

    def render_line(self, y: int) -> Strip:
        line, look = y + round(self.scroll_y), self.look
        return self._lines[line] if line < len(self._lines) else Strip.blank(look.width, look.styles["same"])

    def action_lines(self, lines: int) -> None:
        """Scroll by lines, up when negative."""
        self.scroll_to(y=self.scroll_y + lines, animate=False)

    def pages(self, pages: int) -> None:
        """Scroll by pages less two lines, up when negative."""
        self.action_lines(pages * max(1, self.size.height - 2))
