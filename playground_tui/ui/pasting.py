"""Pasted text as the terminal sends it, between two marks (bracketed paste).

Textual's parser takes an escape character inside a paste for the beginning of a key, loses the text around it and hands
the rest on as keys, where a line end would send a message. So escapes are shown instead, before it sees them.
"""

from __future__ import annotations

from typing import Final

from playground_tui.text import clean

ESCAPE: Final = "\x1b"
SHOWN: Final = clean(ESCAPE)
BEGIN: Final = "\x1b[200~"
END: Final = "\x1b[201~"


class SafePaste:
    """Told all that the terminal sends, in pieces of any size; gives it back with no escape inside a paste."""

    def __init__(self) -> None:
        self._pasting = False
        self._before = ""
        """The last characters outside a paste: BEGIN may come in two pieces."""
        self._held = ""
        """Inside a paste, what may be the beginning of END."""

    def safe(self, data: str) -> str:
        """What of it can go to the parser now."""
        passed = []
        while data:
            part, data = self._inside(self._held + data) if self._pasting else self._outside(data)
            passed.append(part)
        return "".join(passed)

    def _outside(self, data: str) -> tuple[str, str]:
        seen = self._before + data
        at = seen.find(BEGIN)
        if at < 0:
            self._before = seen[-(len(BEGIN) - 1) :]
            return data, ""
        end = at + len(BEGIN) - len(self._before)
        self._before, self._pasting = "", True
        return data[:end], data[end:]

    def _inside(self, data: str) -> tuple[str, str]:
        text, end, rest = data.partition(END)
        self._pasting, self._held = not end, ""
        if not end:
            kept = next((size for size in range(len(END) - 1, 0, -1) if text.endswith(END[:size])), 0)
            text, self._held = text[: len(text) - kept], text[len(text) - kept :]
        return text.replace(ESCAPE, SHOWN) + end, rest
