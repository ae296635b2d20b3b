"""The code interpreter: one sandboxed Python for each thread."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from playground_tui.engine.files import Files
from playground_tui.engine.tools.base import CannotRun, CodeResult, Logs, Mounted
from playground_tui.engine.tools.code_interpreter.command import Setup
from playground_tui.engine.tools.code_interpreter.frames import is_plain
from playground_tui.engine.tools.code_interpreter.limits import Limits, limits_here
from playground_tui.engine.tools.code_interpreter.marks import Marks
from playground_tui.engine.tools.code_interpreter.probe import cannot, find_setup, why_not
from playground_tui.engine.tools.code_interpreter.sandbox import Placed, Sandbox, StartFailed, Turn, start

MOST = 8
"""Sandboxes at one time."""
IDLE_SECONDS = 1200.0
PATIENCE = 60.0
"""Seconds that code waits for its turn when all sandboxes are at work."""
_ASK_AGAIN = 30.0
"""Seconds after which it is looked again whether what stood in the way is gone."""

_log = logging.getLogger(__name__)
_ANEW = "(Python was started anew: variables of earlier code are gone.)"


@dataclass(slots=True)
class _Seat:
    """A thread's sandbox, and what is known of the files in it."""

    sandbox: Sandbox | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    used_at: float = 0.0
    placed: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    starting: bool = False

    @property
    def taken(self) -> bool:
        """Whether it has a sandbox, or is about to."""
        return self.starting or (self.sandbox is not None and self.sandbox.alive)


class Interpreter:
    """The sandboxes of this engine. `directory` is private to them, in the data directory."""

    def __init__(
        self,
        directory: Path,
        files: Files,
        *,
        limits: Limits | None = None,
        most: int = MOST,
        idle_seconds: float = IDLE_SECONDS,
        patience: float = PATIENCE,
    ):
        self._marks = Marks(directory)
        self._files = files
        self._limits = limits or limits_here()
        self._most = most
        self._idle_seconds = idle_seconds
        self._patience = patience
        self._allowed = True
        self._setup: Setup | None = None
        self._probe: asyncio.Task[str] | None = None
        self._probed_at = 0.0
        self._seats: dict[str, _Seat] = {}
        self._freed = asyncio.Condition()
        self._tidying: asyncio.Task[None] | None = None

    async def allow(self, allowed: bool) -> None:
        """Whether runs may run code. When that is revoked, code that runs is ended."""
        self._allowed = allowed
        if not allowed:
            await self._end_all()

    async def problem(self) -> str:
        """Why no code can be run here, as a sentence that says what to do; "" if it can."""
        if not self._allowed:
            return str(_revoked())
        probe = self._probe
        old = time.monotonic() - self._probed_at > _ASK_AGAIN
        if probe is None or (probe.done() and (probe.cancelled() or (old and probe.result()))):
            self._probed_at = time.monotonic()
            probe = self._probe = asyncio.create_task(self._try())
        return await asyncio.shield(probe)

    async def _try(self) -> str:
        try:
            sandbox = await self._start()
        except CannotRun as error:
            return str(error)
        await sandbox.end()
        return ""

    async def _start(self) -> Sandbox:
        """Raises CannotRun."""
        if not self._allowed:
            raise _revoked()
        if self._setup is None:
            self._setup = await find_setup()
        try:
            sandbox = await start(self._setup, self._limits)
        except StartFailed as failed:
            raise why_not(failed, self._setup.bwrap) from failed
        except OSError as error:
            raise cannot(f"the sandbox does not start: {error.strerror or error}.") from error
        if not self._allowed:  # it was revoked meanwhile
            await sandbox.end()
            raise _revoked()
        return sandbox

    async def run(self, thread_id: str, code: str, files: Sequence[Mounted]) -> CodeResult:
        """Run code in the thread's sandbox. Raises CannotRun."""
        seat = self._seats.setdefault(thread_id, _Seat())
        seat.users += 1
        try:
            async with seat.lock:
                return await self._run(thread_id, seat, code, files)
        finally:
            seat.users -= 1
            seat.used_at = time.monotonic()
            await self._leave(thread_id, seat)

    async def _leave(self, thread_id: str, seat: _Seat) -> None:
        if self._seats.get(thread_id) is seat:
            self._tidy()
        elif not seat.users and seat.sandbox is not None:  # the thread was forgotten meanwhile
            await seat.sandbox.end()
        async with self._freed:
            self._freed.notify_all()

    async def _run(self, thread_id: str, seat: _Seat, code: str, files: Sequence[Mounted]) -> CodeResult:
        anew = False
        if seat.sandbox is not None:
            await seat.sandbox.rest()
        if seat.sandbox is None or not seat.sandbox.alive:
            anew = await self._take_place(thread_id, seat)
        assert seat.sandbox is not None
        turn = await seat.sandbox.run(code, self._new(seat, files))
        seat.made |= {made.path for made in turn.files}
        return _result(turn, anew)

    async def _take_place(self, thread_id: str, seat: _Seat) -> bool:
        """Start the thread's sandbox; whether it had one before. Raises CannotRun."""
        if seat.sandbox is not None:
            await seat.sandbox.end()
        async with self._freed:
            try:
                async with asyncio.timeout(self._patience):
                    while not await self._make_room():
                        await self._freed.wait()
            except TimeoutError:
                raise cannot(f"{self._most} other threads are running code, which is the limit. Try again.") from None
            seat.starting = True
        try:  # others may take and leave their places meanwhile
            seat.sandbox, seat.placed, seat.made = await self._start(), set(), set()
        finally:
            seat.starting = False
        return await self._mark(thread_id)

    async def _mark(self, thread_id: str) -> bool:
        """Note that the thread has run code; whether that was noted before. Without it code runs as well."""
        try:
            return await asyncio.to_thread(self._marks.add, thread_id)
        except OSError as error:
            _log.warning("that thread %s has run code cannot be noted: %s", thread_id, error)
            return False

    async def _make_room(self) -> bool:
        """Whether there is a place for one more; the one that was idle longest gives way."""
        held = {name: one for name, one in self._seats.items() if one.taken}
        if len(held) < self._most:
            return True
        idle = sorted((one.used_at, name) for name, one in held.items() if not one.users)
        for _, name in idle[:1]:
            await self._end(name)
        return bool(idle)

    def _new(self, seat: _Seat, files: Sequence[Mounted]) -> list[Placed]:
        """Those of the files that are not in the sandbox yet. What the code wrote there is newer than what is stored.

        A name that is no path below the directory gives way to the file's id.
        """
        found = []
        for file in files:
            own = PurePosixPath(file.file_id).name
            name = file.name if is_plain(file.name) else own
            if file.file_id not in seat.placed and name not in seat.made:
                found.append(Placed(name, self._files.path(file.file_id), own))
            seat.placed.add(file.file_id)
        return found

    def _tidy(self) -> None:
        if self._tidying is None or self._tidying.done():
            self._tidying = asyncio.create_task(self._end_idle())

    async def _end_idle(self) -> None:
        """End each sandbox when it has been idle for long, until there is none."""
        while self._seats:
            first = min(seat.used_at for seat in self._seats.values())
            await asyncio.sleep(max(first + self._idle_seconds - time.monotonic(), self._idle_seconds / 10))
            over = time.monotonic() - self._idle_seconds
            # Looked for anew each time: one may be used again while another ends.
            while name := self._idle_since(over):
                await self._end(name)

    def _idle_since(self, moment: float) -> str | None:
        return next((name for name, seat in self._seats.items() if not seat.users and seat.used_at <= moment), None)

    async def _end(self, thread_id: str) -> None:
        seat = self._seats.pop(thread_id, None)
        if seat is not None and seat.sandbox is not None:
            await seat.sandbox.end()

    async def forget(self, thread_id: str) -> None:
        """End the thread's sandbox."""
        await self._end(thread_id)
        try:
            await asyncio.to_thread(self._marks.remove, thread_id)
        except OSError as error:
            _log.warning("that thread %s has run code stays noted: %s", thread_id, error)

    async def stop(self) -> None:
        """End all sandboxes."""
        for task in (self._tidying, self._probe):
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
        await self._end_all()

    async def _end_all(self) -> None:
        for thread_id in list(self._seats):
            await self._end(thread_id)


def _revoked() -> CannotRun:
    return cannot("it is not allowed on this machine (code = false under [allow] in config.toml).")


def _result(turn: Turn, anew: bool) -> CodeResult:
    outputs = list(turn.outputs)
    if anew:
        first = outputs[0] if outputs else None
        said = f"{_ANEW}\n{first.text}" if isinstance(first, Logs) else _ANEW
        outputs[: isinstance(first, Logs)] = [Logs(said)]
    return CodeResult(outputs, turn.files)
