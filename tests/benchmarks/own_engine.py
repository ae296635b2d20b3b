"""An engine of its own with the scripted server as its provider."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playground_tui.address import EngineAddress
from playground_tui.launch import ask_engine, ensure_engine, stop_engine
from playground_tui.paths import Paths
from tests.benchmarks.server import Server
from tests.benchmarks.subjects import environment


@contextmanager
def own_engine(home: Path, server: Server) -> Iterator[EngineAddress]:
    """An engine below `home` whose default provider is `bench`, stopped in the end."""
    paths = Paths.from_environment(environment(home))
    address = ensure_engine(paths)
    try:
        provider = {"name": "bench", "kind": "chat", "base_url": server.base_url, "api_key": None, "origin": "config"}
        settings = {"providers": [provider], "default_provider": "bench", "idle_exit": 600, "run_expires_after": 600}
        ask_engine(address.socket, "PUT", "/engine/settings", settings)
        yield address
    finally:
        stop_engine(paths)
