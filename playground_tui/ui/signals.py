"""The terminal closes, or the system ends the program: write what was typed, leave in order, and never linger.

`signal.signal` and not the event loop's handlers: the loop may be blocked by a terminal that no longer reads, and then
its handlers never run.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

DEADLINE = 3.0
"""Seconds from the signal after which the process ends, whatever still hangs (a writer on a dead terminal)."""


def leave_on_signals(keep: Callable[[], None], leave: Callable[[], None]) -> None:
    """On SIGHUP and SIGTERM call `keep` at once, in the main thread, and then `leave`, which schedules the exit.

    `keep` writes to disk without waiting for any lock or loop; `leave` must be safe to call from a signal handler.
    """

    def handle(number: int, _frame: FrameType | None) -> None:
        deadline = threading.Timer(DEADLINE, os._exit, args=(128 + number,))
        deadline.daemon = True
        deadline.start()
        try:
            keep()
        finally:
            leave()

    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, handle)
