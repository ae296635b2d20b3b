"""The event loop in a thread of its own: the terminal's thread waits for people, this one for servers."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from playground_tui.desk.faults import stray
from playground_tui.lookups import Loop

T = TypeVar("T")
P = ParamSpec("P")

LAST = 1.0
"""Seconds that jobs have to end when the program is left."""


class Stage:
    """Runs jobs beside the terminal. What a job failed with is raised by `raise_fault`; strays go to `log`."""

    def __init__(self, log: Path) -> None:
        self._loop = Loop()
        self._loop.set_exception_handler(partial(stray, log))
        self._jobs: dict[asyncio.Task[object], str] = {}
        self._faults: queue.SimpleQueue[BaseException] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stage", daemon=True)
        self._thread.start()

    def do(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function there and return what it answers."""

        async def call() -> T:
            return function(*args, **kwargs)

        return self.wait(call())

    def wait(self, job: Coroutine[Any, Any, T]) -> T:
        """Run a job there and return what it answers. An interrupted wait cancels it."""
        future = asyncio.run_coroutine_threadsafe(job, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def raise_fault(self) -> None:
        """Raise what a job failed with, if one did."""
        with contextlib.suppress(queue.Empty):
            raise self._faults.get_nowait()

    def work(self, job: Coroutine[Any, Any, object], *, group: str, exclusive: bool = False) -> None:
        """Start a job; called there. One of the same exclusive group is cancelled first."""
        if exclusive:
            self.stop(group)
        task = self._loop.create_task(job)
        self._jobs[task] = group
        task.add_done_callback(self._done)

    def stop(self, group: str) -> None:
        """Cancel the jobs of a group; called there."""
        for task in [task for task, its in self._jobs.items() if its == group]:
            task.cancel()

    def _done(self, task: asyncio.Task[object]) -> None:
        self._jobs.pop(task, None)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._faults.put(error)

    def close(self, last: Callable[[], Awaitable[None]]) -> None:
        """End all jobs, do this last one, and end the thread."""
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._end(last), self._loop).result(LAST)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LAST)
        if not self._thread.is_alive():
            self._loop.close()

    async def _end(self, last: Callable[[], Awaitable[None]]) -> None:
        jobs = list(self._jobs)
        for task in jobs:
            task.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        await last()
