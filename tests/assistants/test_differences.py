"""Two states of an assistant beside each other, and how one becomes the other again."""

from __future__ import annotations

from typing import Any

import pytest

from playground_tui.assistants.differences import choices, differences, differing, edits_to, lines_of, text_of_field
from playground_tui.assistants.draft import AssistantDraft

FUNCTION = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
FULL: dict[str, Any] = {
    "id": "asst_1",
    "name": "Reviewer",
    "description": "Reads.",
    "instructions": "Be kind.\nBe brief.",
    "model": "m",
    "tools": [{"type": "file_search"}, FUNCTION],
    "tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}, "code_interpreter": {"file_ids": ["file-1"]}},
    "response_format": SCHEMA,
    "temperature": 0.5,
    "top_p": None,
    "reasoning_effort": "low",
    "metadata": {"category": "work"},
}
BARE: dict[str, Any] = {"id": "asst_1", "model": "m", "tools": [{"type": "web_search"}]}


def draft(**changes: Any) -> AssistantDraft:
    return AssistantDraft({**FULL, **changes})


def said(old: AssistantDraft, new: AssistantDraft) -> list[str]:
    return [f"{found.name}: {'|'.join(lines_of(found))}" for found in differences(old, new, "lines")]


def test_every_field_that_differs_is_told_in_the_forms_order() -> None:
    assert differences(draft(), draft(), "brief") == []
    assert said(draft(), AssistantDraft(BARE))[:3] == [
        "name: - Reviewer",
        "description: - Reads.",
        "instructions: - Be kind.|- Be brief.",
    ]
    assert differing(draft(), AssistantDraft(BARE)) == [
        *("name", "description", "instructions", "file_search", "function", "functions"),
        *("response_format", "schema", "temperature", "reasoning_effort", "metadata"),
        *("other_tools", "tool_resources"),
    ]


def test_values_are_told_as_words() -> None:
    full, bare = draft(), AssistantDraft(BARE)
    words = {field: (text_of_field(full, field), text_of_field(bare, field)) for field in differing(full, bare)}
    assert words["file_search"] == ("on", "off")
    assert words["temperature"] == ("0.5", "default")
    assert words["reasoning_effort"] == ("low", "default")
    assert words["response_format"] == ("json_schema", "auto")
    assert words["other_tools"] == ("", "web_search")
    assert words["tool_resources"] == ("file search in vs_1\ncode interpreter with file-1", "")
    assert '"look_up"' in words["functions"][0] and words["functions"][1] == ""


def test_the_form_is_compared_as_it_stands_half_typed() -> None:
    typed = draft().with_(metadata="category", temperature=None)
    assert said(draft(), typed) == ["temperature: - 0.5|+ default", "metadata: - category = work|+ category"]


def test_what_is_put_aside_and_not_used_is_no_difference() -> None:
    off = AssistantDraft({**FULL, "tools": [], "response_format": "auto"}).with_(functions="{", schema="[")
    assert differing(off, AssistantDraft({**FULL, "tools": [], "response_format": "auto"})) == []


def test_texts_are_cleaned_and_what_cannot_be_shown_is_said() -> None:
    (found,) = differences(draft(name="a\x1b[2J"), draft(name="b"), "brief")
    assert list(lines_of(found)) == ["- a␛[2J", "+ b"]
    (hidden,) = differences(draft(name="\ud800"), draft(name="\udfff"), "brief")
    assert list(lines_of(hidden)) == ["  \ufffd", "  They differ in characters that cannot be shown."]


def test_whole_shows_what_is_the_same_too() -> None:
    found = {one.field: one for one in differences(draft(), draft(name="Other"), "whole")}
    assert list(lines_of(found["instructions"])) == ["  Be kind.", "  Be brief."]
    assert list(lines_of(found["name"])) == ["- Reviewer", "+ Other"]
    assert "top_p" in found and "other_tools" not in found


@pytest.mark.parametrize("now", [BARE, {**FULL, "instructions": "x", "metadata": {}, "tools": [FUNCTION]}, FULL])
def test_edits_make_the_form_as_it_was(now: dict[str, Any]) -> None:
    old, present = draft(), AssistantDraft(now)
    back = present.with_(**edits_to(old, differing(old, present)))
    assert not set(differing(old, back)) - {"other_tools", "tool_resources"}
    assert back.problems() == {}


def test_one_field_brings_what_it_needs_and_nothing_else() -> None:
    old, present = draft(), AssistantDraft(BARE)
    assert choices(["name", "function", "functions", "response_format", "schema"]) == [
        "name",
        "function",
        "response_format",
    ]
    assert set(edits_to(old, ["functions"])) == {"function", "functions"}
    back = present.with_(**edits_to(old, ["response_format"]))
    assert back.changes() == {"response_format": SCHEMA}


def test_texts_put_aside_in_the_form_stay_there() -> None:
    present = AssistantDraft({**FULL, "tools": []}).with_(functions="half typed")
    back = present.with_(**edits_to(AssistantDraft(BARE), ["function", "name"]))
    assert back.text("functions") == "half typed"
