"""What a playground keeps on this machine: where it was, and everything typed that no server has yet.

Nothing here raises for what the disk does: `on_problem` is told in a sentence, memory goes on, and everything pending
is written when the disk works again.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from playground_tui.cache import names
from playground_tui.cache.adoption import after_restart, join_composers, join_drafts
from playground_tui.cache.names import server_key
from playground_tui.cache.server_file import Change, ServerFile
from playground_tui.cache.state import ComposerState, DraftState, ServerState, Session
from playground_tui.cache.store import Body, JsonStore
from playground_tui.cache.writer import Writer

__all__ = ["Cache", "server_key"]

KEPT_SESSIONS = 16
"""How many ended sessions are kept to be opened again."""

Report = Callable[[str], None]


class Cache:
    """The cache of one instance (one running playground) on one server. Made by `open`."""

    def __init__(
        self, store: JsonStore, session: Session, server: ServerFile, report: Report, now: Callable[[], float]
    ):
        self.session = session
        self._store = store
        self._server = server
        self._now = now
        self._writer = Writer(store, report)
        self._drafts: dict[str, DraftState | None] = {}
        self._composers: dict[str | None, ComposerState] = {}
        self._put_session()
        self._writer.flush(sync=False)
        self._writer.start()

    @classmethod
    def open(
        cls,
        directory: Path,
        server_key: str,
        *,
        on_problem: Report,
        on_notice: Report | None = None,
        now: Callable[[], float] = time.time,
    ) -> Cache:
        """Take up the newest session of this server that nobody has open, else begin one on the last assistant.

        `on_problem` gets a sentence when saving stops to work and "" when it works again; `on_notice` (or it) gets
        sentences about single files. Both are called from any thread and must not wait for another one.
        """
        store = JsonStore(directory, on_notice or on_problem, now=now)
        store.sweep()
        server = ServerFile(store, server_key)
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):
                stack.enter_context(store.locked())
            session = _free_session(store, server_key) or _begun(server_key, server.state, now())
            return cls(store, session, server, on_problem, now)

    # --- the screen

    @property
    def server(self) -> ServerState:
        return self._server.state

    def update_session(self, **changes: Any) -> None:
        self.session = replace(self.session, **changes, updated_at=self._now())
        self._put_session()

    def update_server(self, change: Change) -> None:
        """Change what is known of the server, in memory at once; `change` is applied again to what others wrote."""
        self._server.update(change)
        self._writer.put(self._server.name, partial(self._server.write))

    def _put_session(self) -> None:
        name = names.session_name(self.session.instance)
        self._writer.put(name, partial(self._store.save, name, self.session.to_json(), hold=True))

    # --- drafts

    def save_draft(self, draft: DraftState) -> None:
        kept = draft if draft.edited_at else replace(draft, edited_at=self._now())
        self._drafts[draft.key] = kept
        self._put(self._draft_stem(draft.key), kept.to_json())

    def drop_draft(self, key: str) -> None:
        """The draft is saved at the server, or given up."""
        self._drafts[key] = None
        self._put(self._draft_stem(key), None)

    def load_draft(self, key: str) -> DraftState | None:
        """This instance's draft joined with those that dead instances left, which are taken over."""
        stem = self._draft_stem(key)
        if key not in self._drafts:
            raw = self._read_own(stem)
            self._drafts[key] = None if raw is None else replace(DraftState.from_json(raw), key=key)

        def join(left: Sequence[Body]) -> Body:
            own = self._drafts[key]
            drafts = [replace(DraftState.from_json(raw), key=key) for raw in left]
            self._drafts[key] = joined = join_drafts([*([own] if own else []), *drafts])
            return joined.to_json()

        self._take_over(stem, join)
        return self._drafts[key]

    def new_drafts(self) -> list[DraftState]:
        """The drafts of assistants that are not created yet, oldest first; those of dead instances are taken over."""
        found = (names.new_draft_key(self.session.server_key, name) for name in self._store.names())
        keys = {key for key in found if key} | {key for key in self._drafts if key.startswith("new-")}
        mine = (self.load_draft(key) for key in sorted(keys))
        return sorted((draft for draft in mine if draft), key=lambda draft: draft.edited_at)

    def _draft_stem(self, key: str) -> str:
        return names.draft_stem(self.session.server_key, key)

    # --- composers

    def save_composer(self, thread_id: str | None, state: ComposerState) -> None:
        kept = state if state.updated_at else replace(state, updated_at=self._now())
        self._composers[thread_id] = kept
        self._put(self._composer_stem(thread_id), None if kept.empty else kept.to_json())

    def load_composer(self, thread_id: str | None) -> ComposerState:
        """What this instance has there joined with what dead instances left, which is taken over."""
        stem = self._composer_stem(thread_id)
        if thread_id not in self._composers:
            self._composers[thread_id] = after_restart(ComposerState.from_json(self._read_own(stem) or {}))

        def join(left: Sequence[Body]) -> Body:
            composers = [after_restart(ComposerState.from_json(raw)) for raw in left]
            self._composers[thread_id] = joined = join_composers([self._composers[thread_id], *composers])
            return joined.to_json()

        self._take_over(stem, join)
        return self._composers[thread_id]

    def _composer_stem(self, thread_id: str | None) -> str:
        return names.composer_stem(self.session.server_key, thread_id)

    # --- ending

    def flush(self, *, sync: bool = False) -> bool:
        """Bring everything to disk before returning; whether it is there. Safe in a signal handler, never raises."""
        return self._writer.flush(sync=sync)

    def close(self) -> None:
        """Flush, and leave the session to the next start."""
        self._writer.close()
        self._store.release()

    # --- files of this instance and of dead ones

    def _own(self, stem: str) -> str:
        return f"{stem}{self.session.instance}.json"

    def _read_own(self, stem: str) -> Body | None:
        return self._store.read(self._own(stem))

    def _put(self, stem: str, body: Body | None) -> None:
        name = self._own(stem)
        if body is None:
            self._writer.put(name, partial(self._store.remove, name), removes=True)
        else:
            self._writer.put(name, partial(self._store.save, name, body))

    def _take_over(self, stem: str, join: Callable[[Sequence[Body]], Body]) -> None:
        """Join what dead instances left into this one's file, and remove theirs once it is written."""
        if not self._orphans(stem):
            return
        with contextlib.ExitStack() as stack:
            alone = True
            try:
                stack.enter_context(self._store.locked())
            except OSError:
                alone = False
            left = {name: raw for name in self._orphans(stem) if (raw := self._store.read(name)) is not None}
            if not left:
                return
            body = join(list(left.values()))
            self._put(stem, body)
            if alone:
                self._settle(stem, body, left)

    def _settle(self, stem: str, body: Body, left: Iterable[str]) -> None:
        # What fails here is written later, and the orphans are taken over again: joining twice changes nothing.
        with contextlib.suppress(OSError):
            self._store.save(self._own(stem), body)
            for name in left:
                self._store.remove(name)

    def _orphans(self, stem: str) -> list[str]:
        """The files of `stem` whose instance is neither this one nor living."""
        found = ((name, names.instance_of(stem, name)) for name in self._store.names())
        return [name for name, instance in found if instance and not self._alive(instance)]

    def _alive(self, instance: str) -> bool:
        return instance == self.session.instance or self._store.held_elsewhere(names.session_name(instance))


def _free_session(store: JsonStore, server_key: str) -> Session | None:
    """The newest session of this server that no living instance has; it is this instance's from now on."""
    for session in _sessions(store):
        if session.server_key == server_key and store.hold(names.session_name(session.instance)):
            return session
    return None


def _sessions(store: JsonStore) -> list[Session]:
    """All sessions, newest first; ended ones beyond KEPT_SESSIONS are removed."""
    sessions = []
    for name in store.names():
        instance = names.session_instance(name)
        raw = store.read(name) if instance else None
        if instance and raw is not None:
            sessions.append(replace(Session.from_json(raw), instance=instance))
    sessions.sort(key=lambda session: session.updated_at, reverse=True)
    for session in sessions[KEPT_SESSIONS:]:
        name = names.session_name(session.instance)
        if not store.held_elsewhere(name):
            with contextlib.suppress(OSError):
                store.remove(name)
    return sessions[:KEPT_SESSIONS]


def _begun(server_key: str, server: ServerState, now: float) -> Session:
    return Session(
        instance=os.urandom(6).hex(),
        server_key=server_key,
        assistant_id=server.last_assistant,
        thread_id=server.last_thread,
        updated_at=now,
    )
