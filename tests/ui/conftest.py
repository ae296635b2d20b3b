"""What a test types has gone all its way when the pilot goes on, on a machine that is busy with other things too."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from playground_tui.ui.orderly import OrderlyApp

HOPS = 8
"""Widgets that hand a message on at most, one after the other, from where a key is typed to the app."""
MOST = 500
"""Rounds after which keys are not waited for any longer."""


@pytest.fixture(autouse=True)
def keys_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual waits until each widget has taken what waits for it; what that makes them tell is waited for too."""
    once = Pilot._wait_for_screen

    async def all_the_way(pilot: Pilot[object], timeout: float = 30.0) -> bool:
        hops = 0
        for _ in range(MOST):
            if not await once(pilot, timeout):
                return False
            hops = 0 if keys_wait(pilot.app) else hops + 1
            if hops == HOPS:
                break
        return True

    monkeypatch.setattr(Pilot, "_wait_for_screen", all_the_way)


def keys_wait(app: object) -> bool:
    """Whether the app holds keys back until the one before them has ended."""
    return isinstance(app, OrderlyApp) and app.takes_keys and bool(app._waiting or app._under_way)
