"""What a sequence of calls has made, as the contract would have it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from random import Random

NOWHERE = ("{}_none", "{}-" + "x" * 200, "%00", "..%2F..%2Fengine.db", "{}_ü", "null")
"""Ids that nothing has, after the usual beginning of one."""
RUNNING, WAITING = "in_progress", "requires_action"


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

    def restore(self, one: str) -> None:
        self.gone.remove(one)
        self.there.append(one)


@dataclass
class KnownRun:
    """A run; `model` is whose words it waits for. `status` is RUNNING from the beginning on: who can tell when a run
    is no longer queued."""

    id: str
    thread: str
    model: str
    expires_at: int
    status: str = RUNNING
    calls: list[str] = field(default_factory=list)
    said: str = ""
    """All that the model has said, rounds and messages joined."""
    counted: bool = False
    """Whether its messages are among those of its thread."""

    @property
    def path(self) -> str:
        return f"/threads/{self.thread}/runs/{self.id}"

    @property
    def active(self) -> bool:
        return self.status in {RUNNING, WAITING}


@dataclass
class KnownThread:
    """What is in a thread, oldest first. The messages of a run are counted among `messages` after its end."""

    messages: list[str] = field(default_factory=list)
    runs: list[KnownRun] = field(default_factory=list)

    @property
    def active(self) -> KnownRun | None:
        return next((run for run in self.runs if run.active), None)


@dataclass
class Known:
    """Everything that one sequence knows of."""

    files: Kind = field(default_factory=lambda: Kind("file"))
    stores: Kind = field(default_factory=lambda: Kind("vs"))
    threads: Kind = field(default_factory=lambda: Kind("thread"))
    assistants: Kind = field(default_factory=lambda: Kind("asst"))
    uploads: Kind = field(default_factory=lambda: Kind("upload"))
    contents: dict[str, bytes] = field(default_factory=dict)
    over_at: dict[str, int] = field(default_factory=dict)
    """When files and uploads expire that do."""
    members: dict[str, set[str]] = field(default_factory=dict)
    """The files of each vector store."""
    cancelled: set[str] = field(default_factory=set)
    """The vector stores some of whose files may not have been indexed: a batch of theirs was cancelled."""
    all_threads: dict[str, KnownThread] = field(default_factory=dict)
    """What is in each thread, deleted or not."""
    versions: dict[str, int] = field(default_factory=dict)
    """How many versions each assistant has, deleted or not."""
    parts: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict)
    """The parts of each upload that takes parts."""

    def thread(self, thread: str) -> KnownThread | None:
        """What is in a thread that is there."""
        return self.all_threads[thread] if thread in self.threads.there else None

    @property
    def active_runs(self) -> list[KnownRun]:
        """The runs that somebody can ask for."""
        open_runs = (self.all_threads[thread].active for thread in self.threads.there)
        return [run for run in open_runs if run is not None]

    def delete_file(self, file: str) -> None:
        """A file that is deleted is in no vector store any longer."""
        self.files.remove(file)
        del self.contents[file]
        self.over_at.pop(file, None)
        for members in self.members.values():
            members.discard(file)

    def delete_store(self, store: str) -> None:
        self.stores.remove(store)
        del self.members[store]

    def end_upload(self, upload: str) -> None:
        self.uploads.remove(upload)
        del self.parts[upload], self.over_at[upload]

    def has_files(self, files: Collection[str]) -> bool:
        return set(files) <= set(self.files.there)

    def expire(self, now: int) -> None:
        """What is over by now is over."""
        for one in [one for one, at in self.over_at.items() if at <= now]:
            self.delete_file(one) if one in self.contents else self.end_upload(one)
        for thread in self.all_threads.values():
            if thread.active and thread.active.expires_at <= now:
                thread.active.status = "expired"
