"""What is sent once and only once: a request whose outcome is unknown is looked up before it is sent again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from playground_tui.assistants.errors import AssistantsError, Malformed, NotReachable, Rejected
from playground_tui.assistants.objects import Message, Run

T = TypeVar("T")

CLOCKS_APART = 300
"""Seconds by which the server's clock may be behind ours."""
PAUSES = (0.3, 1.0, 2.5)
"""Seconds before each look for what became of a request."""


class Outcomes:
    """Remembers which requests are in doubt, and which objects were there before them.

    `seen` takes the id of every message and run the server told of: what is not among them came after.
    """

    def __init__(self, clock: Callable[[], float] = time.time):
        self._clock = clock
        self._doubts: dict[str, float] = {}
        self._seen: set[str] = set()

    def now(self) -> float:
        """Unix seconds."""
        return self._clock()

    def saw(self, objects: Iterable[Message | Run]) -> None:
        self._seen.update(item.id for item in objects)

    async def once(self, key: str, send: Callable[[], Awaitable[T]], look: Callable[[float], Awaitable[T | None]]) -> T:
        """What `send()` answers, or what `look(since)` finds of an earlier try with this key.

        `since` is the time of the first try in Unix seconds. A request that never left is tried again likewise.
        Raises what the last try raised; the next call with the same key then looks first.
        """
        if key in self._doubts and (found := await look(self._doubts[key])) is not None:
            return self._settled(key, found)
        began = self._clock()
        for pause in PAUSES:
            try:
                return self._settled(key, await send())
            except AssistantsError as error:
                self._note(key, began, error)
                if not isinstance(error, NotReachable | Malformed):
                    raise
            await asyncio.sleep(pause)
            if key in self._doubts and (found := await look(self._doubts[key])) is not None:
                return self._settled(key, found)
        return await self._last_try(key, began, send)

    async def _last_try(self, key: str, began: float, send: Callable[[], Awaitable[T]]) -> T:
        try:
            return self._settled(key, await send())
        except AssistantsError as error:
            self._note(key, began, error)
            raise

    def _note(self, key: str, began: float, error: AssistantsError) -> None:
        if may_have_acted(error):
            self._doubts.setdefault(key, began)

    def _settled(self, key: str, answer: T) -> T:
        self._doubts.pop(key, None)
        return answer

    def new_message(self, newest_first: Iterable[Message], text: str, since: float) -> Message | None:
        """The user's message of this text that was not there before, if it is at the end of the thread."""
        for message in newest_first:
            if message.role != "user":
                return None
            if message.text == text and self._is_new(message, since):
                return message
        return None

    def new_run(self, newest_first: Iterable[Run], assistant_id: str, since: float) -> Run | None:
        """The run of this assistant that was not there before."""
        runs = (run for run in newest_first if run.assistant_id == assistant_id and self._is_new(run, since))
        return next(runs, None)

    def _is_new(self, item: Message | Run, since: float) -> bool:
        return item.id not in self._seen and item.created_at >= since - CLOCKS_APART


def may_have_acted(error: AssistantsError) -> bool:
    """Whether the server may have done what it was asked, though it did not say so."""
    match error:
        case NotReachable():
            return error.sent
        case Rejected():
            return error.status >= 500
        case _:
            return isinstance(error, Malformed)
