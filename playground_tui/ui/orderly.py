"""Keys in the order they were typed, however fast they come.

Textual hands a character to the focused field at once, but a key that is a binding (backspace, home, tab) is run when
it has bubbled up to the app: behind every character that was in the queue by then. In a burst, as a slow link delivers
it, `ab`, backspace, `c` becomes `ab` and a deleted `c`. Here a key that is no character ends before the next begins.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from functools import partial

from textual import events
from textual.app import App

LONGEST = 0.5
"""Seconds a key may take before the next one goes ahead."""


class OrderlyApp(App[int]):
    """An app that handles one key after the other."""

    takes_keys = True
    """Until this is true, keys wait."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._under_way: events.Key | None = None

    def is_swallowed(self, key: events.Key) -> bool:
        """Whether this key is to be dropped."""
        return False

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self._waiting.append(event)
            await self.handle_waiting()
        else:
            await super().on_event(event)

    async def handle_waiting(self) -> None:
        """Handle the keys that wait, up to the first that takes its time."""
        while self._waiting and self._under_way is None and self.takes_keys:
            event = self._waiting.popleft()
            if isinstance(event, events.Key) and not await self._start_key(event):
                continue
            await super().on_event(event)
            if event is self._under_way:
                self._watch(event)

    async def _start_key(self, key: events.Key) -> bool:
        if self.is_swallowed(key):
            return False
        if not key.is_printable:
            await self._typed_so_far()
            self._under_way = key
        return True

    async def _typed_so_far(self) -> None:
        """Wait until the focused field has taken the characters typed before this key.

        A key of the screen would overtake them: enter would send a message without its end.
        """
        if self.focused is not None:
            taken = asyncio.Event()
            if self.focused.call_later(taken.set):
                with suppress(TimeoutError):
                    await asyncio.wait_for(taken.wait(), LONGEST)

    def _watch(self, key: events.Key) -> None:
        """Notice the end of a key: it was the screen's, or the field stops it, or it bubbles up to `_on_key`."""
        target = self.focused or self.screen
        if not key.is_forwarded or not target.call_later(self._taken, key):
            self._under_way = None
        else:
            self.set_timer(LONGEST, partial(self._ended, key))

    def _taken(self, key: events.Key) -> None:
        if key._stop_propagation:
            self._ended(key)

    async def _on_key(self, event: events.Key) -> None:
        # Textual calls the handler of each class: the app's own, which runs the binding, comes after this one, and
        # what `_ended` puts into the queue after both.
        self._ended(event)

    def _ended(self, key: events.Key) -> None:
        if key is self._under_way:
            self._under_way = None
            self.call_later(self.handle_waiting)
