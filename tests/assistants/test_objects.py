"""What servers answer is read totally: no object breaks the program, and what is known is found."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground_tui.assistants.engine_objects import Change, EngineStatus, ProviderStatus
from playground_tui.assistants.objects import (
    Annotation,
    Assistant,
    Attachment,
    CodeOutput,
    Message,
    Run,
    SearchResult,
    Step,
    ThreadSummary,
    ToolCall,
    Usage,
)

KINDS = (
    *(Annotation, Assistant, Attachment, Change, CodeOutput, EngineStatus, Message, ProviderStatus, Run),
    *(SearchResult, Step, ThreadSummary, ToolCall, Usage),
)
KEYS = [
    *("id", "type", "text", "value", "content", "metadata", "tools", "function", "output", "usage", "last_error"),
    *("required_action", "submit_tool_outputs", "tool_calls", "incomplete_details", "step_details", "status"),
    *("created_at", "assistant_ids", "providers", "prompt_tokens", "total_tokens", "sequence", "category"),
    *("file_search", "results", "score", "code_interpreter", "outputs", "image", "annotations", "attachments"),
]
ODD = [None, True, 0, -1, 10**30, 1.5, float("inf"), float("nan"), "", "x", "\ud800", [], {}]
values = st.recursive(
    st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=st.dictionaries(st.sampled_from(KEYS), values, min_size=4, max_size=12))
def test_reading_is_total(raw: dict[str, Any]) -> None:
    for kind in KINDS:
        read = kind.from_json(raw)
        for name in ("name", "model", "category", "tool_types", "active"):
            getattr(read, name, None)


@pytest.mark.parametrize("number", [float("inf"), float("nan"), True, "5", None])
def test_what_is_no_time_is_none(number: Any) -> None:
    assert Run.from_json({"id": "run_1", "created_at": number, "started_at": number}).started_at is None


def test_an_assistant_keeps_what_the_server_sent() -> None:
    raw = {"id": "asst_1", "name": "A", "model": "m", "metadata": {"category": "ops"}, "tools": [{"type": "new"}]}
    assistant = Assistant.from_json(raw)
    assert assistant.raw == raw
    assert (assistant.name, assistant.model, assistant.category, assistant.tool_types) == ("A", "m", "ops", ("new",))


def test_a_run_that_waits_names_its_calls() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [call]}}
    run = Run.from_json({"id": "run_1", "status": "requires_action", "required_action": action})
    assert run.active
    assert run.waiting_for == (ToolCall("call_1", "function", "f", "{}"),)


def test_a_failed_run_says_why_and_what_it_used() -> None:
    run = Run.from_json(
        {
            "id": "run_1",
            "status": "failed",
            "created_at": 5.7,
            "last_error": {"code": "server_error", "message": "gone"},
            "usage": {"prompt_tokens": 3, "completion_tokens": 4},
        }
    )
    assert not run.active
    assert (run.created_at, run.error_code, run.error_message) == (5, "server_error", "gone")
    assert run.usage == Usage(3, 4, 7)


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}])
def test_tokens_that_nobody_told_are_not_zero(usage: object) -> None:
    assert Run.from_json({"id": "run_1", "status": "completed", "usage": usage}).usage is None


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ({"type": "text", "text": {"value": "a"}}, "a"),
        ({"type": "text", "text": "b"}, "b"),
        ({"type": "refusal", "refusal": "no"}, "no"),
        ({"type": "image_file", "image_file": {"file_id": "file-1"}}, "[image_file: file-1]"),
        ({"type": "image_url", "image_url": {"url": "https://x"}}, "[image_url: https://x]"),
        ({}, ""),
    ],
)
def test_every_part_of_a_message_shows(part: dict[str, Any], text: str) -> None:
    assert Message.from_json({"id": "msg_1", "content": [part]}).text == text


def test_a_thread_in_a_list() -> None:
    thread = ThreadSummary.from_json(
        {"id": "thread_1", "assistant_ids": ["asst_1", 3], "first_message": "hi", "message_count": 2, "created_at": 9}
    )
    assert thread == ThreadSummary("thread_1", "hi", 2, 9, ("asst_1",))


def test_the_engine_says_what_it_is() -> None:
    raw = {"sentence": "rehearsal", "default_model": "rehearsal/echo", "providers": [{"name": "r", "has_key": True}]}
    status = EngineStatus.from_json(raw)
    assert (status.sentence, status.default_model) == ("rehearsal", "rehearsal/echo")
    assert status.providers == (ProviderStatus("r", has_key=True),)


def test_a_change_is_read_whole() -> None:
    raw = {"sequence": 3, "kind": "run", "id": "run_1", "thread_id": "thread_1", "action": "modified"}
    assert Change.from_json(raw) == Change(3, "run", "run_1", "thread_1", "modified")


@pytest.mark.parametrize("time", [1e308, -1, 10**30, 253_402_300_799, "now", None])
def test_a_time_that_no_calendar_has_is_none(time: Any) -> None:
    assert Message.from_json({"id": "msg_1", "created_at": time}).created_at == 0
    assert Run.from_json({"id": "run_1", "started_at": time}).started_at is None
