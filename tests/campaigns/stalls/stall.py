"""A terminal that stops reading: what goes on meanwhile, and what is there when it reads again or never does."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from random import Random

import pyte

from playground_tui.desk.signals import DEADLINE
from tests.campaigns.drops import desk as keys
from tests.campaigns.drops.case import COMPOSER
from tests.campaigns.drops.desk import Desk
from tests.campaigns.drops.model import say
from tests.campaigns.drops.typing import mark_of, typed_text
from tests.campaigns.stalls.figures import Figures
from tests.support.modes import KITTY
from tests.support.terminal import Terminal

HURRY = DEADLINE + 1.5
QUIET = 0.6
"""Seconds without a byte after which the program has said everything."""
MOST_AT_REST = 0.3
"""The part of a processor that a program with nothing to do may use, on a machine with other work."""


class How(StrEnum):
    """How a stall ends."""

    READS = "read again"
    TERM = "ended by SIGTERM"
    HUP = "ended by SIGHUP"
    CLOSED = "ended as the terminal closed"
    LATE = "read again after SIGTERM"


class Stall:
    """The program is open on a desk with an assistant; it is open again afterwards."""

    def __init__(self, desk: Desk, random: Random, figures: Figures) -> None:
        self._desk = desk
        self._random = random
        self._figures = figures
        self.how = random.choice(list(How))
        self._streams = random.random() < 0.5
        self._place = random.choice([COMPOSER, "instructions"])
        self._mark = mark_of(random)
        self._text = ""
        self._sent = ""

    def __str__(self) -> str:
        return f"{self._place}, {'a stream, ' if self._streams else ''}{self.how}"

    @property
    def _terminal(self) -> Terminal:
        return self._desk.terminal

    def play(self) -> None:
        """AssertionError when the program froze, lost something, painted wrongly or stayed."""
        self._prepare()
        self._flood()
        self._goes_on()
        assert is_writing(self._terminal.pid), "the write no longer hangs"
        self._is_at_rest()
        if self.how is How.READS:
            self._reads_again()
        else:
            self._ends()
        self._figures.stalls[self.how] += 1

    # What goes on while nobody reads

    def _prepare(self) -> None:
        desk, random = self._desk, self._random
        desk.new_thread()
        desk.empty_composer()
        if self._streams:
            self._sent = mark_of(random)
            desk.terminal.type(say(self._sent, words=random.randint(20, 120), pace=0.02, after=0.3) + keys.ENTER)
            desk.until("the model is asked", lambda: desk.model.asked[self._sent])
        desk.go_to(self._place, created=True)
        desk.empty(self._place)
        desk.terminal.type(self._mark)
        desk.until("the mark", lambda: desk.shows(self._place, self._mark, self._mark))

    def _flood(self) -> None:
        """From here on nobody reads; the program is made to write until a write hangs."""

        def hangs() -> bool:
            self._terminal.type(keys.TO_COMPOSER)  # repaints the whole screen
            return is_writing(self._terminal.pid)

        unread("a write hangs", hangs)
        self._desk.go_to(self._place, created=True)

    def _goes_on(self) -> None:
        """Keys are taken, and what they type is on disk and saved; a run ends."""
        desk = self._desk
        for key in typed_text(self._random, self._mark, 15):
            self._terminal.type(key.keys)
            self._text = key.text
            time.sleep(0.02)
        if self._place != COMPOSER:
            self._terminal.type(keys.OTHER_PANE)
        unread(f"on disk: {self._text}", self._is_on_disk)
        if self._place != COMPOSER:
            unread("it is saved", self._is_saved)
            self._figures.saves += 1
        if self._streams:
            thread_id = desk.sent(self._sent)[0]["thread_id"]
            unread("the run ends", lambda: desk.runs(thread_id)[0]["status"] == "completed")
            self._figures.runs += 1

    def _is_on_disk(self) -> bool:
        written = json.dumps(self._text)[1:-1]
        found = []
        for file in self._desk.paths.cache.glob("*.json"):
            with suppress(OSError):
                found.append(written in file.read_text())
        return any(found)

    def _is_saved(self) -> bool:
        assistants = self._desk.ask("GET", "/assistants?limit=100")["data"]
        return any((assistant["instructions"] or "").rstrip() == self._text.rstrip() for assistant in assistants)

    def _is_at_rest(self) -> None:
        """Nothing is to be done and nobody reads: the program waits."""
        begun, used = time.monotonic(), processor_seconds(self._terminal.pid)
        time.sleep(1.0)
        share = (processor_seconds(self._terminal.pid) - used) / (time.monotonic() - begun)
        self._figures.busiest = max(self._figures.busiest, share)
        assert share < MOST_AT_REST, f"{share:.0%} of a processor while nobody reads"

    # What follows

    def _reads_again(self) -> None:
        """What the terminal shows then is what a repaint shows on a new one."""
        desk = self._desk
        desk.until("the text is on the screen", lambda: desk.shows(self._place, self._mark, self._text))
        self._settle()
        shown, start = self._terminal.pixels(), len(self._terminal.written)
        self._terminal.type(keys.TO_COMPOSER)
        desk.until("a repaint", lambda: b"f1" in self._terminal.written[start:])  # which its last line begins with
        self._settle()
        fresh = pyte.Screen(*keys.SIZE)
        pyte.ByteStream(fresh).feed(KITTY.sub(b"", self._terminal.written[start:]))
        wrong = [
            (y, x, cell.data, fresh.buffer[y][x].data)
            for y, row in enumerate(shown)
            for x, cell in enumerate(row)
            if cell != fresh.buffer[y][x]
        ]
        assert not wrong, f"{len(wrong)} cells differ from a repaint, the first are {wrong[:5]}"
        self._figures.screens += 1

    def _settle(self) -> None:
        """Read until the program has nothing more to say."""
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < QUIET:
            if self._terminal.read(0.05):
                quiet_since = time.monotonic()

    def _ends(self) -> None:
        """The process is gone in time, and the next start has everything."""
        terminal, begun = self._terminal, time.monotonic()
        if self.how is How.CLOSED:
            terminal.hang_up()
        else:
            terminal.kill(signal.SIGHUP if self.how is How.HUP else signal.SIGTERM)
        late = self.how is How.LATE
        if late:
            time.sleep(self._random.uniform(0.0, 0.6))
        terminal.ended(within=HURRY, reading=late)
        self._figures.longest = max(self._figures.longest, time.monotonic() - begun)
        if late:
            disorder = terminal.disorder()
            assert not disorder, disorder
        assert not self._desk.others()
        terminal.__exit__()
        self._desk.start()
        self._desk.connected()
        self._desk.until(f"all of {self._text}", lambda: self._desk.shows(self._place, self._mark, self._text))


def unread(what: str, there: Callable[[], bool], *, timeout: float = 30.0) -> None:
    """Wait until something is so, while nobody reads the terminal."""
    end = time.monotonic() + timeout
    while not there():
        assert time.monotonic() < end, f"never so within {timeout:.0f} s while nobody reads: {what}"
        time.sleep(0.05)


def processor_seconds(pid: int) -> float:
    """What a process has used of processors."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_writing(pid: int) -> bool:
    """Whether a thread of the process hangs in a write to its terminal."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            call = (thread / "syscall").read_text().split()
            if call[:2] in (["1", "0x2"], ["1", "0x1"]):
                return True
    return False
