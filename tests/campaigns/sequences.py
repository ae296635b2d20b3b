"""Random sequences of calls of everything the engine answers, several users at once, held against a model of each.

    python -m tests.campaigns.sequences [--sequences 10000] [--seed 1]

Every status is the expected one, none is a 5xx, what was made is there and what was deleted is gone. In the end the
store is checked.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random

from playground_tui.engine.check.store import check_store
from tests.campaigns.calls import Sequence
from tests.support.scripted import ScriptedEngine, scripted_engine

STEPS = 15
USERS = 4


async def campaign(directory: Path, *, sequences: int, seed: int) -> int:
    """Play so many sequences on one engine; how many calls that were. AssertionError when anything is wrong."""
    async with scripted_engine(directory) as scripted:
        waiting = iter(range(sequences))
        users = [_user(scripted, waiting, seed) for _ in range(USERS)]
        calls = sum(await asyncio.gather(*users))
        look = partial(check_store, directory=scripted.engine.database.path.with_name("files"), now=0)
        report = await scripted.engine.database.read(look)
        assert report.findings == [], [finding.sentence for finding in report.findings]
    return calls


async def _user(scripted: ScriptedEngine, waiting: Iterator[int], seed: int) -> int:
    calls = 0
    for number in waiting:
        sequence = Sequence(scripted.http, Random(f"{seed} {number}"))
        try:
            await sequence.play(STEPS)
        except AssertionError as error:
            raise AssertionError(f"sequence {number} of seed {seed}: {error}") from error
        calls += sequence.calls
    return calls


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.sequences", description=__doc__)
    parser.add_argument("--sequences", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        calls = asyncio.run(campaign(Path(place), sequences=arguments.sequences, seed=arguments.seed))
    print(f"{arguments.sequences} sequences, {calls} calls: each answer as the contract has it, the store sound.")


if __name__ == "__main__":
    main()
