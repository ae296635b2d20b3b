"""What a program has changed in its terminal, told from the bytes it wrote."""

from __future__ import annotations

import re

PRIVATE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
"""DECSET and DECRST."""
KITTY = re.compile(rb"\x1b\[([<>])([0-9]*)u")
"""A set of flags of kitty's keyboard protocol is put on a stack, or taken from it."""
PEN = re.compile(rb"\x1b\[([0-9;:]*)m")
FROM_THE_START = frozenset({7, 25})
"""Modes that a terminal has: lines wrap, the cursor shows."""
NAMES = {
    7: "lines wrap",
    25: "the cursor shows",
    1000: "mouse clicks",
    1003: "mouse moves",
    1004: "focus",
    1006: "mouse as SGR",
    1015: "mouse as urxvt",
    1016: "mouse in pixels",
    1049: "alternate screen",
    2004: "bracketed paste",
    2026: "synchronized output",
    2048: "window size in band",
}


def left_behind(written: bytes) -> list[str]:
    """What is not as it was before these bytes, in words; nothing when all is in order."""
    on = set(FROM_THE_START)
    for numbers, letter in PRIVATE.findall(written):
        changed = {int(number) for number in numbers.split(b";")}
        on = on | changed if letter == b"h" else on - changed
    wrong = [f"{NAMES.get(mode, mode)}: {'on' if mode in on else 'off'}" for mode in sorted(on ^ FROM_THE_START)]
    return wrong + _keyboard(written) + _pen(written)


def _keyboard(written: bytes) -> list[str]:
    depth = 0
    for sign, number in KITTY.findall(written):
        depth = depth + 1 if sign == b">" else max(0, depth - int(number or 1))
    return [f"kitty's keyboard flags: {depth} sets left"] if depth else []


def _pen(written: bytes) -> list[str]:
    pens = PEN.findall(written)
    return [f"colours: {pens[-1].decode()}"] if pens and pens[-1] not in {b"", b"0"} else []
