"""The thread that brings changes to disk, and the way around it for a signal handler.

What is wanted for each name is one entry of a dict, the newest winning, and the thread is woken through a SimpleQueue:
both are safe to use from a signal handler that interrupted their use. Files are written in the order in which that was
wanted, and none is removed while an earlier one could not be written: what moves from one to another is in one of them
at any moment, if it is put there before it is taken away. One file is written at a time under an RLock, so
a handler can write inside a write it interrupted: whoever ends second sees that something newer is wanted (or was
written meanwhile) and writes once more.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from playground_tui.cache.store import JsonStore, sentence_of

COALESCE = 0.1
"""Seconds from a change to its write; changes that come meanwhile go with it."""
SYNC_WITHIN = 4.0
"""Seconds from a write to its fsync."""
LOOK_EVERY = 5.0
"""Seconds between two looks whether the directory is still there; everything is written again when it is not."""
RETRY = 3.0
"""Seconds until what failed is tried again."""
_PATIENCE = 2.0
"""Seconds that `flush` waits for a write under way before it writes beside it."""

Job = Callable[[], None]
"""Brings one file to its newest state (or removes it); raises OSError. Done again when the directory was lost."""


@dataclass(frozen=True, slots=True)
class _Wish:
    order: int
    job: Job
    removes: bool


class Writer:
    """Writes to `store`. `report` takes a sentence when the state of things changes: what is wrong, or ""."""

    def __init__(self, store: JsonStore, report: Callable[[str], None]):
        self._store = store
        self._report = report
        self._problem = ""
        self._wanted: dict[str, _Wish] = {}
        self._done: dict[str, _Wish] = {}
        self._count = itertools.count()
        self._unsynced: dict[str, float] = {}
        self._writing = threading.RLock()
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="cache-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, name: str, job: Job, *, removes: bool = False) -> None:
        """Have `job` done for the file `name`, in place of what was wanted for it before."""
        before = self._wanted.get(name)
        if before is None or before.removes or removes or before is self._done.get(name):
            order = next(self._count)
        else:
            order = before.order  # What moved here is still written before it is removed where it was.
        self._wanted[name] = _Wish(order, job, removes)
        self._wake.put(None)

    def flush(self, *, sync: bool) -> bool:
        """Write everything wanted now, in this thread; with `sync` also wait for the disk. False when that failed."""
        mine = self._writing.acquire(timeout=_PATIENCE)
        try:
            problem = self._write() or (self._sync() if sync else "")
        finally:
            if mine:
                self._writing.release()
        self._tell(problem)
        return not problem

    def close(self) -> None:
        """Flush to the disk and end the thread."""
        self._closing = True
        self._wake.put(None)
        self.flush(sync=True)
        if self._thread.is_alive():
            self._thread.join(timeout=_PATIENCE)

    # --- the thread

    def _work(self) -> None:
        while not self._closing:
            with contextlib.suppress(queue.Empty):
                self._wake.get(timeout=self._pause())
                self._gather()
            if not self._closing:
                self.flush(sync=self._sync_is_due())

    def _gather(self) -> None:
        end = time.monotonic() + COALESCE
        while not self._closing and (left := end - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                self._wake.get(timeout=left)

    def _pause(self) -> float:
        """Seconds until there is something to do by itself: at the latest, to see that the files are still there."""
        if self._problem or any(wish is not self._done.get(name) for name, wish in list(self._wanted.items())):
            return RETRY
        if not self._unsynced:
            return LOOK_EVERY
        return max(min(list(self._unsynced.values())) + SYNC_WITHIN - time.monotonic(), 0.0)

    def _sync_is_due(self) -> bool:
        return any(written + SYNC_WITHIN <= time.monotonic() for written in list(self._unsynced.values()))

    # --- writing

    def _write(self) -> str:
        """Do what is wanted and not done; answers the first problem's sentence, or ""."""
        problem = ""
        if not self._store.intact():
            self._done.clear()
        for name, wish in sorted(self._wanted.items(), key=lambda item: item[1].order):
            if wish.removes and problem:
                continue
            try:
                self._bring(name, wish)
            except OSError as error:
                problem = problem or sentence_of(self._store.directory, error)
        return problem

    def _bring(self, name: str, due: _Wish) -> None:
        """Do what is wanted for a file. A removal that was not `due` has its turn behind what was wanted before it."""
        while (wish := self._wanted[name]) is not self._done.get(name) and (wish is due or not wish.removes):
            wish.job()
            self._unsynced.setdefault(name, time.monotonic())
            self._done[name] = wish

    def _sync(self) -> str:
        for name in list(self._unsynced):
            written = self._unsynced.pop(name, 0.0)
            try:
                self._store.sync(name)
            except OSError as error:
                # The system may take for written what the disk has refused: only a new file can be trusted.
                self._unsynced[name] = written
                self._done.pop(name, None)
                return sentence_of(self._store.directory, error)
        return ""

    def _tell(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            self._report(problem)
