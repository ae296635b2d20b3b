"""`playground-tui doctor`: what was found on this machine, and what stands in the way."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TextIO

from playground_tui import __version__
from playground_tui.commands.engine import duration
from playground_tui.commands.login import login_ends_processes
from playground_tui.commands.output import json_text
from playground_tui.config import ConfigError, Settings, load_settings, provider_handover, server_credentials
from playground_tui.display import CONFIGURED, THEMES, Display, choose
from playground_tui.launch import EngineSilent, LaunchError, ask_engine, find_engine
from playground_tui.paths import Paths
from playground_tui.redaction import shown_url
from playground_tui.text import clean

State = Literal["ok", "warning", "broken"]

_DESCRIPTION = """\
Say what was found: Python, terminal, colours, directories, configuration, engine, providers and whether their keys are
there (never a key). Exit code 1 when something is broken. Nothing is changed and the engine is not started."""

_WIDTH = 14


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `advice` says what is wrong with it and what to do, "" when nothing is."""

    name: str
    value: str
    state: State = "ok"
    advice: str = ""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "doctor", help="say what was found on this machine and what is wrong", description=_DESCRIPTION
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


async def run(
    arguments: argparse.Namespace,
    _connect: object,
    settings: Settings,
    paths: Paths,
    out: TextIO,
    _err: TextIO,
    *,
    environ: Mapping[str, str] = os.environ,
) -> int:
    """Exit code 1 when something is broken."""
    findings = await asyncio.to_thread(lambda: list(examine(settings, paths, environ)))
    broken = any(finding.state == "broken" for finding in findings)
    if arguments.json:
        print(json_text({"ok": not broken, "findings": [asdict(finding) for finding in findings]}), file=out)
    else:
        for finding in findings:
            print(_line(finding), file=out)
    return int(broken)


def _line(finding: Finding) -> str:
    lines = [f"{finding.name:<{_WIDTH}}{clean(finding.value, newlines=False)}".rstrip()]
    if finding.advice:
        mark = "broken" if finding.state == "broken" else "note"
        lines.append(f"{'':<{_WIDTH}}{mark}: {clean(finding.advice, newlines=False)}")
    return "\n".join(lines)


def examine(settings: Settings, paths: Paths, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Everything that was found, in the order of the report. Blocks while key commands and the engine answer."""
    yield Finding("program", f"playground-tui {__version__}")
    yield Finding("Python", f"{platform.python_version()} at {sys.executable}")
    yield Finding("system", f"{platform.system()} {platform.release()} {platform.machine()}")
    yield from _terminal(environ)
    yield from _display(choose(settings, environ))
    yield Finding("time zone", time.strftime("%Z, UTC%z") + (f" (TZ={environ['TZ']})" if environ.get("TZ") else ""))
    for name in ("data", "state", "runtime"):
        yield directory_finding(name, getattr(paths, name))
    yield _configuration(paths, environ)
    if settings.server is not None:
        found = server_credentials(settings, environ)
        state: State = "warning" if found.problem else "ok"
        yield Finding("server", f"{shown_url(settings.server)}, {_key_words(found.origin)}", state, found.problem)
    engine, answer = engine_finding(paths)
    yield engine
    yield from _providers(settings, environ, answer)
    yield _allowed(settings)
    yield code_finding(answer)
    if login_ends_processes(environ):
        yield Finding(
            "logout",
            "ends all processes of yours (KillUserProcesses)",
            "warning",
            "The engine and its runs would end with the connection. To let them stay: loginctl enable-linger",
        )


def _terminal(environ: Mapping[str, str]) -> Iterator[Finding]:
    kind = environ.get("TERM", "")
    size = shutil.get_terminal_size()
    around = [name for name, variable in _AROUND.items() if environ.get(variable)]
    value = f"{kind or 'unknown'}, {size.columns}x{size.lines}" + (f", in {' and '.join(around)}" if around else "")
    if kind in ("", "dumb"):
        yield Finding("terminal", value, "warning", "TERM names no terminal that can show a screen.")
    else:
        yield Finding("terminal", value)


_AROUND = {"tmux": "TMUX", "screen": "STY", "SSH": "SSH_CONNECTION"}
_COLOURS = {"truecolor": "16 million", "256": "256", "16": "16", "none": "none"}
_SCROLL = {"calm": "calm, by most of a page", "line": "line by line"}


def _display(display: Display) -> Iterator[Finding]:
    """What the screen shows itself with, and why."""
    why = display.why
    yield _chosen("colours", _COLOURS[display.colours], why["colours"])
    theme = _chosen("theme", display.theme, why["theme"])
    if display.theme not in THEMES:
        theme = replace(theme, state="warning", advice=f"There is no such theme. Known: {', '.join(THEMES)}.")
    yield theme
    letters = _chosen("letters", f"{display.letters}, written as {display.encoding}", why["letters"])
    if display.signs == ("ascii",) and why["letters"] != CONFIGURED:
        advice = "Other letters are written out in ASCII. If the terminal shows UTF-8: LANG=C.UTF-8."
        letters = replace(letters, state="warning", advice=advice)
    yield letters
    yield _chosen("frames", f"{display.frame_rate} a second while text streams", why["frame_rate"])
    yield _chosen("pace", "a frame waits until the terminal has read the one before", "if it answers CSI 6 n")
    yield _chosen("scrolling", _SCROLL[display.scroll], why["scroll"])


def _chosen(what: str, value: str, why: str) -> Finding:
    return Finding("display", f"{what}: {value} ({why})")


def directory_finding(name: str, path: Path) -> Finding:
    """Whether a directory is there, or can be made, and is ours to write to."""
    present = next(place for place in (path, *path.parents) if os.path.lexists(place))
    if not os.access(present, os.W_OK | os.X_OK) or not present.is_dir():
        return Finding(name, str(path), "broken", f"{present} cannot be written to.")
    if present != path:
        return Finding(name, f"{path} (made when it is needed)")
    if path.is_symlink() or path.stat().st_uid != os.getuid():
        return Finding(name, str(path), "broken", "It is a symbolic link or another user's: it will not be used.")
    return Finding(name, str(path))


def _configuration(paths: Paths, environ: Mapping[str, str]) -> Finding:
    try:
        load_settings(paths, environ, {})
    except ConfigError as error:
        return Finding("configuration", str(paths.config_file), "broken", str(error))
    there = "" if paths.config_file.exists() else " (not there: defaults are used)"
    return Finding("configuration", f"{paths.config_file}{there}")


def engine_finding(paths: Paths) -> tuple[Finding, dict[str, Any]]:
    """Whether the engine lives and answers, and what it answered."""
    try:
        address = find_engine(paths)
    except LaunchError as error:
        return Finding("engine", "not to be used", "broken", str(error)), {}
    if address is None:
        return Finding("engine", "not running (started when it is needed)"), {}
    try:
        answer = ask_engine(address.socket, "GET", "/engine", timeout=2.0)
    except (EngineSilent, LaunchError):
        advice = f"It does not answer at {address.socket}. End it: playground-tui engine stop"
        return Finding("engine", f"process {address.pid}", "broken", advice), {}
    up = duration(time.time() - float(answer["started_at"]))
    counts = f"{answer['connections']} connections, {answer['active_runs']} active runs"
    value = f"process {address.pid}, version {address.version}, build {address.build}, up {up}, {counts}"
    return Finding("engine", value), answer


def _providers(settings: Settings, environ: Mapping[str, str], answer: Mapping[str, Any]) -> Iterator[Finding]:
    """What this start would hand over, and what the engine has found beside that."""
    ours = provider_handover(settings, environ)["providers"]
    for entry in ours:
        where = f"{entry['name']} at {shown_url(entry['base_url'])} ({entry['origin']})"
        value = f"{where}, {_key_words(entry.get('key_from', ''))}"
        problem = entry.get("problem", "")
        yield Finding("provider", value, "warning" if problem else "ok", problem)
    names = {entry["name"] for entry in ours}
    for entry in answer.get("providers", ()):
        if entry["name"] not in names:
            where = f" at {entry['base_url']}" if entry["base_url"] else ""
            yield Finding("provider", f"{entry['name']}{where} ({entry['origin']}), {entry['state']}")
    if answer:
        yield Finding("models go to", str(answer.get("sentence", "")))
    elif not ours:
        advice = "No key and no provider is configured: unless a local model server is found, `rehearsal` answers."
        yield Finding("provider", "rehearsal", "ok", advice)


def _allowed(settings: Settings) -> Finding:
    """All that a run may do on this machine, and where that is revoked."""
    code = "Python in a sandbox, where an assistant has code_interpreter ticked" if settings.allow_code else "nothing"
    where = "revoke it" if settings.allow_code else "allow it again"
    return Finding("runs may run", f"{code} ({where}: code = {str(not settings.allow_code).lower()} under [allow])")


def code_finding(answer: Mapping[str, Any]) -> Finding:
    """Whether the code interpreter can be used: the engine has tried it; without one, whether bubblewrap is there."""
    problem = answer.get("tools", {}).get("code_interpreter")
    bwrap = shutil.which("bwrap")
    if problem:
        return Finding("code", "cannot be run", "warning", problem)
    if problem is None and bwrap is None:
        advice = "The code interpreter needs bubblewrap, on Linux: apt install bubblewrap, dnf install bubblewrap."
        return Finding("code", "cannot be run", "warning", advice)
    return Finding("code", f"runs in a sandbox of {bwrap or 'bubblewrap'}" + ("" if answer else " (not tried)"))


def _key_words(origin: str) -> str:
    return f"key present ({origin})" if origin else "no key"
