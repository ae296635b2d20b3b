"""What changed in the store, told to everybody who listens: ids and kinds, never contents."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Literal

from playground_tui.engine.sse import sse

Kind = Literal["assistant", "thread", "message", "run", "engine", "reset"]
Action = Literal["created", "modified", "deleted", "restored", ""]

_KEPT = 2048
HELLO = b": changes\n\n"


@dataclass(frozen=True, slots=True)
class Change:
    """One change. A `reset` says that changes were missed: what was read before may be stale."""

    sequence: int
    kind: Kind
    id: str = ""
    thread_id: str = ""
    action: Action = ""

    def rendered(self) -> bytes:
        """The event `change` (or `reset`) with the sequence as its id."""
        return sse("reset" if self.kind == "reset" else "change", asdict(self), self.sequence)


class ChangeFeed:
    """The latest changes. Its sequence begins at the time of its making, so that an engine never repeats another's.

    All of it belongs to the event loop's thread.
    """

    def __init__(self, clock: Callable[[], float] = time.time, *, kept: int = _KEPT) -> None:
        self._last = int(clock() * 1000)
        self._kept: deque[bytes] = deque(maxlen=kept)
        self._news = asyncio.Event()
        self._closed = False
        self.subscribers = 0

    @property
    def last(self) -> int:
        """The sequence of the newest change."""
        return self._last

    def publish(self, kind: Kind, id: str, *, thread_id: str = "", action: Action = "modified") -> None:  # noqa: A002
        """Tell that the object `id` changed."""
        self._last += 1
        self._kept.append(Change(self._last, kind, id, thread_id, action).rendered())
        self._wake()

    def close(self) -> None:
        """End all subscriptions."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def subscribe(self, after: int | None = None) -> AsyncGenerator[bytes, None]:
        """The changes after sequence `after`, then those to come, as server-sent events. None: those to come alone.

        When it is not known what happened since `after`, a `reset` comes first.
        """
        self.subscribers += 1
        try:
            yield HELLO
            seen = self._last if after is None else after
            while not self._closed:
                news, blocks = self._news, self._since(seen)
                seen = self._last
                for block in blocks:
                    yield block
                if seen == self._last and not self._closed:
                    await news.wait()
        finally:
            self.subscribers -= 1

    def _since(self, seen: int) -> list[bytes]:
        missed = self._last - seen
        if missed < 0 or missed > len(self._kept):
            return [Change(self._last, "reset").rendered()]
        return list(islice(self._kept, len(self._kept) - missed, None))
