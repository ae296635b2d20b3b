"""What is there after a drop: at the next start, at the engine, and at the model."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tests.campaigns.drops import desk as keys
from tests.campaigns.drops.case import COMPOSER, OUTPUT, Case, During
from tests.campaigns.drops.desk import Desk, text_of
from tests.campaigns.drops.figures import Figures
from tests.campaigns.drops.model import CALLS, answer_to
from tests.campaigns.drops.typing import as_shown

SAVED = frozenset({"name", "description", "instructions", "model", "temperature", "top_p"})
"""Fields in which everything that is typed is valid."""


class Found:
    """The program is open again; `mark` is what the typed text begins with."""

    def __init__(self, desk: Desk, case: Case, figures: Figures, *, mark: str, assistant: str) -> None:
        self._desk = desk
        self._case = case
        self._figures = figures
        self._mark = mark
        self._assistant = assistant
        self._text = ""

    def typed(self, kept: Sequence[str], strict: Sequence[str]) -> None:
        """The text of the field is one of `kept`; when it is none of `strict` either, the machine was in the way."""
        if self._case.place == OUTPUT:
            self._desk.terminal.wait("Output of look")
        self._desk.until(f"one of {kept}", lambda: self._is_sent() or self._shown(kept) is not None)
        while self._desk.terminal.read(0.1):  # a second line is painted after the first
            pass
        found = self._shown(kept)
        self._text = kept[0] if found is None else found
        self._figures.lost += kept.index(self._text)
        self._figures.starved += self._text not in strict

    def _is_sent(self) -> bool:
        """Whether the text is no longer in the composer because it was sent."""
        return self._case.during is During.SENDING and bool(self._not_sent or self._desk.sent(self._mark))

    def _shown(self, kept: Sequence[str]) -> str | None:
        place, mark = self._case.place, self._mark
        if found := next((text for text in kept if text and self._desk.shows(place, mark, text)), None):
            return found
        return "" if "" in kept and mark not in self._desk.terminal.screen else None

    @property
    def _not_sent(self) -> bool:
        return "not sent  " in self._desk.terminal.screen

    def look(self, text: str, before: str, message: str) -> None:
        """Everything else. `text` is the whole of what was typed, `message` what was sent before, with its mark."""
        if message and not CALLS.match(message):
            self._went_on(before, message)
        if self._case.during is During.SENDING:
            self._send(text)
        elif self._case.place == COMPOSER:
            self._send(self._text)
        elif self._case.place == OUTPUT:
            self._give_output(before)
        elif self._case.during is During.CREATING:
            self._create()
        elif self._case.created and self._case.place in SAVED:
            self._saved()

    def _went_on(self, mark: str, message: str) -> None:
        """The run of a message that was sent before the drop went on in the engine, to its end."""
        self._answered_once(mark, message)
        self._desk.terminal.wait("Ended.", "completed")
        self._figures.runs += 1

    def _send(self, text: str) -> None:
        """Send what stands in the composer or was not sent; it is there once then, and answered once."""
        desk, terminal = self._desk, self._desk.terminal
        before = desk.sent(self._mark)
        if self._not_sent:
            self._figures.said_again += bool(before)
            terminal.type(keys.TO_COMPOSER + keys.AGAIN)
        elif not before and not (self._case.created and text.strip() and self._shown([text])):
            desk.empty_composer()
            return
        elif not before:
            terminal.type(keys.TO_COMPOSER + keys.ENTER)
        elif not desk.runs(before[0]["thread_id"]):
            self._figures.not_run += 1
            terminal.type(keys.TO_COMPOSER + keys.AGAIN)
        desk.until("it is sent", lambda: desk.sent(self._mark))
        desk.until("it runs", lambda: desk.runs(desk.sent(self._mark)[0]["thread_id"]))
        self._answered_once(self._mark, text)
        desk.until("nothing waits", lambda: not self._not_sent)

    def _answered_once(self, mark: str, text: str) -> None:
        desk = self._desk
        sent = desk.sent(mark)
        thread_id = sent[0]["thread_id"]
        desk.until("the model is asked", lambda: desk.model.asked[mark])
        desk.until("the run has ended", lambda: {run["status"] for run in desk.runs(thread_id)} == {"completed"})
        found = [as_shown(text_of(message)) for message in desk.sent(mark)]
        assert found == [as_shown(text)], f"sent {found} in place of {as_shown(text)}"
        assert desk.model.asked[mark] == 1, f"the model was asked {desk.model.asked[mark]} times"
        assert desk.answers(thread_id, desk.runs(thread_id)[0]["id"]) == answer_to(text), "the answer is complete"
        self._figures.messages += 1

    def _give_output(self, mark: str) -> None:
        """Submit the function's output as it stands there: the model gets it once."""
        desk = self._desk
        desk.terminal.type(keys.TO_COMPOSER + keys.BACKTAB + keys.ENTER)
        sent = desk.sent(mark)
        desk.until("the run ends", lambda: desk.runs(sent[0]["thread_id"])[0]["status"] == "completed")
        given = [as_shown(output) for output in desk.model.outputs if output.startswith(self._mark)]
        assert given == [as_shown(self._text)], f"given {given} in place of {as_shown(self._text)}"
        self._figures.messages += 1

    def _create(self) -> None:
        """There is one such assistant at most, and exactly one when it is created (again)."""
        desk = self._desk
        name = self._name_shown()
        if "Not created yet" in desk.form_lines:
            desk.terminal.type(keys.SAVE)
        desk.until("it is created", lambda: "Not created yet" not in desk.form_lines)
        desk.until("it is there", lambda: self._named(name))
        assert len(self._named(name)) == 1, f"{len(self._named(name))} assistants"

    def _name_shown(self) -> str:
        lines = self._desk.form_lines.split("\n")
        return lines[next(y for y, line in enumerate(lines) if line.startswith("Name")) + 1].strip(" ▎▊")

    def _named(self, name: str) -> list[dict[str, str]]:
        found = self._desk.ask("GET", "/assistants?limit=100&order=desc")["data"]
        return [assistant for assistant in found if (assistant["name"] or "").strip() == name]

    def _saved(self) -> None:
        """The edit reaches the server by itself."""
        place, shown = self._case.place, self._text
        if place in {"name", "model"} and not shown.strip():
            return
        self._desk.until("it is saved", lambda: same(self._value(place), shown))

    def _value(self, place: str) -> object:
        return self._desk.ask("GET", f"/assistants/{self._assistant}")[place]


def same(value: object, shown: str) -> bool:
    """Whether the engine's value is what the field shows."""
    if isinstance(value, int | float):
        return math.isclose(value, 1.0 if shown == "default" else float(shown))
    return as_shown(str(value or "")) == as_shown(shown)
