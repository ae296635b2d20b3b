"""What is rendered by itself: one block of a message or of a tool's call."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """What a block is rendered as."""

    PARAGRAPH = auto()
    TEXT = auto()
    """Literal lines: nothing in them is markup."""
    HEADING = auto()
    CODE = auto()
    QUOTE = auto()
    TABLE = auto()
    RULE = auto()
    NOTE = auto()
    """The program's own words about what went wrong with a message."""
    ASIDE = auto()
    """The program's own words beside a message or a tool's call."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block. `margin` counts columns; `gap` asks for a blank line above."""

    kind: Kind
    text: str = ""
    margin: int = 0
    marker: str = ""
    """A list item's bullet or number."""
    level: int = 0
    """A heading's level, 1 to 6."""
    info: str = ""
    """A code block's language."""
    gap: bool = False
    part: int = 0
    """0 for the beginning of a block, above for what goes on in it."""
    context: str = ""
    """For the later parts of a table: its first part, which decides the columns."""
