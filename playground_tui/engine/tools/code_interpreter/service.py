"""The code interpreter: one sandboxed Python for each thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from playground_tui.engine.files import Files
from playground_tui.engine.tools.base import CodeResult, Mounted


class Interpreter:
    """The sandboxes of this engine. `directory` is private to them, in the data directory."""

    def __init__(self, directory: Path, files: Files):
        self._directory = directory
        self._files = files

    async def problem(self) -> str:
        """Why no code can be run here, as a sentence that says what to do; "" if it can."""
        raise NotImplementedError

    async def run(self, thread_id: str, code: str, files: Sequence[Mounted]) -> CodeResult:
        """Run code in the thread's sandbox. Raises CannotRun."""
        raise NotImplementedError

    async def forget(self, thread_id: str) -> None:
        """End the thread's sandbox."""

    async def stop(self) -> None:
        """End all sandboxes."""
