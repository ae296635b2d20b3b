"""The stalls of a campaign."""

from __future__ import annotations

from random import Random

from tests.campaigns.desks import Campaign
from tests.campaigns.drops.desk import Desk
from tests.campaigns.stalls.figures import Figures
from tests.campaigns.stalls.stall import Stall


def case(desk: Desk, seed: int, number: int, figures: Figures) -> Stall:
    return Stall(desk, Random(f"{seed} {number}"), figures)


CAMPAIGN = Campaign("stalls", Figures, case, share=10, begin=Desk.open_ready)
