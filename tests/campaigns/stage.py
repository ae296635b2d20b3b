"""What the users of a campaign share: an engine, its clock, and the models behind it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playground_tui.engine.runs.tools.perform import OwnTools
from tests.campaigns.known import Known, KnownRun
from tests.campaigns.wire import Wire
from tests.support.scripted import ScriptedEngine, scripted_engine
from tests.support.talking import TalkingProvider
from tests.support.tools import ScriptedInterpreter
from tests.support.wait import until

REMEMBERED = 40
"""Runs of earlier sequences that are looked at again."""


class Hours:
    """Time passes only when nobody is at work."""

    def __init__(self) -> None:
        self._gate = asyncio.Lock()
        self._idle = asyncio.Event()
        self._idle.set()
        self._working = 0

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        async with self._gate:
            self._working += 1
            self._idle.clear()
        try:
            yield
        finally:
            self._working -= 1
            if not self._working:
                self._idle.set()

    @asynccontextmanager
    async def of_rest(self) -> AsyncIterator[None]:
        async with self._gate:
            await self._idle.wait()
            yield


@dataclass
class Stage:
    """An engine whose models say what the users have them say. Its search is real, its sandbox is not."""

    scripted: ScriptedEngine
    provider: TalkingProvider
    wire: Wire
    hours: Hours = field(default_factory=Hours)
    known: list[Known] = field(default_factory=list)
    """What the users at work know."""
    ended: deque[KnownRun] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """Runs of earlier sequences, in threads that nobody changes any more."""

    @property
    def now(self) -> int:
        return int(self.scripted.clock())

    async def pass_time(self, seconds: int) -> None:
        """Let time go by, and all that is over be over."""
        async with self.hours.of_rest():
            self.scripted.clock.time += seconds
            runs = self.scripted.engine.runs
            over = [run for known in self.known for run in known.active_runs if run.expires_at <= self.now]
            runs.expire_due()
            await self.scripted.engine.files.expire()
            await until(lambda: not {run.id for run in over} & runs.active_ids, timeout=60)
            for known in self.known:
                known.expire(self.now)


@asynccontextmanager
async def stage(directory: Path, clock: float) -> AsyncIterator[Stage]:
    """An engine on the store in `directory`, at this time."""
    provider = TalkingProvider()
    async with scripted_engine(directory, provider=provider) as scripted:
        scripted.clock.time = clock
        tools = scripted.engine.runs.tools
        scripted.engine.runs.tools = OwnTools(tools.search, ScriptedInterpreter(), tools.files)
        wire = Wire(scripted.server.address.socket)
        try:
            yield Stage(scripted, provider, wire)
        finally:
            await wire.close()
