"""What an assistant was before: every state seen of it at a server that keeps no versions itself."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from playground_tui.cache.names import plain
from playground_tui.paths import PathError, private_directory


class Versions:
    """Files of one line for each state: `{"at": Unix seconds, "assistant": whole object}`.

    They lie in `directory`/`server key`/, one for each assistant, readable by this user alone.
    """

    def __init__(self, directory: Path, server_key: str, *, now: Callable[[], float] = time.time):
        self._directory = directory / server_key
        self._now = now
        self._newest: dict[str, Mapping[str, Any]] = {}

    def note(self, assistant: Mapping[str, Any]) -> None:
        """Append this state of an assistant unless it is the newest one known. A disk that refuses is no failure."""
        key = str(assistant.get("id", ""))
        if not key or assistant == self._known(key):
            return
        line = json.dumps({"at": self._now(), "assistant": assistant}) + "\n"
        try:
            private_directory(self._directory)
            descriptor = os.open(
                self._path(key), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
            )
            with os.fdopen(descriptor, "ab", buffering=0) as file:
                file.write(line.encode("ascii"))
        except (OSError, PathError):
            return
        self._newest[key] = dict(assistant)

    def of(self, assistant_id: str) -> list[dict[str, Any]]:
        """The states seen of an assistant, oldest first; half-written lines are left out."""
        try:
            lines = self._path(assistant_id).read_bytes().splitlines()
        except OSError:
            return []
        return [entry for entry in map(_entry, lines) if entry]

    def _known(self, key: str) -> Mapping[str, Any] | None:
        if key not in self._newest:
            states = self.of(key)
            if not states:
                return None
            self._newest[key] = states[-1]["assistant"]
        return self._newest[key]

    def _path(self, key: str) -> Path:
        return self._directory / f"{plain(key)}.jsonl"


def _entry(line: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) and isinstance(entry.get("assistant"), dict) else {}
