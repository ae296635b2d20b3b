"""Tool calls in the thread: what was searched and found, what was run and what it gave, live and afterwards."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from playground_tui.assistants.events import MessageChanged, StepChanged, TextDelta
from playground_tui.assistants.objects import (
    Annotation,
    Attachment,
    CodeOutput,
    Message,
    Run,
    SearchResult,
    Step,
    ToolCall,
)
from playground_tui.desk.message_files import Names, Sources
from playground_tui.ui.chat import render
from playground_tui.ui.chat.blocks import CODE_LINES, LINE_LIMIT
from playground_tui.ui.chat.steps import HEAD, RESULTS, TAIL, StepItem, call_blocks
from tests.support.wait import until
from tests.ui.chat_support import NOW, ChatApp, chat_app, thread_lines, until_shown


def step(call: ToolCall, status: str = "completed", *, number: int = 1, run_id: str = "run_1", at: int = NOW) -> Step:
    return Step(f"step_{number}", run_id, "tool_calls", status, (call,), created_at=at)


def making(message_id: str, number: int) -> Step:
    return Step(f"step_{number}", "run_1", "message_creation", "completed", (), message_id)


def code(text: str, *outputs: CodeOutput) -> ToolCall:
    return ToolCall("call_1", "code_interpreter", arguments=text, outputs=outputs)


def search(*results: SearchResult) -> ToolCall:
    return ToolCall("call_1", "file_search", results=results)


def shown(app: ChatApp) -> str:
    return "\n".join(thread_lines(app))


def order(app: ChatApp) -> list[str]:
    return [item.key for item in app.thread.column.items]


async def test_a_search_shows_what_it_found_with_scores_and_passages() -> None:
    passage = "Leave is\n  thirty days. " + "x " * 250
    found = [SearchResult(f"file-{n}", f"part{n}.md", 0.9 - n / 10, passage) for n in range(RESULTS + 3)]
    async with chat_app(size=(72, 40)) as (app, _):
        app.pane.apply(StepChanged(step(search(*found))))
        await until_shown(app, "file search · 8 results")
        text = shown(app)
        assert "0.90 part0.md" in text and "Leave is thirty days. x x" in text
        assert "… and 3 more" in text and f"part{RESULTS}.md" not in text


async def test_a_search_that_is_under_way_or_finds_nothing_says_so() -> None:
    async with chat_app() as (app, _):
        app.pane.apply(StepChanged(step(ToolCall("c", "file_search"), "in_progress")))
        await until_shown(app, "file search · searching …")
        app.pane.apply(StepChanged(step(search())))
        await until_shown(app, "file search · nothing found")
        app.pane.apply(StepChanged(step(ToolCall("c", "file_search"))))
        await until(lambda: shown(app).rstrip().endswith("→ file search"))


async def test_code_shows_as_it_is_written_with_logs_and_pictures_after_it() -> None:
    async with chat_app() as (app, _):
        app.pane.names.save = "f9"
        app.pane.apply(StepChanged(step(code("import math\nprint("), "in_progress")))
        await until_shown(app, "print(")
        outputs = (CodeOutput(logs="3.14\n"), CodeOutput(image="file-1"), CodeOutput(logs="  "))
        app.pane.apply(StepChanged(step(code("import math\nprint(math.pi)", *outputs))))
        await until_shown(app, "▣ file-1 · f9 saves it")
        assert "= 3.14" in shown(app)
        app.pane.show_name("file-1", "figure\n1.png")
        await until_shown(app, "▣ figure 1.png · f9 saves it")
        assert app.pane.made_files() == ["file-1"]
        assert app.pane.code_blocks() == ["import math\nprint(math.pi)"]
        assert app.pane.tool_outputs() == ["3.14\n", "  "]


async def test_code_that_streams_renders_its_last_part_alone() -> None:
    lines = [f"x{n} = {n}" for n in range(3 * CODE_LINES)]
    rendered: list[Any] = []
    real = render.highlight

    def counted(text: str, *rest: Any) -> Any:
        rendered.append(text)
        return real(text, *rest)

    async with chat_app(size=(72, 250)) as (app, _):
        app.pane.apply(StepChanged(step(code("\n".join(lines)), "in_progress")))
        await until_shown(app, "x191 = 191")
        with patch.object(render, "highlight", counted):
            app.pane.apply(StepChanged(step(code("\n".join([*lines[:-1], "x191 = 19100"])), "in_progress")))
            await until_shown(app, "x191 = 19100")
        assert len(rendered) == 1 and rendered[0].startswith(f"x{2 * CODE_LINES}")


def test_a_long_output_is_shortened_in_its_middle() -> None:
    logs = "\n".join(f"line {n}" for n in range(1_000)) + "\nValueError: no"
    blocks = call_blocks(code("f()", CodeOutput(logs=logs)), Names())
    text = "\n".join(block.text for block in blocks)
    assert f"line {HEAD - 1}\n" in text and f"line {HEAD}\n" not in text
    assert f"{1_001 - HEAD - TAIL:,} lines left out" in text and text.endswith("ValueError: no")


def test_endless_lines_are_cut_and_nothing_of_them_is_lost() -> None:
    blocks = call_blocks(code("f()", CodeOutput(logs="x" * (3 * LINE_LIMIT + 1))), Names())
    assert "".join(block.text for block in blocks[2:]).replace("\n", "") == "x" * (3 * LINE_LIMIT + 1)
    assert max(len(line) for block in blocks for line in block.text.split("\n")) == LINE_LIMIT


async def test_what_code_prints_reaches_the_terminal_harmlessly() -> None:
    async with chat_app() as (app, _):
        hostile = "\x1b]52;c;aGk=\x07[/foo][@click=app.quit]\x9b2J"
        app.pane.apply(StepChanged(step(code(hostile, CodeOutput(logs=hostile)))))
        app.pane.apply(StepChanged(step(search(SearchResult("f", hostile, 0.5, hostile)), number=2)))
        await until_shown(app, "0.50")
        assert not any(character in shown(app) for character in "\x1b\x07\x9b")
        assert "[/foo]" in shown(app)


# Where steps stand


async def test_steps_stand_where_they_happened_while_the_run_goes_on() -> None:
    async with chat_app() as (app, _):
        for event in (
            MessageChanged(Message("msg_u", "user", "hi")),
            MessageChanged(Message("msg_1", "assistant", "I look.", run_id="run_1", status="completed")),
            StepChanged(step(search(), number=2)),
            MessageChanged(Message("msg_2", "assistant", "", run_id="run_1", status="in_progress")),
            TextDelta("msg_2", "Found."),
            StepChanged(step(code("1"), number=3)),
        ):
            app.pane.apply(event)
        assert order(app) == ["msg_u", "msg_1", "step_2", "msg_2", "step_3"]


async def test_steps_stand_where_they_happened_in_a_thread_that_is_read() -> None:
    messages = [
        Message("msg_u", "user", "hi", created_at=NOW),
        Message("msg_1", "assistant", "I look.", run_id="run_1", created_at=NOW + 1),
        Message("msg_2", "assistant", "Found.", run_id="run_1", created_at=NOW + 1),
        Message("msg_v", "user", "and?", created_at=NOW + 50),
    ]
    async with chat_app() as (app, _):
        app.pane.show_thread("thread_1", messages, more=False)
        steps = [making("msg_1", 1), step(search(), number=2), making("msg_2", 3), step(code("1"), number=4)]
        app.pane.show_steps(steps)
        assert order(app) == ["msg_u", "msg_1", "step_2", "msg_2", "step_4", "msg_v"]
        app.pane.show_steps([step(code("2"), number=5, run_id="run_0", at=NOW + 20)])
        app.pane.show_steps([step(code("2"), number=6, run_id="run_2", at=NOW + 60)])
        assert order(app)[5:] == ["step_5", "msg_v", "step_6"]


async def test_a_run_that_is_joined_tells_its_steps_into_their_places() -> None:
    messages = [Message("msg_1", "assistant", "half", run_id="run_1", status="in_progress", created_at=NOW)]
    async with chat_app() as (app, _):
        app.pane.show_thread("thread_1", messages, more=False)
        app.pane.show_run(Run("run_1", "thread_1", status="in_progress", created_at=NOW))
        app.pane.apply(StepChanged(step(search(), number=1)))
        app.pane.apply(MessageChanged(Message("msg_1", "assistant", "half", run_id="run_1", status="in_progress")))
        app.pane.apply(StepChanged(step(code("1"), number=2)))
        assert order(app) == ["step_1", "msg_1", "step_2"]


# Sources and files under a message


CITED = "Thirty days【4:0†handbook.md】, paid【4:1†travel.md】 twice【4:0†handbook.md】."


async def test_sources_are_numbered_in_the_text_and_listed_under_it() -> None:
    notes = (
        Annotation("file_citation", "【4:0†handbook.md】", "file-h"),
        Annotation("file_citation", "【4:1†travel.md】", "file-t"),
    )
    async with chat_app() as (app, _):
        app.pane.apply(MessageChanged(Message("m", "assistant", "", run_id="r", status="in_progress")))
        for letter in CITED:
            app.pane.apply(TextDelta("m", letter))
        await until_shown(app, "Thirty days[1], paid[2] twice[1].")
        assert "[1] handbook.md" in shown(app)
        app.pane.show_name("file-h", "Handbook 2026.md")
        app.pane.apply(MessageChanged(Message("m", "assistant", CITED, run_id="r", annotations=notes)))
        await until_shown(app, "[1] Handbook 2026.md")
        assert app.pane.last_answer() == CITED


async def test_a_marker_that_names_no_source_is_text() -> None:
    async with chat_app() as (app, _):
        app.pane.apply(MessageChanged(Message("m", "assistant", "", run_id="r", status="in_progress")))
        app.pane.apply(TextDelta("m", "Write 【4:0†a.md】."))
        await until_shown(app, "Write [1].")
        app.pane.apply(MessageChanged(Message("m", "assistant", "Write 【4:0†a.md】.", run_id="r")))
        await until_shown(app, "Write 【4:0†a.md】.")
        assert "[1]" not in shown(app)


async def test_files_made_and_files_attached_stand_under_their_message() -> None:
    made = Annotation("file_path", "sandbox:/mnt/data/x.csv", "file-x")
    attached = (Attachment("file-a", ("file_search", "code_interpreter")), Attachment("file-b"))
    async with chat_app(size=(72, 30)) as (app, _):
        app.pane.names.save = "f9"
        app.pane.names.learn("file-a", "a.pdf")
        app.pane.apply(MessageChanged(Message("u", "user", "look", images=("file-p",), attachments=attached)))
        answer = "See [x](sandbox:/mnt/data/x.csv)\n\n[image_file: file-i]"
        app.pane.apply(MessageChanged(Message("a", "assistant", answer, images=("file-i",), annotations=(made,))))
        await until_shown(app, "↓ x.csv · f9 saves it")
        text = shown(app)
        assert "+ a.pdf · file search, code interpreter" in text and "+ file-b" in text and "▣ file-p" in text
        assert "▣ picture" in text and "▣ file-i · f9 saves it" in text
        assert app.pane.made_files() == ["file-i", "file-x"]


async def test_names_that_are_not_known_are_asked_for_once() -> None:
    async with chat_app() as (app, _):
        app.pane.apply(MessageChanged(Message("u", "user", "look", attachments=(Attachment("file-a"),))))
        await until_shown(app, "+ file-a")
        await until(lambda: app.posted.count("names") == 1)
        app.pane.thread.column.recolour()
        app.pane.show_name("file-a", "a.pdf")
        await until_shown(app, "+ a.pdf")
        assert app.pane.names.wanted == {} and app.posted.count("names") == 1


def test_markers_are_numbered_in_any_chunking() -> None:
    for size in (1, 2, 5, 100):
        sources = Sources()
        pieces = [CITED[start : start + size] for start in range(0, len(CITED), size)]
        assert "".join(map(sources.feed, pieces)) + sources.rest() == "Thirty days[1], paid[2] twice[1]."


def test_brackets_that_are_no_markers_stay() -> None:
    for text in ("【", "【note】", "【4:0†a\nb】", "【" + "x" * 900 + "】", "a】b"):
        sources = Sources()
        assert "".join(map(sources.feed, text)) + sources.rest() == text
        assert sources.markers == []


def test_a_step_is_measured_before_it_is_rendered() -> None:
    item = StepItem(step(code("\n".join("x" * 20), CodeOutput(logs="a\nb"))))
    assert item.height(40) > 20
