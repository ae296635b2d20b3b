"""Speed, size and bytes on the wire, beside a floor measured in the same run.

    python -m tests.benchmarks [--json FILE] [--pace 200] [--only floor|playground|engine|crowd|long ...]

Linux only: CPU time and memory are read from /proc. It takes about six minutes; on a busy machine the figures mean
little.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from tests.benchmarks.budgets import table
from tests.benchmarks.crowd import crowd_figures
from tests.benchmarks.engine import engine_figures
from tests.benchmarks.long_thread import long_thread_figures
from tests.benchmarks.measure import Figures, first_text, idle, painted, streaming, typing_while_streaming, usable
from tests.benchmarks.server import Server
from tests.benchmarks.subjects import FloorSubject, PlaygroundSubject
from tests.benchmarks.version import version_figures


def measure_floor(home: Path, pace: float) -> Figures:
    subject = FloorSubject(home, pace)
    figures = {"start to first text, s": first_text(subject)}
    with subject.start() as session:
        usable(subject, session, 1)
        painted(subject, session, 1)
        figures |= streaming(subject, session, 2)
        figures |= typing_while_streaming(subject, session, 3)
        figures |= idle(session)
    return figures


def measure_playground(home: Path, pace: float) -> Figures:
    with Server(pace) as server:
        subject = PlaygroundSubject(home, server)
        try:
            return playground_figures(subject)
        finally:
            subject.stop_engine()


def playground_figures(subject: PlaygroundSubject) -> Figures:
    subject.stop_engine()
    with subject.start() as session:
        cold = usable(subject, session, 1)
        painted(subject, session, 1)
    figures = {"start to usable, engine not running, s": cold, "start to first text, s": first_text(subject)}
    with subject.start() as session:
        figures["start to usable, engine running, s"] = usable(subject, session, 2)
        painted(subject, session, 2)
        figures |= streaming(subject, session, 3)
        figures |= typing_while_streaming(subject, session, 4)
        figures |= idle(session)
    return figures


OF_THE_ENGINE = {"engine": engine_figures, "crowd": crowd_figures, "long": long_thread_figures}
"""The parts that need no screen: an engine of its own each, 200 streams at once, a thread of 10,000 messages."""
PARTS = ["floor", "playground", *OF_THE_ENGINE]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--pace", type=float, default=200.0, help="tokens per second (default: 200)")
    parser.add_argument("--only", nargs="*", choices=PARTS, metavar="PART")
    arguments = parser.parse_args()
    parts = arguments.only or PARTS
    found: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        for part in parts:
            home = Path(place) / part
            home.mkdir()
            if part == "floor":
                found[part] = measure_floor(home, arguments.pace)
            elif part == "playground":
                found[part] = measure_playground(home, arguments.pace) | version_figures()
            else:
                found["playground"] = found.get("playground", {}) | OF_THE_ENGINE[part](home)
    print(table(found.get("floor", {}), found.get("playground", {})))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
