"""`playground-tui models`."""

from __future__ import annotations

import argparse
from typing import Any, TextIO

from playground_tui.commands.output import Connect, add_command, add_json, connected, exit_code, print_json, print_text
from playground_tui.config import Settings
from playground_tui.paths import Paths


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    description = "The ids of the models that can be used, one a line; what the engine takes by itself is on stderr."
    add_json(add_command(subparsers, "models", "list the models", description))


async def run(
    arguments: argparse.Namespace, connect: Connect, _settings: Settings, _paths: Paths, out: TextIO, err: TextIO
) -> int:
    """Exit code 0, or 1 when the server cannot be asked."""
    return await exit_code(_list(arguments, connect, out, err), err)


async def _list(arguments: argparse.Namespace, connect: Connect, out: TextIO, err: TextIO) -> None:
    async with connected(connect) as client:
        models = await client.list_models()
        sentence = (await client.engine_status()).sentence if client.is_engine else ""
    if arguments.json:
        print_json(models, out)
        return
    for model in models:
        print_text(model, out)
    if sentence:
        print_text(sentence, err)
