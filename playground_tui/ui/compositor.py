"""A compositor that sends less: the changed cells of a line, and colours only where they change."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from rich.color import ColorSystem
from rich.console import Console
from rich.control import Control
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class _Pen(NamedTuple):
    """What a terminal writes with: codes of attributes such as bold, of the text's colour and of the background."""

    attributes: str = ""
    colour: str = ""
    background: str = ""


_PLAIN = _Pen()


@lru_cache(maxsize=4096)
def _pen(style: Style | None, system: ColorSystem) -> _Pen:
    if style is None:
        return _PLAIN
    colour, background = (
        ";".join(colour.downgrade(system).get_ansi_codes(foreground=front)) if colour is not None else ""
        for colour, front in ((style.color, True), (style.bgcolor, False))
    )
    return _Pen(style.without_color._make_ansi_codes(system), colour, background)


@lru_cache(maxsize=4096)
def _change(old: _Pen, new: _Pen) -> str:
    """The sequence that makes the old pen the new one."""
    if old == new:
        return ""
    lost = any(was and not now for was, now in zip(old, new, strict=True)) or old.attributes not in ("", new.attributes)
    if lost:
        return "\x1b[" + ";".join(filter(None, ("0", *new))) + "m"
    return "\x1b[" + ";".join(now for was, now in zip(old, new, strict=True) if now and was != now) + "m"


class SparingUpdate(ChopsUpdate):
    """Textual's partial update sends a widget's line from its left edge on, and every segment with all its colours."""

    def render_segments(self, console: Console) -> str:
        """The update as terminal sequences."""
        found: list[str] = []
        pen = _PLAIN
        for y, left, right in self.spans:
            for end, (start, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or start >= right or end <= left:
                    continue
                at = max(start, left)
                found.append(Control.move_to(at, y).segment.text)
                pen = _write(found, strip.crop(at - start, min(end, right) - start), pen, console)
        found.append(_change(pen, _PLAIN))
        return "".join(found)


def _write(found: list[str], strip: Strip, pen: _Pen, console: Console) -> _Pen:
    """Append the strip's sequences to `found`; gives the pen it leaves."""
    system = console._color_system or ColorSystem.TRUECOLOR
    for text, style, _ in strip:
        wanted = _pen(style, system)
        found.append(_change(pen, wanted) + text)
        pen = wanted
    return pen


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
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            parts = [part for wanted in self._wanted if (part := wanted.intersection(shown))]
            if parts:
                top, bottom = min(part.y for part in parts), max(part.bottom for part in parts)
                lines = Region(shown.x, top, shown.width, bottom - top)
                yield region, lines, widget.render_lines(lines.translate(-region.offset))
