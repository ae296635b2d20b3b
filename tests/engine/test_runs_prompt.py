"""What a thread becomes for a model."""

from __future__ import annotations

from typing import Any

import pytest

from playground_tui.engine.objects import run_object, text_part
from playground_tui.engine.providers.base import AssistantTurn, FunctionCall, ImagePart, ToolOutput, Turn, UserTurn
from playground_tui.engine.runs.prompt import fitted, history_limit, model_request, thread_turns
from playground_tui.engine.store.history import Said

FUNCTION = {"type": "function", "function": {"name": "look"}}


def message(message_id: str, role: str, *parts: str | dict[str, Any], at: int = 1) -> Said:
    if len(parts) == 1 and isinstance(parts[0], str):
        return Said(message_id, at, role, parts[0])
    return Said(message_id, at, role, None, [text_part(part) if isinstance(part, str) else part for part in parts])


def call_step(after: str, *outputs: str | None, at: int = 1) -> dict[str, Any]:
    calls = [
        {"id": f"call_{index}", "type": "function", "function": {"name": "look", "arguments": "{}", "output": output}}
        for index, output in enumerate(outputs)
    ]
    return {"_after": after, "created_at": at, "step_details": {"type": "tool_calls", "tool_calls": calls}}


def a_run(**given: Any) -> dict[str, Any]:
    return run_object(thread_id="t", assistant_id="a", created_at=1, expires_at=601, model="m", **given)


def test_history_is_real_turns_and_no_message_comes_twice() -> None:
    history = [message("1", "user", "hello", "there"), message("2", "assistant", "hi"), message("3", "user", "and?")]
    assert thread_turns(history, []) == [UserTurn(("hello", "there")), AssistantTurn("hi"), UserTurn(("and?",))]


def test_images_stand_among_the_texts() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}}
    file = {"type": "image_file", "image_file": {"file_id": "file-1"}}
    assert thread_turns([message("1", "user", "see", image, file)], []) == [
        UserTurn(("see", ImagePart("https://x/y.png", "low"), "[image_file: cannot be shown]"))
    ]


def test_an_answer_without_text_is_no_turn() -> None:
    history = [message("1", "user", "hello"), message("2", "assistant"), message("3", "assistant", "")]
    assert thread_turns(history, []) == [UserTurn(("hello",))]


def test_calls_of_earlier_runs_stand_where_they_were_made_each_with_its_output() -> None:
    history = [message("1", "user", "look"), message("2", "assistant", "seen"), message("3", "user", "again")]
    assert thread_turns(history, [call_step("1", "red", "blue")]) == [
        UserTurn(("look",)),
        AssistantTurn("", (FunctionCall("call_0", "look", "{}"), FunctionCall("call_1", "look", "{}"))),
        ToolOutput("call_0", "red"),
        ToolOutput("call_1", "blue"),
        AssistantTurn("seen"),
        UserTurn(("again",)),
    ]


def test_rounds_of_calls_follow_each_other() -> None:
    turns = thread_turns([message("1", "user", "look")], [call_step("1", "red"), call_step("1", "blue")])
    assert [type(turn) for turn in turns] == [UserTurn, AssistantTurn, ToolOutput, AssistantTurn, ToolOutput]


def test_text_and_calls_said_in_one_breath_are_one_turn() -> None:
    history = [message("1", "user", "look"), message("2", "assistant", "I look")]
    assert thread_turns(history, [call_step("2", "red")])[1:] == [
        AssistantTurn("I look", (FunctionCall("call_0", "look", "{}"),)),
        ToolOutput("call_0", "red"),
    ]


def test_calls_without_outputs_are_left_out() -> None:
    assert thread_turns([message("1", "user", "look")], [call_step("1", "red", None), call_step("1")]) == [
        UserTurn(("look",))
    ]


def test_calls_in_a_thread_that_had_no_message_come_first() -> None:
    assert [type(turn) for turn in thread_turns([], [call_step("", "red")])] == [AssistantTurn, ToolOutput]


def test_calls_whose_message_is_gone_are_placed_by_time_or_were_cut_off_with_it() -> None:
    history = [message("2", "user", "later", at=10), message("3", "user", "last", at=20)]
    turns = thread_turns(history, [call_step("1", "cut", at=5), call_step("gone", "kept", at=12)])
    assert [type(turn) for turn in turns] == [UserTurn, AssistantTurn, ToolOutput, UserTurn]
    assert ToolOutput("call_0", "kept") in turns


def test_the_truncation_strategy_says_how_many_messages_are_read() -> None:
    assert history_limit(a_run()) is None
    assert history_limit(a_run(truncation_strategy={"type": "last_messages", "last_messages": 3})) == 3
    assert history_limit({"truncation_strategy": None}) is None


def test_a_limit_of_prompt_tokens_keeps_the_newest_turns_and_never_splits_a_call_from_its_output() -> None:
    old = UserTurn(("x" * 400,))
    call = AssistantTurn("", (FunctionCall("c", "look", "y" * 400),))
    turns: list[Turn] = [old, call, ToolOutput("c", "red"), AssistantTurn("fine"), UserTurn(("now?", ImagePart("u")))]
    assert fitted(turns, None) == turns
    assert fitted(turns, 5000) == turns
    assert fitted(turns, 900) == turns[3:]
    assert fitted(turns, 300) == turns[4:]


def test_null_instructions_and_missing_settings_forward_nothing() -> None:
    request = model_request({**a_run(), "instructions": None}, "own", [], first=True)
    assert (request.model, request.instructions, request.tools, request.tool_choice) == ("own", "", [], None)
    assert (request.temperature, request.top_p, request.response_format) == (None, None, None)
    assert (request.parallel_tool_calls, request.reasoning_effort, request.max_completion_tokens) == (None, None, None)


def test_what_was_given_is_forwarded() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}
    run = a_run(
        tools=[FUNCTION, {"type": "file_search"}],
        temperature=0.2,
        top_p=0.5,
        response_format=schema,
        reasoning_effort="low",
        parallel_tool_calls=False,
        max_completion_tokens=300,
        tool_choice="required",
    )
    request = model_request(run, "own", [], first=True)
    assert (list(request.tools), request.tool_choice, request.parallel_tool_calls) == ([FUNCTION], "required", False)
    assert (request.temperature, request.top_p, request.response_format) == (0.2, 0.5, schema)
    assert (request.reasoning_effort, request.max_completion_tokens) == ("low", 300)


@pytest.mark.parametrize(
    ("choice", "first", "forwarded"),
    [
        ("auto", True, None),
        ("none", False, "none"),
        ("required", False, None),
        ({"type": "function", "function": {"name": "look"}}, True, {"type": "function", "function": {"name": "look"}}),
        ({"type": "function", "function": {"name": "look"}}, False, None),
        ({"type": "file_search"}, True, None),
    ],
)
def test_a_choice_that_forces_a_call_holds_for_the_first_round(choice: Any, first: bool, forwarded: Any) -> None:
    assert model_request(a_run(tools=[FUNCTION], tool_choice=choice), "own", [], first=first).tool_choice == forwarded


def test_a_choice_among_no_tools_is_not_forwarded() -> None:
    assert model_request(a_run(tool_choice="required"), "own", [], first=True).tool_choice is None


def test_an_empty_thread_is_an_empty_message() -> None:
    run = {"tools": [], "instructions": ""}
    assert model_request(run, "m", [], first=True).turns == [UserTurn(("",))]
