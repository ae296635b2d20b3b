"""The file that all programs on one server share: each change is applied to what is on disk."""

from __future__ import annotations

import threading
from collections.abc import Callable

from playground_tui.cache.names import server_name
from playground_tui.cache.state import ServerState
from playground_tui.cache.store import JsonStore

Change = Callable[[ServerState], ServerState]
"""Pure; may be applied more than once (to what memory has, and to what the disk has)."""


class ServerFile:
    """What is known of one server. `state` has all changes at once; `write` brings them to disk."""

    def __init__(self, store: JsonStore, server_key: str):
        self._store = store
        self.name = server_name(server_key)
        self._known = ServerState.from_json(store.read(self.name) or {})
        self.state = self._known
        self._changes: list[Change] = []
        self._memory = threading.RLock()

    def update(self, change: Change) -> None:
        with self._memory:
            changed = change(self.state)
            self._changes.append(change)
            self.state = changed

    def write(self) -> None:
        """Read, change and replace the file, alone. Raises OSError."""
        with self._store.locked():
            with self._memory:
                changes = list(self._changes)
            raw = self._store.load(self.name)
            state = _applied(changes, self._known if raw is None else ServerState.from_json(raw))
            self._store.save(self.name, state.to_json())
            with self._memory:
                self._changes = [change for change in self._changes if not any(change is done for done in changes)]
                self._known = state
                self.state = _applied(self._changes, state)


def _applied(changes: list[Change], state: ServerState) -> ServerState:
    for change in changes:
        state = change(state)
    return state
