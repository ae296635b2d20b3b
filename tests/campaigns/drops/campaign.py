"""The drops of a campaign."""

from __future__ import annotations

from tests.campaigns.desks import Campaign
from tests.campaigns.drops.case import drawn
from tests.campaigns.drops.desk import Desk
from tests.campaigns.drops.figures import Figures
from tests.campaigns.drops.play import Play


def case(desk: Desk, seed: int, number: int, figures: Figures) -> Play:
    return Play(desk, *drawn(seed, number), figures)


CAMPAIGN = Campaign("drops", Figures, case, share=10)
