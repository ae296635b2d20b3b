"""An engine killed in the middle of its work, a few times."""

from __future__ import annotations

from tests.campaigns.kills import campaign
from tests.support.engine_process import home


def test_nothing_is_torn_or_lost_when_the_engine_is_killed() -> None:
    with home() as paths:
        outcome = campaign(paths, kills=3, seed=7, least=8)
    assert outcome.kills == 3
    assert outcome.held > 10
