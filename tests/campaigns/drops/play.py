"""One case played: prepared, typed, dropped, and looked at after the next start."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from random import Random

from playground_tui.desk.signals import DEADLINE
from tests.campaigns.drops import desk as keys
from tests.campaigns.drops.after import Found
from tests.campaigns.drops.case import COMPOSER, NUMBERS, OUTPUT, Case, During, End
from tests.campaigns.drops.desk import FUNCTION, SCHEMA, Desk
from tests.campaigns.drops.editor import Editor
from tests.campaigns.drops.figures import Figures
from tests.campaigns.drops.model import MODEL, call, say
from tests.campaigns.drops.typing import Key, Typed, mark_of, spread, typed_number, typed_text

HURRY = DEADLINE + 1.5
"""Seconds within which the process must be gone, on a machine with other work."""
WITHIN = 0.3
"""Seconds: what was typed longer ago is there again."""
MOST = {"temperature": 2.0, "top_p": 1.0}


class Play:
    """Plays one case on a desk where the program is open; it is open again afterwards."""

    def __init__(self, desk: Desk, case: Case, random: Random, figures: Figures) -> None:
        self._desk = desk
        self._case = case
        self._random = random
        self._figures = figures
        self._name = mark_of(random)
        self._mark = mark_of(random)
        self._assistant = ""
        self._sent_mark = self._message = ""
        self._typed = Typed("")
        self._editor = Editor(desk.directory)

    def __str__(self) -> str:
        return str(self._case)

    def play(self) -> None:
        """AssertionError when anything was lost, is there twice, or was left in disorder."""
        self._prepare()
        ended_at, waited = self._type_until_it_drops()
        self._left_in_order()
        typed, editor = self._typed, self._editor
        kept = editor.kept(ended_at, typed.kept(ended_at, waited, WITHIN))
        strict = editor.kept(ended_at, typed.kept(ended_at, None, WITHIN))
        self._start_again()
        found = Found(self._desk, self._case, self._figures, mark=self._mark, assistant=self._assistant)
        found.typed(kept, strict)
        found.look(typed.last, self._sent_mark, self._message)

    # Before

    def _prepare(self) -> None:
        desk, case = self._desk, self._case
        if case.created:
            self._assistant = desk.open_assistant(self._name, tools=[FUNCTION], response_format=SCHEMA)
        else:
            desk.terminal.type(keys.NEW_ASSISTANT)
            desk.until("a new assistant", lambda: "Not created yet" in desk.form_lines)
            desk.go_to("name", created=False)
            desk.terminal.type(self._name)
            desk.until("its name", lambda: desk.shows("name", self._name, self._name))
            desk.go_to("model", created=False)
            desk.terminal.type(MODEL + keys.TAB)
            desk.until("its model", lambda: f" {MODEL}" in desk.form_lines)
        desk.new_thread()
        if case.during in {During.RUN, During.STREAM} or case.place == OUTPUT:
            self._send_first()
        desk.go_to(case.place, created=case.created)
        desk.empty(case.place)
        self._begin_to_type()

    def _send_first(self) -> None:
        desk, random = self._desk, self._random
        mark = self._sent_mark = mark_of(random)
        if self._case.place == OUTPUT:
            self._message = call(mark)
        elif self._case.during is During.RUN:
            self._message = say(mark, words=10, pace=0.02, after=random.uniform(1.0, 4.0))
        else:
            self._message = say(mark, words=random.randint(30, 150), pace=0.02, after=0.0)
        desk.go_to(COMPOSER, created=True)
        desk.terminal.type(self._message + keys.ENTER)
        desk.until("the model is asked", lambda: desk.model.asked[mark])
        if self._case.place == OUTPUT:
            desk.terminal.wait("Output of look")
        elif self._case.during is During.STREAM:
            desk.until("the answer comes", lambda: f"{mark} is answered" in desk.terminal.screen)

    def _begin_to_type(self) -> None:
        """What must be there before a text that is told from all others can be typed."""
        desk, place = self._desk, self._case.place
        if place in NUMBERS:
            self._typed = Typed("default")
            desk.until("no number", lambda: desk.shows(place, "", "default"))
            return
        desk.terminal.type(self._mark)
        desk.until("the mark", lambda: desk.shows(place, self._mark, self._mark))
        # It came at once behind some sixty keys, which nobody types: its time begins when it is seen.
        self._typed.note(time.time(), desk.terminal.waited(), self._mark)

    # Typing

    def _type_until_it_drops(self) -> tuple[float, float]:
        """When it dropped, and how long the program had waited for a processor by then."""
        desk, case = self._desk, self._case
        begun = time.time()
        last = 0.0
        for at, key, text in self._acts():
            last = at
            if case.delay < 0 and text is None:
                break
            self._read_until(begun + at)
            if text is not None:
                self._typed.note(time.time(), desk.terminal.waited(), text)
            desk.terminal.type(key)
        self._read_until(begun + last + max(case.delay, 0.0))
        waited, ended_at = desk.terminal.waited(), time.time()
        self._drop()
        return ended_at, waited

    def _acts(self) -> Iterator[tuple[float, str, str | None]]:
        """When to press what, and what the field holds then; None where a key is no text."""
        random, case = self._random, self._case
        typed = list(spread(random, self._keys(), 0.0))
        acts: list[tuple[float, str, str | None]] = [(at, key.keys, key.text) for at, key in typed]
        end = typed[-1][0] + random.choice([0.0, random.uniform(0, 0.5)])
        match case.during:
            case During.SAVE:
                acts.append((random.uniform(0, end + 0.2), keys.SAVE, None))
            case During.CREATING:
                acts.append((end, keys.SAVE, None))
            case During.DIALOG:
                acts.append((end, random.choice(keys.DIALOGS), None))
            case During.EDITOR:
                self._editor.says(random, self._mark)
                acts.append((end, keys.EDITOR, None))
            case During.SENDING:
                acts.append((end, keys.ENTER, None))
        return iter(sorted(acts, key=lambda act: act[0]))

    def _keys(self) -> list[Key]:
        place, random = self._case.place, self._random
        if place in NUMBERS:
            return typed_number(random, MOST[place])
        newline = "" if place in {"name", "model"} or self._case.during is During.SENDING else "\n"
        if newline and place not in {COMPOSER, OUTPUT}:
            newline = keys.ENTER
        return typed_text(random, self._mark, self._case.keys, newline)

    def _read_until(self, moment: float) -> None:
        while (left := moment - time.time()) > 0:
            self._desk.terminal.read(left)

    # The end

    def _drop(self) -> None:
        number = self._case.end.signal
        if number is None:
            self._desk.terminal.hang_up()
        else:
            self._desk.terminal.kill(number)

    def _left_in_order(self) -> None:
        """The process is gone, with all it had started, and the terminal is as it was."""
        terminal, case = self._desk.terminal, self._case
        begun = time.monotonic()
        code = terminal.ended(within=HURRY, reading=case.end is not End.CLOSED)
        self._figures.longest = max(self._figures.longest, time.monotonic() - begun)
        self._figures.keys += len(self._typed.states)
        self._figures.cases.update([case.end, f"during {case.during}"])
        if case.end in {End.HUP, End.TERM}:
            assert case.end.signal is not None
            assert code == 128 + case.end.signal, f"exit code {code}"
            disorder = terminal.disorder()
            assert not disorder, disorder
            self._figures.terminals += 1
        assert b"Traceback" not in terminal.written
        left = self._desk.others()
        if case.end is End.KILL:
            self._editor.end()
        else:
            assert not left, f"left running: {left}"
        terminal.__exit__()

    def _start_again(self) -> None:
        if self._case.stumbles is not None:
            terminal = self._desk.start(modern=self._case.modern)
            self._read_until(time.time() + self._case.stumbles)
            terminal.kill(self._random.choice([signal.SIGTERM, signal.SIGKILL, signal.SIGHUP]))
            terminal.ended(within=HURRY)
            terminal.__exit__()
        self._desk.start(modern=self._case.modern)
        self._desk.connected()
