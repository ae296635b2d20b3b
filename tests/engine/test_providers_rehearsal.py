"""The rehearsal: it says what it is, answers the same every time, and calls tools as their schemas ask."""

from __future__ import annotations

import asyncio
import json

import pytest
from markdown_it import MarkdownIt

from playground_tui.engine.providers.base import (
    AssistantTurn,
    CallArguments,
    CallBegun,
    Finished,
    FunctionCall,
    ImagePart,
    ProviderError,
    ToolOutput,
    Usage,
    UserTurn,
)
from playground_tui.engine.providers.rehearsal import RehearsalProvider, tokens
from playground_tui.engine.providers.rehearsal_text import MARKDOWN
from tests.support.asking import LONG_THREAD, WEATHER, events_of, text_of

FAST = RehearsalProvider(pace=0, echo_pace=0)
NOTHING = {"type": "function", "function": {"name": "refresh"}}


async def echo(**fields: object) -> str:
    return await text_of(FAST, model="echo", **fields)


@pytest.mark.parametrize("model", ["echo", "markdown", "tools"])
async def test_the_first_line_says_that_no_model_answers(model):
    text = await text_of(FAST, model=model)
    assert text.splitlines()[0].startswith(f"*rehearsal/{model}: no language model is connected.")
    assert text == await text_of(FAST, model=model)
    assert model in await FAST.models()


async def test_echo_answers_with_the_request_a_model_would_have_got():
    text = await echo(
        instructions="Be brief.",
        turns=LONG_THREAD,
        tools=[WEATHER],
        temperature=0.2,
        response_format={"type": "json_object"},
        reasoning_effort="low",
    )
    for part in (
        "## Instructions\n\n```text\nBe brief.\n```",
        '| temperature | `0.2` |\n| reasoning_effort | `low` |\n| response_format | `{"type": "json_object"}` |',
        '**get_weather**: The weather in a town.\n\n```json\n{\n  "type": "object"',
        "**user**\n\n> Look\n\n> [image: https://example.com/cat.png]",
        "**assistant**\n\n> A cat.",
        'calls **get_weather** (`call_1`)\n\n```json\n{"town": "Oslo"}\n```',
        "**output of** `call_1`\n\n```text\nrain\n```",
    ):
        assert part in text
    assert "top_p" not in text


async def test_echo_says_what_was_not_given():
    text = await echo()
    assert "## Instructions\n\n(none)" in text
    assert "## Settings\n\n(the provider's defaults)" in text
    assert "## Tools\n\n(none)" in text


async def test_what_is_echoed_cannot_break_out_of_its_block():
    text = await echo(instructions="a\n````\n# not a heading", turns=[UserTurn(("# nor\nthis",))])
    headings = [t for t in MarkdownIt().parse(text) if t.type == "heading_open" and t.level == 0]
    assert [heading.tag for heading in headings] == ["h2"] * 4


async def test_a_whole_image_in_a_url_is_not_echoed():
    text = await echo(turns=[UserTurn((ImagePart("data:image/png;base64," + "A" * 5000),))])
    assert "(5022 characters)" in text
    assert len(text) < 1000


async def test_an_earlier_echo_is_not_echoed_in_full():
    first = await echo(turns=[UserTurn(("one",))], instructions="secret of the first turn")
    again = await echo(turns=[UserTurn(("one",)), AssistantTurn(first), UserTurn(("two",))])
    assert "> one" in again and "> two" in again and "secret of the first turn" not in again
    rest = len(first.partition("\n")[2])
    assert f"> (and {rest:,} more characters)" in again
    assert "> *rehearsal/echo: no language model is connected." in again
    assert "> my *own* words" in await echo(turns=[AssistantTurn("my *own* words\nand more")])


async def test_a_long_thread_is_echoed_in_few_fragments():
    events = await events_of(FAST, model="echo", instructions="x" * 200_000)
    assert len(events) < 500
    short = await events_of(FAST, model="echo")
    assert all(len(event.text) <= 4 for event in short[:-1])


async def test_markdown_has_everything_an_answer_may_contain():
    tree = MarkdownIt("commonmark").enable("table").parse(MARKDOWN)
    kinds = {token.type for token in tree}
    assert {"heading_open", "bullet_list_open", "ordered_list_open", "fence", "table_open", "blockquote_open"} <= kinds
    assert {"python", "typescript", "sql", "bash", "json", "diff"} <= {t.info for t in tree if t.type == "fence"}
    assert max(token.level for token in tree if token.type == "bullet_list_open") >= 3
    assert 1_500 <= tokens(MARKDOWN) <= 2_000
    events = await events_of(FAST, model="markdown")
    assert "".join(event.text for event in events[:-1]) == MARKDOWN
    assert {len(event.text) for event in events[:-2]} == {4}


async def test_usage_is_four_characters_to_a_token():
    events = await events_of(FAST, model="markdown", instructions="12345678", turns=[UserTurn(("123",))])
    assert events[-1] == Finished("stop", Usage(3, tokens(MARKDOWN)))


async def test_the_answer_is_cut_where_its_tokens_end():
    events = await events_of(FAST, model="echo", max_completion_tokens=10, instructions="x" * 10_000)
    assert len("".join(event.text for event in events[:-1])) == 40
    assert events[-1].reason == "length"
    assert events[-1].usage.completion_tokens == 10


async def test_the_answer_comes_at_its_pace():
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await events_of(RehearsalProvider(pace=1000), model="markdown", max_completion_tokens=100)
    assert loop.time() - begun >= 0.09


def calls_of(events: list) -> dict[str, object]:
    begun = {event.index: event.name for event in events if isinstance(event, CallBegun)}
    return {
        name: json.loads("".join(e.text for e in events if isinstance(e, CallArguments) and e.index == index))
        for index, name in begun.items()
    }


async def test_tools_are_called_once_each_with_arguments_from_their_schemas():
    events = await events_of(FAST, model="tools", tools=[WEATHER, NOTHING])
    assert calls_of(events) == {"get_weather": {"town": "text"}, "refresh": {}}
    assert events[-1].reason == "tool_calls"
    assert len({event.call_id for event in events if isinstance(event, CallBegun)}) == 2


def called(name: str, call_id: str) -> tuple[AssistantTurn, ToolOutput]:
    return AssistantTurn("", (FunctionCall(call_id, name, "{}"),)), ToolOutput(call_id, f"output of\n{name}")


async def test_outputs_are_reported():
    turns = [UserTurn(("Hi",)), *called("get_weather", "a"), *called("refresh", "b")]
    text = await text_of(FAST, model="tools", tools=[WEATHER, NOTHING], turns=turns)
    assert "- `get_weather`\n\n      output of\n      get_weather\n" in text
    assert "- `refresh`" in text


async def test_a_new_message_calls_the_tools_again():
    turns = [UserTurn(("Hi",)), *called("refresh", "a"), AssistantTurn("Done."), UserTurn(("Again",))]
    assert calls_of(await events_of(FAST, model="tools", tools=[NOTHING], turns=turns)) == {"refresh": {}}


async def test_without_parallel_calls_the_tools_come_one_after_the_other():
    fields = {"model": "tools", "tools": [WEATHER, NOTHING], "parallel_tool_calls": False}
    first = [UserTurn(("Hi",))]
    assert list(calls_of(await events_of(FAST, turns=first, **fields))) == ["get_weather"]
    second = [*first, *called("get_weather", "a")]
    assert list(calls_of(await events_of(FAST, turns=second, **fields))) == ["refresh"]


async def test_the_choice_of_tools_is_kept():
    fields = {"model": "tools", "tools": [WEATHER, NOTHING]}
    assert "no function to call" in await text_of(FAST, tool_choice="none", **fields)
    choice = {"type": "function", "function": {"name": "refresh"}}
    assert list(calls_of(await events_of(FAST, tool_choice=choice, **fields))) == ["refresh"]


async def test_arguments_are_cut_where_the_tokens_end():
    events = await events_of(FAST, model="tools", tools=[WEATHER], max_completion_tokens=1)
    assert events[-1].reason == "length"
    assert [event.text for event in events if isinstance(event, CallArguments)] == ['{"to']


async def test_another_model_is_not_there():
    with pytest.raises(ProviderError, match='rehearsal has no model "gpt"'):
        await events_of(FAST, model="gpt")
    await FAST.close()


SEARCH = {"type": "object", "properties": {"queries": {"type": "array", "items": {"type": "string"}}}}
CODE = {"type": "object", "properties": {"code": {"type": "string"}}}


async def test_the_engines_own_tools_are_used_sensibly():
    tools = [
        {"type": "function", "function": {"name": "file_search", "parameters": SEARCH}},
        {"type": "function", "function": {"name": "code_interpreter_2", "parameters": CODE}},
        {"type": "function", "function": {"name": "file_search_of_mine", "parameters": CODE}},
    ]
    turns = [UserTurn(("old",)), AssistantTurn("yes"), UserTurn(("How long?", ImagePart("u"), "Say."))]
    calls = calls_of(await events_of(FAST, model="tools", tools=tools, turns=turns))
    assert calls["file_search"] == {"queries": ["How long? Say."]}
    assert calls["file_search_of_mine"] == {"code": "text"}
    printed: list[object] = []
    exec(calls["code_interpreter_2"]["code"], {"print": lambda *told: printed.extend(told)})
    assert printed == ["The squares of 1 to 10 add up to", 385]


async def test_a_long_output_is_reported_in_part():
    turns = [UserTurn(("Hi",)), AssistantTurn("", (FunctionCall("a", "refresh", "{}"),)), ToolOutput("a", "x\n" * 100)]
    text = await text_of(FAST, model="tools", tools=[NOTHING], turns=turns)
    assert (text.count("      x\n"), text.count("(and 60 more lines)")) == (40, 1)
