"""Which provider answers for which model, which is the default, and what the screen is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from playground_tui.engine.providers import registry as registry_module
from playground_tui.engine.providers.base import ModelRequest, ProviderSettings, Text, UserTurn
from playground_tui.engine.providers.registry import ProviderRegistry, UnknownProvider
from tests.support.provider_server import ProviderServer, answer, error, hang
from tests.support.wait import until

NOWHERE = "http://127.0.0.1:9/v1"


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer(models=("text-embedding-3", "scripted")) as server:
        yield server


@pytest.fixture
async def registry() -> AsyncIterator[ProviderRegistry]:
    registry = ProviderRegistry(own_addresses=list, probe=False)
    yield registry
    await registry.close()


def openai(url: str, *, key: str | None = "key", origin: str = "environment") -> ProviderSettings:
    return ProviderSettings("openai", "chat", url, key, origin)


def named(name: str, url: str = NOWHERE) -> ProviderSettings:
    return ProviderSettings(name, "chat", url, "key")


async def said(registry: ProviderRegistry, model: str) -> str:
    provider, own = registry.resolve(model)
    events = provider.stream(ModelRequest(own, (UserTurn(("Hi",)),)))
    return "".join([event.text async for event in events if isinstance(event, Text)])


async def test_with_nothing_at_all_rehearsal_answers_and_says_how_to_connect(registry):
    await registry.replace([], None)
    assert registry.describe() == {
        "providers": [
            {
                "name": "rehearsal",
                "kind": "rehearsal",
                "base_url": "",
                "has_key": False,
                "origin": "built in",
                "state": "ok",
            }
        ],
        "default_provider": "rehearsal",
        "default_model": "rehearsal/echo",
        "sentence": "rehearsal: no model is connected. Set OPENAI_API_KEY or start Ollama; restart.",
    }
    assert registry.resolve("echo")[0].name == "rehearsal"
    assert [model["id"] for model in await registry.models()] == [
        "rehearsal/echo",
        "rehearsal/markdown",
        "rehearsal/tools",
    ]


async def test_a_key_makes_openai_the_default_and_its_first_chat_model_the_new_assistants(registry, server):
    await registry.replace([openai(server.base_url)], None)
    await until(lambda: registry.describe()["default_model"])
    told = registry.describe()
    assert told["default_provider"] == "openai"
    assert told["default_model"] == "openai/scripted"
    assert told["sentence"] == f"openai (127.0.0.1:{server.port})"
    assert told["providers"][0]["state"] == "ok"
    assert server.requests[0].headers["authorization"] == "Bearer key"


async def test_openai_without_a_key_is_not_the_default(registry):
    await registry.replace([openai("https://api.openai.com/v1", key=None)], None)
    assert registry.describe()["default_provider"] == "rehearsal"


async def test_the_configured_default_comes_first(registry, server):
    await registry.replace([openai(NOWHERE), named("mine", server.base_url)], "mine")
    assert registry.describe()["default_provider"] == "mine"


async def test_a_default_that_is_not_configured_is_said_and_replaced_by_no_other(registry):
    await registry.replace([openai(NOWHERE)], "mine")
    assert "mine is the default provider but is not configured" in registry.describe()["sentence"]
    assert registry.describe()["default_model"] == ""
    with pytest.raises(UnknownProvider, match="mine is not configured"):
        registry.resolve("gpt")


async def test_a_configured_provider_is_the_default_before_rehearsal(registry, server):
    await registry.replace([named("mine", server.base_url)], None)
    assert registry.describe()["default_provider"] == "mine"


async def test_the_text_before_the_first_slash_is_a_provider_only_if_it_is_one(registry, server):
    await registry.replace([named("router", server.base_url), named("other", NOWHERE)], "router")
    assert registry.resolve("other/some/model")[1] == "some/model"
    provider, own = registry.resolve("vendor/model")
    assert (provider.name, own) == ("router", "vendor/model")
    assert registry.resolve("model")[0].name == "router"


async def test_a_hint_names_the_provider_of_a_bare_id_alone(registry, server):
    await registry.replace([named("one", server.base_url), named("two", server.base_url)], "one")
    assert registry.resolve("model", "two")[0].name == "two"
    assert registry.resolve("one/model", "two")[0].name == "one"
    with pytest.raises(UnknownProvider, match="Provider three is not configured"):
        registry.resolve("model", "three")


async def test_the_models_of_a_removed_provider_are_never_another_ones(registry, server):
    await registry.replace([named("one", server.base_url), named("two", server.base_url)], "one")
    await registry.replace([named("one", server.base_url)], "one")
    with pytest.raises(UnknownProvider, match="Provider two is not configured"):
        registry.resolve("two/model")
    with pytest.raises(UnknownProvider, match="ollama was not found on this machine"):
        registry.resolve("ollama/qwen3")


async def test_a_provider_without_a_model_is_refused(registry):
    with pytest.raises(UnknownProvider, match="rehearsal needs one"):
        registry.resolve("rehearsal/")


async def test_a_provider_whose_key_could_not_be_had_says_so(registry):
    broken = ProviderSettings("mine", "chat", NOWHERE, problem="The command for the key of mine failed.")
    await registry.replace([broken], None)
    told = registry.describe()
    assert told["default_provider"] == "rehearsal"
    assert told["sentence"].endswith("The command for the key of mine failed.")
    with pytest.raises(UnknownProvider, match="The command for the key"):
        registry.resolve("mine/model")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_a_provider_that_is_this_engine_is_refused(host):
    registry = ProviderRegistry(own_addresses=lambda: [("0.0.0.0", 8123)], probe=False)
    await registry.replace([openai(f"http://{host}:8123/v1")], None)
    told = registry.describe()
    assert told["default_provider"] == "rehearsal"
    assert "Provider openai is this engine itself: check OPENAI_BASE_URL." in told["sentence"]
    with pytest.raises(UnknownProvider, match="this engine itself"):
        registry.resolve("openai/gpt")
    assert all(model["id"].startswith("rehearsal/") for model in await registry.models())
    await registry.close()


async def test_models_are_asked_together_and_who_does_not_answer_is_left_out(registry, server):
    async with ProviderServer() as broken:
        broken.routes["/v1/models"] = error(500, "on fire")
        await registry.replace([named("broken", broken.base_url), named("good", server.base_url)], "good")
        ids = [model["id"] for model in await registry.models()]
        assert "good/scripted" in ids
        assert not any(name.startswith("broken/") for name in ids)
        states = {entry["name"]: entry["state"] for entry in registry.describe()["providers"]}
        assert states["good"] == "ok"
        assert states["broken"].startswith("unreachable: broken has a problem of its own (500): on fire.")


async def test_the_list_of_models_is_kept_for_a_minute(server):
    now = 0.0
    registry = ProviderRegistry(own_addresses=list, probe=False, clock=lambda: now)
    await registry.replace([named("mine", server.base_url)], None)
    await asyncio.gather(registry.models(), registry.models())
    assert len(server.requests) == 1
    now = 61.0
    server.models.append("newer")
    assert "mine/newer" in [model["id"] for model in await registry.models()]
    await registry.close()


async def test_a_default_that_cannot_be_reached_is_said_on_the_screen(registry):
    await registry.replace([openai(NOWHERE)], None)
    await until(lambda: registry.describe()["sentence"].startswith("openai (127.0.0.1:9) cannot be reached"))


async def test_taking_over_settings_does_not_wait_for_a_silent_provider(registry, server):
    server.routes["/v1/models"] = hang()
    await asyncio.wait_for(registry.replace([named("mine", server.base_url)], None), 3)
    assert registry.describe()["default_model"] == ""


async def test_a_run_keeps_the_provider_it_began_with(registry, server):
    held = asyncio.Event()
    server.script(answer("Hel", "lo", hold=held))
    await registry.replace([named("mine", server.base_url)], None)
    answered = asyncio.create_task(said(registry, "mine/scripted"))
    await until(lambda: server.posts)
    await registry.replace([], None)
    held.set()
    assert await answered == "Hello"


async def test_a_provider_that_was_replaced_still_answers_a_run_that_holds_it(registry, server):
    await registry.replace([named("mine", server.base_url)], None)
    provider, own = registry.resolve("mine/scripted")
    await registry.replace([], None)
    events = [event async for event in provider.stream(ModelRequest(own, (UserTurn(("Hi",)),)))]
    assert Text("Hello") in events


async def test_unchanged_providers_keep_what_they_have_learned(registry, server):
    await registry.replace([named("mine", server.base_url)], None)
    first, _ = registry.resolve("mine/scripted")
    await registry.replace([named("mine", server.base_url), named("more")], None)
    assert registry.resolve("mine/scripted")[0] is first


async def test_secrets_in_an_address_are_not_shown(registry):
    await registry.replace(
        [named("mine", "http://user:secret@127.0.0.1:9/v1?key=secret"), named("odd", "http://h:port")], "odd"
    )
    told = registry.describe()
    assert [entry["base_url"] for entry in told["providers"]] == ["http://127.0.0.1:9/v1", "(not a URL)", ""]
    assert "secret" not in str(told)


async def test_a_rehearsal_of_another_name_can_be_configured(registry):
    await registry.replace([ProviderSettings("practice", "rehearsal")], None)
    assert (await said(registry, "practice/tools")).startswith("*rehearsal/tools")
    assert registry.describe()["default_provider"] == "rehearsal"


async def test_in_a_new_engine_a_run_waits_for_the_providers_of_the_first_visitor(
    server: ProviderServer, registry: ProviderRegistry
) -> None:
    await registry.wait_for_visitor("rehearsal/echo")  # always there
    waiting = asyncio.create_task(registry.wait_for_visitor("scripted"))
    await asyncio.sleep(0)
    assert not waiting.done()
    await registry.replace([named("told", server.base_url)], "told")
    await waiting
    assert registry.resolve("scripted")[0].name == "told"


async def test_where_no_visitor_comes_a_run_goes_on_without(
    registry: ProviderRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "FIRST_VISITOR", 0.01)
    await registry.wait_for_visitor("scripted")
    with pytest.raises(UnknownProvider):
        registry.resolve("ollama/qwen3")
