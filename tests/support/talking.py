"""A model that says what the test has it say, while it is being asked."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator

from playground_tui.engine.providers.base import Finished, ModelRequest, ProviderEvent, Text
from tests.support.scripted import TOKENS, ScriptedProvider

READY = "ready"
"""How the names of models begin that answer "fine" by themselves."""


class TalkingProvider(ScriptedProvider):
    """A provider whose every answer waits for what the test has it say, by the model's name."""

    def __init__(self) -> None:
        super().__init__()
        self.says: defaultdict[str, asyncio.Queue[ProviderEvent | Exception]] = defaultdict(asyncio.Queue)
        self.asked: Counter[str] = Counter()
        """How often each model was asked."""

    async def stream(self, request: ModelRequest) -> AsyncIterator[ProviderEvent]:
        if request.model.startswith(READY):
            yield Text("fine")
            yield Finished("stop", TOKENS)
            return
        self.asked[request.model] += 1
        words = self.says[request.model]
        while True:
            item = await words.get()
            if isinstance(item, Exception):
                raise item
            yield item
            if isinstance(item, Finished):
                return

    def say(self, model: str, *items: ProviderEvent | Exception) -> None:
        """What this model says next; it ends with `Finished`, or an error."""
        for item in items:
            self.says[model].put_nowait(item)
