"""What a sequence of calls has made, as the contract would have it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from random import Random

import httpx2

NOWHERE = ("{}_none", "{}-" + "x" * 200, "%00", "..%2F..%2Fengine.db", "{}_ü", "null")
"""Ids that nothing has, after the usual beginning of one."""


@dataclass
class Kind:
    """The ids of one kind of thing: those that are there, and those that were deleted."""

    prefix: str
    there: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    def pick(self, random: Random) -> str:
        """An id, most likely of something that is there."""
        chance = random.random()
        if self.there and chance < 0.8:
            return random.choice(self.there)
        if self.gone and chance < 0.93:
            return random.choice(self.gone)
        return random.choice(NOWHERE).format(self.prefix)

    def remove(self, one: str) -> None:
        self.there.remove(one)
        self.gone.append(one)


@dataclass
class Known:
    """Everything that one sequence knows of."""

    files: Kind = field(default_factory=lambda: Kind("file"))
    stores: Kind = field(default_factory=lambda: Kind("vs"))
    threads: Kind = field(default_factory=lambda: Kind("thread"))
    assistants: Kind = field(default_factory=lambda: Kind("asst"))
    uploads: Kind = field(default_factory=lambda: Kind("upload"))
    contents: dict[str, bytes] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    """The files of each vector store."""
    messages: dict[str, list[str]] = field(default_factory=dict)
    """The messages of each thread, oldest first."""
    parts: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict)
    """The parts of each upload that takes parts."""
    own_stores: dict[str, str] = field(default_factory=dict)
    """The vector store that a thread got by attachments."""

    def delete_file(self, file: str) -> None:
        """A file that is deleted is in no vector store any longer."""
        self.files.remove(file)
        del self.contents[file]
        for members in self.members.values():
            members.discard(file)

    def delete_store(self, store: str) -> None:
        self.stores.remove(store)
        del self.members[store]

    def has_files(self, files: Collection[str]) -> bool:
        return set(files) <= set(self.files.there)


def check_answer(response: httpx2.Response, *allowed: int) -> None:
    """One of these statuses, and the contract's error body with any but 200."""
    said = (response.request.method, str(response.request.url), response.status_code, response.text)
    assert response.status_code in allowed, said
    if response.status_code != 200:
        error = response.json()["error"]
        assert list(error) == ["message", "type", "param", "code"] and error["message"], said
