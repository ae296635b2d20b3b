"""One user of the engine: makes calls, and holds each answer against what is known."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import Any

from tests.campaigns.known import Known
from tests.campaigns.stage import Stage
from tests.campaigns.wire import Answer


class User:
    """Who plays one sequence. `random` decides what is done."""

    def __init__(self, stage: Stage, random: Random, name: str):
        self.stage = stage
        self.random = random
        self.name = name
        self.known = Known()
        self.seen: Counter[str] = Counter()
        """How many calls there were, runs by their ends, and streams that were followed to their ends."""
        self.listeners: list[asyncio.Task[None]] = []
        """Who follows the streams of runs."""
        self._names = 0

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def new_name(self) -> str:
        """A name that nothing else has."""
        self._names += 1
        return f"{self.name}-{self._names}"

    async def send(self, method: str, path: str, *allowed: int, **request: Any) -> Answer:
        """A call that has to be answered with one of these statuses."""
        self.seen["calls"] += 1
        answer = await self.stage.wire.call(method, path, **request)
        check_answer(answer, *allowed)
        return answer

    async def get(self, path: str, status: int = 200) -> dict[str, Any]:
        found: dict[str, Any] = (await self.send("GET", path, status)).json()
        return found

    async def post(self, path: str, status: int, **body: Any) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.send("POST", path, status, body=body)).json()
        return answer

    async def ids(self, path: str) -> list[str]:
        """The ids of a list's first hundred, oldest first."""
        query = f"{path}{'&' if '?' in path else '?'}order=asc&limit=100"
        return [one["id"] for one in (await self.get(query))["data"]]

    def some_files(self, most: int = 3) -> list[str]:
        return [self.known.files.pick(self.random) for _ in range(self.random.randint(1, most))]


def status(*there: object) -> int:
    """What is answered if all of these are there."""
    return 200 if all(there) else 404


def check_answer(answer: Answer, *allowed: int) -> None:
    """One of these statuses, and the contract's error body with any but 200."""
    assert answer.status in allowed, f"{answer} (not one of {allowed})"
    if answer.status != 200:
        error = answer.json()["error"]
        assert list(error) == ["message", "type", "param", "code"] and error["message"], answer
