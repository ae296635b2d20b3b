"""Colours for terminals with fewer than all, readable on each of them, and letters for those without Unicode.

With 256 colours a text keeps its contrast; with 16 only pairs are used that are readable in every common palette; with
none, what stood out by its background is reversed.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from rich.cells import cell_len, split_graphemes
from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as TextualColor
from textual.filter import LineFilter

from playground_tui.display import Colours, Display
from playground_tui.letters import Letters

READABLE: Final = 4.5
"""Least contrast of text (WCAG 2, level AA)."""
STANDS_OUT: Final = 2.0
"""Contrast to the screen's background from which on a background says something: a cursor, a choice, a notice."""
HIDDEN: Final = 1.5
"""Below this contrast text is not meant to be seen."""
SYSTEMS: Final[dict[Colours, ColorSystem]] = {
    "truecolor": ColorSystem.TRUECOLOR,
    "256": ColorSystem.EIGHT_BIT,
    "16": ColorSystem.STANDARD,
    "none": ColorSystem.STANDARD,
}
_BLACK, _RED, _BLUE, _MAGENTA, _GREY, _WHITE = 0, 1, 4, 5, 7, 15
_BRIGHT_RED, _BRIGHT_GREEN, _BRIGHT_YELLOW, _BRIGHT_MAGENTA, _BRIGHT_CYAN = 9, 10, 11, 13, 14
_HUES: Final = ((20, "red"), (75, "yellow"), (160, "green"), (255, "blue"), (330, "magenta"), (361, "red"))
"""Ends of the hues, in degrees."""
_ON_DARK: Final = {
    "red": _BRIGHT_RED,
    "yellow": _BRIGHT_YELLOW,
    "green": _BRIGHT_GREEN,
    "blue": _BRIGHT_CYAN,  # Bright blue on black is below READABLE in most palettes.
    "magenta": _BRIGHT_MAGENTA,
}
_ON_LIGHT: Final = {"red": _RED, "yellow": _MAGENTA, "green": _BLACK, "blue": _BLUE, "magenta": _MAGENTA}
"""Yellow, green and cyan are too light on white."""
_GREYS: Final = (16, 231, *range(232, 256))
_COLOURFUL: Final = 0.15
"""Distance of the strongest part of a colour from the weakest, from which on it is more than a grey."""
_BRIGHT: Final = 0.55
"""Luminance from which on a grey text is the bright one."""


@lru_cache(maxsize=4096)
def luminance(colour: ColorTriplet) -> float:
    """Relative luminance, 0 to 1, as WCAG 2 defines it."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@lru_cache(maxsize=4096)
def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """1 (the same) to 21 (black and white), as WCAG 2 defines it."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def filters(display: Display, base: TextualColor, *, dark: bool) -> list[LineFilter]:
    """What lines go through before they are written to such a terminal; `base` is the screen's background."""
    found: list[LineFilter] = [Fitting(Letters(display.signs))] if display.signs else []
    ground = ColorTriplet(*base.rgb)
    match display.colours:
        case "256":
            found.append(Eight(ground))
        case "16":
            found.append(Sixteen(ground, dark=dark, bright_grounds=display.queries))
        case "none":
            found.append(Uncoloured(ground))
    return found


class Fitting(LineFilter):
    """Characters of the same width for those the terminal cannot show."""

    def __init__(self, letters: Letters) -> None:
        super().__init__()
        self._letters = letters

    def apply(self, segments: list[Segment], background: TextualColor) -> list[Segment]:
        fitting = self._letters.fitting
        return [Segment(fitting(text, graphemes), style, control) for text, style, control in segments]


def graphemes(text: str) -> Iterator[tuple[str, int]]:
    """What is seen as one character, each with its cells."""
    return ((text[start:end], cells) for start, end, cells in split_graphemes(text)[0])


class _Recolour(LineFilter):
    """Gives each style another one. What is not meant to be seen becomes spaces."""

    def __init__(self, ground: ColorTriplet) -> None:
        super().__init__()
        self.ground = ground
        self._shown = lru_cache(maxsize=4096)(self._show)

    def apply(self, segments: list[Segment], background: TextualColor) -> list[Segment]:
        found = []
        for text, style, control in segments:
            other, hidden = self._shown(style or Style.null())
            found.append(Segment(" " * cell_len(text) if hidden else text, other, control))
        return found

    def _show(self, style: Style) -> tuple[Style, bool]:
        fore = _triplet(style.color, self.ground)
        back = _triplet(style.bgcolor, self.ground)
        pair = Style.from_color(*self.pair(fore, back)) if style.color else Style.from_color(None, self.back(back))
        bare = _bare(style)
        hidden = style.color is not None and contrast(fore, back) < HIDDEN
        return bare + pair + self.marks(back), hidden

    def pair(self, fore: ColorTriplet, back: ColorTriplet) -> tuple[Color | None, Color | None]:
        """Colours for a text and its background."""
        raise NotImplementedError

    def back(self, back: ColorTriplet) -> Color | None:
        """The colour of a background."""
        return self.pair(self.ground, back)[1]

    def marks(self, back: ColorTriplet) -> Style:
        """What says what the background said."""
        return Style.null()

    def stands_out(self, back: ColorTriplet) -> bool:
        return contrast(back, self.ground) >= STANDS_OUT


def _triplet(colour: Color | None, otherwise: ColorTriplet) -> ColorTriplet:
    return otherwise if colour is None or colour.is_default else colour.get_truecolor()


def _bare(style: Style) -> Style:
    """The style without its colours, with what Textual keeps in it."""
    bare = style.without_color
    return bare + Style.from_meta(style.meta) if style.meta else bare


class Uncoloured(_Recolour):
    """No colour at all."""

    def pair(self, fore: ColorTriplet, back: ColorTriplet) -> tuple[Color | None, Color | None]:
        return None, None

    def marks(self, back: ColorTriplet) -> Style:
        return Style(reverse=True) if self.stands_out(back) else Style.null()


class Eight(_Recolour):
    """The nearest of 256 colours that are as readable."""

    def pair(self, fore: ColorTriplet, back: ColorTriplet) -> tuple[Color | None, Color | None]:
        ground = _eight(back)
        text = _eight(fore)
        if contrast(_shade(text), _shade(ground)) < READABLE <= contrast(fore, back):
            text = _readable_eight(fore, ground)
        return Color.from_ansi(text), Color.from_ansi(ground)


@lru_cache(maxsize=4096)
def _eight(colour: ColorTriplet) -> int:
    """The nearest of the 240 colours that terminals have alike. A grey stays one: `Color.downgrade` makes it blue."""
    grey = max(colour) - min(colour) < _COLOURFUL * 255
    return min(_GREYS if grey else range(16, 256), key=lambda number: _distance(_shade(number), colour))


@lru_cache(maxsize=256)
def _shade(number: int) -> ColorTriplet:
    return Color.from_ansi(number).get_truecolor()


def _readable_eight(fore: ColorTriplet, ground: int) -> int:
    fit = [number for number in range(16, 256) if contrast(_shade(number), _shade(ground)) >= READABLE]
    return min(fit, key=lambda number: _distance(_shade(number), fore))


def _distance(one: ColorTriplet, other: ColorTriplet) -> int:
    return sum((here - there) ** 2 for here, there in zip(one, other, strict=True))


class Sixteen(_Recolour):
    """Pairs of the sixteen colours that can be read whatever the terminal takes for them."""

    def __init__(self, ground: ColorTriplet, *, dark: bool, bright_grounds: bool) -> None:
        super().__init__(ground)
        self._dark = dark
        light = _WHITE if bright_grounds else _GREY
        self._ground, self._reversed = (_BLACK, _GREY) if dark else (light, _BLACK)

    def pair(self, fore: ColorTriplet, back: ColorTriplet) -> tuple[Color | None, Color | None]:
        text, ground = self._numbers(fore, back)
        return Color.from_ansi(text), Color.from_ansi(ground)

    def _numbers(self, fore: ColorTriplet, back: ColorTriplet) -> tuple[int, int]:
        if not self.stands_out(back):
            return (self._on_dark(fore) if self._dark else self._on_light(fore)), self._ground
        if _hue(back) == "red":
            return _WHITE, _RED
        return (_BLACK if self._dark else _WHITE), self._reversed

    @staticmethod
    def _on_dark(fore: ColorTriplet) -> int:
        return _ON_DARK.get(_hue(fore)) or (_WHITE if luminance(fore) > _BRIGHT else _GREY)

    def _on_light(self, fore: ColorTriplet) -> int:
        text = _ON_LIGHT.get(_hue(fore), _BLACK)
        return text if self._ground == _WHITE or text == _BLUE else _BLACK  # On grey, red and magenta are too dark.


@lru_cache(maxsize=4096)
def _hue(colour: ColorTriplet) -> str:
    """The colour's name, "" for a grey."""
    parts = colour.normalized
    if max(parts) - min(parts) < _COLOURFUL:
        return ""
    hue = colorsys.rgb_to_hls(*parts)[0]
    return next(name for end, name in _HUES if hue * 360 < end)
