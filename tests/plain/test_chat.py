"""What happens on a thread, in labelled lines."""

from __future__ import annotations

import pytest

from playground_tui.assistants.events import (
    MessageAccepted,
    MessageChanged,
    Reconnected,
    Reconnecting,
    RunChanged,
    ServerError,
    StepChanged,
    TextDelta,
    ThreadCreated,
)
from playground_tui.assistants.objects import Annotation, CodeOutput, Message, Run, SearchResult, Step, ToolCall, Usage
from playground_tui.desk.message_files import Names
from playground_tui.plain.attached import PlainAttachments
from playground_tui.plain.chat import PlainChat, Voice
from playground_tui.plain.wording import arguments, call_line, message_lines, status_line


class Heard:
    """A thread and what was said of it."""

    def __init__(self) -> None:
        self.voice = Voice()
        self.chat = PlainChat(self.voice, PlainAttachments(self.voice))

    def lines(self) -> list[str]:
        found = []
        while (line := self.voice.next(0)) is not None:
            found.append(line)
        return found


@pytest.fixture
def heard() -> Heard:
    return Heard()


def test_an_answer_is_said_by_sentences_with_one_label(heard: Heard) -> None:
    heard.chat.apply(TextDelta("m", "First one. Seco"))
    assert heard.lines() == ["assistant: First one."]
    heard.chat.apply(TextDelta("m", ""))
    heard.chat.apply(TextDelta("m", "nd one."))
    heard.chat.apply(MessageChanged(Message("m", "assistant", "First one. Second one.", status="completed")))
    assert heard.lines() == ["Second one."]


def test_sources_are_numbered_as_they_stream_and_named_once_at_the_end(heard: Heard) -> None:
    call = ToolCall("c", "file_search", results=(SearchResult("file-h", "Handbook.md", 0.5),))
    heard.chat.apply(StepChanged(Step("s", "r", "tool_calls", "completed", (call,))))
    heard.lines()
    text = "Thirty days【4:0†handbook.md】. Then more."
    for letter in text[:-4]:
        heard.chat.apply(TextDelta("m", letter))
    assert heard.lines() == ["assistant: Thirty days[1]."]
    note = Annotation("file_citation", "【4:0†handbook.md】", "file-h")
    for _ in range(2):
        heard.chat.apply(MessageChanged(Message("m", "assistant", text, annotations=(note,))))
    assert heard.lines() == ["Then more.", "source [1]: Handbook.md."]


def test_what_was_deleted_elsewhere_is_read_no_more(heard: Heard) -> None:
    first, second = Message("m1", "user", "one"), Message("m2", "user", "two")
    heard.chat.show_thread("t", [first, second], more=False)
    heard.chat.show_thread("t", [second], more=False)
    assert heard.chat.messages() == [second]
    heard.chat.show_thread("t", [second], more=True)
    heard.chat.prepend([first], more=False)
    heard.chat.show_thread("t", [second], more=True)
    assert heard.chat.messages() == [first, second]


def test_what_only_looks_like_a_source_is_not_told_as_one(heard: Heard) -> None:
    text = "So 【4:0†a.md】 and so【4:1†b.md】."
    heard.chat.apply(TextDelta("m", text))
    note = Annotation("file_citation", "【4:1†b.md】", "file-b")
    heard.chat.apply(MessageChanged(Message("m", "assistant", text, annotations=(note,))))
    assert heard.lines() == ["assistant: So [1] and so[2].", "source [2]: file-b."]


def test_a_lost_stream_is_told_and_nothing_said_twice(heard: Heard) -> None:
    heard.chat.apply(TextDelta("m", "First one. Se"))
    heard.chat.apply(Reconnecting("The connection broke.", 1, 2.0))
    assert heard.lines() == [
        "assistant: First one.",
        "Se",
        "status: connection lost. The connection broke. The run goes on. Attempt 1 in 2 s, ctrl+c stops.",
    ]
    heard.chat.apply(Reconnected())
    heard.chat.apply(MessageChanged(Message("m", "assistant", "", status="in_progress")))
    heard.chat.apply(MessageChanged(Message("m", "assistant", "First one. Second. Third.", status="completed")))
    assert heard.lines() == ["status: connected again.", "cond.", "Third."]
    heard.chat.apply(MessageChanged(Message("m", "assistant", "Another text.", status="completed")))
    assert heard.lines() == ["assistant: Another text."]


def test_a_message_of_elsewhere_and_an_error_are_said(heard: Heard) -> None:
    heard.chat.apply(ThreadCreated("t"))
    heard.chat.apply(MessageAccepted(Message("mine", "user", "what I typed")))
    heard.chat.apply(MessageChanged(Message("mine", "user", "what I typed")))
    heard.chat.apply(MessageChanged(Message("other", "user", "from elsewhere")))
    heard.chat.apply(ServerError("it is out of order"))
    heard.chat.to_composer()
    assert heard.lines() == ["you: from elsewhere", "status: it is out of order"]
    assert heard.chat.thread_id == "t"


def test_tools_of_the_server_are_told_when_they_are_called_and_when_they_answer(heard: Heard) -> None:
    call = ToolCall("c", "file_search")
    heard.chat.apply(StepChanged(Step("s", "r", "tool_calls", "in_progress", (call,))))
    assert heard.lines() == []
    heard.chat.apply(StepChanged(Step("s", "r", "tool_calls", "completed", (call,))))
    assert heard.lines() == ["tool: file search."]
    done = ToolCall("d", "function", "add", '{"a": 1, "b": "x"}', output="2")
    heard.chat.apply(StepChanged(Step("s", "r", "tool_calls", "in_progress", (done,))))
    assert heard.lines() == ['tool: add, with a 1, b "x".', "tool: add answered: 2"]
    heard.chat.show_steps([Step("s2", "r", "tool_calls", "completed", (ToolCall("e", "code_interpreter"),))])
    heard.chat.apply(StepChanged(Step("s2", "r", "tool_calls", "completed", (ToolCall("e", "code_interpreter"),))))
    assert heard.lines() == []


def test_states_are_said_once(heard: Heard) -> None:
    for status in ("queued", "in_progress", "in_progress", "completed"):
        heard.chat.apply(RunChanged(Run("r", status=status)))
    assert heard.lines() == ["status: in progress, ctrl+c cancels.", "status: completed."]
    heard.chat.show_runs([Run("r2", status="failed", error_message="no key"), Run("r")])
    heard.chat.show_run(None)
    heard.chat.show_runs([])
    assert heard.lines() == ["status: failed: no key."]


def test_words() -> None:
    run = Run("r", status="completed", started_at=10, completed_at=75, usage=Usage(1, 2, 1234), notes="Without tools.")
    assert status_line(run) == "status: completed, 1,234 tokens, 1 min 5 s. Without tools."
    assert arguments(ToolCall("c", "function", "f", "not json")) == "not json"
    assert arguments(ToolCall("c", "function", "f", "[1]")) == "[1]"
    assert call_line(ToolCall("c", "function", "f", "{}")) == "tool: f."
    assert message_lines(Message("m", "assistant", "", status="incomplete"), Names()) == [
        "assistant: (empty)",
        "status: this answer is not whole.",
    ]


def test_what_was_handed_back_stands_above_what_was_written_since(heard: Heard) -> None:
    composer = heard.chat.composer
    composer.give_back("first")
    composer.give_back("earlier")
    assert composer.written == "earlier\nfirst"


def test_what_was_handed_back_while_the_editor_was_open_stays(heard: Heard) -> None:
    composer = heard.chat.composer
    composer.load("text")
    composer.take_in("text", "text edited")
    assert composer.text == "text edited"
    composer.give_back("not sent")
    composer.take_in("text edited", "text edited twice")
    assert composer.text == "text edited twice\nnot sent\ntext edited"
    composer.take_in("as it was", "as it was")
    assert composer.text == "text edited twice\nnot sent\ntext edited"


def test_what_the_own_tools_of_the_server_gave_back_is_told(heard: Heard) -> None:
    search = ToolCall(
        "c1", "file_search", results=(SearchResult("file-1", "plan.md"), SearchResult("file-1", "plan.md"))
    )
    code = ToolCall("c2", "code_interpreter", arguments="print(385)", outputs=(CodeOutput(logs="385"),))
    nothing = ToolCall("c3", "file_search", results=())
    heard.chat.apply(
        StepChanged(Step("step_1", "run_1", "tool_calls", status="completed", tool_calls=(search, code, nothing)))
    )
    assert heard.lines() == [
        "tool: file search.",
        "tool: file search answered: 2 passages found, in plan.md",
        "tool: code interpreter, with print(385).",
        "tool: code interpreter answered: 385",
        "tool: file search.",
        "tool: file search answered: nothing found",
    ]


def test_a_call_is_told_once_its_arguments_are_whole(heard: Heard) -> None:
    for given in ('{"city":', '{"city": "Bern"}', '{"city": "Bern"}'):
        call = ToolCall("c1", "function", "get_weather", given)
        heard.chat.apply(StepChanged(Step("step_1", "run_1", "tool_calls", status="in_progress", tool_calls=(call,))))
    assert heard.lines() == ['tool: get_weather, with city "Bern".']
