"""The official SDK's own ways of talking to a chat model, with an assistant as the model."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from playground_tui.engine.providers.base import Finished, ProviderError, Text, Usage
from tests.support.scripted import ScriptedEngine, called, said, scripted_engine

HELLO: Any = {"role": "user", "content": "hello"}


class Step(BaseModel):
    """What the model is asked to answer with."""

    explanation: str
    output: int


class LookUp(BaseModel):
    town: str


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as engine:
        yield engine


@pytest.fixture
async def model(scripted: ScriptedEngine) -> str:
    return str((await scripted.post("/assistants", model="scripted"))["id"])


async def test_a_parsed_answer(scripted, model):
    scripted.provider.answers = [said('{"explanation": "sum",', '"output": 3}')]
    completion = await scripted.sdk.chat.completions.parse(model=model, messages=[HELLO], response_format=Step)
    assert completion.choices[0].message.parsed == Step(explanation="sum", output=3)
    asked = scripted.provider.requests[0].response_format
    assert asked["json_schema"]["name"] == "Step"
    assert asked["json_schema"]["schema"]["additionalProperties"] is False


async def test_a_parsed_answer_that_was_cut_is_the_sdks_error(scripted, model):
    scripted.provider.answers = [[Text('{"explanation'), Finished("length", Usage(7, 3))]]
    with pytest.raises(openai.LengthFinishReasonError):
        await scripted.sdk.chat.completions.parse(model=model, messages=[HELLO], response_format=Step)


async def test_a_parsed_stream(scripted, model):
    scripted.provider.answers = [said('{"explanation": "sum",', '"output": 3}')]
    options: Any = {"include_usage": True}
    async with scripted.sdk.chat.completions.stream(
        model=model, messages=[HELLO], response_format=Step, stream_options=options
    ) as stream:
        kinds = [event.type async for event in stream]
        completion = await stream.get_final_completion()
    assert kinds == ["chunk", "content.delta", "chunk", "content.delta", "chunk", "content.done", "chunk"]
    assert completion.choices[0].message.parsed == Step(explanation="sum", output=3)
    assert completion.usage is not None
    assert completion.usage.total_tokens == 10


async def test_a_stream_of_parsed_calls(scripted, model):
    tools: Any = [openai.pydantic_function_tool(LookUp)]
    scripted.provider.answers = [called(("call_1", "LookUp", ['{"town":', '"Oslo"}']))]
    async with scripted.sdk.chat.completions.stream(model=model, messages=[HELLO], tools=tools) as stream:
        done = [event async for event in stream if event.type == "tool_calls.function.arguments.done"]
        completion = await stream.get_final_completion()
    assert [event.parsed_arguments for event in done] == [LookUp(town="Oslo")]
    [choice] = completion.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls
    assert choice.message.tool_calls[0].function.parsed_arguments == LookUp(town="Oslo")


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_loop_of_tools(scripted, model, streamed):
    """As agents do it: what came is sent back as it came, with the outputs, until no call is left."""
    tools: Any = [openai.pydantic_function_tool(LookUp)]
    scripted.provider.answers = [
        called(("call_1", "LookUp", ['{"town":"Oslo"}']), ("call_2", "LookUp", ['{"town":"Bergen"}'])),
        called(("call_3", "LookUp", ['{"town":"Oslo"}'])),
        said("Rain, ", "all over."),
    ]
    messages = [{"role": "system", "content": "Be brief."}, HELLO]
    while True:
        message = await next_message(scripted.sdk, streamed, model=model, messages=messages, tools=tools)
        messages.append(message)
        if not message.get("tool_calls"):
            break
        for call in message["tool_calls"]:
            town = json.loads(call["function"]["arguments"])["town"]
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": f"rain in {town}"})
    assert message["content"] == "Rain, all over."
    assert [turn.output for turn in scripted.provider.requests[-1].turns if hasattr(turn, "output")] == [
        "rain in Oslo",
        "rain in Bergen",
        "rain in Oslo",
    ]
    assert scripted.provider.requests[-1].instructions == "Be brief."
    assert (await scripted.get("/threads"))["data"] == []


async def next_message(sdk: openai.AsyncOpenAI, streamed: bool, **request: Any) -> dict[str, Any]:
    if not streamed:
        completion = await sdk.chat.completions.create(**request)
        return dict(completion.choices[0].message.to_dict())
    async with sdk.chat.completions.stream(**request) as stream:
        return dict((await stream.get_final_completion()).choices[0].message.model_dump(exclude_none=True))


async def test_failures_are_the_sdks_own_errors(scripted, model):
    scripted.provider.answers = [[ProviderError("slow down", code="rate_limit_exceeded")]]
    with pytest.raises(openai.RateLimitError, match="slow down"):
        await scripted.sdk.chat.completions.create(model=model, messages=[HELLO])
    with pytest.raises(openai.NotFoundError):
        await scripted.sdk.chat.completions.create(model="asst_none", messages=[HELLO])
    with pytest.raises(openai.BadRequestError):
        await scripted.sdk.chat.completions.create(model=model, messages=[])
    scripted.provider.answers = [[Text("Hel"), ProviderError("no luck")]]
    stream = await scripted.sdk.chat.completions.create(model=model, messages=[HELLO], stream=True)
    with pytest.raises(openai.APIError, match="no luck"):
        async for _ in stream:
            pass
