"""Runs a headless command in the test's process as `cli.py` would."""

from __future__ import annotations

import argparse
import io
import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from playground_tui.config import Settings
from playground_tui.paths import Paths
from tests.support.engine import RunningEngine, paths_in


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


def parsed(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("ask", "assistants", "threads", "files", "models"):
        import_module(f"playground_tui.commands.{name}").add_parser(commands)
    return parser.parse_args(argv)


async def run_with(client: Any, directory: Path, *argv: str, settings: Settings | None = None) -> Ran:
    """Run the command on `client` (or on what raises when it is called to connect)."""

    async def connect() -> Any:
        return client() if callable(client) else client

    arguments = parsed(*argv)
    out, err = io.StringIO(), io.StringIO()
    paths: Paths = paths_in(directory)
    run = import_module(f"playground_tui.commands.{arguments.command}").run
    code = await run(arguments, connect, settings or Settings(), paths, out, err)
    return Ran(code, out.getvalue(), err.getvalue())


class Shell:
    """Commands on one engine."""

    def __init__(self, engine: RunningEngine, directory: Path):
        self.engine = engine
        self.directory = directory

    async def __call__(self, *argv: str) -> Ran:
        return await run_with(self.engine.client, self.directory, *argv)
