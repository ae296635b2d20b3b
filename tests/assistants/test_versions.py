"""Versions of assistants and what was deleted, through the client: at the engine, and at another server."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from playground_tui.assistants import assistant_versions
from playground_tui.assistants.client import AssistantsClient
from playground_tui.assistants.errors import NotFound, Rejected
from playground_tui.assistants.objects import Assistant
from playground_tui.assistants.stored import files_for_code
from playground_tui.assistants.versions import Deleted
from tests.support.assistants_server import AssistantsServer, error
from tests.support.engine import RunningEngine


@pytest.fixture
def own(engine: RunningEngine, at_once: None) -> AssistantsClient:
    return engine.client("a terminal")


@pytest.fixture
async def foreign(server: AssistantsServer, tmp_path: Path) -> AsyncIterator[AssistantsClient]:
    client = AssistantsClient.for_server(server.base_url, "key", label="a terminal", versions=tmp_path / "versions")
    yield client
    await client.close()


def whats(versions: list[Any]) -> list[tuple[int, str, str]]:
    return [(version.number, version.what, version.where) for version in versions]


async def test_the_engine_tells_what_when_and_from_where(own: AssistantsClient, engine: RunningEngine) -> None:
    made = await own.create_assistant({"model": "rehearsal/echo", "name": "A"}, key="k")
    await engine.client("elsewhere").update_assistant(made.id, {"name": "B", "temperature": 0.5})
    await own.delete_assistant(made.id)
    (gone,) = await own.versions.deleted()
    assert (gone.what.name, gone.left(time.time())) == ("B", "30 days left")
    await own.versions.bring_back(made.id)
    assert await own.versions.deleted() == []
    versions = await own.versions.all(made.id)
    assert whats(versions) == [
        (4, "brought back", "a terminal"),
        (3, "deleted", "a terminal"),
        (2, "name, temperature", "elsewhere"),
        (1, "created", "a terminal"),
    ]
    assert all(abs(version.at - time.time()) < 60 and version.assistant == {} for version in versions)
    assert (await own.versions.whole(made.id, 1)).assistant == made.raw


async def test_a_deleted_thread_is_listed_and_brought_back(own: AssistantsClient) -> None:
    thread = await own.create_thread(key="k")
    await own.create_message(thread, "the first words", key="m")
    await own.delete_thread(thread)
    assert await own.list_threads() == []
    assert [one.what.first_message for one in await own.deleted_threads(q="FIRST")] == ["the first words"]
    assert await own.deleted_threads("asst_other") == []
    await own.restore_thread(thread)
    assert [one.id for one in await own.list_threads()] == [thread]


@pytest.mark.parametrize(
    ("left", "days", "words"), [(0, 0, "0 days left"), (1, 1, "1 day left"), (86_401, 2, "2 days left")]
)
def test_days_that_are_left(left: int, days: int, words: str) -> None:
    gone = Deleted(Assistant("asst_1", {}), 0, 1_000 + left)
    assert (gone.days_left(1_000), gone.left(1_000)) == (days, words)
    assert gone.days_left(10**9) == 0


async def test_a_version_is_restored_as_a_new_change(own: AssistantsClient) -> None:
    old = {"model": "rehearsal/echo", "name": "A", "instructions": "Be kind.", "tools": [{"type": "file_search"}]}
    made = await own.create_assistant(old, key="k")
    await own.update_assistant(
        made.id, {"name": "B", "instructions": "", "tools": [], "metadata": {"a": "b"}, "temperature": 0.5}
    )
    restored = await own.versions.restore(made.id, 1)
    assert (restored.assistant.raw, restored.said) == (made.raw, "")
    assert [version.number for version in await own.versions.all(made.id)] == [3, 2, 1]
    assert (await own.versions.restore(made.id, 3)).assistant.raw == made.raw
    assert len(await own.versions.all(made.id)) == 3
    with pytest.raises(NotFound):
        await own.versions.restore(made.id, 9)


async def test_files_that_are_gone_are_said_and_the_rest_is_restored(own: AssistantsClient, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    file = await own.files.upload(tmp_path / "a.txt", purpose="assistants")
    made = await own.create_assistant({"model": "rehearsal/echo", "name": "A"}, key="k")
    await own.assistant_files.add(made.id, "code_interpreter", file.id)
    await own.update_assistant(made.id, {"name": "B", "tool_resources": {"code_interpreter": {"file_ids": []}}})
    restored = await own.versions.restore(made.id, 2)
    assert files_for_code(restored.assistant.raw) == [file.id]
    await own.assistant_files.remove(made.id, "code_interpreter", file.id)
    await own.transport.ask(own.transport.sdk.files.delete, file.id)
    await own.update_assistant(made.id, {"name": "C"})
    restored = await own.versions.restore(made.id, 2)
    assert restored.assistant.name == "A"
    assert file.id in restored.said and restored.said.startswith("The files of its tools are not restored: ")
    alone = await own.versions.restore(made.id, 2)
    assert (alone.assistant.name, alone.said) == ("A", restored.said)


async def test_versions_are_read_page_by_page(own: AssistantsClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assistant_versions, "LARGEST_PAGE", 3)
    made = await own.create_assistant({"model": "rehearsal/echo"}, key="k")
    for number in range(2, 8):
        await own.update_assistant(made.id, {"name": str(number)})
    page, more = await own.versions.page(made.id)
    assert (len(page), more) == (3, True)
    assert [version.number for version in await own.versions.all(made.id)] == list(range(7, 0, -1))


async def test_another_servers_states_are_kept_here(server: AssistantsServer, foreign: AssistantsClient) -> None:
    made = await foreign.create_assistant({"model": "m", "name": "A"}, key="k")
    await foreign.update_assistant(made.id, {"name": "B"})
    await foreign.retrieve_assistant(made.id)
    server.assistants[made.id]["name"] = "C"
    await foreign.retrieve_assistant(made.id)
    assert whats(await foreign.versions.all(made.id)) == [
        (3, "changed elsewhere: name", "elsewhere"),
        (2, "name", "a terminal"),
        (1, "created", "a terminal"),
    ]
    restored = await foreign.versions.restore(made.id, 1)
    assert (server.assistants[made.id]["name"], restored.assistant.name, restored.said) == ("A", "A", "")
    (_, path, _) = [(r.method, r.path, r.body) for r in server.requests][-1]
    assert path.endswith(made.id)
    assert server.requests[-1].body == b'{"name":"A"}'
    page, more = await foreign.versions.page(made.id, after="3")
    assert (whats(page), more) == (whats(await foreign.versions.all(made.id))[2:], False)
    with pytest.raises(NotFound, match="No version 7"):
        await foreign.versions.whole(made.id, 7)


async def test_an_assistant_deleted_there_comes_back_as_a_copy_with_its_history(
    server: AssistantsServer, foreign: AssistantsClient
) -> None:
    fields = {"model": "m", "name": "A", "tools": [], "metadata": {"a": "b"}, "description": None}
    made = await foreign.create_assistant(fields, key="k")
    server.assistants[made.id]["name"] = "renamed elsewhere"
    await foreign.delete_assistant(made.id)
    assert made.id not in server.assistants
    (gone,) = await foreign.versions.deleted()
    assert (gone.what.name, gone.days_left(time.time())) == ("renamed elsewhere", 30)
    back = await foreign.versions.bring_back(made.id)
    assert back.assistant.id != made.id
    assert back.said == f"It is back as a copy with the id {back.assistant.id}: {foreign.where} gives no id twice."
    sent = {"name": "renamed elsewhere", "model": "m", "metadata": {"a": "b"}}
    assert json.loads(server.requests[-1].body) == sent
    assert await foreign.versions.deleted() == []
    assert [what for _, what, _ in whats(await foreign.versions.all(back.assistant.id))] == [
        "brought back",
        "deleted",
        "changed elsewhere: name",
        "created",
    ]


async def test_one_that_was_deleted_elsewhere_can_be_brought_back_too(
    server: AssistantsServer, foreign: AssistantsClient
) -> None:
    made = await foreign.create_assistant({"model": "m", "name": "A"}, key="k")
    kept = server.assistants.pop(made.id)
    for _ in range(2):
        with pytest.raises(NotFound):
            await foreign.retrieve_assistant(made.id)
    assert [one.what.id for one in await foreign.versions.deleted()] == [made.id]
    server.assistants[made.id] = kept
    await foreign.retrieve_assistant(made.id)
    assert await foreign.versions.deleted() == []
    assert (await foreign.versions.bring_back(made.id)).assistant.id == made.id
    assert [what for _, what, _ in whats(await foreign.versions.all(made.id))] == [
        "as it was first seen here",
        "deleted",
        "created",
    ]
    with pytest.raises(NotFound, match="Nothing of asst_x is kept"):
        await foreign.versions.bring_back("asst_x")


async def test_a_copy_is_made_without_files_that_are_gone(server: AssistantsServer, foreign: AssistantsClient) -> None:
    resources = {"code_interpreter": {"file_ids": ["file-1"]}}
    made = await foreign.create_assistant({"model": "m", "name": "A", "tool_resources": resources}, key="k")
    await foreign.delete_assistant(made.id)
    server.instead("POST", "/assistants", error(400, "No such file: file-1"))
    back = await foreign.versions.bring_back(made.id)
    assert "as a copy" in back.said and "No such file: file-1" in back.said
    assert "tool_resources" not in server.assistants[back.assistant.id]
    server.instead("POST", back.assistant.id, error(403, "not yours"))
    with pytest.raises(Rejected, match="not yours"):
        await foreign.versions.restore(back.assistant.id, 1)


async def test_without_a_place_to_keep_them_there_are_none(server: AssistantsServer, client: AssistantsClient) -> None:
    made = await client.create_assistant({"model": "m"}, key="k")
    await client.update_assistant(made.id, {"name": "B"})
    await client.delete_assistant(made.id)
    assert await client.versions.all(made.id) == []
    assert await client.versions.deleted() == []
