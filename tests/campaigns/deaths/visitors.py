"""Others who use the engine until it dies, beside the program."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from random import Random
from typing import Self

from tests.campaigns.visitor import Told, Visitor, engine_client


class Visitors:
    """So many visitors in a thread of their own, while the context lasts: until the engine has died."""

    def __init__(self, socket: Path, count: int, random: Random) -> None:
        self.told = Told()
        self.done = 0
        self._socket = socket
        self._seeds = [random.randrange(2**32) for _ in range(count)]
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="visitors")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as failure:  # noqa: BLE001 -- raised again where the visitors are waited for
            self._failure = failure

    async def _live(self) -> None:
        async with engine_client(self._socket) as http:
            visitors = [Visitor(http, Random(seed), self.told) for seed in self._seeds]
            await asyncio.gather(*(visitor.live() for visitor in visitors))
        self.done = sum(visitor.done for visitor in visitors)
