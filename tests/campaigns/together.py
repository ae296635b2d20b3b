"""Several playgrounds on one assistant and one thread at once, one of them killed now and then: nobody loses anything.

    python -m tests.campaigns.together [--steps 60] [--seed 1] [--here 2] [--elsewhere 1]

Two share a home and its engine; a third, on a home of its own as on another machine, has `--server`. They fill in the
same fields and write into the same thread, all at once. In the end all show what the server has, and each text that
was typed is in the assistant, in one of its versions, or beside a field as changed elsewhere; each message is in the
thread once, or in a composer.
"""

from __future__ import annotations

import argparse
import json
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

from playground_tui.paths import Paths
from tests.campaigns.person import FIELDS, PATIENCE, Person, engine_of, kept, settle_in
from tests.support.terminal import ROOT, user

KEY = "a-key-for-the-campaign"
_START = "import sys; from playground_tui.cli import main; sys.exit(main())"


@dataclass
class Outcome:
    """What a campaign saw."""

    edits: int = 0
    messages: int = 0
    kills: int = 0
    seen_after: list[float] = field(default_factory=list)
    """Seconds from a change at the server until another playground showed it."""

    @property
    def sentence(self) -> str:
        seen = "none"
        if self.seen_after:
            seen = f"{statistics.median(self.seen_after):.1f} s (median), {max(self.seen_after):.1f} s (longest)"
        return (
            f"{self.edits} edits and {self.messages} messages by several at once, {self.kills} kills meanwhile: all"
            f" agreed with the server in the end and nothing typed was lost. Others saw a change after {seen}."
        )


@dataclass
class Seat:
    """A place at which a playground is opened, again and again."""

    environ: Mapping[str, str]
    arguments: tuple[str, ...]
    person: Person | None = None
    waiting: dict[str, str] = field(default_factory=dict)
    """What was typed last into each field, until a version has it."""

    def sit(self) -> Person:
        if self.person is None:
            self.person = Person(self.environ, *self.arguments)
            self.person.sees_no_more("Not created yet")  # what was asked for is open
        return self.person


class Table:
    """Some seats, an assistant and a thread."""

    def __init__(self, paths: Paths, seats: Sequence[Seat], ids: tuple[str, str], random: Random):
        self.paths = paths
        self.seats = list(seats)
        self.assistant_id, self.thread_id = ids
        self.random = random
        self.outcome = Outcome()
        self.typed: list[str] = []
        self.said: list[str] = []
        self._known: dict[str, str] = {}
        """The versions that were read, by their ids."""

    # --- the server

    def assistant(self) -> dict[str, Any]:
        with engine_of(self.paths) as http:
            found: dict[str, Any] = http.get(f"/assistants/{self.assistant_id}").json()
        return found

    def versions(self) -> str:
        """All that the assistant has ever been."""
        url = f"/assistants/{self.assistant_id}/versions"
        with engine_of(self.paths) as http:
            after: dict[str, str] = {}
            while True:
                page = http.get(url, params={"limit": 100, **after}).json()
                for version in page["data"]:
                    if version["id"] not in self._known:
                        self._known[version["id"]] = json.dumps(http.get(f"{url}/{version['number']}").json())
                if not page["has_more"]:
                    return "".join(self._known.values())
                after = {"after": page["last_id"]}

    def thread(self) -> list[str]:
        with engine_of(self.paths) as http:
            url = f"/threads/{self.thread_id}/messages"
            page = http.get(url, params={"limit": 100, "order": "asc"}).json()
        return ["".join(p["text"]["value"] for p in m["content"]) for m in page["data"] if m["role"] == "user"]

    # --- steps

    def word(self) -> str:
        return f"w{self.random.randrange(10**9):09d}"

    def step(self) -> None:
        """One of them does something, without waiting for the others."""
        seat = self.random.choice(self.seats)
        person = seat.sit()
        deed = self.random.choices([self.edit, self.talk, self.kill, self.watch], [8, 2, 1, 2])[0]
        deed(seat, person)
        self.look(self.random.choice([0.0, 0.1, 0.5]))

    def edit(self, seat: Seat, person: Person) -> None:
        """Fill in a field of which no version lacks what this one typed last."""
        if seat.waiting:
            known = self.versions()
            seat.waiting = {name: word for name, word in seat.waiting.items() if word not in known}
        free = [name for name in FIELDS if name not in seat.waiting]
        if free:
            name, word = self.random.choice(free), self.word()
            seat.waiting[name] = word
            self.typed.append(word)
            person.fill_in(name, word)
            # Somebody else may have written over it before it was looked for.
            self.until(lambda: word in person.screen or word in self.versions(), f"{word} was not shown")
            self.outcome.edits += 1

    def talk(self, seat: Seat, person: Person) -> None:
        word = self.word()
        self.said.append(word)
        person.send(word)
        person.sees(word)
        self.outcome.messages += 1

    def kill(self, seat: Seat, person: Person) -> None:
        """End one in the middle of everything, once its disk has what it typed; it comes back with its next step."""
        cache = Paths.from_environment(seat.environ).cache
        words = list(seat.waiting.values())
        self.until(lambda: all(word in kept(cache) or word in self.versions() for word in words), "not on the disk")
        person.kill()
        seat.person = None
        self.outcome.kills += 1

    def watch(self, seat: Seat, person: Person) -> None:
        """Edit, and see how long it takes until the others show it."""
        others = [other.person for other in self.seats if other is not seat and other.person is not None]
        self.edit(seat, person)
        if not others or not self.typed or self.typed[-1] not in seat.waiting.values():
            return
        word = self.typed[-1]
        name = next(name for name, typed in seat.waiting.items() if typed == word)
        if any(name in other.waiting for other in self.seats if other is not seat):
            return  # what the others typed there themselves stays
        self.until(lambda: word in json.dumps(self.assistant()), f"{word} was not saved")
        begun = time.monotonic()
        for other in others:
            self.until(lambda other=other: word in other.screen, f"{word} was not shown elsewhere")  # type: ignore[misc]
            self.outcome.seen_after.append(time.monotonic() - begun)

    # --- looking

    def look(self, seconds: float) -> None:
        """Read what all of them write within that time."""
        end = time.monotonic() + seconds
        while True:
            for seat in self.seats:
                while seat.person is not None and seat.person.terminal.read(0):
                    pass
            if time.monotonic() >= end:
                return
            select.select([], [], [], 0.02)

    def screens(self) -> list[str]:
        return [seat.person.terminal.screen for seat in self.seats if seat.person is not None]

    def until(self, there: Callable[[], bool], words: str) -> None:
        end = time.monotonic() + PATIENCE
        while not there():
            assert time.monotonic() < end, "\n".join([words, *self.screens()])
            self.look(0.05)

    # --- the end

    def settle(self) -> None:
        """All come back, and wait until nothing is unsaved; then everything is looked for."""
        for seat in self.seats:
            seat.sit()
        waiting = [word for seat in self.seats for word in seat.waiting.values()]
        self.until(lambda: all(word in self.versions() for word in waiting), f"not all of {waiting} were saved")
        self.until(self._agree, f"they do not agree with the server: {self.assistant()}")
        where = self.versions() + "".join(seat.sit().screen for seat in self.seats)
        lost = [word for word in self.typed if word not in where]
        assert not lost, "\n".join([str(lost), *self.screens()])
        composers = "".join(kept(Paths.from_environment(seat.environ).cache) for seat in self.seats)
        missing = [word for word in self.said if word not in composers and word not in self.thread()]
        assert not missing, "\n".join([str(missing), *self.screens()])
        thread = self.thread()
        assert len(thread) == len(set(thread)), thread

    def _agree(self) -> bool:
        assistant = self.assistant()
        values = [str(assistant[name]) for name in FIELDS if assistant[name]]
        return all(value in seat.sit().screen for value in values for seat in self.seats)


# --- the campaign


@contextmanager
def served(environ: Mapping[str, str]) -> Iterator[str]:
    """The base URL at which the engine of this home answers other machines."""
    command = [sys.executable, "-c", _START, "serve", "--port", "0"]
    process = subprocess.Popen(
        command,
        env={**environ, "PLAYGROUND_TUI_SERVE_KEY": KEY},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.stdout.close()
        process.wait()


def prepared(paths: Paths) -> tuple[str, str]:
    """An assistant and a thread for all of them."""
    with engine_of(paths) as http:
        fields = {"model": "rehearsal/echo", "name": "first", "description": "second", "instructions": "third"}
        assistant = http.post("/assistants", json=fields).json()["id"]
        return assistant, http.post("/threads", json={}).json()["id"]


def campaign(*, steps: int, seed: int, here: int, elsewhere: int) -> Outcome:
    """Let so many playgrounds work at once. AssertionError when they do not agree or something is lost."""
    with ExitStack() as stack:
        home = stack.enter_context(user())
        paths = settle_in(home)
        url = stack.enter_context(served(home))
        ids = prepared(paths)
        opened = ("--assistant", ids[0], "--thread", ids[1])
        seats = [Seat(home, opened) for _ in range(here)]
        for _ in range(elsewhere):
            away = stack.enter_context(user())
            settle_in(away)
            seats.append(Seat({**away, "PLAYGROUND_TUI_SERVER_KEY": KEY}, (*opened, "--server", url)))
        table = Table(paths, seats, ids, Random(seed))
        try:
            for _ in range(steps):
                table.step()
            table.settle()
        finally:
            for seat in seats:
                if seat.person is not None:
                    with suppress(OSError):
                        seat.person.__exit__()
    return table.outcome


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.together", description=__doc__)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--here", type=int, default=2, help="playgrounds that share a home")
    parser.add_argument("--elsewhere", type=int, default=1, help="playgrounds on homes of their own")
    arguments = parser.parse_args()
    outcome = campaign(steps=arguments.steps, seed=arguments.seed, here=arguments.here, elsewhere=arguments.elsewhere)
    print(outcome.sentence)


if __name__ == "__main__":
    main()
