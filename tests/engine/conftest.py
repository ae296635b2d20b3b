"""What the engine's tests stand on: an open store, and a plain HTTP client of a whole engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx2

    from playground_tui.engine.store.database import Database
    from tests.support.engine import RunningEngine


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A new database."""
    from playground_tui.engine.store.opening import open_store

    opened = open_store(tmp_path / "engine.db").database
    yield opened
    opened.close()


@pytest.fixture
async def api(engine: RunningEngine) -> AsyncIterator[httpx2.AsyncClient]:
    """Requests to the engine's /v1 as any program would send them."""
    import httpx2

    transport = httpx2.AsyncHTTPTransport(uds=str(engine.socket))
    async with httpx2.AsyncClient(transport=transport, base_url="http://engine/v1", timeout=20) as client:
        yield client
