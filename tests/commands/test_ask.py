"""`playground-tui ask`, on a real engine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from playground_tui.assistants.errors import NotReachable
from playground_tui.cache.cache import Cache
from tests.commands.run import Shell, parsed, run_with


async def made(shell: Shell, *options: str) -> str:
    ran = await shell("assistants", "create", "--model", "rehearsal/echo", *options)
    assert ran.code == 0, ran.err
    return ran.out.strip()


async def test_the_answer_is_on_stdout_and_the_thread_on_stderr(shell: Shell) -> None:
    await made(shell, "--name", "Helper", "--instructions", "Be brief.")
    ran = await shell("ask", "-a", "Helper", "What", "is", "new?")
    assert ran.code == 0
    assert "Be brief." in ran.out
    assert "What is new?" in ran.out
    assert ran.out.endswith("\n")
    assert ran.err.startswith("thread: thread_")


async def test_json_gives_text_usage_model_and_ids(shell: Shell) -> None:
    ran = await shell("ask", "-m", "rehearsal/echo", "--json", "Hello")
    assert ran.code == 0
    assert set(ran.data) == {"text", "usage", "model", "thread_id", "run_id", "files"}
    assert "Hello" in ran.data["text"]
    assert ran.data["model"] == "rehearsal/echo"
    usage = ran.data["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0


async def test_a_thread_is_continued(shell: Shell) -> None:
    first = (await shell("ask", "-m", "rehearsal/echo", "--json", "The word is plum")).data
    second = (await shell("ask", "-m", "rehearsal/echo", "--json", "-t", first["thread_id"], "Which?")).data
    assert second["thread_id"] == first["thread_id"]
    assert "plum" in second["text"]


async def test_an_unknown_thread_is_said(shell: Shell) -> None:
    ran = await shell("ask", "-m", "rehearsal/echo", "--json", "-t", "thread_unknown", "Hello")
    assert ran.code == 1
    assert "thread_unknown" in ran.data["error"]
    assert (ran.data["thread_id"], ran.data["run_id"]) == ("thread_unknown", None)


async def test_a_model_alone_leaves_no_assistant_behind(shell: Shell) -> None:
    assert (await shell("ask", "-m", "rehearsal/echo", "Hello")).code == 0
    assert (await shell("assistants", "list", "--json")).data == []
    assert (await shell("assistants", "list", "--deleted", "--json")).data == []


async def test_a_model_with_an_assistant_is_for_this_run_alone(shell: Shell) -> None:
    assistant_id = await made(shell, "--instructions", "Be brief.")
    ran = await shell("ask", "-a", assistant_id, "-m", "rehearsal/markdown", "--json", "Hello")
    assert (ran.code, ran.data["model"]) == (0, "rehearsal/markdown")
    assert (await shell("assistants", "show", assistant_id, "--json")).data["model"] == "rehearsal/echo"


async def test_a_model_that_is_an_assistants_id_is_that_assistant(shell: Shell) -> None:
    assistant_id = await made(shell, "--instructions", "Be brief.")
    assert "Be brief." in (await shell("ask", "-m", assistant_id, "Hello")).out
    both = await shell("ask", "-a", assistant_id, "-m", assistant_id, "Hello")
    assert both.code == 2


async def test_with_nobody_named_the_last_assistant_answers(shell: Shell, tmp_path: Path) -> None:
    nobody = await shell("ask", "Hello")
    assert nobody.code == 2
    assert "-a" in nobody.err
    assistant_id = await made(shell, "--name", "Helper", "--instructions", "Be brief.")
    remember_last(tmp_path, assistant_id)
    ran = await shell("ask", "Hello")
    assert ran.code == 0
    assert f"assistant: Helper ({assistant_id})" in ran.err
    await shell("assistants", "delete", assistant_id)
    gone = await shell("ask", "Hello")
    assert gone.code == 2
    assert "gone" in gone.err


def remember_last(directory: Path, assistant_id: str) -> None:
    from dataclasses import replace

    cache = Cache.open(directory / "data" / "cache", "engine", on_problem=print)
    cache.update_server(lambda state: replace(state, last_assistant=assistant_id))
    cache.close()


async def test_a_name_that_several_have_is_wrong_usage_with_the_ids(shell: Shell) -> None:
    ids = [await made(shell, "--name", "Twin") for _ in range(2)]
    ran = await shell("ask", "-a", "Twin", "--json", "Hello")
    assert ran.code == 2
    assert all(assistant_id in ran.data["error"] for assistant_id in ids)


async def test_function_calls_end_the_run_and_are_named(shell: Shell, tmp_path: Path) -> None:
    functions = tmp_path / "functions.json"
    functions.write_text('[{"name": "weather", "parameters": {"type": "object", "properties": {}}}]')
    await made(shell, "--name", "Caller", "--model", "rehearsal/tools", "--tool", f"@{functions}")
    ran = await shell("ask", "-a", "Caller", "--json", "Hello")
    assert ran.code == 1
    assert "weather" in ran.data["error"]
    client = shell.engine.client()
    run = await client.retrieve_run(ran.data["thread_id"], ran.data["run_id"])
    assert run.status == "cancelled"


async def test_the_question_comes_from_stdin(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in ([], ["-"]):
        with stdin(tmp_path, "Line one\nLine two — ü\n", monkeypatch):
            ran = await shell("ask", "-m", "rehearsal/echo", "--json", *words)
        messages = (await shell("threads", "show", ran.data["thread_id"], "--json")).data["messages"]
        assert messages[0]["text"] == "Line one\nLine two — ü\n"


def stdin(directory: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    file = directory / "stdin"
    file.write_text(text)
    opened = file.open()
    monkeypatch.setattr(sys, "stdin", opened)
    return opened


async def test_nothing_to_ask_is_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with stdin(tmp_path, " \n", monkeypatch):
        empty = await run_with(None, tmp_path, "ask", "-", "--json")
    assert (empty.code, empty.data["error"]) == (2, "There is nothing to ask: the text is empty.")

    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    missing = await run_with(None, tmp_path, "ask")
    assert missing.code == 2
    assert "TEXT" in missing.err


def test_a_time_out_is_a_positive_number(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("0", "-1", "soon", "inf"):
        with pytest.raises(SystemExit):
            parsed("ask", "--timeout", wrong, "Hello")
    assert parsed("ask", "--timeout", "1.5", "Hello").timeout == 1.5


async def test_a_server_that_cannot_be_reached_is_said(tmp_path: Path) -> None:
    def refuse() -> Any:
        raise NotReachable("The server does not answer.")

    ran = await run_with(refuse, tmp_path, "ask", "-m", "x", "--json", "Hello")
    assert ran.code == 1
    assert ran.data == {"error": "The server does not answer.", "thread_id": None, "run_id": None}
