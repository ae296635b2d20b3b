"""Fixtures of the client's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from playground_tui.assistants.client import AssistantsClient
from tests.support.assistants_server import AssistantsServer
from tests.support.clock import no_pauses


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock's part: pauses before repetitions are next to nothing."""
    no_pauses(monkeypatch)


@pytest.fixture
async def server(at_once: None) -> AsyncIterator[AssistantsServer]:
    """Another server than the engine."""
    async with AssistantsServer() as running:
        yield running


@pytest.fixture
async def client(server: AssistantsServer) -> AsyncIterator[AssistantsClient]:
    """A client of that server, with its key."""
    connected = AssistantsClient.for_server(server.base_url, "server-key", label="test")
    yield connected
    await connected.close()
