"""Chat Completions: what is sent, and what is made of the streams that different servers answer with."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from playground_tui.engine.providers.base import (
    AssistantTurn,
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
from playground_tui.engine.providers.chat import ChatProvider
from tests.support.asking import LONG_THREAD, WEATHER, events_of, request, text_of
from tests.support.provider_server import Call, ProviderServer, answer, cut, error, raw, stream
from tests.support.provider_wire import data
from tests.support.wait import until


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as server:
        yield server


@pytest.fixture
async def chat(server: ProviderServer) -> AsyncIterator[ChatProvider]:
    provider = ChatProvider(ProviderSettings("local", "chat", server.base_url, "secret-key"))
    yield provider
    await provider.close()


def chunks(*deltas: dict, finish: str | None = "stop", **more: object) -> list[bytes]:
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    end = [{"index": 0, "delta": {}, "finish_reason": finish}] if finish else []
    return [data({"choices": [choice], **more}) for choice in [*choices, *end]]


async def test_text_comes_in_fragments_and_ends_with_usage(chat, server):
    server.script(answer("Hel", "lo", usage=(11, 2)))
    assert await events_of(chat) == [Text("Hel"), Text("lo"), Finished("stop", Usage(11, 2))]


async def test_a_plain_request_says_nothing_that_was_not_given(chat, server):
    await events_of(chat)
    received = server.requests[0]
    assert received.path == "/v1/chat/completions"
    assert received.headers["authorization"] == "Bearer secret-key"
    assert received.headers["x-playground-tui-hops"] == "1"
    assert received.json == {
        "model": "scripted",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_everything_given_is_forwarded(chat, server):
    schema = {"type": "json_schema", "json_schema": {"name": "town", "schema": {"type": "object"}, "strict": True}}
    await events_of(
        chat,
        instructions="Be brief.",
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
        parallel_tool_calls=False,
        temperature=0.0,
        top_p=0.5,
        reasoning_effort="low",
        response_format=schema,
        max_completion_tokens=300,
    )
    body = server.requests[0].json
    assert body.pop("messages")[0] == {"role": "system", "content": "Be brief."}
    assert body == {
        "model": "scripted",
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": [WEATHER],
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
        "parallel_tool_calls": False,
        "temperature": 0.0,
        "top_p": 0.5,
        "reasoning_effort": "low",
        "response_format": schema,
        "max_completion_tokens": 300,
    }


async def test_the_thread_is_sent_as_real_turns(chat, server):
    await events_of(chat, turns=(*LONG_THREAD, AssistantTurn()))
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"town": "Oslo"}'}}
    image = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png", "detail": "low"}}
    assert server.requests[0].json["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Look"}, image]},
        {"role": "assistant", "content": "A cat."},
        {"role": "user", "content": "And the weather?\n\nIn Oslo."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    ]


async def test_a_choice_of_tools_needs_tools_and_tools_of_ours_stay_here(chat, server):
    await events_of(chat, tool_choice="required", parallel_tool_calls=True)
    await events_of(chat, tools=[WEATHER], tool_choice="required")
    await events_of(chat, tools=[WEATHER], tool_choice={"type": "file_search"}, response_format="auto")
    alone, required, ours = (request.json for request in server.requests)
    assert "tool_choice" not in alone
    assert "parallel_tool_calls" not in alone
    assert required["tool_choice"] == "required"
    assert "tool_choice" not in ours
    assert "response_format" not in ours


async def test_function_calls_come_with_their_arguments(chat, server):
    server.script(answer("Let me see.", calls=[Call("get_weather", '{"town": 1}', "a"), Call("f", "{}", "b")]))
    assert await events_of(chat) == [
        Text("Let me see."),
        CallBegun(0, "a", "get_weather"),
        CallArguments(0, '{"tow'),
        CallArguments(0, 'n": 1}'),
        CallBegun(1, "b", "f"),
        CallArguments(1, "{"),
        CallArguments(1, "}"),
        Finished("tool_calls", Usage(7, 3)),
    ]


def call(name: str = "f", arguments: object = "{}", **more: object) -> dict:
    return {"function": {"name": name, "arguments": arguments}, **more}


@pytest.mark.parametrize(
    ("deltas", "begun"),
    [
        pytest.param([[call("f", id="a", index=0), call("g", id="b", index=1)]], ["a f", "b g"], id="whole"),
        pytest.param([[call("f", id="a"), call("g", id="b")]], ["a f", "b g"], id="no index"),
        pytest.param([[call("f", id="a", index=0)], [call("g", id="b", index=0)]], ["a f", "b g"], id="one index"),
        pytest.param([[call("f")], [call("g")]], ["call_ f", "call_ g"], id="neither index nor id"),
        pytest.param([[call("f", id="a", arguments={"x": 1}, index=0)]], ["a f"], id="object"),
    ],
)
async def test_calls_of_unusual_servers_are_told_apart(chat, server, deltas, begun):
    server.script(stream(*chunks(*({"tool_calls": calls} for calls in deltas)), data("[DONE]")))
    events = await events_of(chat)
    found = [event for event in events if isinstance(event, CallBegun)]
    assert [(event.index, event.name) for event in found] == [(i, b.split()[1]) for i, b in enumerate(begun)]
    assert all(event.call_id.startswith(b.split()[0]) for event, b in zip(found, begun, strict=True))
    assert len({event.call_id for event in found}) == len(found)
    for place in range(len(begun)):
        json.loads("".join(e.text for e in events if isinstance(e, CallArguments) and e.index == place))
    assert events[-1] == Finished("tool_calls")


async def test_arguments_that_come_before_the_name_wait_for_it(chat, server):
    deltas = [[{"index": 0, "function": {"arguments": '{"a"'}}], [call("f", ": 1}", index=0)]]
    server.script(stream(*chunks(*({"tool_calls": calls} for calls in deltas))))
    events = await events_of(chat)
    assert events[0].name == "f"
    assert events[1] == CallArguments(0, '{"a": 1}')


async def test_a_call_whose_name_comes_late_has_a_place_of_its_own(chat, server):
    late, whole = {"index": 0, "function": {"arguments": '{"a"'}}, call("g", id="b", index=1)
    server.script(stream(*chunks(*({"tool_calls": [one]} for one in (late, whole, call("f", ": 1}", index=0))))))
    events = await events_of(chat)
    assert [(event.index, event.name) for event in events if isinstance(event, CallBegun)] == [(0, "g"), (1, "f")]
    assert [event for event in events if isinstance(event, CallArguments)] == [
        CallArguments(0, "{}"),
        CallArguments(1, '{"a": 1}'),
    ]


@pytest.mark.parametrize(
    ("finish", "reason"),
    [("length", "length"), ("content_filter", "content_filter"), ("stop", "stop"), ("eos", "stop")],
)
async def test_the_reason_of_the_end_is_told(chat, server, finish, reason):
    server.script(answer("x", finish=finish))
    assert (await events_of(chat))[-1] == Finished(reason, Usage(7, 3))


async def test_reasoning_is_left_out_text_parts_are_text_and_refusals_told_as_such(chat, server):
    deltas = [{"reasoning_content": "hm"}, {"content": [{"type": "text", "text": "a"}]}, {"refusal": "no"}]
    server.script(stream(*chunks(*deltas)))
    assert await events_of(chat) == [Text("a"), Refusal("no"), Finished("stop")]


async def test_a_server_that_does_not_stream_is_understood(chat, server):
    whole = {"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 4}}
    server.script(raw(200, json.dumps(whole).encode(), "application/json"))
    assert await events_of(chat) == [Text("Hello"), Finished("stop", Usage(4, 0))]


async def test_a_stream_that_breaks_off_is_an_error_after_its_text(chat, server):
    server.script(cut("Hel"), stream(*chunks({"content": "Hel"}, finish=None)))
    for words in ("broke the connection", "ended the stream"):
        events = []
        with pytest.raises(ProviderError, match=f"local.*{words}"):
            async for event in chat.stream(request()):
                events.append(event)
        assert events == [Text("Hel")]


async def test_done_is_an_end_too(chat, server):
    server.script(stream(*chunks({"content": "Hi"}, finish=None), data("[DONE]").replace(b'"', b"")))
    assert await events_of(chat) == [Text("Hi"), Finished("stop")]


async def test_a_connection_that_breaks_after_the_end_was_said_is_no_error(chat, server):
    server.script(stream(*chunks({"content": "Hi"}), b"data: {\n\n"))
    assert await events_of(chat) == [Text("Hi"), Finished("stop")]


@pytest.mark.parametrize(
    ("code", "expected"),
    [(500, "server_error"), (429, "rate_limit_exceeded"), (413, "invalid_prompt"), (None, "server_error")],
)
async def test_an_error_in_the_stream_is_told(chat, server, code, expected):
    server.script(stream(data({"error": {"message": "out of memory with secret-key", "code": code}})))
    with pytest.raises(ProviderError, match=r"local reported an error: out of memory with \[key\]") as caught:
        await events_of(chat)
    assert caught.value.code == expected


@pytest.mark.parametrize("chunk", [{"choices": "x"}, {"choices": [3]}, {"choices": [{"delta": {"tool_calls": [1]}}]}])
async def test_chunks_of_a_wrong_shape_say_nothing(chat, server, chunk):
    server.script(stream(data(chunk), *chunks({"content": "Hi"})))
    assert await text_of(chat) == "Hi"


UNSUPPORTED = "Unsupported value: 'temperature' does not support 0.5 with this model."


async def test_a_parameter_the_model_refuses_is_left_out_said_and_remembered(chat, server):
    server.script(error(400, UNSUPPORTED, param="temperature", code="unsupported_value"))
    for _ in range(2):
        assert await events_of(chat, temperature=0.5) == [
            Dropped("temperature"),
            Text("Hello"),
            Finished("stop", Usage(7, 3)),
        ]
    assert ["temperature" in request.json for request in server.requests] == [True, False, False]
    assert await events_of(chat) == [Text("Hello"), Finished("stop", Usage(7, 3))]
    await events_of(chat, model="other", temperature=0.5)
    assert "temperature" in server.requests[-1].json


@pytest.mark.parametrize(
    ("message", "dropped"),
    [
        ("Unrecognized request argument supplied: reasoning_effort", "reasoning_effort"),
        ('"tiny" does not support thinking', "reasoning_effort"),
        ("`temperature` and `top_p` cannot both be specified for this model.", "temperature"),
        ("Extra inputs are not permitted: top_p", "top_p"),
    ],
)
async def test_the_parameter_is_known_by_what_servers_say(chat, server, message, dropped):
    server.script(error(400, message))
    events = await events_of(chat, temperature=0.5, top_p=0.5, reasoning_effort="low")
    assert [event for event in events if isinstance(event, Dropped)] == [Dropped(dropped)]


async def test_several_refused_parameters_go_one_after_the_other(chat, server):
    server.script(error(400, UNSUPPORTED, param="temperature"), error(400, "top_p is not supported", param="top_p"))
    events = await events_of(chat, temperature=0.5, top_p=0.5)
    assert events[:2] == [Dropped("temperature"), Dropped("top_p")]


async def test_a_value_out_of_range_is_an_error_not_a_reason_to_leave_it_out(chat, server):
    server.script(error(400, "temperature must be between 0 and 1", param="temperature"))
    with pytest.raises(ProviderError, match="temperature must be between 0 and 1"):
        await events_of(chat, temperature=1.5)
    assert len(server.requests) == 1


async def test_a_server_without_stream_options_is_asked_without_them(chat, server):
    server.script(error(422, "stream_options: extra fields not permitted"))
    assert await text_of(chat) == "Hello"
    assert await text_of(chat) == "Hello"
    assert ["stream_options" in request.json for request in server.requests] == [True, False, False]


async def test_max_tokens_is_the_older_word(chat, server):
    server.script(error(400, "Unknown field: max_completion_tokens"))
    assert await text_of(chat, max_completion_tokens=256) == "Hello"
    assert server.requests[1].json["max_tokens"] == 256
    assert "max_completion_tokens" not in server.requests[1].json


async def test_closing_the_answer_closes_the_request(chat, server):
    server.script(answer(*["x"] * 1000, pace=0.01))
    async with aclosing(chat.stream(request())) as events:
        assert await anext(events) == Text("x")
    await until(lambda: server.aborted == 1)


async def test_models_are_listed_newest_first(chat, server):
    listed = {"data": [{"id": "old", "created": 1}, {"id": "new", "created": 2}, {"id": "undated"}, 7]}
    server.routes["/v1/models"] = raw(200, json.dumps(listed).encode(), "application/json")
    assert await chat.models() == ["new", "old", "undated"]
    server.routes["/v1/models"] = raw(200, b"{}", "application/json")
    with pytest.raises(ProviderError, match="not its API"):
        await chat.models()


async def test_the_query_of_a_base_url_stays(server):
    settings = ProviderSettings("azure", "chat", server.base_url + "/?api-version=preview")
    provider = ChatProvider(settings)
    assert await text_of(provider) == "Hello"
    assert server.requests[0].path == "/v1/chat/completions"
    assert server.requests[0].query == "api-version=preview"
    await provider.close()


@pytest.mark.parametrize("number", [b"NaN", b"1e999", b"-Infinity", b"1" + b"0" * 400])
async def test_numbers_that_are_none_count_as_nothing(chat, server, number):
    server.routes["/v1/models"] = raw(200, b'{"data": [{"id": "m", "created": %s}]}' % number, "application/json")
    assert await chat.models() == ["m"]
    usage = b'{"prompt_tokens": %s, "completion_tokens": 3}' % number
    server.script(stream(b'data: {"choices": [], "usage": %s}\n\n' % usage))
    assert (await events_of(chat))[-1] == Finished("stop", Usage(0, 3))
