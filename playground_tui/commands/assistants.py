"""`playground-tui assistants list|show|create|update|delete|versions|diff|restore`."""

from __future__ import annotations

import argparse
import json
import time
import uuid
from typing import TYPE_CHECKING, Any, TextIO

from playground_tui.assistants.objects import Assistant, object_of
from playground_tui.commands import versions
from playground_tui.commands.assistant_fields import add_fields, given_fields
from playground_tui.commands.output import (
    Connect,
    WrongUsage,
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

_SHOWN = ("name", "description", "model", "temperature", "top_p", "response_format", "reasoning_effort")


def add_parser(subparsers: Any) -> None:
    """Add the command with its actions."""
    what = "Assistants at the server, each by its id or its name."
    parser = add_command(subparsers, "assistants", "list, show, change, delete and restore assistants", what)
    names = "list|show|create|update|delete|versions|diff|restore"
    actions = parser.add_subparsers(dest="action", metavar=names, required=True)
    listing = add_command(actions, "list", "newest first", "All assistants, newest first.")
    listing.add_argument("--deleted", action="store_true", help="those that were deleted and can be brought back")
    show = add_command(actions, "show", "one assistant, whole", "One assistant with its instructions.")
    show.add_argument("wanted", metavar="ID|NAME")
    create = add_command(actions, "create", "make one and print its id", "Make an assistant; its id is printed.")
    add_fields(create)
    update = add_command(actions, "update", "change what is given", "Change what is given and nothing else.")
    update.add_argument("wanted", metavar="ID|NAME")
    add_fields(update)
    delete = add_command(actions, "delete", "delete assistants", "`restore` brings them back for 30 days.")
    delete.add_argument("all_wanted", nargs="+", metavar="ID|NAME")
    for action in (listing, show, create, update, delete, *versions.add_parsers(actions)):
        add_json(action)


async def run(
    arguments: argparse.Namespace, connect: Connect, _settings: Settings, _paths: Paths, out: TextIO, err: TextIO
) -> int:
    """Exit code 0; 1 when the server refuses or cannot be asked; 2 for wrong options or a name that several have."""
    actions = {
        "list": _list,
        "show": _show,
        "create": _create,
        "update": _update,
        "delete": _delete,
        "versions": versions.versions,
        "diff": versions.diff,
        "restore": versions.restore,
    }

    async def action() -> None:
        async with connected(connect) as client:
            await actions[arguments.action](arguments, client, out, err)

    return await exit_code(action(), err)


async def _list(arguments: argparse.Namespace, client: AssistantsClient, out: TextIO, _err: TextIO) -> None:
    if arguments.deleted:
        await _list_deleted(arguments, client, out)
        return
    assistants = await client.list_assistants()
    if arguments.json:
        print_json([assistant.raw for assistant in assistants], out)
        return
    rows = [(one.id, one.name, one.model, ", ".join(one.tool_types)) for one in assistants]
    print_table(("id", "name", "model", "tools"), rows, out)


async def _list_deleted(arguments: argparse.Namespace, client: AssistantsClient, out: TextIO) -> None:
    found = await client.versions.deleted()
    if arguments.json:
        print_json([{**one.what.raw, "deleted_at": int(one.at), "purge_at": int(one.purge_at)} for one in found], out)
        return
    rows = [(one.what.id, one.what.name, one.what.model, shown_time(one.at), one.left(time.time())) for one in found]
    print_table(("id", "name", "model", "deleted", "left"), rows, out)


async def _show(arguments: argparse.Namespace, client: AssistantsClient, out: TextIO, _err: TextIO) -> None:
    assistant = await find_assistant(client, arguments.wanted)
    if arguments.json:
        print_json(assistant.raw, out)
    else:
        print_text(described(assistant), out)


async def _create(arguments: argparse.Namespace, client: AssistantsClient, out: TextIO, _err: TextIO) -> None:
    fields = given_fields(arguments, {})
    if "model" not in fields:
        fields["model"] = await _default_model(client)
    _print_saved(arguments, await client.create_assistant(fields, key=uuid.uuid4().hex), out)


async def _default_model(client: AssistantsClient) -> str:
    model = (await client.engine_status()).default_model if client.is_engine else ""
    if not model:
        raise WrongUsage("Which model? Give --model; `playground-tui models` lists them.")
    return model


async def _update(arguments: argparse.Namespace, client: AssistantsClient, out: TextIO, _err: TextIO) -> None:
    assistant = await find_assistant(client, arguments.wanted)
    fields = given_fields(arguments, assistant.raw)
    if not fields:
        raise WrongUsage("Nothing to change was given, such as --name or --instructions.")
    _print_saved(arguments, await client.update_assistant(assistant.id, fields), out)


def _print_saved(arguments: argparse.Namespace, assistant: Assistant, out: TextIO) -> None:
    if arguments.json:
        print_json(assistant.raw, out)
    else:
        print_text(assistant.id, out)


async def _delete(arguments: argparse.Namespace, client: AssistantsClient, out: TextIO, err: TextIO) -> None:
    found = [await find_assistant(client, wanted) for wanted in arguments.all_wanted]
    with printed_at_the_end("deleted", out, as_json=arguments.json) as deleted:
        for assistant in found:
            await client.delete_assistant(assistant.id)
            deleted.append(assistant.id)
    print_text("Deleted. `assistants restore` brings back what was deleted in the last 30 days.", err)


def described(assistant: Assistant) -> str:
    """The assistant in lines for a person; what is not set is left out."""
    raw = assistant.raw
    lines = [f"id: {assistant.id}"]
    lines += [f"{name}: {_value(raw[name])}" for name in _SHOWN if raw.get(name) not in (None, "")]
    lines += [f"tool: {_value(tool)}" for tool in raw.get("tools") or ()]
    lines += [f"metadata: {key} = {_value(value)}" for key, value in object_of(raw, "metadata").items()]
    instructions = raw.get("instructions")
    return "\n".join([*lines, "", str(instructions)] if instructions else lines)


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
