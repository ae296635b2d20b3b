"""The deaths of a campaign."""

from __future__ import annotations

from random import Random

from tests.campaigns.deaths.death import Death
from tests.campaigns.deaths.figures import Figures
from tests.campaigns.desks import Campaign
from tests.campaigns.drops.desk import QUIT, Desk


def case(desk: Desk, seed: int, number: int, figures: Figures) -> Death:
    return Death(desk, Random(f"{seed} {number}"), figures)


def leave(desk: Desk, _number: int) -> None:
    """The program that has seen so many deaths still ends as it should."""
    desk.terminal.type(QUIT)
    desk.terminal.ended(within=10)


CAMPAIGN = Campaign("deaths", Figures, case, share=15, begin=Desk.open_ready, end=leave)
