"""The line drops, the engine dies, the terminal stops reading: a little of `drops`, `deaths` and `stalls`."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from tests.campaigns.deaths.death import Death
from tests.campaigns.deaths.figures import Figures as Deaths
from tests.campaigns.drops.case import drawn
from tests.campaigns.drops.desk import Desk
from tests.campaigns.drops.figures import Figures as Drops
from tests.campaigns.drops.model import Model
from tests.campaigns.drops.play import Play
from tests.campaigns.stalls.figures import Figures as Stalls
from tests.campaigns.stalls.stall import Stall
from tests.support.terminal import user

SEED = 7
DROP = 21
"""A SIGTERM to somebody who writes while an answer streams."""


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A desk where the program is open."""
    with Model() as model, user() as home:
        desk = Desk(home, model)
        desk.start()
        try:
            desk.connected()
            desk.open_configuration()
            yield desk
        finally:
            desk.terminal.__exit__()


def test_a_line_that_drops_an_engine_that_dies_and_a_terminal_that_stops_reading_lose_nothing(desk: Desk) -> None:
    drops, deaths, stalls = Drops(), Deaths(), Stalls()
    Play(desk, *drawn(SEED, DROP), drops).play()
    desk.open_ready(SEED)
    Death(desk, Random("short 2"), deaths).play()
    Stall(desk, Random("short 7"), stalls).play()
    assert (drops.runs, drops.terminals) == (1, 1)
    assert deaths.away and stalls.stalls
