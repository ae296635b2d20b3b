"""The stalls of a campaign, on several desks at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from random import Random

from playground_tui.launch import LaunchError
from tests.campaigns.drops.desk import FUNCTION, SCHEMA, Desk
from tests.campaigns.drops.model import Model
from tests.campaigns.drops.typing import mark_of
from tests.campaigns.stalls.figures import Figures
from tests.campaigns.stalls.stall import Stall
from tests.support.terminal import user

SHARE = 10
"""Stalls on one desk, one after the other."""


def stalled(seed: int, numbers: Sequence[int]) -> Figures:
    """Let the terminal stop reading so often; what went wrong is in `failures`, and the next has a new desk."""
    figures, left = Figures(), list(numbers)
    with Model() as model:
        while left:
            _at_a_desk(model, seed, left, figures)
    return figures


def _at_a_desk(model: Model, seed: int, left: list[int], figures: Figures) -> None:
    with user() as home:
        desk = Desk(home, model)
        try:
            desk.start()
            desk.connected()
            desk.open_configuration()
            desk.open_assistant(mark_of(Random(left[0])), tools=[FUNCTION], response_format=SCHEMA)
            while left:
                number = left.pop(0)
                stall = Stall(desk, Random(f"{seed} {number}"), figures)
                try:
                    stall.play()
                except (AssertionError, LaunchError, OSError, LookupError) as error:
                    screen = "\n".join(line for line in desk.terminal.screen.split("\n") if line.strip())
                    what = f"stall {number} of seed {seed}, {stall}"
                    figures.failures.append(f"{what}: {type(error).__name__} {error}\n{screen}")
                    return
        finally:
            desk.terminal.__exit__()


def campaign(seed: int, numbers: Sequence[int], at_once: int) -> Figures:
    """So many terminals stop reading at a time."""
    shares = [numbers[start : start + SHARE] for start in range(0, len(numbers), SHARE)]
    whole = Figures()
    with ProcessPoolExecutor(at_once, mp_context=multiprocessing.get_context("spawn")) as pool:
        for figures in pool.map(stalled, [seed] * len(shares), shares):
            whole.add(figures)
            for failure in figures.failures:
                print(failure, flush=True)
    return whole
