"""Nothing of the environment reaches a server: only the key that was given for it."""

from __future__ import annotations

import re

import pytest

from playground_tui.assistants.client import AssistantsClient
from playground_tui.assistants.conversation import Conversation
from playground_tui.assistants.errors import NotReachable
from playground_tui.assistants.transport import base_url, is_loopback
from tests.support.assistants_server import AssistantsServer

CANARY = "sk-canary-of-the-environment"
ENVIRONMENT = {
    **dict.fromkeys(("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"), CANARY),
    "OPENAI_WEBHOOK_SECRET": CANARY,
    "OPENAI_BASE_URL": f"http://127.0.0.1:9/{CANARY}",
    "OPENAI_CUSTOM_HEADERS": "\n".join(
        f"{name}: {CANARY}" for name in ("Authorization", "X-Secret", "User-Agent", "Cookie", "Accept", "OpenAI-Beta")
    ),
}


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


async def use(client: AssistantsClient) -> None:
    """A bit of everything that sends something."""
    assistant = await client.create_assistant({"model": "m", "name": "A"}, key="one")
    await client.update_assistant(assistant.id, {"name": "B"})
    conversation = Conversation(client)
    _ = [event async for event in conversation.send("hi", assistant.id, key="two")]
    await client.list_models()
    await client.close()


def everything(server: AssistantsServer) -> str:
    return repr(server.requests).lower()


@pytest.mark.parametrize("key", ["server-key", None])
async def test_no_byte_of_the_environment_reaches_the_server(
    server: AssistantsServer, canary: None, key: str | None
) -> None:
    await use(AssistantsClient.for_server(server.base_url, key, label="my-host"))
    assert len(server.requests) == 6
    assert not re.search("canary", everything(server))
    assert "my-host" not in everything(server)
    assert {request.headers.get("authorization") for request in server.requests} == {key and f"Bearer {key}"}


async def test_only_known_headers_are_sent(server: AssistantsServer, canary: None) -> None:
    await use(AssistantsClient.for_server(server.base_url, "server-key", label="my-host"))
    names = {name for request in server.requests for name in request.headers}
    assert names <= {
        *("host", "connection", "accept", "accept-encoding", "content-type", "content-length", "user-agent"),
        *("authorization", "openai-beta", "x-stainless-raw-response"),
    }
    assert {request.headers["openai-beta"] for request in server.requests} == {"assistants=v2"}


async def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    server: AssistantsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    await use(AssistantsClient.for_server(server.base_url, None, label=""))
    assert server.requests


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("a.localhost", True), ("10.0.0.1", False), ("x", False)],
)
def test_this_machine_is_known_by_its_names(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://host:8000", "http://host:8000/v1"),
        ("https://host/", "https://host/v1"),
        (" https://host/openai/v1 ", "https://host/openai/v1"),
    ],
)
def test_a_bare_host_means_its_v1(url: str, base: str) -> None:
    assert str(base_url(url)) == base


@pytest.mark.parametrize("url", ["", "host:8000", "ftp://host", "http://", "http://host:port", "\x1b[31m"])
def test_what_is_no_url_is_said(url: str) -> None:
    with pytest.raises(NotReachable, match="URL") as caught:
        base_url(url)
    assert "\x1b" not in str(caught.value)
    assert not caught.value.sent
