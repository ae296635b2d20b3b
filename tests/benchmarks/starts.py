"""Starting: to something readable and to a message that goes out, with files in memory or not, engine there or not."""

from __future__ import annotations

import os
import statistics
import sysconfig
from pathlib import Path

from tests.benchmarks.answer import Wanted
from tests.benchmarks.measure import STARTS, Figures, Subject, painted, usable
from tests.benchmarks.pty_session import has_text
from tests.benchmarks.subjects import ROOT, PlaygroundSubject

SHORT = Wanted(0, 20)
"""What the first message asks for."""


def forget_files() -> None:
    """Have the system drop from memory what Python would load, as after a boot. What others use it may keep."""
    paths = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    for place in (*paths, ROOT / "playground_tui", ROOT / "tests" / "benchmarks"):
        for file in place.rglob("*"):
            if file.suffix in (".py", ".pyc", ".so", ".tcss") and file.is_file():
                handle = os.open(file, os.O_RDONLY)
                try:
                    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
                finally:
                    os.close(handle)


def cold_start(subject: Subject) -> float:
    """Seconds from start to something readable when nothing is in memory."""
    forget_files()
    with subject.start() as session:
        taken = session.find(has_text) - session.started
        session.quiet(0.5)
    return taken


def start_figures(subject: PlaygroundSubject) -> Figures:
    """Seconds from start to a message at the model: the medians of a few starts."""
    without, running = [], []
    for _ in range(STARTS):
        subject.stop_engine()
        without.append(one_start(subject))
        running.append(one_start(subject))
    subject.stop_engine()
    forget_files()
    return {
        "start to usable, engine not running, s": statistics.median(without),
        "start to usable, engine running, s": statistics.median(running),
        "start to usable, engine not running, files not in memory, s": one_start(subject),
    }


def one_start(subject: PlaygroundSubject) -> float:
    number = subject.answers + 1
    with subject.start() as session:
        taken = usable(subject, session, number, SHORT.message)
        painted(subject, session, number)
    return taken
