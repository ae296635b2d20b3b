"""What is sent once and only once: a request whose outcome is unknown is looked up before it is sent again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

from playground_tui.assistants.errors import AssistantsError, Malformed, NotReachable, Rejected
from playground_tui.assistants.objects import Assistant, Message, Run

T = TypeVar("T")

CLOCKS_APART = 300
"""Seconds by which the server's clock may be behind ours."""
PAUSE = 0.3
"""Seconds before the first look for what became of a request."""
SOON = 5.0
"""Seconds in which a request has to fail to be tried again at once: a slow failure is told of first."""
LIKENESS = ("model", "name", "description", "instructions")
"""Fields by which an assistant that was just made is known again."""


class Outcomes:
    """Remembers which requests are in doubt, and which objects were there before them.

    `saw` takes every assistant, message and run the server told of: what was not seen before a request came after it.
    """

    def __init__(self, clock: Callable[[], float] = time.time):
        self._clock = clock
        self._doubts: dict[str, float] = {}
        self._seen: dict[str, float] = {}
        """When an id was first told of, in Unix seconds."""

    def now(self) -> float:
        """Unix seconds."""
        return self._clock()

    def saw(self, objects: Iterable[Assistant | Message | Run]) -> None:
        now = self._clock()
        for item in objects:
            self._seen.setdefault(item.id, now)

    async def once(self, key: str, send: Callable[[], Awaitable[T]], look: Callable[[float], Awaitable[T | None]]) -> T:
        """What `send()` answers, or what `look(since)` finds of an earlier try with this key.

        `since` is the time of the first try in Unix seconds. A connection that broke at once is tried once more.
        Raises what the last try raised; the next call with the same key then looks first.
        """
        if (found := await self._found(key, look)) is not None:
            return found
        began = self._clock()
        try:
            return await self._try(key, send)
        except (NotReachable, Malformed):
            if self._clock() - began > SOON:
                raise
        await asyncio.sleep(PAUSE)
        if (found := await self._found(key, look)) is not None:
            return found
        return await self._try(key, send)

    def doubt(self, key: str, since: float) -> None:
        """What this request began is not known, though it was answered: it is looked for before it is sent again."""
        self._doubts.setdefault(key, since)

    async def _found(self, key: str, look: Callable[[float], Awaitable[T | None]]) -> T | None:
        """What came of an earlier try that is in doubt, if anything did."""
        found = await look(self._doubts[key]) if key in self._doubts else None
        return None if found is None else self._settled(key, found)

    async def _try(self, key: str, send: Callable[[], Awaitable[T]]) -> T:
        began = self._clock()
        try:
            return self._settled(key, await send())
        except AssistantsError as error:
            if may_have_acted(error):
                self.doubt(key, began)
            raise
        except asyncio.CancelledError:  # nobody waits for the answer any longer
            self.doubt(key, began)
            raise

    def settled(self, key: str) -> None:
        """What came of this request is known."""
        self._doubts.pop(key, None)

    def _settled(self, key: str, answer: T) -> T:
        self.settled(key)
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

    def new_assistant(
        self, newest_first: Iterable[Assistant], fields: Mapping[str, Any], since: float
    ) -> Assistant | None:
        """The assistant of these fields that was not there before."""
        wanted = {name: fields[name] for name in LIKENESS if name in fields}
        alike = (one for one in newest_first if {name: one.raw.get(name) for name in wanted} == wanted)
        return next((one for one in alike if self._is_new(one, since)), None)

    def _is_new(self, item: Assistant | Message | Run, since: float) -> bool:
        return self._seen.get(item.id, since) >= since and item.created_at >= since - CLOCKS_APART


def may_have_acted(error: AssistantsError) -> bool:
    """Whether the server may have done what it was asked, though it did not say so."""
    match error:
        case NotReachable():
            return error.sent
        case Rejected():
            return error.status >= 500
        case _:
            return isinstance(error, Malformed)
