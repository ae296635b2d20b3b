"""The connection to the server: opened after the first paint, watched, and opened again when it has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.objects import Change
from playground_tui.ui.desk import Desk, OpenClient

DELAYS = (0.5, 1.0, 2.0, 5.0, 10.0)
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
        """Open, watch, and begin again: until the worker is cancelled."""
        failures = 0
        while True:
            try:
                await self._open()
                failures = 0
                await self._watch()
            except AssistantsError as error:
                delay = DELAYS[min(failures, len(DELAYS) - 1)]
                failures += 1
                self._show(f"{error} What you type is kept; trying again in {delay:.0f} s.")
                await asyncio.sleep(delay)

    async def _open(self) -> None:
        client = await self._open_client(self._desk.client)
        self._desk.client = client
        if client.is_engine:
            status = await client.engine_status()
            self._desk.default_model = status.default_model
            self._show(status.sentence)
        else:
            self._show(f"connected to {client.where}")
        await self._opened()

    async def _watch(self) -> None:
        assert self._desk.client is not None
        async for change in self._desk.client.changes():
            await self._changed(change)
