"""Reading files in a process of their own, with limits to its memory and time."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground_tui.engine.tools.file_search.chunking import Chunk
from playground_tui.engine.tools.file_search.reading.refusal import Unreadable

MEGABYTE = 1024 * 1024
COMMAND = (sys.executable, "-P", "-m", "playground_tui.engine.tools.file_search.reading")
_PACKAGES = str(Path(__file__).parents[5])
_LONGEST_LINE = MEGABYTE
DAMAGED = "The file cannot be read: it is damaged, or more is packed into it than is allowed."
TOO_MUCH = "Reading the file takes more time or memory than is allowed."


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading a file may take. `tokens` is the contract's limit for a file of a vector store."""

    memory: int = 1024 * MEGABYTE
    """Bytes, and `memory_factor` bytes more for each byte of the file."""
    memory_factor: int = 6
    seconds: int = 60
    """Seconds of processor time, and `seconds_factor` more for each megabyte of the file, at most `most_seconds`."""
    seconds_factor: int = 10
    most_seconds: int = 900
    patience: int = 4
    """How many times as long it may take when others use the processor."""
    tokens: int = 5_000_000

    def of(self, size: int) -> tuple[int, int]:
        """Memory in bytes and seconds for a file of so many bytes."""
        seconds = self.seconds + self.seconds_factor * (size // MEGABYTE)
        return self.memory + self.memory_factor * size, min(seconds, self.most_seconds)


async def read_chunks(
    path: Path, filename: str, size: int, overlap: int, limits: Limits
) -> AsyncGenerator[Chunk, None]:
    """The chunks of a file, of `size` tokens that overlap by `overlap`. Raises Unreadable, also after some chunks."""
    memory, seconds = limits.of((await asyncio.to_thread(path.stat)).st_size)
    task = {"path": str(path), "filename": filename, "size": size, "overlap": overlap}
    task |= {"memory": memory, "seconds": seconds, "most": limits.tokens}
    deadline = asyncio.get_running_loop().time() + seconds * limits.patience
    process = await _begin(task)
    try:
        while (told := await _line(process, deadline)) is not None:
            yield Chunk(*told)
    finally:
        await asyncio.shield(_end(process))


async def _line(process: asyncio.subprocess.Process, deadline: float) -> list[str] | None:
    """The next chunk, or None after the last one."""
    assert process.stdout is not None
    try:
        async with asyncio.timeout_at(deadline):
            line = await process.stdout.readline()
            if not line.endswith(b"\n"):  # nothing, or half a line
                raise _ended_early(await process.wait())
            told = json.loads(line)
    except TimeoutError:
        raise Unreadable("invalid_file", TOO_MUCH) from None
    except ValueError:  # a longer line than any chunk makes, or no JSON
        raise Unreadable("invalid_file", DAMAGED) from None
    if isinstance(told, list):
        return told
    if "code" in told:
        raise Unreadable(told["code"], told["message"])
    return None


async def _begin(task: Mapping[str, Any]) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd="/",
        env=_environment(),
        start_new_session=True,
        limit=_LONGEST_LINE,
    )
    assert process.stdin is not None
    with suppress(ConnectionError):
        process.stdin.write(json.dumps(task).encode() + b"\n")
        process.stdin.close()
    return process


def _environment() -> dict[str, str]:
    """Where this package is, and nothing of what the engine was started with."""
    return {"PYTHONPATH": _PACKAGES, "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}


def _ended_early(status: int) -> Unreadable:
    if status in {-signal.SIGXCPU, -signal.SIGKILL}:
        return Unreadable("invalid_file", TOO_MUCH)
    if status == 1:
        return Unreadable("invalid_file", DAMAGED)
    return Unreadable("server_error", f"The process that read the file ended with status {status}.")


async def _end(process: asyncio.subprocess.Process) -> None:
    # Not process.kill(), which may collect the exit status before the loop does: the loop then warns of a lost child.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
