"""A fault of the program itself: its trace belongs into the log, and on the screen a sentence."""

from __future__ import annotations

import asyncio
import os
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playground_tui.paths import PathError, private_directory
from playground_tui.redaction import redacted


def record(error: BaseException, log: Path) -> str:
    """Append the trace to the log, and return the sentence for the user."""
    sentence = "playground-tui had to stop: a fault in the program itself. What you typed is kept for the next start."
    return f"{sentence} The details are in {log}." if note(error, log) else sentence


def stray(log: Path, _loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """What an event loop does about a callback that failed and that nobody waits for, of a connection that was given up
    say: asyncio would show its trace on the terminal."""
    if isinstance(error := context.get("exception"), Exception):
        note(error, log)


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
