"""Copying to the clipboard of the terminal's own machine, and saying what was really done.

The way there is OSC 52: the terminal is asked to take the text. tmux and screen swallow it unless it is wrapped for
them, and no terminal answers whether it obeyed: so it is never said to be copied, only to be sent.
"""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from playground_tui.paths import PathError, private_directory

LONGEST = 74_994
"""Bytes of text that are sent: many terminals take 100,000 bytes of OSC 52 at most, and base64 makes 4 of 3."""
SCREEN_PIECE = 252
"""Characters that every GNU screen passes on in one piece: the oldest hold 256."""
FILE_NAME = "copied.txt"
"""What was too long for the terminal last."""


def copy(text: str, *, write: Callable[[str], bool], environ: Mapping[str, str], fallback_dir: Path) -> str:
    """Send `text` to the terminal's clipboard with `write`, and return a sentence of what was done.

    `write` answers whether the terminal gets it. A text too long for terminals is saved as a file that only the user
    can read, in `fallback_dir`, and named.
    """
    if not text:
        return "There is nothing to copy."
    data = text.encode("utf-8", "replace")
    if len(data) > LONGEST:
        return _saved(text, data, fallback_dir)
    sequence = f"\x1b]52;c;{base64.b64encode(data).decode('ascii')}\x07"
    match multiplexer(environ):
        case "tmux":
            # Which of the two tmux lets through is for its settings to say; twice the same does no harm.
            sent = write(sequence + wrapped_for_tmux(sequence))
            advice = "tmux needs `set -g set-clipboard on` or `set -g allow-passthrough on`"
        case "screen":
            sent = write(wrapped_for_screen(sequence))
            advice = "wrapped for screen; the terminal around it must take it"
        case _:
            sent = write(sequence)
            advice = "not every terminal takes it"
    if not sent:
        return "not sent: the terminal has not taken what was written before. Try again."
    return f"{_size(text)} sent to the terminal (OSC 52); {advice}."


def multiplexer(environ: Mapping[str, str]) -> str:
    """`tmux`, `screen`, or "" when the terminal is spoken to directly."""
    if environ.get("TMUX"):
        return "tmux"
    if environ.get("STY"):
        return "screen"
    # Behind ssh the variables above are lost, but TERM comes along.
    term = environ.get("TERM", "")
    return next((name for name in ("tmux", "screen") if term.startswith(name)), "")


def wrapped_for_tmux(sequence: str) -> str:
    """A sequence that tmux hands on to the terminal around it, if its `allow-passthrough` is on."""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def wrapped_for_screen(sequence: str) -> str:
    """A sequence that GNU screen hands on to the terminal around it, in pieces it can hold."""
    pieces = (sequence[start : start + SCREEN_PIECE] for start in range(0, len(sequence), SCREEN_PIECE))
    return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)


def _saved(text: str, data: bytes, directory: Path) -> str:
    path = directory / FILE_NAME
    try:
        _write_private(path, data)
    except (OSError, PathError) as error:
        return f"{_size(text)} are too many for the terminal, and saving them failed: {error}."
    return f"{_size(text)} are too many for the terminal: saved to {path}."


def _write_private(path: Path, data: bytes) -> None:
    """Replace the file as a whole; nobody else may read it."""
    private_directory(path.parent)
    number, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def _size(text: str) -> str:
    return "1 character" if len(text) == 1 else f"{len(text):,} characters"
