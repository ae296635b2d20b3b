"""Models that take no tools: the files are searched all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from playground_tui.engine.providers.base import AssistantTurn, ProviderError, ToolsRefused, UserTurn
from playground_tui.engine.runs.prompt import FOUND
from tests.support.scripted import ScriptedEngine, called, said, scripted_engine
from tests.support.tools import CODE, FILE_SEARCH, Tools, found, give_resources, give_tools

LOOK = {"type": "function", "function": {"name": "look"}}
REFUSAL = ToolsRefused("ollama refused the request (400): gemma does not support tools.", status=400)


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as engine:
        yield engine


@pytest.fixture
def tools(scripted: ScriptedEngine) -> Tools:
    return give_tools(scripted)


async def begin(scripted: ScriptedEngine, *tools: dict[str, Any], stores: int = 1) -> tuple[str, str]:
    thread, assistant = await scripted.thread("How long?", tools=list(tools))
    await give_resources(scripted, "thread", thread, file_search={"vector_store_ids": ["vs_1"][:stores]})
    return thread, assistant


async def ended(scripted: ScriptedEngine, thread: str, **body: Any) -> dict[str, Any]:
    run = await scripted.post(f"/threads/{thread}/runs", **body)
    await scripted.settled(run["id"])
    return await scripted.run_of(thread, run["id"])


async def test_the_files_are_searched_for_what_the_user_said(scripted: ScriptedEngine, tools: Tools) -> None:
    tools.search.found = [found("a.md")]
    scripted.provider.answers = [[REFUSAL], said("Two days【0:0†a.md】.")]
    thread, assistant = await begin(scripted, FILE_SEARCH, CODE)
    run = await ended(scripted, thread, assistant_id=assistant)
    assert (run["status"], run["playground_notes"]) == (
        "completed",
        "This model takes no tools: the run went on without code_interpreter."
        " This model takes no tools: the files were searched for the newest message.",
    )
    (request,) = tools.search.requests
    assert request.queries == ["How long?"]
    first, second = scripted.provider.requests
    assert not first.tools_needed
    assert (second.tools, second.tool_choice) == ([], None)
    assert list(second.turns) == [UserTurn(("How long?", f"{FOUND}\n\n【0:0†a.md】\nText of a.md."))]
    steps = (await scripted.get(f"/threads/{thread}/runs/{run['id']}/steps?order=asc"))["data"]
    assert [(step["type"], step["status"]) for step in steps] == [
        ("tool_calls", "completed"),
        ("message_creation", "completed"),
    ]
    (message,) = (await scripted.get(f"/threads/{thread}/messages?run_id={run['id']}"))["data"]
    assert [note["text"] for note in message["content"][0]["text"]["annotations"]] == ["【0:0†a.md】"]


async def test_earlier_calls_are_not_told_to_such_a_model(scripted: ScriptedEngine, tools: Tools) -> None:
    calls = called(("call_1", "code_interpreter", ["1"]))
    scripted.provider.answers = [calls, said("One."), [REFUSAL], said("Two.")]
    thread, assistant = await begin(scripted, FILE_SEARCH, CODE, stores=0)
    await ended(scripted, thread, assistant_id=assistant)
    await scripted.post(
        f"/threads/{thread}/messages", role="user", content=[{"type": "text", "text": one} for one in ("and", "now?")]
    )
    assert (await ended(scripted, thread, assistant_id=assistant))["status"] == "completed"
    assert list(scripted.provider.requests[-1].turns) == [
        UserTurn(("How long?",)),
        AssistantTurn("One."),
        UserTurn(("and", "now?")),
    ]
    assert tools.search.requests == []


async def test_a_thread_without_a_message_is_searched_for_nothing(scripted: ScriptedEngine, tools: Tools) -> None:
    scripted.provider.answers = [[REFUSAL], said("Two.")]
    thread, assistant = await scripted.thread(tools=[FILE_SEARCH])
    await give_resources(scripted, "thread", thread, file_search={"vector_store_ids": ["vs_1"]})
    assert (await ended(scripted, thread, assistant_id=assistant))["status"] == "completed"
    assert tools.search.requests == []


@pytest.mark.parametrize(
    ("given", "body", "answers"),
    [
        ([FILE_SEARCH, LOOK], {}, [[REFUSAL]]),
        ([CODE], {"tool_choice": CODE}, [[REFUSAL]]),
        ([FILE_SEARCH], {}, [[REFUSAL], [REFUSAL]]),
        ([FILE_SEARCH], {}, [[ProviderError(str(REFUSAL))]]),
    ],
)
async def test_a_run_that_makes_no_sense_without_tools_fails(
    scripted: ScriptedEngine, tools: Tools, given: list[Any], body: Any, answers: list[Any]
) -> None:
    scripted.provider.answers = answers
    thread, assistant = await begin(scripted, *given)
    run = await ended(scripted, thread, assistant_id=assistant, **body)
    assert (run["status"], run["last_error"]["message"]) == ("failed", str(REFUSAL))
    assert scripted.provider.requests[0].tools_needed == (given != [FILE_SEARCH])
