"""A request that is made again for a while, each wait told and cut short when it is no longer wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

from playground_tui.assistants.backoff import pause
from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.events import Reconnected, Retrying

T = TypeVar("T")

FIRST_DELAY = 1.0
LONGEST_DELAY = 30.0
"""Seconds before the second try, and at most; in between each wait is twice the one before."""
TRIES = 4
"""After so many the failure stands: what was typed goes back to where it was typed."""
LONGEST_WISH = 60.0
"""Seconds that a server may ask to be left alone; who asks for more is not waited for."""


async def nothing_else(_error: AssistantsError) -> bool:
    """For a request that only its own answer can settle."""
    return False


def delay_after(attempt: int, error: AssistantsError) -> float | None:
    """Seconds before a request that failed so many times is made again; None when it is not."""
    if not error.retry or attempt >= TRIES or (error.retry_after or 0.0) > LONGEST_WISH:
        return None
    return pause(attempt, error.retry_after, first=FIRST_DELAY, longest=LONGEST_DELAY)


async def wait(seconds: float, stop: asyncio.Event, reason: AssistantsError) -> None:
    """Wait. Raises `reason` at once when told to stop."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
    raise reason


class Tries(Generic[T]):
    """Makes a request until it succeeds, fails for good, or the waiting is stopped; `result` is its answer then.

    `what` says for a person what has not happened so far. `settled` tells of a failure whether trying again is
    useless though its kind may pass.
    """

    def __init__(
        self,
        what: str,
        request: Callable[[], Awaitable[T]],
        stop: asyncio.Event,
        settled: Callable[[AssistantsError], Awaitable[bool]] = nothing_else,
    ) -> None:
        self._what = what
        self._request = request
        self._stop = stop
        self._settled = settled
        self._results: list[T] = []

    @property
    def result(self) -> T:
        return self._results[-1]

    async def events(self) -> AsyncGenerator[Retrying | Reconnected, None]:
        """Make the request. Raises AssistantsError when there is no answer in the end."""
        attempt = 1
        while True:
            try:
                self._results.append(await self._request())
                break
            except AssistantsError as error:
                delay = delay_after(attempt, error)
                if delay is None or await self._settled(error):
                    raise
                attempt += 1
                yield Retrying(self._what, str(error), attempt, delay)
                await wait(delay, self._stop, error)
        if attempt > 1:
            yield Reconnected()
