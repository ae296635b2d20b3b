"""The cases of a campaign, played on several desks at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from playground_tui.launch import LaunchError
from tests.campaigns.drops.case import drawn
from tests.campaigns.drops.desk import Desk
from tests.campaigns.drops.figures import Figures
from tests.campaigns.drops.model import Model
from tests.campaigns.drops.play import Play
from tests.support.terminal import user

SHARE = 10
"""Cases played on one desk, one after the other."""


def played(seed: int, numbers: Sequence[int]) -> Figures:
    """Play these cases; what went wrong is in `failures`, and the next case has a new desk."""
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
            while left:
                case, random = drawn(seed, left.pop(0))
                try:
                    Play(desk, case, random, figures).play()
                except (AssertionError, LaunchError, OSError, LookupError) as error:
                    screen = "\n".join(line for line in desk.terminal.screen.split("\n") if line.strip())
                    figures.failures.append(f"{case} of seed {seed}: {type(error).__name__} {error}\n{screen}")
                    return
        finally:
            desk.terminal.__exit__()


def campaign(seed: int, numbers: Sequence[int], at_once: int) -> Figures:
    """Play the cases on so many desks at once."""
    shares = [numbers[start : start + SHARE] for start in range(0, len(numbers), SHARE)]
    whole = Figures()
    with ProcessPoolExecutor(at_once, mp_context=multiprocessing.get_context("spawn")) as pool:
        for figures in pool.map(played, [seed] * len(shares), shares):
            whole.add(figures)
            for failure in figures.failures:
                print(failure, flush=True)
    return whole
