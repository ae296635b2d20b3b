"""Hostile text from servers, models, tools, files and the environment, judged by what reaches the terminal.

    python -m tests.campaigns.hostile [--rounds 20] [--seed 1] [--tour foreign_screen]

Each round makes a home with hostile directories, files, configuration and environment, a server and a model provider
whose every word is hostile, and goes through the screen, the plain mode and the commands on real terminals. Nothing but
text, colours and moves of the program's own may come there; see `judge`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from tests.campaigns.hostile_home import HostileHome, hostile_home
from tests.campaigns.hostile_text import Hostile
from tests.campaigns.hostile_tours import engine_screen, foreign_screen, headless, plain_mode

Tour = Callable[[HostileHome], None]
TOURS: dict[str, Tour] = {tour.__name__: tour for tour in (foreign_screen, engine_screen, plain_mode, headless)}


@dataclass
class Outcome:
    """What a campaign saw. `places` are the kinds of hostile text there were, `shown` those seen on a terminal."""

    rounds: int = 0
    programs: int = 0
    judged: int = 0
    places: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)
    findings: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        return (
            f"{self.rounds} rounds, {self.programs} programs on terminals, {self.judged:,} bytes judged; hostile text"
            f" in {len(self.places)} places, seen from {len(self.shown)} of them: {len(self.findings)} findings."
        )


def campaign(*, rounds: int, seed: int, tours: Mapping[str, Tour]) -> Outcome:
    """Go through everything that many times."""
    outcome = Outcome()
    for number in range(rounds):
        random = Random(f"{seed} {number}")
        hostile = Hostile(random)
        with hostile_home(hostile, random) as home:
            for name, tour in tours.items():
                try:
                    tour(home)
                except (AssertionError, OSError) as error:
                    home.findings.append(f"{name} went no further: {error}")
            outcome.findings += [f"round {number} of seed {seed}: {finding}" for finding in home.findings]
            outcome.programs += home.programs
            outcome.judged += home.judged
            outcome.places |= set(hostile.names.values())
            outcome.shown |= {hostile.names[name] for name in home.seen}
        outcome.rounds += 1
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.hostile", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tour", choices=sorted(TOURS), action="append")
    arguments = parser.parse_args()
    tours = {name: TOURS[name] for name in arguments.tour or TOURS}
    outcome = campaign(rounds=arguments.rounds, seed=arguments.seed, tours=tours)
    print(outcome.sentence)
    print("not seen: " + ", ".join(sorted(outcome.places - outcome.shown)))
    for finding in outcome.findings:
        print(finding)
    return int(bool(outcome.findings))


if __name__ == "__main__":
    sys.exit(main())
