"""Speed, size and bytes on the wire, beside floors measured in the same run.

    python -m tests.benchmarks [--json FILE] [--pace 200] [--only PART ...]

The floors: a small Textual app with a Markdown stream, and a program that prints. Linux only: CPU time and memory are
read from /proc. All parts together take about twenty minutes; on a busy machine the figures mean little.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.benchmarks.answer import Wanted
from tests.benchmarks.budgets import table
from tests.benchmarks.crowd import crowd_figures
from tests.benchmarks.engine import engine_figures
from tests.benchmarks.large import large_figures
from tests.benchmarks.lines import all_lines
from tests.benchmarks.long_thread import long_thread_figures
from tests.benchmarks.measure import (
    Figures,
    Subject,
    first_text,
    idle,
    painted,
    streaming,
    typing_while_streaming,
    usable,
)
from tests.benchmarks.server import Server
from tests.benchmarks.starts import cold_start, start_figures
from tests.benchmarks.subjects import FloorSubject, PlaygroundSubject
from tests.benchmarks.threads import all_threads
from tests.benchmarks.version import version_figures

PACES = (Wanted(50, 500), Wanted(1_000), Wanted(0))
"""The answers that are streamed besides the one at the usual pace."""

Part = Callable[[Path, float], tuple[str, Figures]]
"""Measures in a directory of its own at a pace; the column of its figures, and these."""


def on_one_screen(subject: Subject, pace: float) -> Figures:
    """What is measured of every program, within one screen."""
    figures = {
        "start to first text, s": first_text(subject),
        "start to first text, files not in memory, s": cold_start(subject),
    }
    with subject.start() as session:
        usable(subject, session, 1)
        painted(subject, session, 1)
        figures |= streaming(subject, session, 2, Wanted(pace))
        figures |= typing_while_streaming(subject, session, 3, Wanted(pace))
        figures |= idle(session)
        for number, what in enumerate(PACES, 4):
            name = f"{what.pace:g} tokens/s" if what.pace else "unlimited"
            figures |= streaming(subject, session, number, what, name)
    return figures


def floor(program: str, home: Path, pace: float) -> tuple[str, Figures]:
    return program, on_one_screen(FloorSubject(home, pace, program), pace)


def playground(measure: Callable[[PlaygroundSubject], Figures], home: Path, pace: float) -> tuple[str, Figures]:
    with Server(pace) as server:
        subject = PlaygroundSubject(home, server)
        try:
            return "playground", measure(subject)
        finally:
            subject.stop_engine()


def starts(home: Path, pace: float) -> tuple[str, Figures]:
    column, figures = playground(start_figures, home, pace)
    return column, figures | version_figures()


def screen(home: Path, pace: float) -> tuple[str, Figures]:
    return playground(lambda subject: on_one_screen(subject, pace), home, pace)


def threads(home: Path, pace: float) -> tuple[str, Figures]:
    return playground(lambda subject: all_threads(subject, pace), home, pace)


def large(home: Path, pace: float) -> tuple[str, Figures]:
    return playground(large_figures, home, pace)


def lines(home: Path, pace: float) -> tuple[str, Figures]:
    return playground(lambda subject: all_lines(subject, pace), home, pace)


def without_screen(measure: Callable[[Path], Figures], home: Path, _pace: float) -> tuple[str, Figures]:
    """An engine of its own is all that is measured."""
    return "playground", measure(home)


PARTS: dict[str, Part] = {
    "printer": partial(floor, "printer"),
    "floor": partial(floor, "floor"),
    "screen": screen,
    "starts": starts,
    "threads": threads,
    "large": large,
    "lines": lines,
    "engine": partial(without_screen, engine_figures),
    "crowd": partial(without_screen, crowd_figures),
    "long": partial(without_screen, long_thread_figures),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--pace", type=float, default=200.0, help="tokens per second (default: 200)")
    parser.add_argument("--only", nargs="*", choices=list(PARTS), metavar="PART", help=", ".join(PARTS))
    arguments = parser.parse_args()
    found: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        for part in arguments.only or PARTS:
            home = Path(place) / part
            home.mkdir()
            column, figures = PARTS[part](home, arguments.pace)
            found.setdefault(column, {}).update(figures)
            if arguments.json:  # after each part: a run takes long
                arguments.json.write_text(json.dumps(found, indent=2) + "\n")
    print(table(found))


if __name__ == "__main__":
    main()
