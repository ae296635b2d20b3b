"""Fixtures that many tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.engine import RunningEngine


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[RunningEngine]:
    """A real engine on a real Unix socket: rehearsal provider at full speed, no look for local servers."""
    from tests.support.engine import running_engine

    async with running_engine(tmp_path) as running:
        yield running


@pytest.fixture
def handbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in the directory in which the program runs."""
    directory = tmp_path / "here"
    directory.mkdir()
    monkeypatch.chdir(directory)
    path = directory / "handbook.md"
    path.write_text("# Leave\n\nThirty days.\n")
    return path
