"""`playground-tui assistants versions|diff|restore`, and what was deleted, without a screen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from playground_tui.assistants.client import AssistantsClient
from playground_tui.config import Settings
from tests.commands.run import Ran, Shell, run_with
from tests.commands.test_assistants import made, shown
from tests.support.assistants_server import AssistantsServer


async def edited(shell: Shell, *, name: str = "Poet") -> str:
    """An assistant of three versions."""
    assistant = await made(shell, "--name", name, "--instructions", "Rhyme.\nBe brief.", "--temperature", "0.5")
    await shell("assistants", "update", assistant, "--instructions", "Rhyme.\nBe very brief.")
    await shell("assistants", "update", assistant, "--temperature", "default", "--tool", "file_search")
    return assistant


async def test_versions_are_listed_newest_first(shell: Shell) -> None:
    assistant = await edited(shell)
    header, *lines = (await shell("assistants", "versions", "poet")).out.splitlines()
    assert header.split() == ["version", "time", "changed", "from"]
    assert [line.split("  ")[0].strip() for line in lines] == ["3", "2", "1"]
    assert "tools, temperature" in lines[0] and lines[2].split()[2] == "created" and lines[0].endswith("test")
    listed = (await shell("assistants", "versions", assistant, "--json")).data
    assert [(one["number"], one["action"], one["client"], one["changed"]) for one in listed] == [
        (3, "modified", "test", ["tools", "temperature"]),
        (2, "modified", "test", ["instructions"]),
        (1, "created", "test", []),
    ]


async def test_two_versions_are_compared_in_lines_or_as_data(shell: Shell) -> None:
    assistant = await edited(shell)
    lines = (await shell("assistants", "diff", "Poet", "1", "2")).out.splitlines()
    assert lines[0].startswith("--- version 1, ") and lines[1].startswith("+++ version 2, ")
    assert lines[2:] == ["@@ instructions @@", "  Rhyme.", "- Be brief.", "+ Be very brief."]
    now = (await shell("assistants", "diff", assistant, "1")).out.splitlines()
    assert now[1] == "+++ now"
    assert now[6:] == ["@@ file search @@", "- off", "+ on", "@@ temperature @@", "- 0.5", "+ default"]
    data = (await shell("assistants", "diff", assistant, "now", "2", "--json")).data
    assert (data["id"], data["old"], data["new"]) == (assistant, "now", 2)
    assert data["differences"] == {
        "tools": {"old": [{"type": "file_search"}], "new": []},
        "temperature": {"old": None, "new": 0.5},
    }
    same = await shell("assistants", "diff", assistant, "3")
    assert (same.code, same.out) == (0, "") and "are the same" in same.err


async def test_a_version_is_restored_as_a_new_change(shell: Shell) -> None:
    assistant = await edited(shell)
    before = await shown(shell, assistant)
    ran = await shell("assistants", "restore", "Poet", "--version", "1")
    assert (ran.code, ran.out.strip(), ran.err) == (0, assistant, "")
    after = await shown(shell, assistant)
    assert (after["instructions"], after["temperature"], after["tools"]) == ("Rhyme.\nBe brief.", 0.5, [])
    back = await shell("assistants", "restore", assistant, "--version", "3", "--json")
    assert back.data == before
    assert [one["number"] for one in (await shell("assistants", "versions", assistant, "--json")).data][:2] == [5, 4]


async def test_a_deleted_assistant_is_listed_looked_at_and_brought_back(shell: Shell) -> None:
    assistant = await edited(shell)
    await shell("assistants", "delete", assistant)
    (line,) = (await shell("assistants", "list", "--deleted")).out.splitlines()[1:]
    assert line.startswith(assistant) and line.endswith("30 days left")
    (listed,) = (await shell("assistants", "list", "--deleted", "--json")).data
    assert (listed["id"], listed["purge_at"] - listed["deleted_at"]) == (assistant, 30 * 24 * 3600)
    assert len((await shell("assistants", "versions", "Poet", "--json")).data) == 4
    assert (await shell("assistants", "diff", "Poet", "2")).code == 0
    ran = await shell("assistants", "restore", "poet")
    assert (ran.code, ran.out.strip()) == (0, assistant)
    await shell("assistants", "delete", assistant)
    assert (await shell("assistants", "restore", assistant, "--version", "1", "--json")).data["temperature"] == 0.5
    assert (await shell("assistants", "list", "--deleted", "--json")).data == []


async def test_what_cannot_be_meant_is_said(shell: Shell) -> None:
    first, second = await edited(shell, name="Twin"), await made(shell, "--name", "Twin")
    for options in (("versions", "Twin"), ("diff", "Twin", "1"), ("restore", "Twin", "--version", "1")):
        ran = await shell("assistants", *options)
        assert (ran.code, ran.out) == (2, "") and first in ran.err and second in ran.err
    ran = await shell("assistants", "restore", first)
    assert ran.code == 2 and "is not deleted" in ran.err and "--version" in ran.err
    await shell("assistants", "delete", first, second)
    ran = await shell("assistants", "restore", "Twin")
    assert ran.code == 2 and first in ran.err and second in ran.err
    assert (await shell("assistants", "restore", "nobody")).code == 1
    assert (await shell("assistants", "versions", "nobody\x1b")).err.endswith("nobody␛.\n")
    ran = await shell("assistants", "restore", first, "--version", "99")
    assert ran.code == 1 and len((await shell("assistants", "list", "--deleted", "--json")).data) == 2


@pytest.mark.parametrize("given", ["0", "-1", "x", "1.5"])
async def test_a_version_is_a_number_from_1(shell: Shell, given: str) -> None:
    with pytest.raises(SystemExit) as left:
        await shell("assistants", "restore", "Poet", f"--version={given}")
    assert left.value.code == 2


async def test_nothing_in_a_difference_is_obeyed(shell: Shell) -> None:
    assistant = await made(shell, "--instructions", "a\x1b[2J\u202e")
    await shell("assistants", "update", assistant, "--instructions", "b")
    assert "- a␛[2J<U+202E>" in (await shell("assistants", "diff", assistant, "1")).out


async def test_deleted_threads_are_listed_and_brought_back(shell: Shell) -> None:
    client = shell.engine.client()
    threads = [await client.create_thread(key=str(number)) for number in range(2)]
    await client.create_message(threads[0], "first words", key="m")
    await shell("threads", "delete", *threads)
    lines = (await shell("threads", "list", "--deleted", "-q", "FIRST")).out.splitlines()[1:]
    assert len(lines) == 1 and lines[0].startswith(threads[0]) and "30 days left" in lines[0]
    listed = (await shell("threads", "list", "--deleted", "--json")).data
    assert {one["purge_at"] - one["deleted_at"] for one in listed} == {30 * 24 * 3600}
    ran = await shell("threads", "restore", *threads)
    assert (ran.code, ran.out.split()) == (0, threads)
    assert {one["id"] for one in (await shell("threads", "list", "--json")).data} == set(threads)
    ran = await shell("threads", "restore", threads[0], "thread_x", "--json")
    assert (ran.code, ran.data) == (1, {"restored": [threads[0]]})


@pytest.fixture
async def server() -> AsyncIterator[AssistantsServer]:
    async with AssistantsServer() as running:
        yield running


async def test_another_servers_versions_are_those_kept_here(server: AssistantsServer, tmp_path: Path) -> None:
    async def run(*argv: str) -> Ran:
        client = AssistantsClient.for_server(server.base_url, "key", label="box", versions=tmp_path / "versions")
        return await run_with(client, tmp_path, *argv, settings=Settings(server=server.base_url))

    first = (await run("assistants", "create", "--model", "m", "--name", "A")).out.strip()
    await run("assistants", "update", first, "--name", "B")
    assert [one["number"] for one in (await run("assistants", "versions", "B", "--json")).data] == [2, 1]
    assert (await run("assistants", "restore", "B", "--version", "1")).code == 0
    assert server.assistants[first]["name"] == "A"
    await run("assistants", "delete", "A")
    ran = await run("assistants", "restore", "A")
    assert ran.out.strip() in server.assistants and ran.out.strip() != first
    assert "as a copy" in ran.err
    for command in (("restore", "thread_1"), ("list", "--deleted")):
        ran = await run("threads", *command)
        assert ran.code == 1 and "cannot be brought back there" in ran.err
