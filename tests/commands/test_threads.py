"""`playground-tui threads`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playground_tui.assistants.client import AssistantsClient
from playground_tui.cache.known import KnownServer
from playground_tui.cache.state import ThreadEntry
from playground_tui.config import Settings
from tests.commands.run import Ran, Shell, run_with


async def asked(shell: Shell, text: str, *options: str) -> dict[str, Any]:
    ran = await shell("ask", "-m", "rehearsal/echo", "--json", *options, text)
    assert ran.code == 0, ran.out
    return ran.data


async def test_threads_are_listed_latest_first_and_found_by_text(shell: Shell) -> None:
    first, second = await asked(shell, "About apples"), await asked(shell, "About pears")
    rows = (await shell("threads", "list")).out.splitlines()[1:]
    assert {row.split()[0] for row in rows} == {first["thread_id"], second["thread_id"]}
    assert all(row.split()[2] == "2" for row in rows)
    found = (await shell("threads", "list", "-q", "apples", "--json")).data
    assert [(thread["id"], thread["first_message"]) for thread in found] == [(first["thread_id"], "About apples")]


async def test_threads_of_one_assistant(shell: Shell) -> None:
    await asked(shell, "by a bare model")
    await shell("assistants", "create", "--name", "Helper", "--model", "rehearsal/echo")
    ran = await shell("ask", "-a", "Helper", "--json", "by Helper")
    found = (await shell("threads", "list", "-a", "Helper", "--json")).data
    assert [thread["id"] for thread in found] == [ran.data["thread_id"]]
    assert (await shell("threads", "list", "-a", "nobody")).code == 1


async def test_show_prints_all_messages_oldest_first(shell: Shell) -> None:
    thread_id = (await asked(shell, "one\x1b[2J"))["thread_id"]
    await asked(shell, "two", "-t", thread_id)
    text = (await shell("threads", "show", thread_id)).out
    assert [line.split()[1] for line in text.splitlines() if line.startswith("--- ")] == ["user", "assistant"] * 2
    assert "one␛[2J" in text
    messages = (await shell("threads", "show", thread_id, "--json")).data["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"] * 2
    assert messages[2]["text"] == "two"


async def test_show_reads_threads_longer_than_a_page(shell: Shell) -> None:
    client = shell.engine.client()
    thread_id = await client.create_thread(key="long")
    for number in range(101):
        await client.create_message(thread_id, f"message {number}", key=f"m{number}")
    messages = (await shell("threads", "show", thread_id, "--json")).data["messages"]
    assert [message["text"] for message in messages] == [f"message {number}" for number in range(101)]


async def test_a_deleted_thread_is_gone(shell: Shell) -> None:
    thread_id = (await asked(shell, "soon gone"))["thread_id"]
    ran = await shell("threads", "delete", thread_id)
    assert (ran.code, ran.out.strip()) == (0, thread_id)
    ran = await shell("threads", "show", thread_id)
    assert (ran.code, ran.out) == (1, "")
    assert thread_id in ran.err


async def test_what_was_deleted_before_a_failure_is_still_named(shell: Shell) -> None:
    thread_id = (await asked(shell, "soon gone"))["thread_id"]
    ran = await shell("threads", "delete", thread_id, "thread_unknown", "--json")
    assert ran.code == 1
    assert ran.data == {"deleted": [thread_id]}


class Foreign:
    """Commands on the engine's TCP port, taken for any Assistants v2 server."""

    def __init__(self, url: str, key: str, directory: Path):
        self.settings = Settings(server=url, server_key=key)
        self.directory = directory

    async def __call__(self, *argv: str) -> Ran:
        assert self.settings.server
        client = AssistantsClient.for_server(self.settings.server, self.settings.server_key, label="test")
        return await run_with(client, self.directory, *argv, settings=self.settings)

    def known(self) -> KnownServer:
        return KnownServer(self.directory / "data" / "cache", self.settings.server, on_problem=print)


async def foreign(shell: Shell) -> Foreign:
    address = await shell.engine.tcp()
    return Foreign(address.base_url, address.key, shell.directory)


async def test_another_servers_threads_are_those_known_on_this_machine(shell: Shell) -> None:
    server = await foreign(shell)
    thread_id = (await server("ask", "-m", "rehearsal/echo", "--json", "Hello there")).data["thread_id"]
    server.known().add_thread(ThreadEntry("thread_older", "asst_other", "Older", 4, 1.0))
    ran = await server("threads", "list")
    assert "known on this machine" in ran.err
    assert [row.split()[0] for row in ran.out.splitlines()[1:]] == [thread_id, "thread_older"]
    assert [thread["id"] for thread in (await server("threads", "list", "-q", "HELLO", "--json")).data] == [thread_id]
    assert (await server("threads", "delete", thread_id)).code == 0
    assert [entry.id for entry in server.known().state.threads] == ["thread_older"]


async def test_another_server_needs_a_model_to_create_an_assistant(shell: Shell) -> None:
    ran = await (await foreign(shell))("assistants", "create", "--name", "Helper")
    assert ran.code == 2
    assert "--model" in ran.err
