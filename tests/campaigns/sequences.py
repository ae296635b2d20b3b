"""Random sequences of calls of everything the engine answers, several users at once, held against a model of each.

    python -m tests.campaigns.sequences [--sequences 10000] [--seed 1] [--processes 2]

Every status is the expected one, none is a 5xx, what was made is there and what was deleted is gone; runs end as their
models and users have it, and their streams are in order. Every few hundred sequences the store is checked and the
engine started anew on it. A sequence that fails is told with its number: play it alone with --first.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from random import Random

from playground_tui.engine.check.store import check_store
from tests.campaigns.deeds import completions, conversations, files, odd, runs, stores
from tests.campaigns.looks import look, look_back
from tests.campaigns.stage import Stage, stage
from tests.campaigns.user import User

STEPS = 25
USERS = 4
LIFE = 200
"""Sequences in the life of one engine."""
LONGEST = 600
"""Seconds after which a sequence is taken to hang."""
HOURS = (601, 3601, 2 * 24 * 3600, 8 * 24 * 3600)
"""Seconds that time goes by at once: beyond a run, an upload or a file, a vector store, one of a thread."""
PASSING = 0.005
"""How likely time goes by after a deed."""
BEGUN = 1_700_000_000.0

Deed = Callable[[User], Awaitable[None]]
THEMES: tuple[Sequence[Deed], ...] = (
    (*files.DEEDS, *stores.DEEDS),
    (*completions.DEEDS, *files.DEEDS, *stores.DEEDS),
    (*completions.DEEDS, *runs.DEEDS),
    runs.DEEDS,
)
"""What a sequence is mostly about; now and then it is about assistants and threads, or nonsense."""


BEGINNING = (conversations.new_thread, conversations.new_assistant)

Seen = Counter[str]
"""What a campaign saw: how many calls, runs by their ends, and so on."""


async def campaign(directory: Path, numbers: Sequence[int], *, seed: int) -> Seen:
    """Play these sequences, on engines after one another. AssertionError when anything is wrong."""
    seen, clock = Seen(), BEGUN
    for begin in range(0, len(numbers), LIFE):
        waiting = iter(numbers[begin : begin + LIFE])
        async with stage(directory, clock) as place:
            for one in await asyncio.gather(*(_user(place, waiting, seed) for _ in range(USERS))):
                seen += one
            look = partial(check_store, directory=directory / "files", now=place.now)
            report = await place.scripted.engine.database.read(look)
            assert report.findings == [], [finding.sentence for finding in report.findings]
            clock = place.scripted.clock.time
    return seen


async def _user(place: Stage, waiting: Iterator[int], seed: int) -> Seen:
    seen = Seen()
    for number in waiting:
        user = User(place, Random(f"{seed} {number}"), f"{seed}-{number}")
        try:
            async with asyncio.timeout(LONGEST):
                await play(user)
        except Exception as error:
            raise AssertionError(f"sequence {number} of seed {seed}: {type(error).__name__} {error}") from error
        seen += user.seen
    return seen


async def play(user: User) -> None:
    """So many deeds, then a look at all there is."""
    hours = user.stage.hours
    user.stage.known.append(user.known)
    theme = user.random.choice(THEMES)
    deeds = user.random.choices((theme, conversations.DEEDS, odd.DEEDS), weights=(75, 20, 5), k=STEPS)
    for choice in (*((deed,) for deed in BEGINNING), *deeds):
        async with hours.at_work():
            await user.random.choice(choice)(user)
        if user.chance(PASSING):
            await user.stage.pass_time(user.random.choice(HOURS))
    async with hours.at_work():
        await runs.end_all(user)
        await look(user)
        await look_back(user)
    user.stage.known.remove(user.known)
    there = (user.known.all_threads[thread] for thread in user.known.threads.there)
    user.stage.ended.extend(run for thread in there for run in thread.runs)


def _share(numbers: Sequence[int], seed: int) -> Seen:
    """What one process plays."""
    logging.disable(logging.WARNING)  # files that cannot be indexed
    with tempfile.TemporaryDirectory() as place:
        return asyncio.run(campaign(Path(place), numbers, seed=seed))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.sequences", description=__doc__)
    parser.add_argument("--sequences", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first sequence")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    numbers, begun = range(arguments.first, arguments.first + arguments.sequences), time.monotonic()
    shares = [numbers[share :: arguments.processes] for share in range(arguments.processes)]
    with ProcessPoolExecutor(arguments.processes) as processes:
        seen = sum(processes.map(partial(_share, seed=arguments.seed), shares), Seen())
    seconds = time.monotonic() - begun
    print(f"{arguments.sequences} sequences in {seconds:.0f} s ({seen['calls'] / seconds:.0f} calls a second):")
    print(", ".join(f"{count:,} {what}" for what, count in sorted(seen.items())) + ".")
    print("Each answer and stream is as the contract has it, the store sound.")


if __name__ == "__main__":
    main()
