"""A fault of the program itself: its trace belongs into the log, and on the screen a sentence."""

from __future__ import annotations

import os
import time
import traceback
from pathlib import Path

from playground_tui.paths import PathError, private_directory
from playground_tui.redaction import redacted


def record(error: BaseException, log: Path) -> str:
    """Append the trace to the log, and return the sentence for the user."""
    sentence = "playground-tui had to stop: a fault in the program itself. What you typed is kept for the next start."
    return f"{sentence} The details are in {log}." if note(error, log) else sentence


def note(error: BaseException, log: Path) -> bool:
    """Append the trace, with no variable's value and nothing like a key, to the log; whether that was possible."""
    trace = redacted("".join(traceback.format_exception(error)))
    try:
        private_directory(log.parent)
        number = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(number, "a", encoding="utf-8", errors="replace") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {trace}\n")
    except (OSError, PathError):
        return False
    return True
