"""The two themes of the program: calm, and readable at night and by day."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="playground-dark",
    primary="#7aa2f7",
    secondary="#9ece6a",
    accent="#e0af68",
    warning="#e0af68",
    error="#f7768e",
    success="#9ece6a",
    foreground="#d5d9e5",
    background="#16181f",
    surface="#1b1e27",
    panel="#262a36",
    dark=True,
)
LIGHT = Theme(
    name="playground-light",
    primary="#1f4fa3",
    secondary="#3b6e1a",
    accent="#8a5300",
    warning="#8a5300",
    error="#b3203f",
    success="#3b6e1a",
    foreground="#22252e",
    background="#fafafa",
    surface="#f1f2f5",
    panel="#e3e6ec",
    dark=False,
)
