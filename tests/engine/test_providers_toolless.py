"""Models that take no tools say so in many words."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from playground_tui.engine.providers import streaming
from playground_tui.engine.providers.base import ProviderError, ProviderSettings, ToolsRefused
from playground_tui.engine.providers.chat import ChatProvider
from playground_tui.engine.providers.responses import ResponsesProvider
from playground_tui.engine.providers.streaming import HttpProvider
from tests.support.asking import WEATHER, events_of
from tests.support.provider_server import ProviderServer, error


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as server:
        yield server


@pytest.fixture(params=["chat", "responses"])
async def provider(request: pytest.FixtureRequest, server: ProviderServer) -> AsyncIterator[HttpProvider]:
    of_kind = {"chat": ChatProvider, "responses": ResponsesProvider}[request.param]
    provider = of_kind(ProviderSettings("local", request.param, server.base_url, "secret-key"))
    yield provider
    await provider.close()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "registry.ollama.ai/library/gemma3:latest does not support tools"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
        (500, "tools param requires --jinja flag"),
        (404, "No endpoints found that support tool use. Try disabling it."),
        (400, "`tool calling` is not supported with this model"),
        (400, "Unsupported parameter: 'tools' is not supported with this model."),
        (400, "This model does not support function calling."),
    ],
)
async def test_a_refusal_of_tools_is_known(
    provider: HttpProvider, server: ProviderServer, status: int, said: str
) -> None:
    server.script(*[error(status, said, code="model_not_found" if status == 404 else "")] * 2)
    with pytest.raises(ToolsRefused) as refused:
        await events_of(provider, tools=[WEATHER])
    assert said.rstrip(".") in str(refused.value)
    with pytest.raises(ProviderError) as other:
        await events_of(provider)
    assert not isinstance(other.value, ToolsRefused)


async def test_a_refusal_of_tools_is_remembered_for_requests_that_can_do_without(
    provider: HttpProvider, server: ProviderServer
) -> None:
    server.script(error(400, "gemma does not support tools"))
    for _ in range(3):
        with pytest.raises(ToolsRefused, match="gemma does not support tools"):
            await events_of(provider, tools=[WEATHER], tools_needed=False)
    assert len(server.requests) == 1
    assert await events_of(provider, tools=[WEATHER], tools_needed=True), "asked all the same"
    assert await events_of(provider, model="other", tools=[WEATHER], tools_needed=False)
    assert await events_of(provider, tools_needed=False)


async def test_a_refusal_of_tools_is_forgotten_after_a_while(
    provider: HttpProvider, server: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "TOOLLESS_SECONDS", 0.0)
    server.script(error(400, "gemma does not support tools"))
    with pytest.raises(ToolsRefused):
        await events_of(provider, tools=[WEATHER], tools_needed=False)
    assert await events_of(provider, tools=[WEATHER], tools_needed=False)


@pytest.mark.parametrize(("status", "said"), [(400, "The prompt is too long."), (429, "no tools support now")])
async def test_other_refusals_are_no_refusal_of_tools(
    provider: HttpProvider, server: ProviderServer, status: int, said: str
) -> None:
    server.script(error(status, said))
    with pytest.raises(ProviderError) as refused:
        await events_of(provider, tools=[WEATHER])
    assert not isinstance(refused.value, ToolsRefused)
