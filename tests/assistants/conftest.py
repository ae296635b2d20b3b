"""Fixtures of the client's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from playground_tui.assistants import conversation, outcome, polling, transport
from playground_tui.assistants.client import AssistantsClient
from tests.support.assistants_server import AssistantsServer


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock's part: pauses before repetitions are next to nothing."""
    monkeypatch.setattr(transport, "QUICK_TRIES", (0.001, 0.001))
    monkeypatch.setattr(outcome, "PAUSES", (0.001, 0.001, 0.001))
    monkeypatch.setattr(polling, "INTERVAL", 0.005)
    monkeypatch.setattr(conversation, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(conversation, "LONGEST_DELAY", 0.004)


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
