"""`playground-tui engine status|stop|check`."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Mapping
from typing import Any, TextIO

from playground_tui.commands.output import json_text
from playground_tui.config import Settings
from playground_tui.launch import EngineSilent, LaunchError, ask_engine, check_store, find_engine, stop_engine
from playground_tui.paths import Paths
from playground_tui.text import clean

_DESCRIPTION = """\
The engine keeps assistants and threads and works on runs. It is started by the first playground or command that
needs it, goes on when your connection drops, and ends when nobody has been connected and no run active for a while
(idle_exit, 30 minutes). It takes PATH, HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE from whoever starts it: after a change
of these, stop it, and the next start takes the new ones. `serve` is the engine itself where none runs yet."""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "engine",
        help="say whether the engine runs, stop it, or check its store",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", metavar="status|stop|check", required=True)
    status = actions.add_parser("status", help="process, version, connections, active runs, providers")
    stop = actions.add_parser("stop", help="stop it; runs under way end as failed, with their text kept")
    check = actions.add_parser("check", help="look whether everything in the store is whole; changes nothing")
    for action in (status, stop, check):
        action.add_argument("--json", action="store_true", help="print JSON")


async def run(
    arguments: argparse.Namespace, _connect: object, _settings: Settings, paths: Paths, out: TextIO, err: TextIO
) -> int:
    """Exit code 0, or 1 when an engine lives that does not answer or does not stop, or the store is not sound."""
    try:
        result, sentence = await asyncio.to_thread(_ACTIONS[arguments.action], paths)
    except LaunchError as error:
        print(clean(str(error)), file=err)
        return 1
    print(json_text(result) if arguments.json else sentence, file=out)
    return 0 if result.get("sound", True) else 1


def _status(paths: Paths) -> tuple[dict[str, Any], str]:
    address = find_engine(paths)
    if address is None:
        return {"running": False}, "The engine does not run. It is started when it is needed."
    try:
        answer = ask_engine(address.socket, "GET", "/engine")
    except EngineSilent as error:
        raise LaunchError(f"The engine (process {address.pid}) does not answer at {address.socket}: {error}") from error
    return {"running": True, "socket": str(address.socket), **answer}, described(answer)


def described(answer: Mapping[str, Any]) -> str:
    """What the engine says of itself, in lines for a person."""
    up = duration(time.time() - float(answer["started_at"]))
    lines = [
        f"The engine runs: process {answer['pid']}, version {answer['version']}, build {answer['build']}, up {up}.",
        f"connections: {answer['connections']}, active runs: {answer['active_runs']}",
        *(f"listening on {entry['host']} port {entry['port']}" for entry in answer.get("listeners", ())),
        str(answer.get("sentence", "")),
    ]
    return clean("\n".join(line for line in lines if line))


def duration(seconds: float) -> str:
    """Seconds in words: `50 s`, `12 min`, `3 h 5 min`, `2 d 4 h`."""
    minutes, hours, days = (int(seconds // unit) for unit in (60, 3600, 86400))
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{int(seconds)} s"


def _stop(paths: Paths) -> tuple[dict[str, Any], str]:
    stopped = stop_engine(paths)
    return {"stopped": stopped}, "The engine has stopped." if stopped else "The engine does not run."


def _check(paths: Paths) -> tuple[dict[str, Any], str]:
    report = check_store(paths)
    return report, found(report)


def found(report: Mapping[str, Any]) -> str:
    """What a check of the store says, in lines for a person."""
    sentences = [str(finding["sentence"]) for finding in report["findings"]]
    if sentences:
        return clean("\n".join([*sentences, f"The store is not sound: {len(sentences)} found."]))
    counts = {**report["counts"], "active runs": report["active_runs"]}
    counted = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())
    return clean(f"The store is sound: {counted}.")


_ACTIONS = {"status": _status, "stop": _stop, "check": _check}
