"""Interpreters with real sandboxes, and files to give them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from playground_tui.engine.files import Files
from playground_tui.engine.tools.base import CodeResult, Logs, Mounted, Picture
from playground_tui.engine.tools.code_interpreter.limits import MEGABYTE, Limits
from playground_tui.engine.tools.code_interpreter.service import Interpreter

SMALL = Limits(
    memory=256 * MEGABYTE,
    disk=16 * MEGABYTE,
    scratch=4 * MEGABYTE,
    inodes=500,
    processes=24,
    cpu_seconds=20,
    wall_seconds=20,
    grace_seconds=0.3,
    flood=4 * MEGABYTE,
)
"""Limits that are soon reached. Times are for a machine that does much else."""

THREAD = "thread_1"


@dataclass(frozen=True)
class Kept:
    """Files that lie in a directory under their ids."""

    directory: Path

    def path(self, file_id: str) -> Path:
        return self.directory / file_id

    def add(self, file_id: str, content: bytes, name: str = "") -> Mounted:
        self.path(file_id).write_bytes(content)
        return Mounted(file_id, name or file_id)


@dataclass(frozen=True)
class Bench:
    """An interpreter, and the files that it finds."""

    interpreter: Interpreter
    kept: Kept

    async def run(self, code: str, files: Sequence[Mounted] = (), *, thread: str = THREAD) -> CodeResult:
        return await self.interpreter.run(thread, code, files)

    async def text(self, code: str, files: Sequence[Mounted] = (), *, thread: str = THREAD) -> str:
        """What the code printed, a picture as `[picture]`."""
        return shown(await self.run(code, files, thread=thread))


def shown(result: CodeResult) -> str:
    return "".join(output.text if isinstance(output, Logs) else "[picture]" for output in result.outputs)


def pictures(result: CodeResult) -> list[bytes]:
    return [output.png for output in result.outputs if isinstance(output, Picture)]


@asynccontextmanager
async def bench(directory: Path, limits: Limits = SMALL, **options: Any) -> AsyncIterator[Bench]:
    kept = Kept(directory / "files")
    kept.directory.mkdir(exist_ok=True)
    interpreter = Interpreter(directory / "sandbox", cast(Files, kept), limits=limits, **options)
    try:
        yield Bench(interpreter, kept)
    finally:
        await interpreter.stop()
