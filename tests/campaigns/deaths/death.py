"""One death of the engine under an open program, and what is there after it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from enum import StrEnum
from random import Random

from playground_tui.launch import check_store, find_engine
from tests.campaigns.deaths.figures import Figures
from tests.campaigns.deaths.visitors import Visitors
from tests.campaigns.drops import desk as keys
from tests.campaigns.drops.case import COMPOSER
from tests.campaigns.drops.desk import Desk, text_of
from tests.campaigns.drops.model import answer_to, say
from tests.campaigns.drops.typing import mark_of, spread, typed_text
from tests.campaigns.kills import held
from tests.support.engine_process import living

VISITORS = 2
DIALOGS = {keys.ASSISTANTS: "Assistants on", keys.HELP: "up, down scroll"}
"""Keys that open one, and words in it."""
WORD = re.compile(r"word (\d+)")


class Doing(StrEnum):
    """What goes on when the engine dies."""

    WRITING = "writing a message"
    EDITING = "editing"
    SAVING = "a save"
    STREAM = "a stream"
    SENDING = "sending"
    DIALOG = "a dialog"


class Death:
    """The program is open on a desk, with an assistant and an empty composer; so it is afterwards."""

    def __init__(self, desk: Desk, random: Random, figures: Figures) -> None:
        self._desk = desk
        self._random = random
        self._figures = figures
        self.doing = random.choice(list(Doing))
        self._moment = random.uniform(0, 1.5)
        """Seconds from the first key to the death."""
        self._mark = mark_of(random)
        self._text = self._mark
        self._message = ""

    def __str__(self) -> str:
        return f"during {self.doing}, after {self._moment:.2f} s"

    def play(self) -> None:
        """AssertionError when anything is lost, torn or there twice."""
        desk = self._desk
        self._prepare()
        before = living(desk.paths)
        with Visitors(before.socket, VISITORS, self._random) as visitors:
            self._type_until(before.pid)
            died = time.monotonic()
            desk.terminal.wait("Not connected", timeout=60)
            self._type_more()
            desk.until("another engine", lambda: self._another(before.pid), timeout=60)
        desk.terminal.wait("told (", timeout=60)
        desk.until("it is connected", lambda: "Not connected" not in desk.terminal.screen)
        self._figures.away.append(time.monotonic() - died)
        self._figures.deaths[self.doing] += 1
        self._figures.deeds += visitors.done
        self._look()
        self._figures.held += asyncio.run(held(living(desk.paths), visitors.told))

    def _another(self, pid: int) -> bool:
        engine = find_engine(self._desk.paths)
        return engine is not None and engine.pid != pid

    # Before

    @property
    def _place(self) -> str:
        return "instructions" if self.doing in {Doing.EDITING, Doing.SAVING} else COMPOSER

    def _prepare(self) -> None:
        desk, random = self._desk, self._random
        desk.new_thread()
        if self.doing is Doing.STREAM:
            mark = mark_of(random)
            self._message = say(mark, words=200, pace=0.02, after=random.choice([0.0, 0.5]))
            desk.go_to(COMPOSER, created=True)
            desk.terminal.type(self._message + keys.ENTER)
            desk.until("the model is asked", lambda: desk.model.asked[mark])
        desk.go_to(self._place, created=True)
        desk.empty(self._place)
        desk.terminal.type(self._mark)
        desk.until("the mark", lambda: desk.shows(self._place, self._mark, self._mark))

    def _type_until(self, pid: int) -> None:
        """Type, do what is to be done, and kill the engine in the middle of it."""
        begun = time.monotonic()
        for at, key in spread(self._random, typed_text(self._random, self._mark, 20), 0.0):
            if at > self._moment:
                break
            self._wait(begun + at)
            self._desk.terminal.type(key.keys)
            self._text = key.text
        match self.doing:
            case Doing.SAVING:
                self._desk.terminal.type(keys.SAVE)
            case Doing.SENDING:
                self._desk.terminal.type(keys.ENTER)
            case Doing.DIALOG:
                self._desk.terminal.type(self._random.choice(list(DIALOGS)))
        self._wait(begun + self._moment if self.doing is not Doing.SENDING else time.monotonic() + self._moment / 5)
        os.kill(pid, signal.SIGKILL)

    def _type_more(self) -> None:
        """Type on while there is no engine."""
        if self.doing not in {Doing.SENDING, Doing.DIALOG}:
            more = "".join(self._random.choice("abcdefg") for _ in range(4))
            self._desk.terminal.type(more)
            self._text += more

    def _wait(self, moment: float) -> None:
        while (left := moment - time.monotonic()) > 0:
            self._desk.terminal.read(left)

    # After

    def _look(self) -> None:
        desk = self._desk
        report = check_store(desk.paths)
        assert report["sound"], [finding["sentence"] for finding in report["findings"]]
        if self.doing is Doing.DIALOG:
            desk.terminal.type(keys.ESCAPE)
            desk.terminal.gone(*DIALOGS.values())
        if self.doing is Doing.SENDING:
            self._sent()
        else:
            desk.until(f"all that was typed: {self._text}", lambda: desk.shows(self._place, self._mark, self._text))
            self._figures.keys += len(self._text)
        if self.doing in {Doing.EDITING, Doing.SAVING}:
            desk.until("it is saved", self._is_saved, timeout=60)
        if self.doing is Doing.STREAM:
            self._failed()
        desk.empty_composer()

    def _is_saved(self) -> bool:
        """Whether an assistant has the text: the visitors have made many."""
        after = ""
        while True:
            page = self._desk.ask("GET", f"/assistants?limit=100{after}")
            if any((one["instructions"] or "").rstrip() == self._text.rstrip() for one in page["data"]):
                return True
            if not page["has_more"]:
                return False
            after = f"&after={page['last_id']}"

    def _failed(self) -> None:
        """The run that was under way has failed, and what the screen had shown of its text is kept but for a moment."""
        desk, mark = self._desk, self._message[:8]
        shown = [int(number) for number in WORD.findall(desk.terminal.screen)]
        thread_id = desk.sent(mark)[0]["thread_id"]
        run = desk.runs(thread_id)[0]
        kept = desk.answers(thread_id, run["id"])
        whole = answer_to(self._message)
        if run["status"] == "completed":
            assert kept == whole
            return
        assert (run["status"], run["last_error"]["code"]) == ("failed", "server_error"), run
        assert whole.startswith(kept), kept
        messages = desk.ask("GET", f"/threads/{thread_id}/messages?run_id={run['id']}")["data"]
        assert all(message["status"] == "incomplete" for message in messages if text_of(message)), messages
        desk.terminal.wait("failed")
        self._figures.failed += 1
        self._figures.words.append(max(0, max(shown, default=-1) - kept.count("word") + 1))

    def _sent(self) -> None:
        """A message that was on its way is there once, sent anew if it did not go out."""
        desk, terminal = self._desk, self._desk.terminal
        desk.until("it is somewhere", lambda: desk.sent(self._mark) or self._mark in terminal.screen)
        desk.until("it rests", self._rests, timeout=60)
        if not desk.sent(self._mark):
            terminal.type(keys.TO_COMPOSER + keys.AGAIN)
        desk.until("it is sent", lambda: desk.sent(self._mark), timeout=60)
        desk.until("it rests", self._rests, timeout=60)
        assert len(desk.sent(self._mark)) == 1, f"{len(desk.sent(self._mark))} messages"
        assert desk.model.asked[self._mark] <= 1 + self._failed_runs(), desk.model.asked[self._mark]
        self._figures.messages += 1

    def _rests(self) -> bool:
        desk = self._desk
        sent = desk.sent(self._mark)
        active = sent and any(run["status"] in {"queued", "in_progress"} for run in desk.runs(sent[0]["thread_id"]))
        return not active and "waiting  " not in desk.terminal.screen and "sending" not in desk.terminal.screen

    def _failed_runs(self) -> int:
        sent = self._desk.sent(self._mark)
        return sum(run["status"] == "failed" for run in self._desk.runs(sent[0]["thread_id"]))
