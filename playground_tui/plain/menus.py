"""Numbered menus and questions, each understandable alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from playground_tui.plain.console import Console

PAGE = 20
"""Rows that are read at a time."""


def choose(console: Console, title: str, options: Sequence[str], *, leave: str = "enter alone goes back") -> int | None:
    """The index of the option chosen; None goes back. ctrl+c and ctrl+d go back too."""
    console.write(title)
    for number, option in enumerate(options, start=1):
        console.write(f"{number}. {option}")
    while True:
        answer = line_of(console, f"number from 1 to {len(options)}, {leave}: ")
        if not answer:
            return None
        if answer.isdecimal() and 1 <= int(answer) <= len(options):
            return int(answer) - 1
        console.write(f"There is no choice {answer}.")


def pick(console: Console, title: str, rows: Sequence[str], *, what: str) -> int | None:
    """The index of a row of a list that may be long: a number takes one, words search, "more" reads on."""
    found = list(range(len(rows)))
    start = 0
    console.write(title)
    _read(console, rows, found, start)
    while True:
        answer = line_of(console, f"number of the {what}, words to search, enter alone goes back: ")
        if not answer:
            return None
        if answer.isdecimal() and 1 <= int(answer) <= len(rows):
            return int(answer) - 1
        if answer == "more":
            start = start + PAGE if start + PAGE < len(found) else 0
        elif answer.isdecimal():
            console.write(f"There is no {what} {answer}: the last is {len(rows)}.")
            continue
        else:
            words = answer.casefold().split()
            found = [index for index, row in enumerate(rows) if all(word in row.casefold() for word in words)]
            start = 0
        _read(console, rows, found, start)


def _read(console: Console, rows: Sequence[str], found: Sequence[int], start: int) -> None:
    if not found:
        console.write("None has these words.")
    for index in found[start : start + PAGE]:
        console.write(f"{index + 1}. {rows[index]}")
    left = len(found) - start - PAGE
    if left > 0:
        console.write(f"{left} more: type more.")


def confirm(console: Console, question: str) -> bool:
    """Whether the answer is yes."""
    return line_of(console, f"{question} Type yes, or enter for no: ").casefold() in ("y", "yes")


def line_of(
    console: Console, prompt: str, *, history: Sequence[str] = (), typed: Callable[[str], None] = lambda line: None
) -> str:
    """A line without outer spaces; "" also for ctrl+c and the end of the input."""
    try:
        return console.read(prompt, history=history, typed=typed).strip()
    except (EOFError, KeyboardInterrupt):
        console.write("")
        return ""
