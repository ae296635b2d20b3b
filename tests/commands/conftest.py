"""Fixtures of the tests of headless commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.run import Shell
from tests.support.engine import RunningEngine


@pytest.fixture
def shell(engine: RunningEngine, tmp_path: Path) -> Shell:
    """Runs commands on a real engine: `await shell("models", "--json")`."""
    return Shell(engine, tmp_path)
