"""What is known of a server, for commands without a screen: no session is begun or taken up."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from playground_tui.cache.names import server_key
from playground_tui.cache.server_file import Change, ServerFile
from playground_tui.cache.state import ServerState, ThreadEntry
from playground_tui.cache.store import JsonStore, sentence_of


class KnownServer:
    """The shared file of the server at `url` (None: the engine). What the disk refuses goes to `on_problem`."""

    def __init__(self, directory: Path, url: str | None, *, on_problem: Callable[[str], None]):
        self._store = JsonStore(directory, on_problem)
        self._file = ServerFile(self._store, server_key(url))
        self._on_problem = on_problem

    @property
    def state(self) -> ServerState:
        return self._file.state

    def add_thread(self, entry: ThreadEntry) -> None:
        """Put a thread into the index, in place of what was known of it."""
        self._change(lambda state: replace(state, threads=(*_without(state, {entry.id}), entry)))

    def forget_threads(self, ids: Collection[str]) -> None:
        self._change(lambda state: replace(state, threads=_without(state, ids)))

    def _change(self, change: Change) -> None:
        self._file.update(change)
        try:
            self._file.write()
        except OSError as error:
            self._on_problem(sentence_of(self._store.directory, error))


def _without(state: ServerState, ids: Collection[str]) -> tuple[ThreadEntry, ...]:
    return tuple(entry for entry in state.threads if entry.id not in ids)
