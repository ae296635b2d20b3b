"""Tool calls come in pieces, and are whole whatever servers do to them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from playground_tui.assistants.deltas import DEEPEST, MOST_ENTRIES, added
from playground_tui.assistants.events import StepChanged
from playground_tui.assistants.objects import CodeOutput, Message, SearchResult, Step, ToolCall
from playground_tui.assistants.streams import RawEvent, RunEvents

STEP = {"id": "step_1", "run_id": "run_1", "type": "tool_calls", "status": "in_progress", "created_at": 7}


def told(reader: RunEvents, *events: tuple[str, Any]) -> list[Step]:
    raw = [RawEvent(f"thread.run.step.{name}", "", json.dumps(data).encode()) for name, data in events]
    found = [event for one in raw for event in reader.read(one)]
    return [event.step for event in found if isinstance(event, StepChanged)]


def piece(**call: Any) -> tuple[str, dict[str, Any]]:
    details = {"type": "tool_calls", "tool_calls": [{"index": 0, **call}]}
    return "delta", {"id": "step_1", "delta": {"step_details": details}}


def with_calls(status: str, *calls: dict[str, Any]) -> dict[str, Any]:
    return {**STEP, "status": status, "step_details": {"type": "tool_calls", "tool_calls": list(calls)}}


def test_code_grows_with_its_deltas_and_then_has_outputs() -> None:
    reader = RunEvents("thread_1")
    steps = told(
        reader,
        ("created", with_calls("in_progress")),
        piece(id="call_1", type="code_interpreter", code_interpreter={"input": "", "outputs": []}),
        piece(type="code_interpreter", code_interpreter={"input": "print("}),
        piece(type="code_interpreter", code_interpreter={"input": "1)"}),
        piece(type="code_interpreter", code_interpreter={"outputs": [{"index": 0, "type": "logs", "logs": "1\n"}]}),
        piece(code_interpreter={"outputs": [{"index": 0, "type": "logs", "logs": "2"}]}),
        piece(code_interpreter={"outputs": [{"index": 1, "type": "image", "image": {"file_id": "file-1"}}]}),
    )
    assert [step.tool_calls[0].arguments for step in steps[1:4]] == ["", "print(", "print(1)"]
    outputs = (CodeOutput(logs="1\n2"), CodeOutput(image="file-1"))
    assert steps[-1].tool_calls == (ToolCall("call_1", "code_interpreter", arguments="print(1)", outputs=outputs),)


def test_what_deltas_told_survives_a_state_without_it() -> None:
    reader = RunEvents("thread_1")
    code = piece(id="call_1", type="code_interpreter", code_interpreter={"input": "1"})
    steps = told(reader, ("created", with_calls("in_progress")), code, ("in_progress", with_calls("in_progress")))
    assert steps[-1].tool_calls[0].arguments == "1"


def test_a_completed_step_is_as_it_says_and_takes_no_more() -> None:
    reader = RunEvents("thread_1")
    found = {"file_id": "file-1", "file_name": "a.md", "score": 0.5, "content": [{"type": "text", "text": "Leave"}]}
    whole = with_calls("completed", {"id": "c", "type": "file_search", "file_search": {"results": [found]}})
    steps = told(
        reader,
        ("created", with_calls("in_progress")),
        piece(id="c", type="file_search", file_search={}),
        ("completed", whole),
        piece(id="c", type="file_search", file_search={"results": []}),
    )
    assert [step.tool_calls[0].results for step in steps[1:]] == [
        None,
        (SearchResult("file-1", "a.md", 0.5, "Leave"),),
    ]


def test_pieces_of_unknown_steps_and_of_other_things_change_nothing() -> None:
    reader = RunEvents("thread_1")
    assert told(reader, piece(id="c", type="function"), ("delta", {"id": "step_1"})) == []
    making = {**STEP, "step_details": {"message_creation": {"message_id": "msg_1"}}}
    (step,) = told(reader, ("created", making), ("delta", {"id": "step_1", "delta": {}}))
    assert (step.message_id, step.created_at) == ("msg_1", 7)


def test_places_beyond_all_measure_are_left_out() -> None:
    assert added({}, {"a": [{"index": MOST_ENTRIES, "x": "y"}, {"index": -1}, {"index": 1, "x": "z"}]}) == {
        "a": [{}, {"index": 1, "x": "z"}]
    }


def test_what_lies_too_deep_is_taken_as_it_comes() -> None:
    deep: dict[str, Any] = {"text": "a"}
    for _ in range(DEEPEST + 3):
        deep = {"inner": deep}
    assert added(deep, deep) == deep


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["index", "id", "a", "b"]), inner, max_size=3)
    ),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.sampled_from(["index", "id", "a", "b"]), JSON, max_size=4)


@given(OBJECTS, OBJECTS)
def test_any_two_objects_are_put_together(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert added(one, other).keys() == one.keys() | other.keys()


def test_a_message_names_the_files_made_for_it() -> None:
    path = {"type": "file_path", "text": "sandbox:/mnt/data/x.csv", "file_path": {"file_id": "file-x"}}
    cited = {"type": "file_citation", "text": "【4:0†a.md】", "file_citation": {"file_id": "file-a"}}
    text = {"type": "text", "text": {"value": "See.", "annotations": [path, cited, {"type": "odd"}]}}
    image = {"type": "image_file", "image_file": {"file_id": "file-i"}}
    attachments = [{"file_id": "file-x", "tools": [{"type": "code_interpreter"}]}]
    raw = {"id": "m", "role": "assistant", "content": [image, text], "attachments": attachments}
    message = Message.from_json(raw)
    assert message.made_files == {"file-i": "", "file-x": "x.csv"}
    assert [note.file_id for note in message.annotations] == ["file-x", "file-a"]
    assert Message.from_json({**raw, "role": "user"}).made_files == {}
