"""Local model servers: listed when they answer like their kind, default only when their owner can be trusted."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from playground_tui.engine.providers import discovery
from playground_tui.engine.providers import registry as registries
from playground_tui.engine.providers.base import ProviderSettings
from playground_tui.engine.providers.discovery import Found, discover, listeners, trusted
from playground_tui.engine.providers.registry import ProviderRegistry
from tests.support.provider_server import ProviderServer, Reply, hang, raw
from tests.support.wait import until

JSON = "application/json"
VERSION = raw(200, b'{"version": "0.9.1"}', JSON)
CLOSED = 9
"""A port on which nobody listens."""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who answers is heard, however busy this machine is."""
    monkeypatch.setattr(discovery, "PATIENCE", 60.0)


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer(models=("qwen3",)) as server:
        yield server


def only(kind: str, port: int) -> dict[str, int]:
    return dict.fromkeys(("ollama", "lmstudio", "llamacpp", "vllm"), CLOSED) | {kind: port}


async def found(kind: str, server: ProviderServer) -> list[str]:
    return [one.settings.name for one in await discover(ports=only(kind, server.port))]


@pytest.mark.parametrize(
    ("kind", "path", "reply"),
    [
        ("ollama", "/api/version", VERSION),
        ("lmstudio", "/api/v0/models", raw(200, b'{"object": "list", "data": []}', JSON)),
        ("llamacpp", "/props", raw(200, b'{"default_generation_settings": {}}', JSON)),
        ("llamacpp", "/props", raw(401, b"{}", JSON, {"server": "llama.cpp"})),
        ("vllm", "/version", VERSION),
    ],
)
async def test_a_server_that_answers_like_its_kind_is_listed(server, kind, path, reply):
    server.routes[path] = reply
    (one,) = await discover(ports=only(kind, server.port))
    assert one == Found(
        ProviderSettings(kind, "chat", f"http://127.0.0.1:{server.port}/v1", origin="discovered"), trusted=True
    )


@pytest.mark.parametrize("kind", ["ollama", "lmstudio", "llamacpp", "vllm"])
@pytest.mark.parametrize(
    "reply",
    [
        raw(200, b"<html>Hi"),
        raw(200, b"[]", JSON),
        raw(200, b'{"version": 3}', JSON),
        raw(500, b"{}", JSON),
        raw(200, b"[" * 50_000, JSON),
        raw(200, b'{"version": "", "data": [], "default_generation_settings": "' + b"x" * 65_536 + b'"}', JSON),
    ],
)
async def test_another_server_on_the_port_is_not_listed(server, kind, reply: Reply):
    server.routes |= dict.fromkeys(("/api/version", "/api/v0/models", "/props", "/version"), reply)
    assert await found(kind, server) == []


async def test_silent_servers_are_asked_together_and_given_up(server, monkeypatch):
    server.routes |= dict.fromkeys(("/api/version", "/api/v0/models", "/props", "/version"), hang())
    ports = dict.fromkeys(("ollama", "lmstudio", "llamacpp", "vllm"), server.port)
    asking = asyncio.create_task(discover(ports=ports))
    await until(lambda: len(server.requests) == len(ports))
    asking.cancel()
    await asyncio.wait({asking})
    monkeypatch.setattr(discovery, "PATIENCE", 0.05)
    assert await discover(ports=ports) == []


async def test_our_own_and_configured_ports_are_not_asked(server):
    server.routes["/api/version"] = VERSION
    assert await discover(ports=only("ollama", server.port), taken=[server.port]) == []
    assert server.requests == []


ROW = "  {n}: 0100007F:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 {uid:>5}  0 1 1 0 0\n"


def table(path: Path, *rows: tuple[int, str, int]) -> Path:
    lines = [ROW.format(n=n, port=port, state=state, uid=uid) for n, (port, state, uid) in enumerate(rows)]
    path.write_text("  sl  local_address rem_address   st\n" + "".join(lines))
    return path


@pytest.mark.parametrize(
    ("owners", "expected"),
    [([0], True), ([999], True), ([os.getuid()], True), ([5000], False), ([0, 5000], False), ([], False)],
)
def test_only_this_user_root_and_system_accounts_are_trusted(tmp_path, owners, expected):
    listening = table(tmp_path / "tcp", (4321, "01", 5000), (80, "0A", 5000), *((4321, "0A", uid) for uid in owners))
    assert trusted(4321, [listening, tmp_path / "missing"]) is expected


def test_the_second_table_counts_too(tmp_path):
    first, second = table(tmp_path / "tcp", (4321, "0A", 0)), table(tmp_path / "tcp6", (4321, "0A", 5000))
    assert trusted(4321, [first]) is True
    assert trusted(4321, [first, second]) is False


def test_a_table_of_another_form_says_nothing(tmp_path):
    odd = tmp_path / "tcp"
    odd.write_text("head\n\nshort row\n")
    assert list(listeners(odd)) == []


async def test_a_found_server_becomes_the_default(server):
    server.routes["/api/version"] = VERSION
    registry = ProviderRegistry(own_addresses=list, ports=only("ollama", server.port))
    await registry.replace([], None)
    await until(lambda: registry.describe()["default_model"])
    told = registry.describe()
    assert told["default_provider"] == "ollama"
    assert told["default_model"] == "ollama/qwen3"
    assert told["sentence"] == f"ollama (127.0.0.1:{server.port}, found on this machine)"
    await registry.close()


async def test_a_configured_provider_of_that_name_or_address_is_not_found_again(server):
    server.routes["/api/version"] = VERSION
    registry = ProviderRegistry(own_addresses=list, ports=only("ollama", server.port))
    await registry.replace([ProviderSettings("mine", "chat", server.base_url)], None)
    assert [entry["name"] for entry in registry.describe()["providers"]] == ["mine", "rehearsal"]
    async with ProviderServer() as other:
        await registry.replace([ProviderSettings("ollama", "chat", other.base_url)], None)
        urls = [entry["base_url"] for entry in registry.describe()["providers"]]
        assert urls == [other.base_url, ""]
    await registry.close()


async def test_another_users_server_is_listed_but_not_the_default(server, monkeypatch):
    settings = ProviderSettings("ollama", "chat", server.base_url, origin="discovered")

    async def strangers(**_: object) -> list[Found]:
        return [Found(settings, trusted=False)]

    monkeypatch.setattr(registries, "discover", strangers)
    registry = ProviderRegistry(own_addresses=list)
    await registry.replace([], None)
    told = registry.describe()
    assert told["default_provider"] == "rehearsal"
    assert 'ollama runs here, maybe as another user: default_provider = "ollama"' in told["sentence"]
    assert registry.resolve("ollama/qwen3")[0].name == "ollama"
    await registry.close()
