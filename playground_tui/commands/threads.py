"""`playground-tui threads list|show|delete|restore`."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

from playground_tui.assistants.objects import Message, ThreadSummary
from playground_tui.cache.known import KnownServer
from playground_tui.cache.state import ServerState
from playground_tui.commands.output import (
    Connect,
    add_command,
    add_json,
    connected,
    exit_code,
    find_assistant,
    print_json,
    print_table,
    print_text,
    printed_at_the_end,
    shown_time,
)
from playground_tui.config import Settings
from playground_tui.paths import Paths

if TYPE_CHECKING:
    from playground_tui.assistants.client import AssistantsClient

_PAGE = 100


def add_parser(subparsers: Any) -> None:
    """Add the command with its actions."""
    parser = add_command(subparsers, "threads", "list, show, delete and restore threads", "What was said, and where.")
    actions = parser.add_subparsers(dest="action", metavar="list|show|delete|restore", required=True)
    listing = add_command(actions, "list", "latest first", "The threads, latest first.")
    listing.add_argument("-a", dest="of_assistant", metavar="ID|NAME", help="those this assistant has run in")
    listing.add_argument("-q", dest="text", metavar="TEXT", default="", help="those that contain this text")
    listing.add_argument("--deleted", action="store_true", help="those that were deleted and can be brought back")
    show = add_command(actions, "show", "all messages, oldest first", "All messages of one thread, oldest first.")
    show.add_argument("id", metavar="ID")
    delete = add_command(actions, "delete", "delete threads", "On the engine `restore` brings them back for 30 days.")
    delete.add_argument("ids", nargs="+", metavar="ID")
    restore = add_command(actions, "restore", "bring back deleted threads", "Bring deleted threads back, ids and all.")
    restore.add_argument("ids", nargs="+", metavar="ID")
    for action in (listing, show, delete, restore):
        add_json(action)


async def run(  # noqa: PLR0917 -- the form of every command
    arguments: argparse.Namespace, connect: Connect, settings: Settings, paths: Paths, out: TextIO, err: TextIO
) -> int:
    """Exit code 0; 1 when the server refuses or cannot be asked; 2 for a name that several assistants have."""
    act = {"list": _list, "show": _show, "delete": _delete, "restore": _restore}[arguments.action]
    known = partial(KnownServer, paths.cache, settings.server, on_problem=partial(print_text, file=err))

    async def action() -> None:
        async with connected(connect) as client:
            await act(arguments, client, known, out, err)

    return await exit_code(action(), err)


async def _list(arguments: argparse.Namespace, client: AssistantsClient, known: Any, out: TextIO, err: TextIO) -> None:
    wanted = arguments.of_assistant
    assistant_id = (await find_assistant(client, wanted)).id if wanted else None
    if arguments.deleted:
        await _list_deleted(arguments, client, assistant_id, out)
        return
    if client.is_engine:
        threads = await client.list_threads(assistant_id, arguments.text)
    else:
        threads = _known_threads(known().state, assistant_id, arguments.text)
        print_text(f"{client.where} does not list threads: these are the threads known on this machine.", err)
    if arguments.json:
        print_json([asdict(thread) for thread in threads], out)
        return
    rows = [
        (thread.id, shown_time(thread.last_activity_at), str(thread.message_count), thread.first_message)
        for thread in threads
    ]
    print_table(("id", "last activity", "messages", "first message"), rows, out)


async def _list_deleted(
    arguments: argparse.Namespace, client: AssistantsClient, assistant_id: str | None, out: TextIO
) -> None:
    found = await client.deleted_threads(assistant_id, arguments.text)
    if arguments.json:
        times = ({"deleted_at": int(one.at), "purge_at": int(one.purge_at)} for one in found)
        print_json([{**asdict(one.what), **at} for one, at in zip(found, times, strict=True)], out)
        return
    rows = [
        (one.what.id, shown_time(one.at), one.left(time.time()), str(one.what.message_count), one.what.first_message)
        for one in found
    ]
    print_table(("id", "deleted", "left", "messages", "first message"), rows, out)


def _known_threads(state: ServerState, assistant_id: str | None, text: str) -> list[ThreadSummary]:
    entries = sorted(state.threads, key=lambda entry: entry.last_activity_at, reverse=True)
    return [
        ThreadSummary(
            entry.id, entry.first_message, entry.message_count, int(entry.last_activity_at), (entry.assistant_id,)
        )
        for entry in entries
        if assistant_id in (None, entry.assistant_id) and text.casefold() in entry.first_message.casefold()
    ]


async def _show(
    arguments: argparse.Namespace, client: AssistantsClient, _known: Any, out: TextIO, _err: TextIO
) -> None:
    await client.retrieve_thread(arguments.id)
    messages = await _all_messages(client, arguments.id)
    if arguments.json:
        print_json({"id": arguments.id, "messages": [asdict(message) for message in messages]}, out)
        return
    for message in messages:
        state = "" if message.status == "completed" else f" ({message.status} {message.incomplete_reason})"
        print_text(f"--- {message.role} {shown_time(message.created_at)}{state}\n{message.text}\n", out)


async def _all_messages(client: AssistantsClient, thread_id: str) -> list[Message]:
    messages = page = await client.list_messages(thread_id, limit=_PAGE)
    while len(page) == _PAGE:
        page = await client.list_messages(thread_id, before_id=page[0].id, limit=_PAGE)
        messages = [*page, *messages]
    return messages


async def _delete(
    arguments: argparse.Namespace, client: AssistantsClient, known: Any, out: TextIO, err: TextIO
) -> None:
    with printed_at_the_end("deleted", out, as_json=arguments.json) as deleted:
        try:
            for thread_id in arguments.ids:
                await client.delete_thread(thread_id)
                deleted.append(thread_id)
        finally:
            if deleted and not client.is_engine:
                known().forget_threads(deleted)
    if client.is_engine:
        print_text("Deleted. `threads restore` brings back what was deleted in the last 30 days.", err)


async def _restore(
    arguments: argparse.Namespace, client: AssistantsClient, _known: Any, out: TextIO, _err: TextIO
) -> None:
    with printed_at_the_end("restored", out, as_json=arguments.json) as restored:
        for thread_id in arguments.ids:
            await client.restore_thread(thread_id)
            restored.append(thread_id)
