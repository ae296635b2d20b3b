"""A slow line between a program's terminal and its reader, as SSH makes it.

Bytes leave at a fixed rate and arrive half a round trip later, in both directions; what the program writes ahead of the
line is taken at once, up to two megabytes, so that the program does not notice the line by its writes.
"""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

BUFFER = 2_000_000
"""Bytes on their way that an SSH connection takes in."""
PIECE = 64
"""Bytes that travel together."""


@dataclass(frozen=True)
class Line:
    """A round trip in seconds, and bytes per second (0: no limit) towards the terminal."""

    round_trip: float
    rate: float = 0.0


class Relay:
    """Joins the program's end of a pseudo-terminal to `fileno()` over a line. It owns neither."""

    def __init__(self, program: int, line: Line) -> None:
        self._program = program
        self._line = line
        self._terminal, self._near = socket.socketpair()
        self._waiting = bytearray()
        self._down: deque[tuple[float, bytes]] = deque()
        self._up: deque[tuple[float, bytes]] = deque()
        self._free_at = 0.0
        self.most = 0
        """The most bytes that ever waited for the line."""
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """The terminal's end."""
        return self._terminal.fileno()

    def close(self) -> None:
        """End the line; what is under way is lost."""
        with suppress(OSError):
            self._terminal.shutdown(socket.SHUT_RDWR)
        self._thread.join(2)
        self._terminal.close()
        self._near.close()

    def _run(self) -> None:
        with suppress(OSError):
            while self._step():
                continue
        with suppress(OSError):
            self._near.shutdown(socket.SHUT_RDWR)

    def _step(self) -> bool:
        sources: list[socket.socket | int] = [self._near, *([self._program] if len(self._waiting) < BUFFER else [])]
        readable = select.select(sources, [], [], self._pause())[0]
        if self._program in readable:
            if not self._waiting:  # A line that was idle begins now; a busy one goes on, however late this thread is.
                self._free_at = max(self._free_at, time.monotonic())
            self._waiting += os.read(self._program, 65_536)
            self.most = max(self.most, len(self._waiting))
        if self._near in readable:
            typed = self._near.recv(65_536)
            if not typed:
                return False
            self._up.append((time.monotonic() + self._line.round_trip / 2, typed))
        self._send(time.monotonic())
        return True

    def _pause(self) -> float | None:
        """Seconds until something is due."""
        due = [queue[0][0] for queue in (self._down, self._up) if queue]
        if self._waiting:
            due.append(self._free_at)
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _send(self, now: float) -> None:
        while self._waiting and self._free_at <= now:
            piece = bytes(self._waiting[:PIECE]) if self._line.rate else bytes(self._waiting)
            del self._waiting[: len(piece)]
            took = len(piece) / self._line.rate if self._line.rate else 0.0
            self._free_at += took
            self._down.append((self._free_at + self._line.round_trip / 2, piece))
        while self._down and self._down[0][0] <= now:
            self._near.sendall(self._down.popleft()[1])
        while self._up and self._up[0][0] <= now:
            os.write(self._program, self._up.popleft()[1])
