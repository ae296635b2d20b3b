"""What code prints: its beginning and its end are kept, and where pictures come between."""

from __future__ import annotations

import os
from contextlib import suppress

from playground_tui.engine.tools.base import Logs, Picture

_BLOCK = 65536
_BLOCKS_AT_ONCE = 16
_LEAST = 2000
"""Bytes that are kept of what comes after a picture, however much came before."""


class Output:
    """The output of one piece of code, in bytes read from a pipe that never blocks."""

    def __init__(self, pipe: int, most: int):
        self._pipe = pipe
        self._most = most
        self._text = bytearray()
        self._left_out = 0
        self._room = most
        self._found: list[Logs | Picture] = []
        self.bytes = 0
        """How many came, kept or not."""

    def drain(self) -> bool:
        """Take what is in the pipe; whether more can come."""
        with suppress(BlockingIOError):
            for _ in range(_BLOCKS_AT_ONCE):
                block = os.read(self._pipe, _BLOCK)
                if not block:
                    return False
                self.add(block)
        return True

    def add(self, block: bytes) -> None:
        """Take a piece. Of a text that is too long, the middle goes."""
        self.bytes += len(block)
        self._text += block
        if len(self._text) > 2 * self._room:
            half = self._room // 2
            self._left_out += len(self._text) - 2 * half
            del self._text[half:-half]

    def picture(self, png: bytes) -> None:
        """A picture comes between what was printed before and after it."""
        self.drain()
        self._close()
        self._found.append(Picture(png))

    def note(self, text: str) -> None:
        """A remark of ours, on a line of its own."""
        if self._text and not self._text.endswith(b"\n"):
            self._text += b"\n"
        self._text += text.encode() + b"\n"

    def finish(self) -> list[Logs | Picture]:
        """All of it, in its order."""
        self._close()
        return self._found

    def _close(self) -> None:
        if self._text:
            self._found.append(Logs(self._shown()))
            self._room = max(self._room - len(self._text), _LEAST)
        self._text, self._left_out = bytearray(), 0

    def _shown(self) -> str:
        half = self._room // 2
        if len(self._text) <= self._room and not self._left_out:
            return _text(self._text)
        left_out = self._left_out + len(self._text) - 2 * half
        return f"{_text(self._text[:half])}\n({left_out:,} bytes are left out here.)\n{_text(self._text[-half:])}"


def _text(data: bytearray) -> str:
    """As text that a store takes: no NUL in it."""
    return data.decode("utf-8", "replace").replace("\0", "\N{SYMBOL FOR NULL}")
