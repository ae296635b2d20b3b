"""The connection to the server: opened after the first paint, watched, and opened again when it has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from math import ceil, inf
from time import monotonic

from playground_tui.assistants.engine_objects import Change
from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.run_words import duration
from playground_tui.desk.desk import Desk, OpenClient

DELAYS = (1.0, 1.0, 2.0, 5.0, 10.0)
"""Seconds between attempts; the last one repeats."""
KEPT = "what you type is kept."


def connected_to(where: str) -> str:
    """What is said while another server than the engine answers."""
    return f"connected to {where}"


class Link:
    """Runs for the whole session. `show` gets one line that says what the program is connected to.

    `opened` reads what is needed and answers what the server refused of it, or "". `keys` says how a front stops the
    attempts and makes the next one, where it can.
    """

    def __init__(
        self,
        desk: Desk,
        open_client: OpenClient,
        *,
        show: Callable[[str], None],
        opened: Callable[[], Awaitable[str]],
        changed: Callable[[Change], Awaitable[None]],
        keys: str = "",
    ) -> None:
        self._desk = desk
        self._open_client = open_client
        self._show = show
        self._opened = opened
        self._changed = changed
        self._keys = f" ({keys})" if keys else ""
        self._waiting: tuple[str, float] | None = None
        """Between two attempts: why the last one failed, and when the next one is made; infinity once stopped."""
        self._now = asyncio.Event()

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
                delay = max(DELAYS[min(failures, len(DELAYS) - 1)], error.retry_after or 0.0)
                failures += 1
                await self._wait(str(error), delay)

    async def _wait(self, reason: str, delay: float) -> None:
        """Count down to the next attempt, which a key can stop or bring on."""
        self._now.clear()
        self._waiting = reason, monotonic() + delay
        self._show(self._words(reason, left := delay))
        while left > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._now.wait(), min(left, 1.0))
            self._now.clear()
            if (left := self._waiting[1] - monotonic()) > 0:
                self._show(self._words(reason, left))
        self._waiting = None

    def _words(self, reason: str, left: float) -> str:
        if left == inf:
            return f"Not connected; {KEPT} {reason} {self._desk.ways.again} tries again."
        return f"Not connected, trying again in {duration(ceil(left))}{self._keys}; {KEPT} {reason}"

    def stop_retrying(self) -> bool:
        """Make no further attempt by itself; False when none is due."""
        if self._waiting is None or self._waiting[1] == inf:
            return False
        self._waiting = self._waiting[0], inf
        self._now.set()
        return True

    def try_now(self) -> bool:
        """Make the next attempt now; False when none is waited for."""
        if self._waiting is None:
            return False
        self._waiting = self._waiting[0], 0.0
        self._now.set()
        return True

    async def _open(self) -> None:
        client = await self._open_client(self._desk.client)
        self._desk.client = client
        if client.is_engine:
            status = await client.engine_status()
            self._desk.default_model = status.default_model
            self._desk.tool_problems = status.tool_problems
            self._show(status.sentence)

    async def _watch(self) -> bool:
        """Read everything once, then what changes. Returns False for a server that reports no changes."""
        assert self._desk.client is not None
        if not self._desk.client.is_engine:
            refused = await self._opened()
            self._show(refused or connected_to(self._desk.client.where))
            return False
        try:
            async for change in self._desk.client.changes():
                self._desk.live = True
                await (self._opened() if change.kind == "reset" else self._changed(change))
        finally:
            self._desk.live = False
        return True
