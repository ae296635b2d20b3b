"""A disk that is full, read-only, broken, removed or taken away: the program goes on, says so, and writes all later.

    python -m tests.campaigns.disk [--count 3] [--seed 1] [--only WORDS]

Real means: a small file system that is filled, a directory mounted read-only or unmounted, one that is removed, and a
preloaded library that lets calls fail. Each scenario is played `count` times with other texts and moments.
"""

from __future__ import annotations

import argparse
import errno
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from playground_tui.launch import check_store
from playground_tui.paths import Paths
from tests.campaigns.person import FIELDS, PATIENCE, Person, assistants, engine_of, kept, settle_in
from tests.support.engine_process import write_address
from tests.support.faulty_disk import ANY, MAKE, RENAME, SYNC, WRITE, Bound, FaultyDisk, NotHere, small_disk
from tests.support.terminal import ROOT, user

FULL = "Nothing can be saved in"
SIZE = 4 * 1024 * 1024
_START = "import sys; from playground_tui.cli import main; sys.exit(main())"


@dataclass
class Outcome:
    """What a campaign saw."""

    played: Counter[str] = field(default_factory=Counter)
    skipped: dict[str, str] = field(default_factory=dict)
    texts: int = 0
    """How many texts that were typed while the disk refused were there afterwards."""
    over_after: list[float] = field(default_factory=list)
    """Seconds from the disk's recovery until the line had gone."""

    @property
    def sentence(self) -> str:
        played = ", ".join(f"{name} {count}" for name, count in self.played.items())
        skipped = "".join(f" Not played: {name} ({why})." for name, why in self.skipped.items())
        longest = f"{max(self.over_after):.1f} s" if self.over_after else "none"
        return (
            f"{sum(self.played.values())} troubles ({played}): the program went on and said so each time; all"
            f" {self.texts} texts typed meanwhile were on the disk afterwards, every file whole. The line had gone"
            f" {longest} after the disk worked again at the latest.{skipped}"
        )


class Play:
    """One playing of a scenario: a user, chance, and what is noted."""

    def __init__(self, environ: dict[str, str], random: Random, outcome: Outcome):
        self.environ = environ
        self.random = random
        self.outcome = outcome
        self.home = Path(environ["HOME"])
        self.paths = Paths.from_environment(environ)

    def word(self) -> str:
        """A word that nobody has typed before."""
        return f"w{self.random.randrange(10**9):09d}"

    def recovered(self, person: Person, words: str) -> None:
        """Wait until the line has gone."""
        begun = time.monotonic()
        person.sees_no_more(words)
        self.outcome.over_after.append(time.monotonic() - begun)

    def found(self, *texts: str, where: str) -> None:
        for text in texts:
            assert text in where, (text, where)
        self.outcome.texts += len(texts)

    def sound(self) -> None:
        report = check_store(self.paths)
        assert report["sound"], [finding["sentence"] for finding in report["findings"]]

    def saved(self, **fields: str) -> None:
        """Wait until the newest assistant has these fields at the engine."""
        end = time.monotonic() + PATIENCE
        while any(assistants(self.paths)[0][name] != value for name, value in fields.items()):
            assert time.monotonic() < end, (fields, assistants(self.paths)[0])
            time.sleep(0.05)
        self.outcome.texts += len(fields)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a headless command."""
        command = [sys.executable, "-c", _START, *arguments]
        done = subprocess.run(
            command, env=self.environ, cwd=ROOT, check=False, capture_output=True, text=True, timeout=PATIENCE
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done


Scenario = Callable[[Play], None]


# --- the scenarios


def full(play: Play) -> None:
    """The disk fills up under a playground in use, and is cleared."""
    with small_disk(play.paths.data.parent, SIZE) as disk, Person(play.environ) as person:
        first, second, draft, sent = (play.word() for _ in range(4))
        person.create(first)
        person.sees("Created.")
        disk.fill()
        person.write(draft)
        person.sees(FULL, "the disk is full")
        person.fill_in("instructions", second)
        person.sees("Save failed", "the disk is full", "retrying in")
        person.send(sent)
        person.sees("Not sent", "the disk is full", sent)
        failing = play.run("ask", "-m", "rehearsal/echo", "hello")
        assert failing.returncode == 1 and "the disk is full" in failing.stderr, failing
        disk.free()
        play.recovered(person, FULL)
        play.saved(name=first, instructions=second)
        person.terminal.type("\x0c\r")  # what was handed back goes out
        person.sees("completed")
        person.write(draft)
        person.sees(draft)
        _until_kept(play, draft)
        person.kill()
        play.sound()


def full_at_the_start(play: Play) -> None:
    """The program is started on a full disk, which is cleared later."""
    with small_disk(play.paths.data.parent, SIZE) as disk:
        disk.fill()
        failing = play.run("assistants", "list")
        assert failing.returncode == 1 and "the disk is full" in failing.stderr, failing
        with Person(play.environ, connects=False) as person:
            draft, name = play.word(), play.word()
            person.sees(FULL, "Not connected", "the disk is full")
            person.fill_in("name", name)
            person.write(draft)
            person.sees(draft, name)
            disk.free()
            play.recovered(person, FULL)
            person.sees("rehearsal")
            _until_kept(play, draft, name)
            person.kill()
        play.sound()


def read_only(play: Play) -> None:
    """The disk is mounted read-only when the program starts, and writable later."""
    below = play.home / "disk"
    below.mkdir(mode=0o700)
    bound = Bound(below, play.paths.data.parent)
    try:
        bound.only_read()
        with Person(play.environ, connects=False) as person:
            draft = play.word()
            person.sees("Nothing can be saved in", "it is not writable", "Not connected")
            person.write(draft)
            bound.only_read(False)
            play.recovered(person, FULL)
            person.sees("rehearsal")
            _until_kept(play, draft)
            person.quit()
        play.sound()
    finally:
        bound.close()


def errors(play: Play) -> None:
    """Calls fail at random, or all of them, while the playground is used."""
    scratch = play.home / "scratch"
    scratch.mkdir()
    disk = FaultyDisk(scratch, play.paths.data)
    play.environ.update(disk.environ)
    with Person(play.environ) as person:
        person.create(play.word())
        person.sees("Created.")
        last: dict[str, str] = {}
        for _ in range(6):
            calls = play.random.choice([ANY, WRITE, SYNC, RENAME, MAKE, WRITE | SYNC])
            error = play.random.choice([errno.EIO, errno.ENOSPC, errno.EROFS, errno.EDQUOT])
            disk.fail(calls, error, one_in=play.random.choice([1, 1, 2, 5]))
            name = play.random.choice(FIELDS)
            last[name] = play.word()
            person.fill_in(name, last[name])
            person.sees(last[name])
            if play.random.random() < 0.5:
                disk.heal()
                play.saved(**last)
        draft = play.word()
        disk.fail(play.random.choice([WRITE, RENAME, MAKE]), errno.EIO)
        person.write(draft)
        person.sees(FULL, "Input/output error")
        disk.heal()
        play.recovered(person, FULL)
        play.saved(**last)
        _until_kept(play, draft)
        person.kill()
    play.sound()


def removed(play: Play) -> None:
    """The data directory is removed under a playground in use."""
    with Person(play.environ) as person:
        first, second, draft = play.word(), play.word(), play.word()
        person.create(first)
        person.sees("Created.")
        person.write(draft)
        _until_kept(play, draft)
        shutil.rmtree(play.paths.data)
        if play.random.random() < 0.5:
            person.fill_in("instructions", second)
        else:
            second = ""
        _until_kept(play, draft)  # by itself
        _until(lambda: play.paths.database.exists() and play.paths.engine_file.exists(), "the store is not there again")
        play.saved(name=first, **({"instructions": second} if second else {}))
        with engine_of(play.paths) as http:
            assert http.post("/assistants", json={"model": "rehearsal/echo", "name": "later"}).status_code == 200
        person.kill()
    play.sound()
    with Person(play.environ) as person:
        person.sees(draft, first)
        person.quit()


def taken_away(play: Play) -> None:
    """The data directory lies on a disk that is taken away under a playground in use, and comes back."""
    below = play.home / "disk"
    below.mkdir(mode=0o700)
    bound = Bound(below, play.paths.data.parent)
    try:
        with Person(play.environ) as person:
            first, second, draft = play.word(), play.word(), play.word()
            person.create(first)
            person.sees("Created.")
            bound.take_away()
            person.sees("is out of reach")
            person.write(draft)
            person.fill_in("instructions", second)
            person.sees(draft, second)
            bound.bring()
            play.recovered(person, "is out of reach")
            play.saved(name=first, instructions=second)
            _until_kept(play, draft)
            person.kill()
        play.sound()
    finally:
        bound.close()


def on_another_host(play: Play) -> None:
    """The engine of a shared home lives on another machine."""
    write_address(play.paths, host="bastion-7", boot_id="another")
    with Person(play.environ, connects=False) as person:
        draft = play.word()
        person.sees("Not connected", "runs on bastion-7", "connect with --server http://bastion-7:8765/v1")
        person.write(draft)
        _until_kept(play, draft)
        person.quit()
    told = play.run("assistants", "list")
    assert told.returncode == 1 and "runs on bastion-7" in told.stderr, told
    assert not play.paths.database.exists()


SCENARIOS: tuple[Scenario, ...] = (full, full_at_the_start, read_only, errors, removed, taken_away, on_another_host)


def _until(there: Callable[[], bool], words: str) -> None:
    end = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < end, words
        time.sleep(0.05)


def _until_kept(play: Play, *texts: str) -> None:
    """Wait until these texts are in the cache's files, each of which is whole."""
    _until(lambda: all(text in kept(play.paths.cache) for text in texts), f"not in the cache: {texts}")
    play.outcome.texts += len(texts)


# --- the campaign


def campaign(scenarios: tuple[Scenario, ...], *, count: int, seed: int) -> Outcome:
    """Play each of these so many times. AssertionError when anything is lost, torn or not said."""
    outcome, failures = Outcome(), list[str]()
    for number in range(count):
        for scenario in scenarios:
            name = scenario.__name__.replace("_", " ")
            with user() as environ:
                settle_in(environ)
                try:
                    scenario(Play(environ, Random(f"{seed} {number} {name}"), outcome))
                except NotHere as missing:
                    outcome.skipped[name] = str(missing)
                except AssertionError as error:
                    failures.append(f"{name}, number {number} of seed {seed}: {error}")
                    print(failures[-1], file=sys.stderr)
                else:
                    outcome.played[name] += 1
    assert not failures, "\n\n".join(failures)
    return outcome


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.disk", description=__doc__)
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", metavar="WORDS", help="scenarios with these words in their name alone")
    arguments = parser.parse_args()
    chosen = tuple(scenario for scenario in SCENARIOS if arguments.only in scenario.__name__.replace("_", " "))
    print(campaign(chosen, count=arguments.count, seed=arguments.seed).sentence)


if __name__ == "__main__":
    main()
