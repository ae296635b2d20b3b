"""The official SDK, as a program would use it, against the engine on TCP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import openai
import pytest
from openai import AsyncOpenAI

from tests.support.engine import RunningEngine

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")


@pytest.fixture
async def sdk(engine: RunningEngine) -> AsyncIterator[AsyncOpenAI]:
    address = await engine.tcp()
    async with AsyncOpenAI(base_url=address.base_url, api_key=address.key, max_retries=0) as client:
        yield client


async def test_the_life_of_an_assistant(sdk: AsyncOpenAI) -> None:
    assistants = sdk.beta.assistants
    schema = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
    made = await assistants.create(
        model="rehearsal/echo",
        name="One",
        tools=[{"type": "file_search"}, {"type": "function", "function": {"name": "f", "parameters": {}}}],
        response_format=schema,  # type: ignore[arg-type]
        metadata={"category": "test"},
    )
    assert (made.temperature, made.top_p, made.object) == (1, 1, "assistant")
    assert [tool.type for tool in made.tools] == ["file_search", "function"]
    changed = await assistants.update(made.id, name="Two", temperature=0.5)
    assert (changed.name, changed.temperature, changed.metadata) == ("Two", 0.5, {"category": "test"})
    assert await assistants.retrieve(made.id) == changed
    others = [(await assistants.create(model="m")).id for _ in range(4)]
    assert [item.id async for item in assistants.list(limit=2)] == [*reversed(others), made.id]
    assert (await assistants.delete(made.id)).deleted
    with pytest.raises(openai.NotFoundError, match="No assistant found with id"):
        await assistants.retrieve(made.id)


async def test_the_life_of_a_thread(sdk: AsyncOpenAI) -> None:
    threads = sdk.beta.threads
    thread = await threads.create(messages=[{"role": "user", "content": "one"}], metadata={"a": "b"})
    assert (await threads.update(thread.id, metadata={"c": "d"})).metadata == {"c": "d"}
    assert (await threads.retrieve(thread.id)).metadata == {"c": "d"}
    message = await threads.messages.create(
        thread.id,
        role="user",
        content=[
            {"type": "text", "text": "two"},
            {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        ],
    )
    assert [part.type for part in message.content] == ["text", "image_url"]
    found = [item async for item in threads.messages.list(thread.id, order="asc", limit=1)]
    assert [item.content[0].text.value for item in found if item.content[0].type == "text"] == ["one", "two"]
    tagged = await threads.messages.update(message.id, thread_id=thread.id, metadata={"e": "f"})
    assert tagged == await threads.messages.retrieve(message.id, thread_id=thread.id)
    assert (await threads.messages.delete(message.id, thread_id=thread.id)).deleted
    assert (await threads.delete(thread.id)).deleted
    with pytest.raises(openai.NotFoundError):
        await threads.retrieve(thread.id)


async def test_refusals_are_the_sdks_own_errors(sdk: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await sdk.beta.assistants.create(model="m", temperature=3)
    assert (refused.value.param, refused.value.type) == ("temperature", "invalid_request_error")
    with pytest.raises(openai.PermissionDeniedError):
        await sdk.models.delete("rehearsal/echo")
    with pytest.raises(openai.AuthenticationError):
        await sdk.with_options(api_key="wrong").beta.assistants.list()


async def test_models(sdk: AsyncOpenAI) -> None:
    assert "rehearsal/echo" in [model.id async for model in sdk.models.list()]
    assert (await sdk.models.retrieve("rehearsal/echo")).owned_by == "rehearsal"
