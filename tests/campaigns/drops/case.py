"""One case of the campaign: who types where, what goes on meanwhile, how the line drops, and when."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class End(StrEnum):
    """How the line drops."""

    HUP = "SIGHUP"
    TERM = "SIGTERM"
    KILL = "SIGKILL"
    CLOSED = "terminal closed"

    @property
    def signal(self) -> signal.Signals | None:
        """The signal that the campaign sends; None where it closes the terminal."""
        return None if self is End.CLOSED else signal.Signals[self.value]


class During(StrEnum):
    """What goes on while somebody types."""

    NOTHING = "nothing"
    SAVE = "a save"
    RUN = "a run"
    STREAM = "a stream"
    DIALOG = "a dialog"
    EDITOR = "$EDITOR"
    SENDING = "sending"
    CREATING = "creating"


LINES = ("name", "model")
AREAS = ("description", "instructions", "functions", "schema", "metadata")
NUMBERS = ("temperature", "top_p")
COMPOSER, OUTPUT = "composer", "output"
PLACES = (COMPOSER, COMPOSER, *LINES, *AREAS, *NUMBERS, OUTPUT)
ONCE_CREATED = ("functions", "schema")
"""Fields that the campaign reaches only in an assistant it has made itself."""
EDITED = {"functions": "json", "schema": "json", "instructions": "md", "description": "md", COMPOSER: "md"}


@dataclass(frozen=True)
class Case:
    """`keys` are typed; the line drops `delay` seconds after the last of what is done, or, negative, before it."""

    number: int
    place: str
    during: During
    end: End
    created: bool
    """Whether the assistant is at the server."""
    modern: bool
    """Whether the terminal answers questions."""
    keys: int
    delay: float
    stumbles: float | None
    """Seconds after which the next start ends too, in the middle of it."""

    def __str__(self) -> str:
        what = f"{self.place}, {self.during}, {'created' if self.created else 'new'}"
        stumbles = "" if self.stumbles is None else f", the next start ended after {self.stumbles:.2f} s"
        return f"case {self.number}: {what}, {self.end} {self.delay:+.2f} s{stumbles}"


def drawn(seed: int, number: int) -> tuple[Case, Random]:
    """The case of this number, and the chance that draws everything else in it."""
    random = Random(f"{seed} {number}")
    during = random.choice(list(During))
    place = _place(random, during)
    end = random.choice(list(End))
    created = place in ONCE_CREATED or place == OUTPUT or during in NEEDS_ASSISTANT or random.random() < 0.6
    case = Case(
        number=number,
        place=place,
        during=during,
        end=end,
        created=created and during is not During.CREATING,
        modern=random.random() < 0.5,
        keys=random.randint(2, 50),
        delay=_delay(random, during),
        stumbles=random.uniform(0.05, 2.0) if random.random() < 0.1 else None,
    )
    return case, random


NEEDS_ASSISTANT = (During.RUN, During.STREAM, During.SENDING)


def _place(random: Random, during: During) -> str:
    if during is During.SENDING:
        return COMPOSER
    if during is During.EDITOR:
        return random.choice(tuple(EDITED))
    if during is During.CREATING:
        return random.choice(("name", "description", "instructions", "temperature"))
    left = [place for place in PLACES if place != OUTPUT or during not in NEEDS_ASSISTANT]
    return random.choice(left)


def _delay(random: Random, during: During) -> float:
    """Mostly at once; around what is done; or when much has come to rest."""
    if during in {During.SENDING, During.CREATING, During.SAVE}:
        return random.choice([random.uniform(-0.05, 0.15), random.uniform(-0.05, 0.6)])
    return random.choice([0.0, random.uniform(0, 0.3), random.uniform(0.3, 1.5)])
