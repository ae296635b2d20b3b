"""Somebody who types: what keys, when, and what the field holds after each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from wcwidth import wcswidth

from tests.campaigns.drops.model import MARK

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789    ,.-_äößéñ漢字"
LONGEST_LINE = 30
"""Columns: no line is wrapped."""
BACKSPACE = "\x7f"


@dataclass(frozen=True)
class Key:
    """`keys` are what the terminal sends, `text` what the field holds then."""

    keys: str
    text: str


def mark_of(random: Random) -> str:
    """A word that stands nowhere else."""
    return "K" + "".join(random.choice("bcdfghjkmnpqrstvwxz23456789") for _ in range(MARK - 1))


def typed_text(random: Random, mark: str, count: int, newline: str = "") -> list[Key]:
    """So many keys in a field that holds `mark`. `newline` is the key for a new line, where there may be some."""
    text, keys = mark, []
    for _ in range(count):
        key, text = _next(random, text, mark, newline)
        keys.append(Key(key, text))
    return keys


def _next(random: Random, text: str, mark: str, newline: str) -> tuple[str, str]:
    line = text.rpartition("\n")[2]
    if len(text) > len(mark) + 1 and random.random() < 0.05:
        return BACKSPACE, text[:-1]
    if wcswidth(line) >= LONGEST_LINE or (newline and line.strip() and random.random() < 0.04):
        return (newline, text + "\n") if newline and text.count("\n") < 1 else (BACKSPACE, text[:-1])
    letter = random.choice(LETTERS)
    return letter, text + letter


def typed_number(random: Random, most: float) -> list[Key]:
    """The keys of a number between 0 and `most`; the text is the number as the field shows it."""
    number = f"{random.uniform(0.11, most - 0.01):.2f}"
    return [Key(letter, f"{float(number[: at + 1]):.2f}") for at, letter in enumerate(number)]


@dataclass
class Typed:
    """What a field has held, and when. `waited` is how many seconds the program had to wait for a processor by then."""

    first: str
    """What it held long before."""
    states: list[tuple[float, float, str]] = field(default_factory=list)

    def note(self, at: float, waited: float, text: str) -> None:
        self.states.append((at, waited, text))

    def kept(self, end: float, waited: float | None, within: float) -> list[str]:
        """What it may hold after an end at that time, newest first: whatever is not older than `within` seconds.

        Seconds in which the program had no processor do not count, unless `waited` is None.
        """
        past = [
            text for at, before, text in self.states if end - at - (0.0 if waited is None else waited - before) > within
        ]
        recent = [text for _, _, text in self.states[len(past) :]]
        return [*reversed(recent), past[-1] if past else self.first]

    @property
    def last(self) -> str:
        return self.states[-1][2] if self.states else self.first


def as_shown(text: str) -> list[str]:
    """The lines of a text as a screen shows them: blanks at their ends, and empty lines at the end, are not seen."""
    return re.sub(r"[ ]+$", "", text, flags=re.MULTILINE).rstrip("\n").split("\n")


def spread(random: Random, keys: Sequence[Key], start: float) -> Iterator[tuple[float, Key]]:
    """When each key is struck, in seconds: by somebody quick, somebody slow, or in bursts."""
    pause = random.choice([0.005, 0.02, 0.06])
    at = start
    for key in keys:
        yield at, key
        at += random.expovariate(1 / pause) if random.random() < 0.95 else random.uniform(0.1, 0.5)
