"""Caches on a temporary directory, closed when the test ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from playground_tui.cache.cache import Cache


@dataclass
class Told:
    """What a cache said."""

    problems: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


@dataclass
class Machine:
    """A data directory on which playgrounds start and end."""

    directory: Path
    told: Told = field(default_factory=Told)
    caches: list[Cache] = field(default_factory=list)
    time: float = 1_000.0

    def start(self, server_key: str = "engine") -> Cache:
        cache = Cache.open(
            self.directory,
            server_key,
            on_problem=self.told.problems.append,
            on_notice=self.told.notices.append,
            now=self.now,
        )
        self.caches.append(cache)
        return cache

    def now(self) -> float:
        self.time += 1
        return self.time

    def files(self, part: str = "") -> list[str]:
        return sorted(path.name for path in self.directory.iterdir() if part in path.name and path.suffix == ".json")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path / "cache")
    yield machine
    for cache in machine.caches:
        cache.close()


def wait_for(predicate: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait in a test without a loop."""
    import time

    end = time.monotonic() + seconds
    while not predicate():
        assert time.monotonic() < end
        time.sleep(0.005)
