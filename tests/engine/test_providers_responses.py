"""The Responses API: what is sent, what is made of its events, and the way back to Chat Completions."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from playground_tui.engine.providers.base import (
    CallArguments,
    CallBegun,
    Dropped,
    Finished,
    ProviderError,
    ProviderSettings,
    Refusal,
    Text,
    Usage,
)
from playground_tui.engine.providers.responses import ResponsesProvider
from tests.support.asking import LONG_THREAD, WEATHER, events_of, request, text_of
from tests.support.provider_server import Call, ProviderServer, answer, cut, error, raw, stream
from tests.support.provider_wire import event
from tests.support.wait import until


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as server:
        yield server


@pytest.fixture
async def provider(server: ProviderServer) -> AsyncIterator[ResponsesProvider]:
    provider = ResponsesProvider(ProviderSettings("openai", "responses", server.base_url, "secret-key", "environment"))
    yield provider
    await provider.close()


def completed(**response: object) -> bytes:
    return event({"type": "response.completed", "response": {"status": "completed", **response}})


async def test_text_comes_in_fragments_and_ends_with_usage(provider, server):
    server.script(answer("Hel", "lo", usage=(11, 2)))
    assert await events_of(provider) == [Text("Hel"), Text("lo"), Finished("stop", Usage(11, 2))]


async def test_a_plain_request_says_nothing_that_was_not_given(provider, server):
    await events_of(provider)
    assert server.requests[0].path == "/v1/responses"
    assert server.requests[0].json == {
        "model": "scripted",
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}],
        "stream": True,
        "store": False,
    }


async def test_everything_given_is_forwarded_in_this_api_s_words(provider, server):
    await events_of(
        provider,
        instructions="Be brief.",
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
        parallel_tool_calls=True,
        temperature=0.0,
        top_p=0.5,
        reasoning_effort="low",
        response_format={"type": "json_schema", "json_schema": {"name": "town", "schema": {}, "strict": True}},
        max_completion_tokens=300,
    )
    body = server.requests[0].json
    body.pop("input")
    assert body == {
        "model": "scripted",
        "stream": True,
        "store": False,
        "instructions": "Be brief.",
        "tools": [{"type": "function", "strict": False, **WEATHER["function"]}],
        "tool_choice": {"type": "function", "name": "get_weather"},
        "parallel_tool_calls": True,
        "temperature": 0.0,
        "top_p": 0.5,
        "reasoning": {"effort": "low"},
        "text": {"format": {"type": "json_schema", "name": "town", "schema": {}, "strict": True}},
        "max_output_tokens": 300,
    }


async def test_a_choice_of_tools_needs_tools_and_tools_of_ours_stay_here(provider, server):
    await events_of(provider, tool_choice="required", response_format={"type": "json_object"})
    await events_of(
        provider, tools=[{"type": "function", "function": {"name": "f", "strict": True}}], tool_choice="auto"
    )
    await events_of(provider, tools=[WEATHER], tool_choice={"type": "file_search"})
    alone, strict, ours = (request.json for request in server.requests)
    assert "tool_choice" not in alone
    assert alone["text"] == {"format": {"type": "json_object"}}
    empty = {"type": "object", "properties": {}}
    assert strict["tools"] == [{"type": "function", "name": "f", "strict": True, "parameters": empty}]
    assert strict["tool_choice"] == "auto"
    assert "tool_choice" not in ours


async def test_the_thread_is_sent_as_real_turns(provider, server):
    await events_of(provider, turns=LONG_THREAD)
    image = {"type": "input_image", "image_url": "https://example.com/cat.png", "detail": "low"}
    said = {"type": "output_text", "text": "A cat.", "annotations": []}
    parts = [{"type": "input_text", "text": text} for text in ("And the weather?", "In Oslo.")]
    arguments = '{"town": "Oslo"}'
    assert server.requests[0].json["input"] == [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Look"}, image]},
        {"type": "message", "role": "assistant", "content": [said]},
        {"type": "message", "role": "user", "content": parts},
        {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": arguments},
        {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
    ]


async def test_function_calls_come_with_their_arguments(provider, server):
    server.script(answer("Let me see.", calls=[Call("get_weather", '{"town": 1}', "a"), Call("f", "{}", "b")]))
    assert await events_of(provider) == [
        Text("Let me see."),
        CallBegun(0, "a", "get_weather"),
        CallArguments(0, '{"tow'),
        CallArguments(0, 'n": 1}'),
        CallBegun(1, "b", "f"),
        CallArguments(1, "{"),
        CallArguments(1, "}"),
        Finished("tool_calls", Usage(7, 3)),
    ]


async def test_a_call_that_is_sent_whole_is_understood(provider, server):
    item = {"type": "function_call", "id": "fc_1", "call_id": "a", "name": "f", "arguments": '{"x": 1}'}
    server.script(stream(event({"type": "response.output_item.done", "output_index": 0, "item": item}), completed()))
    expected = [CallBegun(0, "a", "f"), CallArguments(0, '{"x": 1}'), Finished("tool_calls")]
    assert await events_of(provider) == expected
    server.script(stream(completed(output=[{"type": "reasoning"}, item])))
    assert await events_of(provider) == expected


async def test_text_that_was_not_streamed_is_taken_from_the_whole(provider, server):
    output = [{"type": "message", "content": [{"type": "output_text", "text": "Hello"}]}]
    whole = {"object": "response", "status": "completed", "output": output, "usage": {"input_tokens": 1}}
    server.script(raw(200, json.dumps(whole).encode(), "application/json"))
    assert await events_of(provider) == [Text("Hello"), Finished("stop", Usage(1, 0))]


async def test_refusals_are_told_as_such_and_unknown_events_are_passed_over(provider, server):
    delta = {"type": "response.refusal.delta", "delta": "I will not."}
    odd = [{"type": "response.reasoning.delta", "delta": "hm"}, {"type": "response.output_item.added", "item": 3}]
    server.script(stream(event(delta), *map(event, odd), completed()))
    assert await events_of(provider) == [Refusal("I will not."), Finished("stop")]


async def test_a_refusal_that_was_not_streamed_is_taken_from_the_whole(provider, server):
    output = [{"type": "message", "content": [{"type": "refusal", "refusal": "I will not."}]}]
    whole = {"object": "response", "status": "completed", "output": output}
    server.script(raw(200, json.dumps(whole).encode(), "application/json"))
    assert await events_of(provider) == [Refusal("I will not."), Finished("stop")]


@pytest.mark.parametrize(("finish", "reason"), [("length", "length"), ("content_filter", "content_filter")])
async def test_an_incomplete_answer_says_why(provider, server, finish, reason):
    server.script(answer("x", finish=finish))
    assert (await events_of(provider))[-1] == Finished(reason, Usage(7, 3))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("rate_limit_exceeded", "rate_limit_exceeded"),
        ("invalid_prompt", "invalid_prompt"),
        ("server_error", "server_error"),
        ("vector_store_timeout", "server_error"),
    ],
)
async def test_a_failed_response_is_an_error_with_the_contract_s_code(provider, server, code, expected):
    response = {"status": "failed", "error": {"code": code, "message": "It failed."}}
    server.script(stream(event({"type": "response.failed", "response": response})))
    with pytest.raises(ProviderError, match=r"openai reported an error: It failed\.") as caught:
        await events_of(provider)
    assert caught.value.code == expected


async def test_an_error_event_is_an_error(provider, server):
    server.script(stream(event({"type": "error", "code": "rate_limit_exceeded", "message": "Too fast."})))
    with pytest.raises(ProviderError, match=r"Too fast") as caught:
        await events_of(provider)
    assert caught.value.code == "rate_limit_exceeded"


async def test_a_stream_without_its_end_is_an_error(provider, server):
    server.script(
        cut("Hel"), stream(event({"type": "response.output_text.delta", "delta": "Hel"}), b"data: [DONE]\n\n")
    )
    for words in ("broke the connection", "ended the stream"):
        with pytest.raises(ProviderError, match=words):
            await events_of(provider)


async def test_a_parameter_the_model_refuses_is_left_out_said_and_remembered(provider, server):
    said = "Unsupported parameter: 'reasoning.effort' is not supported with this model."
    server.script(error(400, said, param="reasoning.effort", code="unsupported_parameter"))
    for _ in range(2):
        assert (await events_of(provider, reasoning_effort="low"))[0] == Dropped("reasoning_effort")
    assert ["reasoning" in request.json for request in server.requests] == [True, False, False]


async def test_a_server_without_responses_is_asked_by_chat_from_then_on(provider, server):
    server.routes["/v1/responses"] = error(404, "404 page not found")
    assert await text_of(provider) == "Hello"
    assert await text_of(provider) == "Hello"
    paths = [request.path for request in server.requests]
    assert paths == ["/v1/responses", "/v1/chat/completions", "/v1/chat/completions"]


async def test_a_parameter_refused_by_chat_in_its_place_is_said_each_time(provider, server):
    server.routes["/v1/responses"] = error(404, "404 page not found")
    server.script(error(400, "temperature is not supported", param="temperature"))
    for _ in range(2):
        assert (await events_of(provider, temperature=0.5))[0] == Dropped("temperature")


async def test_an_unknown_model_is_no_reason_to_leave_responses(provider, server):
    server.script(error(404, "The model `x` does not exist", code="model_not_found"))
    with pytest.raises(ProviderError, match="The model `x` does not exist"):
        await events_of(provider, model="x")
    assert await text_of(provider) == "Hello"
    assert {request.path for request in server.requests} == {"/v1/responses"}


async def test_a_404_from_both_is_not_remembered(provider, server):
    server.script(error(404, "no model x"), error(404, "no model x"))
    with pytest.raises(ProviderError, match="no model x"):
        await events_of(provider, model="x")
    await events_of(provider)
    assert server.requests[-1].path == "/v1/responses"


async def test_closing_the_answer_closes_the_request(provider, server):
    server.script(answer(*["x"] * 1000, pace=0.01))
    async with aclosing(provider.stream(request())) as events:
        assert await anext(events) == Text("x")
    await until(lambda: server.aborted == 1)
