"""One sandbox: bubblewrap, the worker in it, and what is said to it."""

from __future__ import annotations

import asyncio
import os
import platform
import secrets
import signal
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playground_tui.engine.tools.base import Logs, MadeFile, Picture
from playground_tui.engine.tools.code_interpreter import cgroup, frames, processes
from playground_tui.engine.tools.code_interpreter.command import Setup, mounts, options_of, worker_command
from playground_tui.engine.tools.code_interpreter.limits import Limits
from playground_tui.engine.tools.code_interpreter.output import Output
from playground_tui.engine.tools.code_interpreter.seccomp import filter_for
from playground_tui.engine.tools.code_interpreter.watchdog import Watchdog

_RESERVED, _RESERVED_SIZE = 1_879_048_192, 268_435_454
"""User ids that no system gives to anyone: a sandbox gets one of its own, so the kernel counts its processes alone."""
_UNUSED, _UNUSED_SIZE = 65_520, 14
"""The same within the first 65,536, which is what a container often has."""


class StartFailed(Exception):
    """The sandbox did not come up. `str(error)` is what bubblewrap said; `unsafe`: it would leak."""

    def __init__(self, said: str, *, unsafe: bool = False):
        super().__init__(said)
        self.unsafe = unsafe


@dataclass(frozen=True, slots=True)
class Placed:
    """A file that code is to find under a name in its directory, and under its id."""

    name: str
    path: Path
    file_id: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What one piece of code did."""

    outputs: Sequence[Logs | Picture]
    files: Sequence[MadeFile]


class Sandbox:
    """A sandbox that has come up. Between two pieces of code all its processes stand still."""

    def __init__(self, process: asyncio.subprocess.Process, output: int, limits: Limits):
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._writer, self._reader = process.stdin, process.stdout
        self._pipe = output
        self._limits = limits
        self._output = Output(output, limits.output)
        self._init = 0
        self._handles = _handles(process.pid)
        self._group: cgroup.ControlGroup | None = None
        self._turn: asyncio.Task[Turn] | None = None
        self._watchdog: Watchdog | None = None
        self._ending: asyncio.Task[None] | None = None
        asyncio.get_running_loop().add_reader(output, self._readable)

    @property
    def alive(self) -> bool:
        """Whether it can run code."""
        return self._process.returncode is None and self._ending is None

    async def ready(self, uid: int) -> None:
        """Wait until the worker is ready, and see for ourselves that it can do no harm. Raises StartFailed."""
        try:
            async with asyncio.timeout(self._limits.start_seconds):
                kind, _, _ = await frames.receive(self._reader)
        except (TimeoutError, asyncio.IncompleteReadError, frames.Violation):
            self._output.drain()
            raise StartFailed(_last_line(self._output)) from None
        self._init, worker = self._find()
        self._handles += _handles(self._init)
        if kind != frames.READY or not processes.confined(worker, uid):
            raise StartFailed("the worker has rights that it must not have", unsafe=True)
        self._group = cgroup.delegated(self._limits)
        if self._group is not None:
            self._group.take([self._init, worker])
        await processes.freeze(self._init)

    def _find(self) -> tuple[int, int]:
        """The first process of the sandbox, and the worker. Raises StartFailed."""
        inits = processes.children(self._process.pid)
        workers = [worker for init in inits for worker in processes.children(init)]
        if len(inits) != 1 or len(workers) != 1:
            raise StartFailed("its processes cannot be seen in /proc", unsafe=True)
        return inits[0], workers[0]

    async def rest(self) -> None:
        """Return when no code runs: code that was cancelled goes on for a moment, and may end the sandbox with it."""
        if self._turn is not None:
            await asyncio.wait([self._turn])

    async def run(self, code: str, files: Sequence[Placed]) -> Turn:
        """Run code in a sandbox at rest. When this is cancelled the code is interrupted, and killed if it does not
        heed that."""
        self._turn = asyncio.create_task(self._take_turn(code, files))
        try:
            return await asyncio.shield(self._turn)
        except asyncio.CancelledError:
            if self._watchdog is not None:
                self._watchdog.stop("it was cancelled")
            raise

    async def _take_turn(self, code: str, files: Sequence[Placed]) -> Turn:
        received = frames.Received(self._limits, self._output)
        watchdog = Watchdog(self._init, self._limits, self._output, self._interrupt, self._kill)
        self._watchdog = watchdog
        watching = asyncio.create_task(watchdog.watch())
        why = ""
        try:
            processes.thaw(self._init)
            await self._converse(code, files, received)
        except (asyncio.IncompleteReadError, ConnectionError):
            why = watchdog.reason or await self._status()
        except OSError as error:  # the worker waits for the rest of the file
            why = f"a file could not be read for it ({error.strerror or error})"
        except frames.Violation:
            why = "it disturbed the pipe to the engine"
        finally:
            watching.cancel()
            self._watchdog = None
        if why or not await processes.freeze(self._init):
            await self.end()
        return self._finish(received, why, watchdog.reason)

    async def _converse(self, code: str, files: Sequence[Placed], received: frames.Received) -> None:
        for file in files:
            try:
                await frames.send_file(self._writer, file.name, file.path)
                await frames.send(self._writer, frames.ALIAS, file.file_id, file.name.encode())
            except FileNotFoundError:
                self._output.note(f"(The file {file.name} is there no more.)")
        await frames.send(self._writer, frames.CODE, contents=code.encode("utf-8", "replace"))
        while not await received.take(self._reader, self._writer):
            pass
        self._output.drain()

    def _finish(self, received: frames.Received, ended: str, interrupted: str) -> Turn:
        self._output = Output(self._pipe, self._limits.output)
        if ended:
            received.output.note(f"(Python was ended: {ended}. Its variables are gone.)")
        elif interrupted:
            received.output.note(f"(The code was interrupted: {interrupted}.)")
        return Turn(received.output.finish(), received.files)

    async def _status(self) -> str:
        """How the process ended by itself."""
        status = await self._process.wait()
        by = signal.strsignal(status - 128) if status > 128 else None
        return f"its process was ended by a signal: {by}" if by else f"its process exited with status {status}"

    def _readable(self) -> None:
        if not self._output.drain():
            asyncio.get_running_loop().remove_reader(self._pipe)

    def _interrupt(self) -> None:
        processes.interrupt(self._init)

    def _kill(self) -> None:
        """The kernel ends every process of a process namespace with its first one."""
        for handle in self._handles:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        if self._group is not None:
            self._group.kill()

    async def end(self) -> None:
        """End all its processes. Returns when they are gone, which they are also when this is cancelled."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        await asyncio.shield(self._ending)

    async def _end(self) -> None:
        self._kill()
        self._writer.close()
        await self._process.wait()
        asyncio.get_running_loop().remove_reader(self._pipe)
        self._output.drain()
        os.close(self._pipe)
        self._pipe = -1
        while self._handles:
            os.close(self._handles.pop())
        if self._group is not None:
            self._group.remove()


async def start(setup: Setup, limits: Limits) -> Sandbox:
    """A new sandbox. Raises StartFailed, OSError.

    A start is not cut short: asyncio waits for ever for a process that is cancelled while it is made. When this is
    cancelled, the sandbox comes up and is ended.
    """
    starting = asyncio.create_task(_start(setup, limits))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.shield(_discard(starting))
        raise


async def _discard(starting: asyncio.Task[Sandbox]) -> None:
    await asyncio.wait([starting])
    if starting.exception() is None:
        await starting.result().end()


async def _start(setup: Setup, limits: Limits) -> Sandbox:
    uid = unused_uid() if setup.root else None
    with _pipe() as (reading, writing):
        process = await _spawn(setup, limits, uid, writing)
        sandbox = Sandbox(process, reading, limits)
    try:
        await sandbox.ready(os.getuid() if uid is None else uid)
    except BaseException:
        await sandbox.end()
        raise
    return sandbox


async def _spawn(setup: Setup, limits: Limits, uid: int | None, output: int) -> asyncio.subprocess.Process:
    """Start bubblewrap. It can be seen from inside: so its environment is empty, and its options are in a file."""
    with _in_memory(filter_for(platform.machine()) or b"") as program:
        options = [*options_of(setup), "--seccomp", str(program), *mounts(setup, limits)]
        with _in_memory(b"".join(option.encode() + b"\0" for option in options)) as given:
            return await asyncio.create_subprocess_exec(
                *(setup.bwrap, "--args", str(given), "--", *worker_command(setup, limits, uid)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=output,
                pass_fds=(program, given),
                cwd="/",
                env={},
                start_new_session=True,
            )


def _handles(pid: int) -> list[int]:
    """What a process is signalled by: it stands for this process alone, whatever its number is given to later.

    None for one that is gone already.
    """
    try:
        return [os.pidfd_open(pid)]
    except ProcessLookupError:
        return []


def unused_uid() -> int:
    """A user id that nobody has. Raises StartFailed when there is none to be had."""
    here = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    known = [range(int(first), int(first) + int(count)) for first, _, count in here]
    for first, size in ((_RESERVED, _RESERVED_SIZE), (_UNUSED, _UNUSED_SIZE)):
        if any(first in ids and first + size - 1 in ids for ids in known):
            return first + secrets.randbelow(size)
    raise StartFailed("there is no user that root could become", unsafe=True)


@contextmanager
def _in_memory(contents: bytes) -> Iterator[int]:
    """A file in memory with these contents, to be read from its beginning."""
    with closing(os.fdopen(os.memfd_create("sandbox"), "wb")) as file:
        file.write(contents)
        file.flush()
        file.seek(0)
        yield file.fileno()


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    """A pipe whose reading end does not block; its writing end is closed with the context."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    try:
        yield reading, writing
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)


def _last_line(output: Output) -> str:
    said = "".join(part.text for part in output.finish() if isinstance(part, Logs)).strip()
    return said.splitlines()[-1] if said else "it did not answer"
