"""The whole playground in a test: the real screen on a real engine, driven by keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from textual.pilot import Pilot

from playground_tui.assistants.client import AssistantsClient
from playground_tui.config import Settings
from playground_tui.ui.app import PlaygroundApp
from playground_tui.ui.chat.pane import ChatPane
from playground_tui.ui.form.pane import FormPane
from playground_tui.ui.screen import SplitScreen
from tests.support.engine import RunningEngine
from tests.support.wait import until

QUICK = 0.05
"""Seconds of autosave delay in tests that do not look at the delay."""


@dataclass
class Playground:
    """A running playground."""

    app: PlaygroundApp
    pilot: Pilot[int]

    @property
    def screen(self) -> SplitScreen:
        assert self.app._split is not None
        return self.app._split

    @property
    def chat(self) -> ChatPane:
        return self.screen.chat_pane

    @property
    def form(self) -> FormPane:
        return self.screen.form_pane

    @property
    def said(self) -> list[str]:
        """The sentences said in passing."""
        return list(self.screen.notice.said)

    @property
    def status(self) -> str:
        return str(self.screen.query_one("#run-status").render())

    def text(self, selector: str) -> str:
        """What one widget shows."""
        return str(self.screen.query_one(selector).render())

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until(self, predicate: Any) -> None:
        await until(predicate)
        await self.pilot.pause()

    async def connected(self) -> None:
        await self.until(lambda: self.screen.editing.editor is not None)

    async def write(self, text: str) -> None:
        """Put text into the composer and press enter."""
        self.screen.action_to_composer()
        self.chat.composer.load(text)
        await self.pilot.pause()
        await self.press("enter")

    async def answered(self, words: str) -> None:
        """Wait until an answer with these words is complete."""

        def there() -> bool:
            return words in (self.chat.last_answer() or "") and not self.screen.sending.busy

        await self.until(there)


@asynccontextmanager
async def playground(
    engine: RunningEngine,
    *,
    size: tuple[int, int] = (120, 40),
    settings: Settings | None = None,
    environ: Mapping[str, str] | None = None,
    connect: bool = True,
    door: asyncio.Event | None = None,
) -> AsyncIterator[Playground]:
    """A playground on this engine's data directory; starting another one later finds what this one kept.

    It connects as soon as `door` is set, and with `connect` that is waited for.
    """

    async def open_client(client: AssistantsClient | None) -> AssistantsClient:
        if door is not None:
            await door.wait()
        return client or engine.client("playground")

    settings = settings or Settings(autosave_delay=QUICK)
    app = PlaygroundApp(settings, engine.paths, environ or {}, open_client)
    try:
        async with app.run_test(size=size, notifications=True, tooltips=True) as pilot:
            running = Playground(app, pilot)
            await until(lambda: app.takes_keys)
            if connect:
                await running.connected()
            try:
                yield running
            finally:
                app._leaving = True  # as at every end: what is under way may find the screen half gone
    finally:
        app.desk.cache.close()
