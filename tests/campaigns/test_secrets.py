"""Keys that servers repeat, looked for in all that a few programs wrote."""

from __future__ import annotations

from random import Random

import pytest

from tests.campaigns.canary import Canary
from tests.campaigns.secrets import campaign


def test_no_key_is_found_anywhere() -> None:
    outcome = campaign(rounds=1, seed=3, whole=False)
    assert outcome.findings == []
    assert outcome.refusals > 0 and outcome.files > 5 and outcome.processes > 3


@pytest.mark.parametrize("form", range(11))
def test_each_form_of_a_key_would_be_found(form: int) -> None:
    for seed in range(20):
        canary = Canary(Random(seed))
        assert canary.found_in(f"before {canary.told(form)} after".encode())
        painted = "\x1b[1;2H".join(canary.key[at : at + 3] for at in range(0, len(canary.key), 3))
        assert canary.found_in(painted.encode()) == "the key"
        assert canary.found_in(f"before {Canary(Random(seed + 1)).told(form)} after".encode()) == ""
