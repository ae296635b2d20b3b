"""The colours of the thread, taken from the theme."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final

from rich.style import Style

PREFIX: Final = "thread--"


@dataclass(frozen=True, slots=True)
class Palette:
    """One style for each thing the thread shows, with its own colour and background; and the terminal's letters."""

    text: Style
    dim: Style
    user: Style
    assistant: Style
    tool: Style
    problem: Style
    heading: Style
    inline: Style
    link: Style
    quote: Style
    marker: Style
    code: Style
    keyword: Style
    name: Style
    string: Style
    number: Style
    comment: Style
    operator: Style
    spelled: Callable[[str], str] = str
    """Writes out what the terminal cannot show."""

    @classmethod
    def load(cls, style_of: Callable[[str], Style], spelled: Callable[[str], str] = str) -> Palette:
        """The palette from component classes; `style_of` gives the style of a class by its name."""
        return cls(**{name: style_of(PREFIX + name) for name in NAMES}, spelled=spelled)


NAMES: Final = tuple(field.name for field in fields(Palette) if field.name != "spelled")
"""The names of the styles."""
CLASSES: Final = {PREFIX + name for name in NAMES}
"""The component classes by which themes change the thread's colours."""
