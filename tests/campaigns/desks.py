"""Campaigns at desks: cases are played one after the other on each, on several at once, and counted together."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import httpx2

from playground_tui.launch import LaunchError
from tests.campaigns.counts import Counts
from tests.campaigns.drops.desk import Desk
from tests.campaigns.drops.model import Model
from tests.support.terminal import user


class Played(Protocol):
    """A case; its words say which."""

    def play(self) -> None: ...


Figures = TypeVar("Figures", bound=Counts)


def nothing(_desk: Desk, _number: int) -> None:
    """The desk stays as it is."""


@dataclass(frozen=True)
class Campaign(Generic[Figures]):
    """Its parts are looked up by name in processes of their own: they are no lambdas."""

    name: str
    figures: Callable[[], Figures]
    case: Callable[[Desk, int, int, Figures], Played]
    """Draws the case of a seed and a number, for a desk."""
    share: int
    """Cases played on one desk, one after the other."""
    begin: Callable[[Desk, int], None] = nothing
    """Prepares a desk on which the program is open, for the cases from a number on."""
    end: Callable[[Desk, int], None] = nothing
    """Leaves a desk after a case, the last one."""

    def run(self, seed: int, numbers: Sequence[int], at_once: int) -> Figures:
        """Play the cases on so many desks at once, and print what goes wrong as it does."""
        shares = [numbers[start : start + self.share] for start in range(0, len(numbers), self.share)]
        whole = self.figures()
        with ProcessPoolExecutor(at_once, mp_context=multiprocessing.get_context("spawn")) as pool:
            for figures in pool.map(self.play, [seed] * len(shares), shares):
                whole.add(figures)
                for failure in figures.failures:
                    print(failure, flush=True)
        return whole

    def play(self, seed: int, numbers: Sequence[int]) -> Figures:
        """Play these cases; what went wrong is in `failures`, and the next case has a new desk."""
        figures, left = self.figures(), list(numbers)
        with Model() as model:
            while left:
                self._at_a_desk(model, seed, left, figures)
        return figures

    def _at_a_desk(self, model: Model, seed: int, left: list[int], figures: Figures) -> None:
        with user() as home:
            desk = Desk(home, model)
            try:
                desk.start()
                desk.connected()
                desk.open_configuration()
                self.begin(desk, left[0])
                while left:
                    number = left.pop(0)
                    case = self.case(desk, seed, number, figures)
                    try:
                        case.play()
                    except (AssertionError, LaunchError, OSError, LookupError, httpx2.HTTPError) as error:
                        screen = "\n".join(line for line in desk.terminal.screen.split("\n") if line.strip())
                        what = f"{self.name} {number} of seed {seed}, {case}"
                        figures.failures.append(f"{what}: {type(error).__name__} {error}\n{screen}")
                        return
                self.end(desk, number)
            finally:
                desk.terminal.__exit__()

    def main(self, description: str | None, *, count: int, at_once: int = os.cpu_count() or 1) -> int:
        """The campaign as a command; its exit code."""
        parser = argparse.ArgumentParser(prog=f"python -m tests.campaigns.{self.name}", description=description)
        parser.add_argument("--count", type=int, default=count)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--only", type=int, metavar="NUMBER", help="play this case alone")
        parser.add_argument("--at-once", type=int, metavar="N", default=at_once, help="desks in use at a time")
        arguments = parser.parse_args()
        numbers = range(arguments.count) if arguments.only is None else [arguments.only]
        begun = time.monotonic()
        figures = self.run(arguments.seed, numbers, arguments.at_once)
        seconds = time.monotonic() - begun
        print(f"{len(numbers)} {self.name} of seed {arguments.seed} in {seconds:.0f} s: {figures}")
        print(f"{len(figures.failures)} failures.")
        return bool(figures.failures)
