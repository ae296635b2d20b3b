"""The deaths of a campaign, on several desks at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from random import Random

import httpx2

from playground_tui.launch import LaunchError
from tests.campaigns.deaths.death import Death
from tests.campaigns.deaths.figures import Figures
from tests.campaigns.drops import desk as keys
from tests.campaigns.drops.desk import FUNCTION, SCHEMA, Desk
from tests.campaigns.drops.model import Model
from tests.campaigns.drops.typing import mark_of
from tests.support.terminal import user

SHARE = 15
"""Deaths under one program."""


def died(seed: int, numbers: Sequence[int]) -> Figures:
    """Let the engine die so often; what went wrong is in `failures`, and the next death has a new desk."""
    figures, left = Figures(), list(numbers)
    with Model() as model:
        while left:
            _under_one_program(model, seed, left, figures)
    return figures


def _under_one_program(model: Model, seed: int, left: list[int], figures: Figures) -> None:
    with user() as home:
        desk = Desk(home, model)
        try:
            desk.start()
            desk.connected()
            desk.open_configuration()
            desk.open_assistant(mark_of(Random(left[0])), tools=[FUNCTION], response_format=SCHEMA)
            while left:
                number = left.pop(0)
                death = Death(desk, Random(f"{seed} {number}"), figures)
                try:
                    death.play()
                except (AssertionError, LaunchError, OSError, LookupError, httpx2.HTTPError) as error:
                    screen = "\n".join(line for line in desk.terminal.screen.split("\n") if line.strip())
                    what = f"death {number} of seed {seed}, {death}"
                    figures.failures.append(f"{what}: {type(error).__name__} {error}\n{screen}")
                    return
            desk.terminal.type(keys.QUIT)
            desk.terminal.ended(within=10)
        finally:
            desk.terminal.__exit__()


def campaign(seed: int, numbers: Sequence[int], at_once: int) -> Figures:
    """The engines of so many desks die at a time."""
    shares = [numbers[start : start + SHARE] for start in range(0, len(numbers), SHARE)]
    whole = Figures()
    with ProcessPoolExecutor(at_once, mp_context=multiprocessing.get_context("spawn")) as pool:
        for figures in pool.map(died, [seed] * len(shares), shares):
            whole.add(figures)
            for failure in figures.failures:
                print(failure, flush=True)
    return whole
