"""The connection to the server: opened after the first paint, watched, and opened again when it has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from playground_tui.assistants.engine_objects import Change
from playground_tui.assistants.errors import AssistantsError
from playground_tui.desk.desk import Desk, OpenClient

DELAYS = (1.0, 1.0, 2.0, 5.0, 10.0)
"""Seconds between attempts; the last one repeats."""


class Link:
    """Runs for the whole session. `show` gets one line that says what the program is connected to."""

    def __init__(
        self,
        desk: Desk,
        open_client: OpenClient,
        *,
        show: Callable[[str], None],
        opened: Callable[[], Awaitable[None]],
        changed: Callable[[Change], Awaitable[None]],
    ) -> None:
        self._desk = desk
        self._open_client = open_client
        self._show = show
        self._opened = opened
        self._changed = changed

    async def run(self) -> None:
        """Open, watch, and begin again: until the worker is cancelled, or the server is one that reports nothing."""
        failures = 0
        while True:
            try:
                await self._open()
                failures = 0
                if not await self._watch():
                    return
            except AssistantsError as error:
                delay = DELAYS[min(failures, len(DELAYS) - 1)]
                failures += 1
                self._show(f"Not connected, trying again in {delay:.0f} s; what you type is kept. {error}")
                await asyncio.sleep(delay)

    async def _open(self) -> None:
        client = await self._open_client(self._desk.client)
        self._desk.client = client
        if client.is_engine:
            status = await client.engine_status()
            self._desk.default_model = status.default_model
            self._desk.tool_problems = status.tool_problems
            self._show(status.sentence)
        else:
            self._show(f"connected to {client.where}")

    async def _watch(self) -> bool:
        """Read everything once, then what changes. Returns False for a server that reports no changes."""
        assert self._desk.client is not None
        if not self._desk.client.is_engine:
            await self._opened()
            return False
        try:
            async for change in self._desk.client.changes():
                self._desk.live = True
                await (self._opened() if change.kind == "reset" else self._changed(change))
        finally:
            self._desk.live = False
        return True
