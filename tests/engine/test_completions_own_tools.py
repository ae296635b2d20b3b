"""Assistants with the engine's own tools behind Chat Completions: their work stays inside, what it brings comes out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from playground_tui.engine.providers.base import Text, ToolOutput
from playground_tui.engine.tools.base import CodeResult, Logs, MadeFile, Picture
from tests.support.scripted import ScriptedEngine, called, said, scripted_engine
from tests.support.tools import CODE, FILE_SEARCH, Tools, found, give_tools

PATH = "/chat/completions"
HELLO = {"role": "user", "content": "hello"}
FUNCTION = {"type": "function", "function": {"name": "look"}}
PNG = b"\x89PNG\r\n\x1a\n..."
RUN_CODE = ("call_1", "code_interpreter", ['{"code": "1"}'])


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as engine:
        yield engine


@pytest.fixture
def tools(scripted: ScriptedEngine) -> Tools:
    return give_tools(scripted)


async def ask(scripted: ScriptedEngine, model: str, *messages: dict[str, Any]) -> Any:
    completion = await scripted.post(PATH, model=model, messages=messages or [HELLO])
    return completion["choices"][0]


async def assistant(scripted: ScriptedEngine, *tools: dict[str, Any], **fields: Any) -> str:
    return str((await scripted.post("/assistants", model="scripted", tools=tools, **fields))["id"])


@pytest.mark.parametrize("streamed", [False, True])
async def test_code_is_run_without_a_word_and_its_figures_come_with_the_answer(scripted, tools, streamed):
    tools.interpreter.results = [CodeResult([Logs("5\n"), Picture(PNG)], [MadeFile("x.csv", b"1,2")])]
    scripted.provider.answers = [
        [Text("Let me see."), *called(RUN_CODE)],
        said("See [x](sandbox:/mnt/data/x.csv)."),
    ]
    model = await assistant(scripted, CODE)
    if streamed:
        stream = await scripted.sdk.chat.completions.create(model=model, messages=[HELLO], stream=True)
        found = [chunk.choices[0] async for chunk in stream]
        assert not any(one.delta.tool_calls for one in found)
        content, reason = "".join(one.delta.content or "" for one in found), found[-1].finish_reason
    else:
        choice = await ask(scripted, model)
        content, reason = choice["message"]["content"], choice["finish_reason"]
    files = {file["filename"]: file["id"] for file in (await scripted.get("/files"))["data"]}
    csv = files.pop("x.csv")
    [figure] = files.values()
    where = "http://engine/v1/files"
    assert reason == "stop"
    assert content == f"Let me see.\n\n![{figure}]({where}/{figure}/content)\n\nSee [x]({where}/{csv}/content)."
    assert (await scripted.http.get(f"{where}/{csv}/content")).content == b"1,2"


async def test_searches_stay_inside_and_citations_in_the_text(scripted, tools):
    tools.search.found = [found("a.md")]
    search = ("call_1", "file_search", ['{"queries": ["x"]}'])
    scripted.provider.answers = [called(search), said("It is so【0:0†a.md】.")]
    store = await scripted.post("/vector_stores")
    resources = {"file_search": {"vector_store_ids": [store["id"]]}}
    choice = await ask(scripted, await assistant(scripted, FILE_SEARCH, tool_resources=resources))
    assert (choice["message"]["content"], choice["finish_reason"]) == ("It is so【0:0†a.md】.", "stop")
    assert "tool_calls" not in choice["message"]


async def test_what_code_did_is_known_when_the_outputs_of_functions_come_back(scripted, tools):
    scripted.provider.answers = [called(RUN_CODE, ("call_2", "look", ["{}"]))]
    model = await assistant(scripted, CODE, FUNCTION)
    first = await ask(scripted, model)
    assert [call["id"] for call in first["message"]["tool_calls"]] == ["call_2"]
    output = {"role": "tool", "tool_call_id": "call_2", "content": "seen"}
    second = await ask(scripted, model, HELLO, first["message"], output)
    assert second["message"]["content"] == "fine"
    outputs = [turn for turn in scripted.provider.requests[-1].turns if isinstance(turn, ToolOutput)]
    assert outputs == [ToolOutput("call_1", "ok"), ToolOutput("call_2", "seen")]


async def test_a_sandbox_goes_with_the_answer(scripted, monkeypatch):
    gone: list[str] = []

    async def forget(thread_id: str) -> None:
        gone.append(thread_id)

    monkeypatch.setattr(scripted.engine.interpreter, "forget", forget)
    model = await assistant(scripted, FUNCTION)
    response = await scripted.http.post(PATH, json={"model": model, "messages": [HELLO]})
    assert gone == [response.headers["x-playground-tui-thread"]]
    scripted.provider.answers = [called(("call_2", "look", ["{}"]))]
    await ask(scripted, model)
    assert len(gone) == 1
