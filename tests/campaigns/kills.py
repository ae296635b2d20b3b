"""An engine killed at random moments, over and over: each time its store is whole, and what it said was done is done.

    python -m tests.campaigns.kills [--kills 100] [--seed 1]

Several visitors use everything at once until the engine is killed (SIGKILL). Then its store is checked as it lies
there, the next engine is started on it, checked again, and asked for everything the visitors were told.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import time
from dataclasses import dataclass, field
from random import Random

import httpx2

from playground_tui.address import EngineAddress, lock_is_held
from playground_tui.launch import ask_engine, check_store, ensure_engine
from playground_tui.paths import Paths
from tests.campaigns.visitor import RESTING, Told, Visitor, engine_client
from tests.support.engine import NO_PROVIDERS
from tests.support.engine_process import home
from tests.support.wait import until

VISITORS = 4
LONGEST = 1.5
"""Seconds that the visitors have at most before a kill."""


@dataclass
class Outcome:
    """What a campaign saw."""

    kills: int = 0
    deeds: int = 0
    held: int = 0
    """How many acknowledged things were looked for and found."""
    starts: list[float] = field(default_factory=list)
    """Seconds from the start of an engine on a killed one's store to its first answer."""

    @property
    def sentence(self) -> str:
        return (
            f"{self.kills} kills during {self.deeds} deeds: each time the store was sound before and after the next"
            f" start, and all {self.held} acknowledged things were there. An engine was back after"
            f" {statistics.median(self.starts):.2f} s (median), {max(self.starts):.2f} s (longest)."
        )


def campaign(paths: Paths, *, kills: int, seed: int, least: int = 0) -> Outcome:
    """Kill the engine of `paths` that many times, each time after so many deeds at the `least`.

    AssertionError when anything is torn or lost.
    """
    random, outcome, everything = Random(seed), Outcome(), Told()
    address = started(paths, outcome)
    for number in range(kills):
        told = Told()
        moment = random.choice([0.02, 0.1, 0.4, LONGEST]) * random.random()
        seeds = [random.randrange(2**32) for _ in range(VISITORS)]
        outcome.deeds += asyncio.run(used_and_killed(address, told, moment, seeds, least))
        asyncio.run(until(lambda: not lock_is_held(paths.engine_lock)))
        outcome.kills += 1
        sound(paths, f"after kill {number + 1} of seed {seed}")
        address = started(paths, outcome)
        sound(paths, f"in the engine after kill {number + 1} of seed {seed}")
        outcome.held += asyncio.run(held(address, told))
        merge(everything, told)
    outcome.held += asyncio.run(held(address, everything))
    asyncio.run(settled(address))
    sound(paths, "in the end")
    return outcome


def started(paths: Paths, outcome: Outcome) -> EngineAddress:
    """A new engine on the store."""
    begun = time.monotonic()
    address = ensure_engine(paths)
    outcome.starts.append(time.monotonic() - begun)
    ask_engine(address.socket, "PUT", "/engine/settings", NO_PROVIDERS)
    return address


def sound(paths: Paths, when: str) -> None:
    report = check_store(paths)
    assert report["sound"], (when, [finding["sentence"] for finding in report["findings"]])


async def used_and_killed(address: EngineAddress, told: Told, moment: float, seeds: list[int], least: int) -> int:
    """Let visitors use the engine, and kill it after `moment` seconds; how many deeds they had finished."""
    async with engine_client(address.socket) as http:
        visitors = [Visitor(http, Random(seed), told) for seed in seeds]
        lives = [asyncio.create_task(visitor.live()) for visitor in visitors]
        await asyncio.wait(lives, timeout=moment, return_when=asyncio.FIRST_COMPLETED)
        await until(lambda: sum(visitor.done for visitor in visitors) >= least or any(life.done() for life in lives))
        os.kill(address.pid, signal.SIGKILL)
        await asyncio.gather(*lives)
    return sum(visitor.done for visitor in visitors)


async def held(address: EngineAddress, told: Told) -> int:
    """Look for everything that was told; how much it was. AssertionError when something is not so."""
    async with engine_client(address.socket) as http:
        for path, fields in told.fields.items():
            found = await read(http, path)
            for name, values in fields.items():
                assert found.get(name) in values, (path, name, values, found)
        for path, content in told.contents.items():
            assert (await http.get(f"{path}/content")).content == content, path
        for path in told.gone:
            assert (await http.get(path)).status_code == 404, path
        for path, text in told.texts.items():
            check_text(await read(http, path), text)
        for path in told.runs:
            assert (await read(http, path))["status"] in RESTING, path
    return sum(map(len, (told.fields, told.contents, told.gone, told.texts)))


async def read(http: httpx2.AsyncClient, path: str) -> dict[str, object]:
    response = await http.get(path)
    assert response.status_code == 200, (path, response.text)
    found: dict[str, object] = response.json()
    return found


def check_text(message: dict[str, object], streamed: str) -> None:
    """The text that was kept begins as the streamed one; of a message that was seen to be completed all is there."""
    parts = message["content"]
    assert isinstance(parts, list)
    kept = "".join(part["text"]["value"] for part in parts if part["type"] == "text")
    assert kept.startswith(streamed) or (streamed.startswith(kept) and message["status"] == "incomplete"), message


async def settled(address: EngineAddress) -> None:
    """Wait until every file of every vector store has been read: a killed engine's work is taken up again."""
    async with engine_client(address.socket) as http:
        pages = http.get("/vector_stores", params={"limit": 100, "order": "asc"})
        stores = (await pages).json()["data"]
        async with asyncio.timeout(120):
            for store in stores:
                while (await read(http, f"/vector_stores/{store['id']}"))["status"] == "in_progress":
                    await asyncio.sleep(0.05)


def merge(everything: Told, told: Told) -> None:
    everything.fields |= told.fields
    everything.contents |= told.contents
    everything.gone |= told.gone


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with home() as paths:
        print(campaign(paths, kills=arguments.kills, seed=arguments.seed).sentence)


if __name__ == "__main__":
    main()
