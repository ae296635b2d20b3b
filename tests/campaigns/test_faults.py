"""A few faults of each kind; `python -m tests.campaigns.faults` plays thousands."""

from __future__ import annotations

from pathlib import Path

from tests.campaigns.faults.campaign import AnyCase, campaign, drawn
from tests.campaigns.faults.cases import Case
from tests.campaigns.faults.fronts import FrontCase
from tests.campaigns.faults.providers import ProviderCase
from tests.campaigns.faults.stream_cases import StreamCase

SHARES = {Case: 7, StreamCase: 3, FrontCase: 2, ProviderCase: 6}
"""How many of each kind are played here."""


def quick(case: AnyCase) -> bool:
    """Whether it takes no time but the machine's: a silent server has to be waited for."""
    return not any(word in str(case) for word in ("hang", "drip", "without end", "429, 7", "slow", "MB"))


async def test_faults_are_said_and_nothing_is_lost(tmp_path: Path) -> None:
    cases = [case for case in drawn(7) if quick(case)]
    some = [case for kind, count in SHARES.items() for case in [c for c in cases if type(c) is kind][:count]]
    ends, wrong = await campaign(tmp_path, some)
    assert wrong == []
    assert sum(ends.values()) == sum(SHARES.values())
