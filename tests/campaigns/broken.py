"""Every file the program keeps broken in every way: it starts, says which one it was, and keeps what was in it.

    python -m tests.campaigns.broken [--count 150] [--seed 1]

Each case is a home of somebody who has used everything and whose program was killed, with one file broken, emptied,
replaced by something else, not ours, or of a newer version. The screen is opened on a terminal of its own, or a
headless command comes first; what was typed is there where its file was sound, and the broken file lies beside.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from playground_tui.cache.cache import Cache
from playground_tui.cache.state import ComposerState, DraftState, ThreadEntry
from playground_tui.cache.versions import Versions
from playground_tui.engine.files import Files
from playground_tui.engine.objects import assistant_object, message_object, thread_object
from playground_tui.engine.store import assistants, messages, threads
from playground_tui.engine.store.opening import open_store
from playground_tui.launch import LaunchError, ensure_engine, stop_engine
from playground_tui.paths import Paths
from tests.campaigns import spoils
from tests.campaigns.person import PATIENCE
from tests.campaigns.spoils import SPOILS, Spoil, trace_of
from tests.support.terminal import ROOT, Terminal, user

_START = "import sys; from playground_tui.cli import main; sys.exit(main())"
CONFIG = '[display]\ntheme = "dark"\n'
TYPED = "typed before the kill"


@dataclass
class Outcome:
    """What a campaign saw."""

    cases: int = 0
    aside: int = 0
    untouched: int = 0
    by_file: Counter[str] = field(default_factory=Counter)

    @property
    def sentence(self) -> str:
        files = ", ".join(f"{name} {count}" for name, count in sorted(self.by_file.items()))
        return (
            f"{self.cases} broken files ({files}): the program started each time, on the screen and without one;"
            f" {self.aside} were set aside under a name with the date and named, {self.untouched} of a newer version"
            " left as they were and named."
        )


@dataclass(frozen=True)
class Case:
    """One file of one home, and how it is broken."""

    name: str
    spoil: Spoil

    @property
    def kind(self) -> str:
        return f"{self.name} {self.spoil.__name__}"


# --- a home


def furnish(paths: Paths) -> None:
    """All that somebody has who used everything, and whose screen and engine were killed."""
    for directory in (paths.config, paths.data, paths.state, paths.runtime):
        directory.mkdir(parents=True, mode=0o700)
    assistant_id, thread_id = asyncio.run(_fill_store(paths))
    cache = Cache.open(paths.cache, "engine", on_problem=print)
    cache.update_session(assistant_id=assistant_id, thread_id=thread_id)
    cache.save_composer(thread_id, ComposerState(TYPED))
    cache.save_draft(DraftState(assistant_id, {"id": assistant_id, "model": "rehearsal/echo"}, {"name": "Mine"}))
    entry = ThreadEntry(thread_id, assistant_id, "hello", 1, 1.0)
    cache.update_server(lambda state: type(state)(threads=(entry,), last_assistant=assistant_id, history=("hello",)))
    cache.close()
    Versions(paths.versions, "engine").note({"id": assistant_id, "model": "rehearsal/echo"})
    paths.config_file.write_text(CONFIG)
    paths.engine_log.write_text("an old line\n")
    paths.engine_file.write_text(json.dumps({"socket": "/nowhere", "pid": 1, "protocol": 1}))
    paths.engine_lock.touch()


async def _fill_store(paths: Paths) -> tuple[str, str]:
    """A store that its engine had no time to close: part of it lies in the journal."""
    assistant = assistant_object({"model": "rehearsal/echo", "name": "Reviewer"}, created_at=1)
    thread = thread_object(created_at=1)
    content = [{"type": "text", "text": {"value": "hello", "annotations": []}}]
    message = message_object(thread_id=thread["id"], role="user", content=content, created_at=1)
    live = paths.data / "live"
    live.mkdir()
    database = open_store(live / "engine.db").database
    await database.write(lambda c: assistants.insert(c, assistant))
    await database.write(lambda c: (threads.insert(c, thread), messages.insert(c, message)))
    await Files(paths.data / "files", database).add("notes.txt", "assistants", b"The sky is blue.\n" * 50)
    for file in live.iterdir():
        shutil.copy(file, paths.data / file.name)
    database.close()
    shutil.rmtree(live)
    return str(assistant["id"]), str(thread["id"])


def places(paths: Paths) -> dict[str, Path]:
    """The files that are broken, by what they are called here."""
    kinds = ("session", "server", "draft", "composer")
    return {
        **{f"cache {kind}": next(paths.cache.glob(f"*{kind}*")) for kind in kinds},
        "config.toml": paths.config_file,
        "engine.json": paths.engine_file,
        "engine.lock": paths.engine_lock,
        "engine.log": paths.engine_log,
        "engine.db": paths.database,
        "engine.db-wal": paths.data / "engine.db-wal",
        "engine.db-shm": paths.data / "engine.db-shm",
        "versions": next(paths.versions.rglob("*.jsonl")),
        "file": next((paths.data / "files").iterdir()),
    }


def has_newer(name: str) -> bool:
    return name.startswith("cache") or name in {"engine.db", "engine.json"}


# --- a case


def play(case: Case, environ: Mapping[str, str], random: Random, outcome: Outcome) -> None:
    """Break the file, start the program, and see what became of it. AssertionError when anything is wrong."""
    paths = Paths.from_environment(environ)
    path = places(paths)[case.name]
    case.spoil(path, random)
    before = trace_of(path)
    if random.random() < 0.3:
        headless(case, environ)
        on_screen(case, environ, path, named=False)
    else:
        on_screen(case, environ, path, named=True)
        headless(case, environ)
    judge(case, path, before, outcome)


def on_screen(case: Case, environ: Mapping[str, str], path: Path, *, named: bool) -> None:
    """Open the screen, use it, and leave it."""
    refused = case.kind == "engine.db newer"
    with Terminal(environ) as terminal:
        terminal.wait("Not connected" if refused else "rehearsal", timeout=PATIENCE)
        if refused:
            terminal.wait("newer version of playground-tui", timeout=PATIENCE)
        if named and (words := said_of(case, path)):
            terminal.until(lambda: words in _unbroken(terminal.screen), timeout=PATIENCE)
        terminal.type("\x0cand more")  # to the composer
        terminal.wait("and more")
        if case.name not in {"cache session", "cache composer"}:
            assert TYPED in terminal.screen, terminal.screen
        terminal.type("\x11")
        assert terminal.ended(within=PATIENCE) == 0, terminal.screen
        assert b"Traceback" not in terminal.written, terminal.screen


def _unbroken(screen: str) -> str:
    """A screen without the ends of its lines: a sentence is cut anywhere."""
    return "".join(screen.split())


def said_of(case: Case, path: Path) -> str:
    """What must be read on the screen, without blanks; "" when there is nothing to say."""
    if case.name == "config.toml":
        return "" if _reads_as_sound(case, path) else f"{path}".replace(" ", "")
    if case.kind == "engine.db newer":
        return "newerversionofplayground-tui"
    if case.spoil is spoils.newer and case.name.startswith("cache"):
        return "anewerplayground-tui(schema999)"
    if must_be_aside(case):
        return ".broken-"
    return ""


def _reads_as_sound(case: Case, path: Path) -> bool:
    """Whether nothing can be told from a configuration that was never written, or is one by chance."""
    if case.spoil in {spoils.emptied, spoils.a_link_elsewhere, spoils.read_only}:
        return True
    return case.spoil is spoils.truncated and path.read_text().strip() in {"", "[display]"}


def must_be_aside(case: Case) -> bool:
    """Whether the file is one that must be set aside."""
    what = case.spoil
    if what in {spoils.a_link_elsewhere, spoils.read_only, spoils.newer}:
        return False
    if case.name.startswith("cache"):
        return what is not spoils.a_dangling_link and what is not spoils.scribbled_on
    if case.name == "engine.db":
        return what is not spoils.scribbled_on
    if case.name == "engine.lock":
        return what in {*spoils.NO_FILES, spoils.not_ours}
    if case.name in {"engine.json", "engine.db-wal", "engine.db-shm"}:
        return what in {spoils.a_directory, spoils.not_ours}
    return False


def headless(case: Case, environ: Mapping[str, str]) -> None:
    """A listing, and a question: each with its exit code."""
    expected = 0
    if case.name == "config.toml" and not _reads_as_sound(case, Paths.from_environment(environ).config_file):
        expected = 2
    elif case.kind == "engine.db newer":
        expected = 1
    else:  # a machine with much to do may need longer than a command waits
        ensure_engine(Paths.from_environment(environ), timeout=PATIENCE)
    listed = _run(environ, "assistants", "list", "--json")
    assert listed.returncode == expected, (case.kind, listed)
    if not expected:
        json.loads(listed.stdout)
    asked = _run(environ, "ask", "-m", "rehearsal/echo", "--json", "hello")
    assert asked.returncode == expected, (case.kind, asked)
    for ran in (listed, asked, _run(environ, "doctor")):
        assert b"Traceback" not in ran.stderr, (case.kind, ran)


def _run(environ: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", _START, *arguments]
    return subprocess.run(command, env=environ, cwd=ROOT, check=False, capture_output=True, timeout=PATIENCE)


def judge(case: Case, path: Path, before: bytes, outcome: Outcome) -> None:
    """See where the broken file is now."""
    moved = [trace_of(found) for found in path.parent.glob("*.broken-*")]
    if must_be_aside(case):
        assert before in moved, (case.kind, [found.name for found in path.parent.iterdir()])
    if case.spoil is spoils.newer and case.name != "engine.json":
        assert trace_of(path) == before, case.kind
        outcome.untouched += 1
    if case.name == "config.toml":
        assert trace_of(path) == before, case.kind
    outcome.aside += before in moved
    outcome.cases += 1
    outcome.by_file[case.name] += 1


# --- the campaign


@contextmanager
def furnished() -> Iterator[dict[str, str]]:
    """The environment of somebody with everything in the home."""
    with user() as environ:
        furnish(Paths.from_environment(environ))
        try:
            yield environ
        finally:
            with suppress(LaunchError):
                stop_engine(Paths.from_environment(environ))


def cases(*, count: int, seed: int, ordinary: bool) -> list[Case]:
    """So many cases: every file in every way first, in random order."""
    random = Random(seed)
    with furnished() as environ:
        names = list(places(Paths.from_environment(environ)))
    everything = [
        Case(name, spoil)
        for name in names
        for spoil in SPOILS
        if (spoil is not spoils.newer or has_newer(name)) and (ordinary or spoil is not spoils.not_ours)
    ]
    found: list[Case] = []
    while len(found) < count:
        found += random.sample(everything, len(everything))
    return found[:count]


def campaign(chosen: list[Case], *, seed: int) -> Outcome:
    """Play these cases."""
    outcome, failures = Outcome(), list[str]()
    for number, case in enumerate(chosen):
        with furnished() as environ:
            try:
                play(case, environ, Random(f"{seed} {number}"), outcome)
            except (AssertionError, LaunchError, subprocess.TimeoutExpired) as error:
                failures.append(f"case {number} of seed {seed}, {case.kind}: {error}")
                print(failures[-1], file=sys.stderr)
    assert not failures, "\n\n".join([*failures, f"{len(failures)} of {len(chosen)} cases"])
    return outcome


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.broken", description=__doc__)
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="cases with these words in their name alone")
    arguments = parser.parse_args()
    spoils.be_ordinary()
    chosen = cases(count=arguments.count, seed=arguments.seed, ordinary=True)
    chosen = [case for case in chosen if arguments.only in case.kind]
    print(campaign(chosen, seed=arguments.seed).sentence)


if __name__ == "__main__":
    main()
