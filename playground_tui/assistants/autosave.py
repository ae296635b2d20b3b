"""When to save: after a pause in typing, one save at a time, again with patience after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from playground_tui.assistants.backoff import pause
from playground_tui.assistants.errors import AssistantsError

LONGEST_WAIT = 15.0
"""Seconds from the first unsaved change to a save, however long the typing goes on."""

FIRST_RETRY, LONGEST_RETRY = 1.0, 60.0
"""Seconds."""


class Cancellable(Protocol):
    def cancel(self) -> None: ...


class Timers(Protocol):
    """What is needed of an event loop's clock."""

    def time(self) -> float: ...
    def call_later(self, delay: float, callback: Callable[[], object], /) -> Cancellable: ...


class Autosave:
    """Calls `save` when it is time to.

    `save` sends whatever is newest when it runs, returns when that is saved or needs no saving, and raises
    AssistantsError when it failed: errors with `.retry` are tried again after 1, 2, 4, ... 60 s or what the server
    asked for. `failed` is told each failure with the seconds to the next attempt (None: there is none).
    """

    def __init__(
        self,
        save: Callable[[], Awaitable[None]],
        failed: Callable[[AssistantsError, float | None], None],
        *,
        delay: float = 3.0,
        timers: Timers | None = None,
    ) -> None:
        self._save = save
        self._failed = failed
        self._delay = delay
        self._timers: Timers = timers or asyncio.get_running_loop()
        self._timer: Cancellable | None = None
        self._first_change: float | None = None
        self._task: asyncio.Task[None] | None = None
        self._failures = 0
        self._retrying = False
        self._closed = False

    @property
    def saving(self) -> bool:
        return self._task is not None

    @property
    def retrying(self) -> bool:
        """Whether an attempt is due after a failure."""
        return self._retrying

    def submit(self) -> None:
        """Something changed. While a retry is due it goes out with that one."""
        if self._retrying:
            return
        now = self._timers.time()
        if self._first_change is None:
            self._first_change = now
        if self._task is None:
            self._arm(min(self._delay, max(0.0, self._first_change + LONGEST_WAIT - now)))

    def withdraw(self) -> None:
        """Nothing is unsaved any longer: no save is due. One under way goes on."""
        self._disarm()
        self._first_change = None
        self._failures = 0

    def stop_retrying(self) -> None:
        """Give up the retry that is due; the next change or `flush()` tries again."""
        if self._retrying:
            self.withdraw()

    async def flush(self) -> None:
        """Save now. Returns when the newest is saved or the attempt failed; cancelling the wait cancels no save."""
        again = self._task is not None
        while self._task is not None or self._begin():
            assert self._task is not None
            await asyncio.shield(self._task)
            if not again:
                return
            again = False

    async def close(self) -> None:
        """No more timers, also not after a save under way, which is waited for."""
        self._closed = True
        self.withdraw()
        if self._task is not None:
            await asyncio.shield(self._task)

    def _arm(self, delay: float, *, retrying: bool = False) -> None:
        self._disarm()
        if self._closed:
            return
        self._retrying = retrying
        self._timer = self._timers.call_later(delay, self._begin)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._retrying = False

    def _begin(self) -> bool:
        self._disarm()
        self._first_change = None
        self._task = asyncio.get_running_loop().create_task(self._attempt())
        return True

    async def _attempt(self) -> None:
        try:
            await self._save()
        except AssistantsError as error:
            self._task = None
            self._after_failure(error)
        else:
            self._failures = 0
        finally:
            self._task = None
        if self._first_change is not None and not self._retrying:
            self.submit()

    def _after_failure(self, error: AssistantsError) -> None:
        if not error.retry:
            self._failures = 0
            self._failed(error, None)
            return
        self._failures += 1
        delay = pause(self._failures, error.retry_after, first=FIRST_RETRY, longest=LONGEST_RETRY)
        self._arm(delay, retrying=True)
        self._failed(error, delay)
