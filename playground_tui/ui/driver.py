"""A terminal driver that never waits for the terminal.

Textual's driver puts every frame into a short queue and blocks the event loop when a terminal stops reading. This one
drops frames while the terminal is behind and paints the whole screen once when it has caught up.
"""

from __future__ import annotations

import asyncio
from typing import Any

from textual.drivers._writer_thread import MAX_QUEUED_WRITES
from textual.drivers.linux_driver import LinuxDriver

BEHIND = MAX_QUEUED_WRITES - 6
"""Writes in the queue from which on frames are dropped; the room above is for the last words of `close`."""
CATCH_UP = 0.1
"""Seconds between looks whether the terminal has caught up."""


class PatientDriver(LinuxDriver):
    """Drops frames instead of blocking."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._dropped = False

    @property
    def queued(self) -> int:
        """Writes the terminal has not taken yet."""
        return self._writer_thread._queue.qsize() if self._writer_thread is not None else 0

    def write(self, data: str) -> None:
        """Queue `data` for the terminal, or drop it while the terminal is behind."""
        if self.queued < BEHIND:
            super().write(data)
        elif not self._dropped:
            self._dropped = True
            self._loop.call_later(CATCH_UP, self._catch_up)

    def _catch_up(self) -> None:
        if self.queued:
            self._loop.call_later(CATCH_UP, self._catch_up)
        else:
            self._dropped = False
            asyncio.run_coroutine_threadsafe(self._repaint(), self._loop)

    async def _repaint(self) -> None:
        self._app.refresh(repaint=True, layout=True)

    def close(self) -> None:
        """Stop the writer, unless the terminal is so far behind that it would never end."""
        if self.queued < BEHIND:
            super().close()
