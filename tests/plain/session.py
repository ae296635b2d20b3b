"""The plain mode in a test: real lines through a pipe, a real engine, the talk in a thread of its own."""

from __future__ import annotations

import asyncio
import ctypes
import io
import os
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from playground_tui.assistants.client import AssistantsClient
from playground_tui.config import Settings
from playground_tui.plain.console import Console, Typed
from playground_tui.plain.program import talk
from playground_tui.plain.room import Room
from tests.support.engine import RunningEngine
from tests.support.wait import until

PATIENCE = 20.0
"""Seconds in which words that were waited for must come."""


CTRL_C = "\x03"
"""Typed at a prompt it is ctrl+c there."""


class Pipe(Console):
    """Lines from a pipe, which has no ctrl+c of its own. One that `edits` tells what stands in its line."""

    def _line(self, prompt: str, begun: str, history: Sequence[str], typed: Typed) -> str:
        told = typed if self.edits else lambda line: None
        told(begun)
        line = super()._line(prompt, begun, history, typed)
        told(line)
        if line == CTRL_C:
            raise KeyboardInterrupt
        return line


class Session:
    """One person at the plain mode."""

    def __init__(self, engine: RunningEngine, settings: Settings, environ: Mapping[str, str], *, edits: bool) -> None:
        reader, writer = os.pipe()
        self._source = os.fdopen(reader, encoding="utf-8")
        self._keys = os.fdopen(writer, "w", encoding="utf-8", buffering=1)
        self._out = io.StringIO()
        self._read = 0
        self._engine = engine
        self.door = threading.Event()
        self.door.set()
        self.code: int | None = None
        self.room = Room(settings, engine.paths, environ)
        self.console = Pipe(self._source, self._out)
        self.console.edits = edits
        self._thread = threading.Thread(target=self._talk)

    def start(self) -> None:
        self._thread.start()

    def _talk(self) -> None:
        self.code = talk(self.room, self.console, self._open)

    async def _open(self, client: AssistantsClient | None) -> AssistantsClient:
        await asyncio.to_thread(self.door.wait)
        return client or AssistantsClient.for_engine(self._engine.socket, label="plain", provider=None)

    @property
    def heard(self) -> str:
        """Everything said so far."""
        return self._out.getvalue()

    async def hears(self, *words: str) -> str:
        """Wait until these words were said, one after the other, since the last call; everything up to them."""
        start = self._read
        for word in words:
            end = asyncio.get_running_loop().time() + PATIENCE
            while (at := self.heard.find(word, self._read)) < 0:
                alive = self._thread.is_alive() and asyncio.get_running_loop().time() < end
                assert alive, f"never heard {word!r} after:\n{self.heard[self._read :]}\nin:\n{self.heard}"
                await asyncio.sleep(0.005)
            self._read = at + len(word)
        return self.heard[start : self._read]

    def type(self, *lines: str) -> None:
        for line in lines:
            self._keys.write(line + "\n")

    async def says(self, line: str, *words: str) -> str:
        """Type a line, and hear these words."""
        self.type(line)
        return await self.hears(*words)

    def interrupt(self) -> None:
        """ctrl+c while a run is followed or the connection awaited; at a prompt it is typed."""
        assert self._thread.ident is not None
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(self._thread.ident), ctypes.py_object(KeyboardInterrupt)
        )

    def end(self) -> None:
        """The end of the input."""
        if not self._keys.closed:
            self._keys.close()

    async def ended(self) -> int:
        await until(lambda: self.code is not None)
        assert self.code is not None
        return self.code

    async def close(self) -> None:
        self.door.set()
        self.end()
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join, 10)
        await asyncio.to_thread(self.room.close)
        self._source.close()


@asynccontextmanager
async def plain(
    engine: RunningEngine,
    *,
    settings: Settings | None = None,
    environ: Mapping[str, str] | None = None,
    start: bool = True,
    edits: bool = False,
) -> AsyncIterator[Session]:
    """A session on this engine's data directory; starting another one later finds what this one kept."""
    session = Session(engine, settings or Settings(autosave_delay=0.05), environ or {}, edits=edits)
    try:
        if start:
            session.start()
            await session.hears("status: connecting.")
        yield session
    finally:
        await session.close()
