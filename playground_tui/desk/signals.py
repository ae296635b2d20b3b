"""The terminal closes, or the system ends the program: write what was typed, leave in order, and never linger.

`signal.signal` and not the event loop's handlers: the loop may be blocked by a terminal that no longer reads, and then
its handlers never run.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

DEADLINE = 3.0
"""Seconds from the signal after which the process ends, whatever still hangs (a writer on a dead terminal)."""
LAST_MOMENT = 0.3
"""Seconds that the terminal is given then to take what puts it in order."""


class Deadline:
    """Ends the process some seconds after it was armed. Armed twice, the first time counts.

    Its thread waits from the beginning: a signal handler that started one could wait for a lock of `threading` that
    the code it interrupted holds.
    """

    def __init__(self, seconds: float = DEADLINE):
        self._seconds = seconds
        self._armed: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.give_back: Callable[[], None] = lambda: None
        """Gives the terminal back, in a thread of its own, when the program hangs too long to do it in order."""
        threading.Thread(target=self._watch, name="deadline", daemon=True).start()

    def arm(self, code: int) -> None:
        """From now on the process has so many seconds; `code` is its exit code then. Safe in a signal handler."""
        self._armed.put(code)

    def _watch(self) -> None:
        code = self._armed.get()
        time.sleep(self._seconds)
        last = threading.Thread(target=self.give_back, daemon=True)
        last.start()
        last.join(LAST_MOMENT)
        os._exit(code)


def leave_on_signals(keep: Callable[[], None], leave: Callable[[int], None]) -> Deadline:
    """On SIGHUP and SIGTERM call `keep` at once, in the main thread, and then `leave`, which schedules the exit.

    `keep` writes to disk without waiting for any lock or loop; `leave` gets the exit code, as shells count it, and must
    be safe to call from a signal handler.
    """
    deadline = Deadline()

    def handle(number: int, _frame: FrameType | None) -> None:
        code = 128 + number
        deadline.arm(code)
        try:
            keep()
        finally:
            leave(code)

    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, handle)
    return deadline
