"""The threads known on this machine, for servers that have no list of theirs."""

from __future__ import annotations

import time
from dataclasses import replace

from playground_tui.assistants.objects import ThreadSummary
from playground_tui.cache.cache import Cache
from playground_tui.cache.state import ThreadEntry
from playground_tui.text import shorten


class ThreadIndex:
    """Kept in the cache's file of the server."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def of(self, assistant_id: str | None) -> list[ThreadSummary]:
        """The threads in which this assistant has run, latest first."""
        summaries = [
            ThreadSummary(entry.id, entry.first_message, entry.message_count, int(entry.last_activity_at))
            for entry in self._cache.server.threads
            if entry.assistant_id == assistant_id
        ]
        return sorted(summaries, key=lambda thread: -thread.last_activity_at)

    def note(self, thread_id: str, assistant_id: str, text: str) -> None:
        """A message of this text was added to the thread."""
        old = next((entry for entry in self._cache.server.threads if entry.id == thread_id), None)
        entry = ThreadEntry(
            id=thread_id,
            assistant_id=assistant_id,
            first_message=old.first_message if old else shorten(text, 120),
            message_count=(old.message_count if old else 0) + 1,
            last_activity_at=time.time(),
        )
        self.forget(thread_id)
        self._cache.update_server(lambda state: replace(state, threads=(*state.threads, entry)))

    def forget(self, thread_id: str | None) -> None:
        """The thread is no longer at the server."""
        self._cache.update_server(
            lambda state: replace(state, threads=tuple(entry for entry in state.threads if entry.id != thread_id))
        )
