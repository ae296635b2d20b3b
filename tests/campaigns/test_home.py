"""Disks that fail, files that are broken, several playgrounds at once: a little of `disk`, `broken` and `together`."""

from __future__ import annotations

from tests.campaigns import broken, disk, spoils, together


def test_the_program_goes_on_when_the_disk_does_not() -> None:
    outcome = disk.campaign((disk.full, disk.removed, disk.on_another_host), count=1, seed=5)
    assert outcome.played["removed"] == outcome.played["on another host"] == 1
    assert outcome.played["full"] or "full" in outcome.skipped  # a small disk takes root to make


def test_the_program_starts_whatever_file_is_broken() -> None:
    cases = [
        broken.Case("cache draft", spoils.truncated),
        broken.Case("cache composer", spoils.newer),
        broken.Case("engine.db", spoils.garbage),
        broken.Case("config.toml", spoils.garbage),
    ]
    outcome = broken.campaign(cases, seed=5)
    assert (outcome.cases, outcome.aside, outcome.untouched) == (4, 2, 1)


def test_several_playgrounds_on_one_assistant_lose_nothing_of_each_other() -> None:
    outcome = together.campaign(steps=12, seed=5, here=2, elsewhere=1)
    assert outcome.edits > 3 and outcome.messages
