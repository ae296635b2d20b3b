"""Watching over code that runs: what it uses is counted, and what uses too much is interrupted or killed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from playground_tui.engine.tools.code_interpreter import processes
from playground_tui.engine.tools.code_interpreter.command import WRITABLE
from playground_tui.engine.tools.code_interpreter.limits import MEGABYTE, Limits
from playground_tui.engine.tools.code_interpreter.output import Output
from playground_tui.engine.tools.code_interpreter.processes import Usage

_INTERVAL = 0.05
_SPARE_TASKS = 8
"""The kernel holds code to its processes where it counts as it should; beyond this the code is ended."""
_SCARCE = 0.03
"""When only this part of the machine's memory is available, code is ended before the kernel ends something else."""
_log = logging.getLogger(__name__)


class Watchdog:
    """The watch over one piece of code. `init` is the first process of its sandbox: all others come under it."""

    def __init__(
        self, init: int, limits: Limits, output: Output, interrupt: Callable[[], None], kill: Callable[[], None]
    ):
        self._init = init
        self._limits = limits
        self._output = output
        self._interrupt = interrupt
        self._kill = kill
        self._began = time.monotonic()
        self._cpu = processes.usage(self._init).cpu_seconds
        self._until: float | None = None
        self.reason = ""
        """Why the code was interrupted or killed, as a clause; "" if it was not."""

    async def watch(self) -> None:
        """Look again and again, until cancelled or the code is killed. Code that cannot be watched is killed."""
        try:
            while True:
                if self._look():
                    return
                await asyncio.sleep(_INTERVAL)
        except Exception:  # noqa: BLE001 - whatever ends the watch is to end the code too
            _log.exception("code could not be watched any longer")
            self.reason = "what it uses could not be watched any longer"
            self._kill()

    def stop(self, reason: str) -> None:
        """Interrupt the code now; it is killed if it goes on."""
        if self._until is None:
            self.reason = reason
            self._until = time.monotonic() + self._limits.grace_seconds
            self._interrupt()

    def _look(self) -> bool:
        used = processes.usage(self._init)
        fatal = self._fatal(used)
        exceeded = self._exceeded(used)
        overdue = self._until is not None and time.monotonic() > self._until
        if fatal or overdue:
            self.reason = fatal or self.reason
            self._kill()
            return True
        if exceeded:
            self.stop(exceeded)
        return False

    def _fatal(self, used: Usage) -> str:
        limits = self._limits
        if used.tasks > limits.processes + _SPARE_TASKS:
            return f"it had more than {limits.processes} processes and threads"
        if used.memory > limits.memory and processes.memory_shared_out(self._init) > limits.memory:
            return f"it used more than {limits.memory // MEGABYTE:,} MB of memory"
        if processes.memory_left() < _SCARCE:
            return "this machine's memory is nearly full"
        return self._full()

    def _full(self) -> str:
        limits = self._limits
        for place, most in zip(WRITABLE, (limits.disk, limits.scratch, limits.scratch), strict=True):
            size, inodes = processes.in_use(self._init, place)
            if size > most:
                return f"it wrote more than {most // MEGABYTE:,} MB to {place}"
            if inodes > limits.inodes:
                return f"it made more than {limits.inodes:,} files in {place}"
        return ""

    def _exceeded(self, used: Usage) -> str:
        limits = self._limits
        if time.monotonic() - self._began > limits.wall_seconds:
            return f"it ran longer than {limits.wall_seconds:g} seconds"
        if used.cpu_seconds - self._cpu > limits.cpu_seconds:
            return f"it used more than {limits.cpu_seconds:g} seconds of processor time"
        if self._output.bytes > limits.flood:
            return f"it printed more than {limits.flood // MEGABYTE:,} MB"
        return ""
