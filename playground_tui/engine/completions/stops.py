"""Sequences at which an answer ends, for providers and assistants that know of none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import aclosing

from playground_tui.engine.completions.wire import Events
from playground_tui.engine.providers.base import Finished, ProviderEvent, Text


async def until_stop(events: Events, stops: Sequence[str]) -> Events:
    """The events up to the first of these texts, which is not said. Closing the rest is the caller's."""
    text = HeldText(stops)
    async with aclosing(events):
        async for batch in events:
            yield [passed for event in batch for passed in text.take(event)]
            if text.stopped:
                return


class HeldText:
    """Holds back the end of a text for as long as it may be the beginning of a stop sequence."""

    def __init__(self, stops: Sequence[str]):
        self._stops = stops
        self._held = ""
        self.stopped = False

    def take(self, event: ProviderEvent) -> Iterator[ProviderEvent]:
        """What may be passed on; a last `Finished` when a sequence has come."""
        if self.stopped:
            return
        if isinstance(event, Text):
            yield from self._text(self._held + event.text)
            return
        if self._held:
            yield Text(self._held)
            self._held = ""
        yield event

    def _text(self, text: str) -> Iterator[ProviderEvent]:
        places = [place for stop in self._stops if (place := text.find(stop)) >= 0]
        self.stopped = bool(places)
        safe = min(places) if places else len(text) - self._beginning(text)
        self._held = text[safe:]
        if safe:
            yield Text(text[:safe])
        if self.stopped:
            yield Finished("stop")

    def _beginning(self, text: str) -> int:
        """The length of the longest end of `text` that begins a sequence."""
        ends = (size for stop in self._stops for size in range(1, len(stop)) if text.endswith(stop[:size]))
        return max(ends, default=0)
