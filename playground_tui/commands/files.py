"""`playground-tui files list|upload|show|download|delete`."""

from __future__ import annotations

import argparse
import asyncio
import os
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from playground_tui.assistants.local_files import free_name, shown_size
from playground_tui.assistants.stored import StoredFile
from playground_tui.commands.output import (
    Connect,
    WrongUsage,
    add_command,
    add_json,
    connected,
    exit_code,
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

_PURPOSES = "assistants, vision, user_data, batch, fine-tune or evals"


def add_parser(subparsers: Any) -> None:
    """Add the command with its actions."""
    parser = add_command(subparsers, "files", "list, upload, show, download and delete files", "Files at the server.")
    actions = parser.add_subparsers(dest="action", metavar="list|upload|show|download|delete", required=True)
    listing = add_command(actions, "list", "newest first", "All files, newest first.")
    listing.add_argument("--purpose", metavar="WORD", default="", help=_PURPOSES)
    upload = add_command(actions, "upload", "send files and print their ids", "Send files; their ids are printed.")
    upload.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    upload.add_argument("--purpose", metavar="WORD", default="", help=f"{_PURPOSES}; else told by the name")
    show = add_command(actions, "show", "one file's name, size and purpose", "What the server says of a file.")
    show.add_argument("id", metavar="ID")
    download = add_command(actions, "download", "bring a file here", "Write a file here; its path is printed.")
    download.add_argument("id", metavar="ID")
    download.add_argument(
        "-o", "--output", metavar="PATH", help="where to; - is stdout. Else the file's own name, here, nothing replaced"
    )
    delete = add_command(actions, "delete", "delete files", "Delete files for good.")
    delete.add_argument("ids", nargs="+", metavar="ID")
    for action in (listing, upload, show, download, delete):
        add_json(action)


async def run(
    arguments: argparse.Namespace, connect: Connect, _settings: Settings, _paths: Paths, out: TextIO, err: TextIO
) -> int:
    """Exit code 0; 1 when a file or the server refuses, or the server cannot be asked; 2 for wrong options."""
    actions = {"list": _list, "upload": _upload, "show": _show, "download": _download, "delete": _delete}

    async def action() -> None:
        async with connected(connect) as client:
            await actions[arguments.action](arguments, client, out, err)

    return await exit_code(action(), err)


async def _list(arguments: argparse.Namespace, client: AssistantsClient, out: TextIO, _err: TextIO) -> None:
    files = await client.files.list(arguments.purpose)
    if arguments.json:
        print_json([file.raw for file in files], out)
        return
    rows = [(file.id, file.name, shown_size(file.size), file.purpose, shown_time(file.created_at)) for file in files]
    print_table(("id", "name", "size", "purpose", "created"), rows, out)


async def _upload(arguments: argparse.Namespace, client: AssistantsClient, out: TextIO, _err: TextIO) -> None:
    sent: list[StoredFile] = []
    try:
        for path in arguments.paths:
            sent.append(await client.files.upload(path, purpose=arguments.purpose))
            if not arguments.json:
                print_text(sent[-1].id, out)
    finally:
        if arguments.json:
            print_json([file.raw for file in sent], out)


async def _show(arguments: argparse.Namespace, client: AssistantsClient, out: TextIO, _err: TextIO) -> None:
    file = await client.files.retrieve(arguments.id)
    if arguments.json:
        print_json(file.raw, out)
        return
    facts = {
        "id": file.id,
        "name": file.name,
        "size": shown_size(file.size),
        "purpose": file.purpose,
        "created": shown_time(file.created_at),
    }
    print_text("\n".join(f"{name}: {value}" for name, value in facts.items()), out)


async def _download(arguments: argparse.Namespace, client: AssistantsClient, out: TextIO, err: TextIO) -> None:
    if arguments.output == "-":
        await _to_stdout(client, arguments.id, out)
        return
    target = Path(arguments.output or ".")
    if await asyncio.to_thread(os.path.isdir, target):
        name = (await client.files.retrieve(arguments.id)).name
        target = await asyncio.to_thread(free_name, target, name)
    size = await client.files.download(arguments.id, target, replace=bool(arguments.output))
    if arguments.json:
        print_json({"id": arguments.id, "path": str(target), "bytes": size}, out)
    else:
        print_text(str(target), out)
        print_text(f"{shown_size(size)} written.", err)


async def _to_stdout(client: AssistantsClient, file_id: str, out: TextIO) -> None:
    """The bytes as they are: they are for a pipe. Raises WrongUsage where they would go to a terminal."""
    if out.isatty():
        raise WrongUsage("A file's bytes are not written to a terminal: give -o PATH, or lead them into a pipe.")
    async with aclosing(client.files.content(file_id)) as chunks:
        async for chunk in chunks:
            out.buffer.write(chunk)
    out.buffer.flush()


async def _delete(arguments: argparse.Namespace, client: AssistantsClient, out: TextIO, _err: TextIO) -> None:
    with printed_at_the_end("deleted", out, as_json=arguments.json) as deleted:
        for file_id in arguments.ids:
            await client.files.delete(file_id)
            deleted.append(file_id)
