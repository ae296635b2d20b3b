"""The README holds: its keys, settings, commands and numbers are those of the program."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import playground_tui
from playground_tui import config
from playground_tui.assistants import tries
from playground_tui.assistants.local_files import LARGEST_FILE
from playground_tui.cache import versions as seen_versions
from playground_tui.commands import serve
from playground_tui.config import Settings, load_settings
from playground_tui.engine import connection, guards, resources
from playground_tui.engine.runs import executor
from playground_tui.engine.store import purge, uploads
from playground_tui.engine.store import versions as kept_versions
from playground_tui.engine.tools.code_interpreter.limits import Limits
from playground_tui.engine.tools.code_interpreter.service import IDLE_SECONDS
from playground_tui.paths import Paths
from playground_tui.ui import keys
from playground_tui.ui.clipboard import LONGEST
from playground_tui.ui.screen import FOREIGN_READ

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
PACKAGE = Path(playground_tui.__file__).parent
MB, GB, DAYS = 2**20, 2**30, 24 * 3600


def rows(title: str) -> list[list[str]]:
    """The rows of the table whose first heading this is."""
    table = README.partition(f"| {title} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def test_the_table_of_keys_is_the_help() -> None:
    shown = [tuple(cell.strip("`| ") for cell in (*row, "")[:3]) for row in rows("keys")]
    assert shown == [(named, does, name) for name, named, does in keys.help_rows({})]


def test_every_setting_is_there_and_no_other() -> None:
    toml = README.partition("```toml\n")[2].partition("```")[0]
    file = tomllib.loads(toml)
    known = {*config._TOP, *config._PROVIDER, *config._DISPLAY, *config._ALLOW}
    written = {*file, *file["display"], *file["allow"], *(key for one in file["providers"].values() for key in one)}
    assert written <= known
    assert [name for name in sorted(known) if not re.search(rf"\b{name}\b", README)] == []


def test_the_configuration_can_be_used_as_it_stands(tmp_path: Path) -> None:
    paths = Paths(config=tmp_path, data=tmp_path, state=tmp_path, runtime=tmp_path)
    paths.config_file.write_text(README.partition("```toml\n")[2].partition("```")[0])
    settings = load_settings(paths, {}, {})
    usual = Settings()
    assert (settings.autosave_delay, settings.idle_exit) == (usual.autosave_delay, usual.idle_exit)
    assert (settings.run_expires_after, settings.scroll, settings.plain) == (600, usual.scroll, usual.plain)


def test_every_word_of_plain_mode_is_there() -> None:
    source = ast.parse((PACKAGE / "plain" / "talk.py").read_text())
    calls = [node for node in ast.walk(source) if isinstance(node, ast.Call)]
    words = {node.args[0].value for node in calls if getattr(node.func, "id", "") == "Command"}  # type: ignore[attr-defined]
    told = {word for row in rows("word") for word in re.findall(r"`/(\w+)`", row[0])}
    assert told == words


@pytest.mark.parametrize(
    ("words", "number", "meant"),
    [
        ("brought back for 30 days", purge.KEPT, 30 * DAYS),
        ("brought back for 30 days", seen_versions.KEPT, 30 * DAYS),
        ("256 MB", kept_versions.MOST_BYTES, 256 * MB),
        ("newest 50", kept_versions.ALWAYS, 50),
        ("64 MB of each assistant", seen_versions.MOST_BYTES, 64 * MB),
        ("64 MB a request", guards.MAX_BODY, 64 * MB),
        ("512 MB a file", guards.MAX_FILE, 512 * MB),
        ("512 MB a file", LARGEST_FILE, 512 * MB),
        ("8 GB an upload", uploads.MAX_UPLOAD, 8 * GB),
        ("400 connections", connection.MOST_CONNECTIONS, 400),
        ("30 rounds", executor.ROUNDS, 30),
        ("600 s a run", Settings().run_expires_after, 600),
        ("120 s", Limits().wall_seconds, 120),
        ("64 processes", Limits().processes, 64),
        ("1 GB of memory", Limits().memory, GB),
        ("512 MB of disk", Limits().disk, 512 * MB),
        ("20 files", resources.CODE_FILES, 20),
        ("20 idle\nminutes", IDLE_SECONDS, 20 * 60),
        ("four attempts", tries.TRIES, 4),
        ("more than 60 s", tries.LONGEST_WISH, 60),
        ("every 4 s", FOREIGN_READ, 4),
        ("75 KB", LONGEST // 1000, 74),
        ("127.0.0.1:8765", serve.PORT, 8765),
    ],
)
def test_numbers_are_those_of_the_program(words: str, number: float, meant: float) -> None:
    assert number == meant
    assert " ".join(words.split()) in " ".join(README.split())


STARTS = {
    "commands/login.py": "busctl, which is asked whether a logout ends processes",
    "credentials.py": "the command of the configuration that prints a key, and the keyring",
    "desk/editor.py": "the user's editor",
    "engine/tools/code_interpreter/probe.py": "bwrap --version",
    "engine/tools/code_interpreter/sandbox.py": "bwrap, in which code runs",
    "engine/tools/file_search/reading/process.py": "the reader of documents, a Python of ours",
    "launch.py": "the engine, and the check of its store",
}
"""Where a process is started, and which. What an assistant wants run has one way alone: the sandbox."""


STARTING = re.compile(
    r"asyncio\.create_subprocess_\w+|subprocess\.(Popen|run|call|check_\w+|get\w*output)|pty\.(fork|spawn)"
    r"|os\.(exec[lv]\w*|spawn\w+|posix_spawnp?|system|popen|fork|forkpty)|multiprocessing(\.\w+)*|futures\.Process\w+"
)


def starters(source: str) -> Iterator[str]:
    """The names in a source by which a process is started."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            if STARTING.fullmatch(name):
                yield name
        elif isinstance(node, ast.ImportFrom) and node.module in ("subprocess", "pty", "multiprocessing"):
            yield node.module


def test_nothing_else_of_the_machine_is_run() -> None:
    found = {
        str(file.relative_to(PACKAGE)): sorted(set(starters(file.read_text(encoding="utf-8"))))
        for file in PACKAGE.rglob("*.py")
    }
    assert {name for name, names in found.items() if names} == STARTS.keys()
