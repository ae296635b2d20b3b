"""Random sequences of calls, a few."""

from __future__ import annotations

from pathlib import Path

from tests.campaigns.sequences import campaign


async def test_no_sequence_of_calls_is_answered_wrongly(tmp_path: Path) -> None:
    seen = await campaign(tmp_path, range(16), seed=2)
    assert seen["calls"] > 500
