"""A compositor that sends less: only cells that differ from what is shown, and colours only where they change."""

from __future__ import annotations

from collections.abc import Iterable

from rich.color import ColorSystem
from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from playground_tui.ui.shown import PLAIN, Cell, Pen, Shown, change, marks_blanks


class SparingUpdate(ChopsUpdate):
    """Textual's partial update sends a widget's line from its left edge on, and every segment with all its colours."""

    shown: Shown | None = None
    """What the terminal shows, where that is known."""

    def render_segments(self, console: Console) -> str:
        """The update as terminal sequences."""
        system = console._color_system or ColorSystem.TRUECOLOR
        shown, writing = self.shown or Shown(), _Writing()
        for y, left, right in self.spans:
            for end, (start, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or start >= right or end <= left:
                    continue
                at = max(start, left)
                for place, cells in shown.paint(y, at, strip.crop(at - start, min(end, right) - start), system):
                    writing.write(place, y, cells)
        return writing.end()


class SparingLayout(LayoutUpdate):
    """A whole screen of which only what differs is sent."""

    def __init__(self, strips: list[Iterable[Strip]], region: Region, shown: Shown) -> None:
        super().__init__(strips, region)
        self._shown = shown

    def render_segments(self, console: Console) -> str:
        """The update as terminal sequences."""
        system = console._color_system or ColorSystem.TRUECOLOR
        writing = _Writing()
        for y, strips in enumerate(self.strips, self.region.y):
            for place, cells in self._shown.paint_line(y, strips, system):
                writing.write(place, y, cells)
        return writing.end()


class _Writing:
    """Sequences that write cells."""

    def __init__(self) -> None:
        self._found: list[str] = []
        self._pen = PLAIN

    def write(self, x: int, y: int, cells: Iterable[Cell]) -> None:
        self._found.append(Control.move_to(x, y).segment.text)
        for text, pen in cells:
            if pen is not self._pen:
                self._become(self._kept(pen.background) if text == " " and not marks_blanks(pen) else pen)
            self._found.append(text)

    def _kept(self, background: str) -> Pen:
        """The least change of pen that draws a blank."""
        return Pen(background=background) if marks_blanks(self._pen) else self._pen._replace(background=background)

    def _become(self, pen: Pen) -> None:
        self._found.append(change(self._pen, pen))
        self._pen = pen

    def end(self) -> str:
        self._become(PLAIN)
        return "".join(self._found)


def sparing(update: CompositorUpdate, shown: Shown) -> CompositorUpdate:
    """The update with only what differs from what is shown. Any other kind of update is no longer known as shown."""
    if type(update) is LayoutUpdate:
        return SparingLayout(update.strips, update.region, shown)
    if isinstance(update, ChopsUpdate):
        told = SparingUpdate(update.chops, update.spans, update.chop_ends)
        told.shown = shown
        return told
    shown.forget()
    return update


class SparingCompositor(Compositor):
    """For a screen: `self._compositor = SparingCompositor()` at the end of its `__init__`."""

    def __init__(self) -> None:
        super().__init__()
        self._wanted: list[Region] = []

    def render_partial_update(self) -> ChopsUpdate | None:
        self._wanted = list(self._dirty_regions)
        update = super().render_partial_update()
        self._wanted = []
        return update and SparingUpdate(update.chops, update.spans, update.chop_ends)

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        """Of a partial update the changed lines of the widgets that have some; Textual's own renders all widgets whole
        that lie between the first change and the last."""
        return self._changed_lines() if self._wanted else super()._get_renders(crop)

    def _changed_lines(self) -> Iterable[tuple[Region, Region, list[Strip]]]:
        around = Region.from_union(self._wanted)
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            if not shown.overlaps(around):
                continue
            parts = [part for wanted in self._wanted if (part := wanted.intersection(shown))]
            if parts:
                top, bottom = min(part.y for part in parts), max(part.bottom for part in parts)
                lines = Region(shown.x, top, shown.width, bottom - top)
                yield region, lines, widget.render_lines(lines.translate(-region.offset))
