"""code_interpreter inside a run: code streams into its step, its output follows, what it made comes with the answer."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from openai.types.beta.threads import ImageFileContentBlock, TextContentBlock
from openai.types.beta.threads.runs import CodeInterpreterToolCall

from playground_tui.engine.providers.base import ImagePart, Text, ToolOutput, UserTurn
from playground_tui.engine.tools.base import CannotRun, CodeResult, Logs, MadeFile, Mounted, Picture
from tests.support.scripted import ScriptedEngine, called, parsed, said, scripted_engine
from tests.support.tools import CODE, Tools, give_resources, give_tools, keep_file

FUNCTION = {"type": "function", "function": {"name": "look"}}
PNG = b"\x89PNG\r\n\x1a\n..."
CODE_PIECES = ('{"co', 'de": "x = ', "1\\", 'nprint(\\"\\u00', 'e9\\")"}')
WRITTEN = 'x = 1\nprint("é")'


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as engine:
        yield engine


@pytest.fixture
def tools(scripted: ScriptedEngine) -> Tools:
    return give_tools(scripted)


async def begin(scripted: ScriptedEngine, **assistant: Any) -> tuple[str, str]:
    return await scripted.thread("Compute.", **{"tools": [CODE], **assistant})


async def ended(scripted: ScriptedEngine, thread: str, **body: Any) -> dict[str, Any]:
    """A run that rests."""
    run = await scripted.post(f"/threads/{thread}/runs", **body)
    await scripted.settled(run["id"])
    return await scripted.run_of(thread, run["id"])


async def steps_of(scripted: ScriptedEngine, run: dict[str, Any]) -> list[dict[str, Any]]:
    path = f"/threads/{run['thread_id']}/runs/{run['id']}/steps?order=asc"
    steps: list[dict[str, Any]] = (await scripted.get(path))["data"]
    return steps


async def answer_of(scripted: ScriptedEngine, run: dict[str, Any]) -> dict[str, Any]:
    """The newest message of a run."""
    path = f"/threads/{run['thread_id']}/messages?run_id={run['id']}"
    message: dict[str, Any] = (await scripted.get(path))["data"][0]
    return message


def deltas(events: list[tuple[str, str]], kind: str) -> list[dict[str, Any]]:
    return [json.loads(data)["delta"] for name, data in events if name == f"thread.{kind}.delta"]


async def test_code_streams_into_its_step_and_its_logs_follow(scripted: ScriptedEngine, tools: Tools) -> None:
    scripted.provider.answers = [called(("call_1", "code_interpreter", CODE_PIECES)), said("Done.")]
    thread, assistant = await begin(scripted)
    events = await scripted.events(f"/threads/{thread}/runs", assistant_id=assistant)
    told = [delta["step_details"]["tool_calls"][0] for delta in deltas(events, "run.step")]
    assert told[0] == {
        "index": 0,
        "id": "call_1",
        "type": "code_interpreter",
        "code_interpreter": {"input": "", "outputs": []},
    }
    assert "".join(call["code_interpreter"].get("input", "") for call in told) == WRITTEN
    assert len(told) == 6
    assert told[-1] == {
        "index": 0,
        "type": "code_interpreter",
        "code_interpreter": {"outputs": [{"index": 0, "type": "logs", "logs": "ok"}]},
    }
    run = json.loads(events[-2][1])
    (step, _) = await steps_of(scripted, run)
    assert step["step_details"]["tool_calls"] == [
        {
            "id": "call_1",
            "type": "code_interpreter",
            "code_interpreter": {"input": WRITTEN, "outputs": [{"type": "logs", "logs": "ok"}]},
        }
    ]
    assert tools.interpreter.ran == [(thread, WRITTEN, ())]
    told_model = scripted.provider.requests[-1].turns[-1]
    assert told_model == ToolOutput("call_1", "ok")


async def test_figures_and_files_come_with_the_answer(scripted: ScriptedEngine, tools: Tools) -> None:
    made = [MadeFile("/mnt/data/out/x y.csv", b"1,2"), MadeFile("z.txt", b"z")]
    tools.interpreter.results = [CodeResult([Logs("5\n"), Picture(PNG)], made)]
    answer = said("See [x](sandbox:/mnt/data/out/x%20y.csv) and sandbox:/mnt/data/", "z.txt", ".")
    scripted.provider.answers = [called(("call_1", "code_interpreter", ['{"code": "1"}'])), answer]
    thread, assistant = await begin(scripted)
    run = await ended(scripted, thread, assistant_id=assistant)
    (step, _) = await steps_of(scripted, run)
    logs, image = step["step_details"]["tool_calls"][0]["code_interpreter"]["outputs"]
    assert logs == {"type": "logs", "logs": "5\n"}
    message = await answer_of(scripted, run)
    picture, text = message["content"]
    assert picture == {"type": "image_file", "image_file": {"file_id": image["image"]["file_id"], "detail": "auto"}}
    kinds = [(note["type"], note["text"]) for note in text["text"]["annotations"]]
    assert kinds == [
        ("file_path", "sandbox:/mnt/data/out/x%20y.csv"),
        ("file_path", "sandbox:/mnt/data/z.txt"),
    ]
    ids = [note["file_path"]["file_id"] for note in text["text"]["annotations"]]
    assert message["attachments"] == [{"file_id": one, "tools": [CODE]} for one in ids]
    assert [scripted.engine.files.path(one).read_bytes() for one in ids] == [b"1,2", b"z"]
    assert scripted.engine.files.path(image["image"]["file_id"]).read_bytes() == PNG
    assert scripted.provider.requests[-1].turns[-1] == ToolOutput(
        "call_1",
        "5\n\n(A figure was shown to the user.)\n"
        "(File written: /mnt/data/out/x y.csv)\n(File written: /mnt/data/z.txt)",
    )
    for note in text["text"]["annotations"]:
        assert text["text"]["value"][note["start_index"] : note["end_index"]] == note["text"]


async def test_the_official_sdk_reads_figures_files_and_logs(scripted: ScriptedEngine, tools: Tools) -> None:
    tools.interpreter.results = [CodeResult([Logs("5\n"), Picture(PNG), Logs("6")], [MadeFile("z.txt", b"z")])]
    answer = said("At sandbox:/mnt/data/z.txt")
    scripted.provider.answers = [called(("call_1", "code_interpreter", CODE_PIECES)), answer]
    thread, assistant = await begin(scripted)
    runs = scripted.sdk.beta.threads.runs
    async with runs.stream(thread_id=thread, assistant_id=assistant) as stream:
        (message,) = await stream.get_final_messages()
        (step, _) = await stream.get_final_run_steps()
    picture, text = message.content
    assert isinstance(picture, ImageFileContentBlock)
    assert isinstance(text, TextContentBlock)
    assert [note.text for note in text.text.annotations] == ["sandbox:/mnt/data/z.txt"]
    (call,) = step.step_details.tool_calls  # type: ignore[union-attr]
    assert isinstance(call, CodeInterpreterToolCall)
    assert call.code_interpreter.input == WRITTEN
    assert [output.type for output in call.code_interpreter.outputs] == ["logs", "image", "logs"]


async def test_a_stream_read_later_tells_the_same(scripted: ScriptedEngine, tools: Tools) -> None:
    tools.interpreter.results = [CodeResult([Logs("5\n"), Picture(PNG)], [MadeFile("z.txt", b"z")])]
    answer = said("At ", "sandbox:/mnt/data/z.txt", ".")
    scripted.provider.answers = [called(("call_1", "code_interpreter", CODE_PIECES)), answer]
    thread, assistant = await begin(scripted)
    events = await scripted.events(f"/threads/{thread}/runs", assistant_id=assistant)
    path = f"/threads/{thread}/runs/{json.loads(events[0][1])['id']}/events"
    replayed = parsed((await scripted.http.get(path)).text)
    scripted.engine.runs._feeds.clear()
    stored = parsed((await scripted.http.get(path)).text)
    for told in (replayed, stored):
        picture, text = (delta["content"][0] for delta in deltas(told, "message"))
        assert (picture["index"], picture["type"]) == (0, "image_file")
        assert (text["index"], text["text"]["value"]) == (1, "At sandbox:/mnt/data/z.txt.")
        assert [note["start_index"] for note in text["text"]["annotations"]] == [3]
        assert told[-4:] == events[-4:]
    (call,) = (delta["step_details"]["tool_calls"][0] for delta in deltas(stored, "run.step"))
    assert call["code_interpreter"]["input"] == WRITTEN
    assert [output["index"] for output in call["code_interpreter"]["outputs"]] == [0, 1]


async def test_the_files_of_assistant_and_thread_and_what_code_made_are_mounted(
    scripted: ScriptedEngine, tools: Tools
) -> None:
    first, second, third = [await keep_file(scripted, name) for name in ("a.csv", "dir/a.csv", "b.csv")]
    thread, assistant = await begin(scripted)
    await give_resources(scripted, "assistant", assistant, code_interpreter={"file_ids": [first, third]})
    await give_resources(scripted, "thread", thread, code_interpreter={"file_ids": [second, "file-gone", first]})
    tools.interpreter.results = [CodeResult([], [MadeFile("b.csv", b"new"), MadeFile("c.csv", b"c")])]
    run_code = called(("call_1", "code_interpreter", ['{"code": "1"}']))
    scripted.provider.answers = [run_code, said("."), run_code]
    await ended(scripted, thread, assistant_id=assistant)
    await ended(scripted, thread, assistant_id=assistant)
    before, after = (files for _, _, files in tools.interpreter.ran)
    assert before == (Mounted(first, "a.csv"), Mounted(third, "b.csv"), Mounted(second, "a-2.csv"))
    names = {mounted.name: mounted.file_id for mounted in after}
    assert list(names) == ["a.csv", "b.csv", "a-2.csv", "c.csv"]
    assert scripted.engine.files.path(names["b.csv"]).read_bytes() == b"new"
    (tool,) = scripted.provider.requests[0].tools
    assert tool["function"]["description"].endswith("Files: a.csv, b.csv, a-2.csv.")


async def test_without_a_sandbox_the_run_goes_on_and_says_so(scripted: ScriptedEngine, tools: Tools) -> None:
    tools.interpreter.missing = "Install bubblewrap."
    thread, assistant = await begin(scripted, tools=[CODE, FUNCTION])
    run = await ended(scripted, thread, assistant_id=assistant)
    assert (run["status"], run["playground_notes"]) == (
        "completed",
        "The run went on without code_interpreter: Install bubblewrap.",
    )
    assert list(scripted.provider.requests[0].tools) == [FUNCTION]


async def test_code_that_is_demanded_without_a_sandbox_fails_the_run(scripted: ScriptedEngine, tools: Tools) -> None:
    tools.interpreter.missing = "Install bubblewrap."
    thread, assistant = await begin(scripted)
    run = await ended(scripted, thread, assistant_id=assistant, tool_choice=CODE)
    assert run["last_error"] == {"code": "server_error", "message": "Install bubblewrap."}
    assert scripted.provider.requests == []


async def test_a_sandbox_that_is_refused_is_said_in_the_logs(
    scripted: ScriptedEngine, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object) -> CodeResult:
        raise CannotRun("All sandboxes are taken.")

    monkeypatch.setattr(tools.interpreter, "run", refused)
    scripted.provider.answers = [called(("call_1", "code_interpreter", ["1 + 1"]))]
    thread, assistant = await begin(scripted)
    run = await ended(scripted, thread, assistant_id=assistant)
    (step, _) = await steps_of(scripted, run)
    assert step["step_details"]["tool_calls"][0]["code_interpreter"] == {
        "input": "1 + 1",
        "outputs": [{"type": "logs", "logs": "All sandboxes are taken."}],
    }
    assert run["status"] == "completed"


async def test_a_file_that_cannot_be_kept_is_said_in_the_logs(
    scripted: ScriptedEngine, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> dict[str, Any]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scripted.engine.files, "add", full)
    tools.interpreter.results = [CodeResult([Picture(PNG)], [MadeFile("z.txt", b"z")])]
    scripted.provider.answers = [called(("call_1", "code_interpreter", ["{}"]))]
    thread, assistant = await begin(scripted)
    run = await ended(scripted, thread, assistant_id=assistant)
    (step, _) = await steps_of(scripted, run)
    outputs = step["step_details"]["tool_calls"][0]["code_interpreter"]["outputs"]
    assert [output["logs"] for output in outputs] == [
        f"The file {name} could not be kept: No space left on device." for name in ("figure-1.png", "z.txt")
    ]
    assert (await answer_of(scripted, run))["attachments"] == []


async def test_much_that_was_printed_reaches_the_model_without_its_middle(
    scripted: ScriptedEngine, tools: Tools
) -> None:
    tools.interpreter.results = [CodeResult([Logs("a" * 30_000 + "b" * 30_000)])]
    scripted.provider.answers = [called(("call_1", "code_interpreter", ["{}"]))]
    thread, assistant = await begin(scripted)
    await ended(scripted, thread, assistant_id=assistant)
    told = scripted.provider.requests[-1].turns[-1]
    assert told == ToolOutput("call_1", f"{'a' * 20_000}\n(20,000 characters are left out here.)\n{'b' * 20_000}")


async def test_figures_of_a_run_that_says_nothing_are_its_answer(scripted: ScriptedEngine, tools: Tools) -> None:
    tools.interpreter.results = [CodeResult([Picture(PNG)])]
    scripted.provider.answers = [[Text("Look: "), *called(("call_1", "code_interpreter", ["{}"]))], said()]
    thread, assistant = await begin(scripted)
    run = await ended(scripted, thread, assistant_id=assistant)
    path = f"/threads/{thread}/messages?run_id={run['id']}&order=asc"
    first, second = (await scripted.get(path))["data"]
    assert [part["type"] for part in first["content"]] == ["text"]
    assert [part["type"] for part in second["content"]] == ["image_file"]
    assert run["status"] == "completed"


async def test_images_that_are_files_reach_the_model(scripted: ScriptedEngine, tools: Tools) -> None:
    png, text = await keep_file(scripted, "a.png", PNG, "vision"), await keep_file(scripted, "b.txt", b"text")
    parts = [{"type": "image_file", "image_file": {"file_id": one, "detail": "low"}} for one in (png, text)]
    thread, assistant = await begin(scripted, tools=[])
    await scripted.post(f"/threads/{thread}/messages", role="user", content=parts)
    await scripted.http.delete(f"/files/{text}")
    await ended(scripted, thread, assistant_id=assistant)
    url = f"data:image/png;base64,{b64encode(PNG).decode()}"
    shown = UserTurn((ImagePart(url, "low"), "[image_file: cannot be shown]"))
    assert scripted.provider.requests[0].turns[-1] == shown


async def test_a_deleted_thread_has_no_sandbox(scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[str] = []

    async def forget(thread_id: str) -> None:
        forgotten.append(thread_id)

    monkeypatch.setattr(scripted.engine.interpreter, "forget", forget)
    thread, _ = await begin(scripted)
    await scripted.http.delete(f"/threads/{thread}")
    assert forgotten == [thread]


async def test_a_cancel_does_not_wait_for_the_first_look_at_the_sandbox(
    scripted: ScriptedEngine, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, found = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        asked.set()
        await found.wait()
        return ""

    monkeypatch.setattr(tools.interpreter, "problem", slow)
    thread, assistant = await begin(scripted)
    run = await scripted.post(f"/threads/{thread}/runs", assistant_id=assistant)
    await asked.wait()
    await scripted.post(f"/threads/{thread}/runs/{run['id']}/cancel")
    try:
        async with asyncio.timeout(5):
            await scripted.settled(run["id"])
    finally:
        found.set()
    assert (await scripted.run_of(thread, run["id"]))["status"] == "cancelled"
