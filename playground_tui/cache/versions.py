"""What an assistant was before: every state seen of it at a server that keeps no versions itself."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from playground_tui.cache.names import plain
from playground_tui.cache.store import JsonStore
from playground_tui.paths import PathError, private_directory

Json = Mapping[str, Any]

MOST_BYTES: Final = 64 * 1024 * 1024
"""Of one assistant's file. When it grows beyond that, its older half goes; the newest state always stays."""
KEPT: Final = 30 * 24 * 3600
"""Seconds for which the states of a deleted assistant are kept."""
_CHUNK: Final = 64 * 1024
_DELETED: Final = "deleted"


@dataclass(frozen=True, slots=True)
class State:
    """An assistant at one moment. `at` is in Unix seconds, `number` counts from 1.

    `action` says how it came to be: created, modified or restored from here, seen at the server (it was changed
    elsewhere), or deleted, which is the assistant as it was last. `client` names who did it, "" where that is unknown.
    """

    at: float
    number: int
    action: str
    client: str
    changed: tuple[str, ...]
    """The keys whose values differ from the state before."""
    assistant: Json

    @classmethod
    def from_line(cls, line: bytes, before: State | None) -> Self | None:
        """The state in a line of a file, or None when it cannot be read. What the line leaves out is worked out."""
        try:
            raw = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(raw, dict) or not isinstance(raw.get("assistant"), dict):
            return None
        at, number, changed = raw.get("at"), raw.get("number"), raw.get("changed")
        return cls(
            at=float(at) if isinstance(at, int | float) else 0.0,
            number=number if isinstance(number, int) else (before.number if before else 0) + 1,
            action=str(raw.get("action", "seen")),
            client=str(raw.get("client", "")),
            changed=tuple(map(str, changed)) if isinstance(changed, list) else _changed(before, raw["assistant"]),
            assistant=raw["assistant"],
        )

    def to_line(self) -> bytes:
        known = ("at", "number", "action", "client", "changed", "assistant")
        return (json.dumps({name: getattr(self, name) for name in known}) + "\n").encode("ascii")


def _changed(before: State | None, assistant: Json) -> tuple[str, ...]:
    if before is None:
        return ()
    names = dict.fromkeys((*assistant, *before.assistant))
    return tuple(name for name in names if assistant.get(name) != before.assistant.get(name))


class Versions:
    """Files of one line for each state, one file for each assistant, below `directory`/`server key`/.

    They are readable by this user alone. A disk that refuses is no failure: a state that could not be kept is tried
    again when it is seen again. All of it waits for the disk: call it in a thread.
    """

    def __init__(self, directory: Path, server_key: str, *, now: Callable[[], float] = time.time):
        self._directory = directory / server_key
        self._store = JsonStore(self._directory, _say_nothing)
        self._now = now
        self._newest: dict[str, Json] = {}

    def note(self, assistant: Json, *, action: str = "seen", client: str = "") -> None:
        """Append this state of an assistant unless it is the newest one known."""
        key = str(assistant.get("id", ""))
        if key and assistant != self._newest.get(key):
            self._alone(lambda: self._note(key, assistant, action, client))

    def _note(self, key: str, assistant: Json, action: str, client: str) -> None:
        newest = self.newest(key)
        if newest is None or newest.action == _DELETED or newest.assistant != assistant:
            self._append(key, assistant, newest, action, client)
        self._newest[key] = dict(assistant)

    def note_deleted(self, assistant_id: str, *, client: str = "") -> None:
        """The server no longer has this assistant. One that was never seen has nothing to be kept."""
        self._newest.pop(assistant_id, None)
        newest = self.newest(assistant_id)
        if newest is not None and newest.action != _DELETED:
            self._alone(lambda: self._append(assistant_id, newest.assistant, newest, _DELETED, client))

    def note_copy(self, assistant_id: str, assistant: Json, *, client: str = "") -> None:
        """The deleted assistant is back as `assistant`, under an id of its own, which gets the whole history."""

        def move() -> None:
            newest, key = self.newest(assistant_id), str(assistant["id"])
            with suppress(FileNotFoundError):
                self._path(assistant_id).replace(self._path(key))
            self._append(key, assistant, newest, "restored", client)
            self._newest[key] = dict(assistant)

        self._alone(move)

    def of(self, assistant_id: str) -> list[State]:
        """The states seen of an assistant, oldest first; half-written lines are left out."""
        try:
            lines = self._path(assistant_id).read_bytes().splitlines()
        except OSError:
            return []
        return list(_states(lines))

    def newest(self, assistant_id: str) -> State | None:
        """The newest state, read from the file's end."""
        return self._newest_in(self._path(assistant_id))

    def deleted(self) -> list[State]:
        """The last states of the deleted assistants, last deleted first. What was deleted long ago is removed."""
        with suppress(OSError):
            files = sorted(self._directory.glob("*.jsonl"))
            newest = ((path, self._newest_in(path)) for path in files)
            found = [(path, state) for path, state in newest if state is not None and state.action == _DELETED]
            for path, state in found:
                if state.at < self._now() - KEPT:
                    path.unlink(missing_ok=True)
            kept = [state for _, state in found if state.at >= self._now() - KEPT]
            return sorted(kept, key=lambda state: -state.at)
        return []

    def _newest_in(self, path: Path) -> State | None:
        try:
            last = State.from_line(_last_line(path), None)
            if last is not None and last.number > 1:
                return last
            states = list(_states(path.read_bytes().splitlines()))
        except OSError:
            return None
        return states[-1] if states else None

    def _append(self, key: str, assistant: Json, newest: State | None, action: str, client: str) -> None:
        number = newest.number + 1 if newest else 1
        state = State(self._now(), number, action, client, _changed(newest, assistant), dict(assistant))
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(self._path(key), flags, 0o600), "ab", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            torn = size and os.pread(file.fileno(), 1, size - 1) != b"\n"
            file.write((b"\n" if torn else b"") + state.to_line())
        if size > MOST_BYTES:
            self._make_room(self._path(key))

    def _make_room(self, path: Path) -> None:
        """Keep the newer half of a file."""
        lines = path.read_bytes().splitlines(keepends=True)
        size, kept = 0, len(lines) - 1
        while kept and size + len(lines[kept]) <= MOST_BYTES // 2:
            size += len(lines[kept])
            kept -= 1
        smaller = path.with_suffix(f".{os.getpid()}.tmp")
        smaller.touch(0o600)
        smaller.write_bytes(b"".join(lines[kept:]))
        smaller.replace(path)

    def _alone(self, write: Callable[[], None]) -> None:
        with suppress(OSError, PathError):
            private_directory(self._directory)
            with self._store.locked():
                write()

    def _path(self, key: str) -> Path:
        return self._directory / f"{plain(key)}.jsonl"


def _states(lines: Iterable[bytes]) -> Iterator[State]:
    before: State | None = None
    for line in lines:
        state = State.from_line(line, before)
        if state is not None:
            before = state
            yield state


def _last_line(path: Path) -> bytes:
    """The last line of a file, without reading the rest of it. Raises OSError."""
    with path.open("rb") as file:
        start = file.seek(0, os.SEEK_END)
        found = b""
        while start and b"\n" not in found.rstrip(b"\n"):
            step = min(start, _CHUNK)
            start -= step
            file.seek(start)
            found = file.read(step) + found
    return found.rstrip(b"\n").rpartition(b"\n")[2]


def _say_nothing(_sentence: str) -> None:
    """In place of telling what single files are like."""
