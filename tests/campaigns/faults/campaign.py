"""All the cases there are, and how they are played."""

from __future__ import annotations

import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from random import Random
from typing import Any

from playground_tui.assistants.errors import AssistantsError
from tests.campaigns.faults.answers import all_faults
from tests.campaigns.faults.bench import Bench, bench
from tests.campaigns.faults.cases import Case, all_cases, play
from tests.campaigns.faults.deeds import DEEDS
from tests.campaigns.faults.fronts import FrontCase, front_bench, front_cases, play_front
from tests.campaigns.faults.providers import ProviderCase, play_provider, provider_bench, provider_cases
from tests.campaigns.faults.stream_cases import STREAMED, StreamCase, play_stream
from tests.campaigns.faults.streams import stream_faults

ROUND = 40
"""Cases that one bench goes through."""
STREAMS = 3
"""How often a stream is spoiled in each way, each time at other points."""

AnyCase = Case | StreamCase | FrontCase | ProviderCase


async def on_screen(case: Case | StreamCase, one: Bench) -> str:
    return await (play(case, one) if isinstance(case, Case) else play_stream(case, one))


BENCHES: dict[type, tuple[Callable[[Path], AbstractAsyncContextManager[Any]], Callable[[Any, Any], Any]]] = {
    Case: (bench, on_screen),
    StreamCase: (bench, on_screen),
    FrontCase: (front_bench, play_front),
    ProviderCase: (provider_bench, play_provider),
}
"""Where a kind of case is played, and how."""


def drawn(seed: int) -> list[AnyCase]:
    """Every case, in an order of the seed."""
    cases: list[AnyCase] = [*all_cases(DEEDS, all_faults()), *front_cases(), *provider_cases(seed)]
    cases += [
        StreamCase(deed, fault, f"{seed} {number}")
        for deed in STREAMED
        for fault in stream_faults()
        for number in range(STREAMS)
    ]
    Random(seed).shuffle(cases)
    return cases


async def campaign(
    directory: Path, cases: Sequence[AnyCase], *, say: Callable[[str], object] = bool
) -> tuple[Counter[str], list[str]]:
    """Try these cases, some after another on one bench; how they ended, and what was wrong."""
    ends: Counter[str] = Counter()
    wrong: list[str] = []
    for place in dict.fromkeys(BENCHES.values()):
        waiting = deque(case for case in cases if BENCHES[type(case)] == place)
        while waiting:
            await _some(directory, place, waiting, ends, wrong, say)
    return ends, wrong


async def _some(
    directory: Path,
    place: tuple[Any, Any],
    waiting: deque[AnyCase],
    ends: Counter[str],
    wrong: list[str],
    say: Callable[[str], object],
) -> None:
    """Play a round on one bench. What a case that went wrong has left behind is no matter of the next one."""
    opened, played = place
    async with opened(Path(tempfile.mkdtemp(dir=directory))) as one:
        for _ in range(min(ROUND, len(waiting))):
            case, began = waiting.popleft(), time.monotonic()
            try:
                end = await played(case, one)
            except (AssertionError, AssistantsError) as error:
                end = "WRONG"
                wrong.append(f"{case}: {error}")
            ends[end] += 1
            say(f"{case}: {end} ({time.monotonic() - began:.1f} s)")
            if end == "WRONG":
                say(f"    {wrong[-1]}")
                return
