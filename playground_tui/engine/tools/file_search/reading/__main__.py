"""The process that reads one file: a hostile or damaged one ends this process, and nothing else.

On stdin comes a line of JSON: `{"path", "filename", "size", "overlap", "memory", "seconds", "most"}`. On stdout go
lines of JSON: `[text, heading]` for each chunk, then `{"chunks": n}`; or `{"code", "message"}` for a file that is
refused. Over a damaged file the libraries raise anything at all: the process then ends with status 1.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from playground_tui.engine.tools.file_search.chunking import cut, tokens
from playground_tui.engine.tools.file_search.reading.formats import text_of
from playground_tui.engine.tools.file_search.reading.refusal import Unreadable

_NICENESS = 10
"""Runs come before indexing."""


def main(asked: TextIO, answer: TextIO) -> None:
    """Read the file that is asked for and write what becomes of it."""
    task = json.loads(asked.readline())
    limit(task["memory"], task["seconds"])
    try:
        _write_chunks(task, answer)
    except Unreadable as refusal:
        _write(answer, {"code": refusal.code, "message": str(refusal)})
    except MemoryError:
        _write(answer, {"code": "invalid_file", "message": "Reading the file takes more memory than is allowed."})


def _write_chunks(task: Mapping[str, Any], answer: TextIO) -> None:
    text, headings = text_of(Path(task["path"]).read_bytes(), task["filename"])
    if len(text) > task["most"] and tokens(text) > task["most"]:
        raise Unreadable("invalid_file", f"The file has more than {task['most']:,} tokens: cut it into several files.")
    chunks = cut(text, task["size"], task["overlap"], headings=headings)
    for chunk in chunks:
        _write(answer, [chunk.text, chunk.heading])
    _write(answer, {"chunks": len(chunks)})


def _write(answer: TextIO, value: object) -> None:
    answer.write(json.dumps(value) + "\n")


def limit(memory: int, seconds: int) -> None:
    """Bound what this process may take: bytes of memory, seconds of processor time; and no file may be written."""
    os.nice(_NICENESS)
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # macOS knows no limit to the address space.
        with suppress(ValueError, OSError):
            resource.setrlimit(what, (bound, bound))


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
