"""The files of an assistant for its tools: added, listed and taken out, also where a vector store has gone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from playground_tui.assistants.client import AssistantsClient
from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.stored import FileCounts, files_for_code, resources_with, store_of
from tests.support.engine import RunningEngine


@pytest.fixture
async def client(engine: RunningEngine) -> AssistantsClient:
    return engine.client()


async def made(client: AssistantsClient) -> str:
    tools = [{"type": "file_search"}, {"type": "code_interpreter"}]
    return (await client.create_assistant({"model": "rehearsal/echo", "tools": tools}, key="a")).id


async def stored(client: AssistantsClient, directory: Path, name: str) -> str:
    path = directory / name
    path.write_text("Thirty days.")
    return (await client.files.upload(path)).id


async def test_each_tool_keeps_its_files_when_the_other_gets_one(client: AssistantsClient, tmp_path: Path) -> None:
    assistant, files = await made(client), client.assistant_files
    first, second = await stored(client, tmp_path, "a.md"), await stored(client, tmp_path, "b.csv")
    assert await files.list(assistant, "file_search") == await files.list(assistant, "code_interpreter") == []
    await files.add(assistant, "file_search", first)
    await files.add(assistant, "code_interpreter", second)
    await files.add(assistant, "code_interpreter", second)
    await files.add(assistant, "file_search", second)
    assert {file.id for file in await files.list(assistant, "file_search")} == {first, second}
    assert [file.id for file in await files.list(assistant, "code_interpreter")] == [second]
    raw = (await client.retrieve_assistant(assistant)).raw
    assert (await files.counts(store_of(raw))).total == 2
    await files.remove(assistant, "code_interpreter", second)
    await files.remove(assistant, "file_search", second)
    assert [file.id for file in await files.list(assistant, "file_search")] == [first]
    assert await files.list(assistant, "code_interpreter") == []
    assert store_of((await client.retrieve_assistant(assistant)).raw) == store_of(raw)


async def test_a_vector_store_that_has_gone_is_begun_anew(client: AssistantsClient, tmp_path: Path) -> None:
    assistant, files = await made(client), client.assistant_files
    first = await stored(client, tmp_path, "a.md")
    await files.add(assistant, "file_search", first)
    gone = store_of((await client.retrieve_assistant(assistant)).raw)
    await client.transport.ask(client.transport.sdk.vector_stores.delete, gone)
    assert await files.counts(gone) == FileCounts()
    assert await files.list(assistant, "file_search") == []
    await files.remove(assistant, "file_search", first)
    await files.add(assistant, "file_search", first)
    assert [file.id for file in await files.list(assistant, "file_search")] == [first]


def test_resources_are_read_totally_and_sent_whole() -> None:
    odd = {"tool_resources": {"file_search": {"vector_store_ids": [None, "vs_1"]}, "code_interpreter": []}}
    assert (store_of(odd), files_for_code(odd), store_of({}), files_for_code({})) == ("vs_1", [], "", [])
    search = {"vector_store_ids": ["vs_1"]}
    assert resources_with(odd, files=[]) == {"code_interpreter": {"file_ids": []}, "file_search": search}
    assert resources_with(odd) == {"file_search": search} and resources_with({}) == {}
    assert FileCounts(3, 1, 1).words() == "3, 1 indexing, 1 failed" and FileCounts().words() == "none"


async def test_a_file_of_any_name_can_be_sent(client: AssistantsClient, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9 \x1b[31m.txt")
    path.write_text("x")
    stored = await client.files.upload(path)
    assert stored.name.startswith("caf\ufffd ")


async def test_what_cannot_be_sent_is_a_sentence(client: AssistantsClient) -> None:
    with pytest.raises(AssistantsError, match="half a character"):
        await client.retrieve_assistant("asst_\ud800")
