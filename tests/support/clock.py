"""The clock's part in tests: the pauses of the client."""

from __future__ import annotations

import pytest

from playground_tui.assistants import conversation, outcome, polling, tries


def no_pauses(patch: pytest.MonkeyPatch) -> None:
    """Pauses before repetitions are next to nothing."""
    pauses = {"FIRST_DELAY": 0.001, "LONGEST_DELAY": 0.004}
    for module in (conversation, tries):
        for name, seconds in pauses.items():
            patch.setattr(module, name, seconds)
    patch.setattr("playground_tui.assistants.transport.QUICK_TRIES", (0.001, 0.001))
    patch.setattr(outcome, "PAUSE", 0.001)
    patch.setattr(polling, "INTERVAL", 0.005)
