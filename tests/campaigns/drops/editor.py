"""An editor that writes what it is told, and when it did."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from random import Random

SCRIPT = """#!/bin/bash
echo $$ > "$HOME/editor.pid"
while IFS=$'\\t' read -r pause text; do
    sleep "$pause"
    printf '%s' "$text" > "$HOME/editor.new"
    mv "$HOME/editor.new" "$1"
    echo "$EPOCHREALTIME" >> "$HOME/editor.log"
done < "$HOME/editor.says"
while :; do sleep 0.05; done
"""


class Editor:
    """What $EDITOR is on a desk. Nothing is in its hands until it `says` something."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._texts: list[str] = []
        for name in ("log", "says", "pid"):
            (directory / f"editor.{name}").unlink(missing_ok=True)
        script = directory / "editor"
        script.write_text(SCRIPT)
        script.chmod(0o700)

    def says(self, random: Random, mark: str) -> None:
        """It will write this many texts, one after the other."""
        self._texts = [f"{mark} in the editor {number}" for number in range(random.randint(0, 5))]
        lines = [f"{random.uniform(0, 0.3):.2f}\t{text}\n" for text in self._texts]
        (self._directory / "editor.says").write_text("".join(lines))

    def kept(self, ended_at: float, typed: list[str]) -> list[str]:
        """What may be found after an end at that time: the last that it had written, what came after, or, when there
        was nothing yet, what was `typed`."""
        log = self._directory / "editor.log"
        times = [float(line) for line in log.read_text().split()] if log.exists() else []
        written = sum(at <= ended_at for at in times)
        return self._texts[written - 1 :] if written else [*typed, *self._texts]

    def end(self) -> None:
        """End it, where the program had no chance to."""
        with suppress(OSError, ValueError):
            os.kill(int((self._directory / "editor.pid").read_text()), signal.SIGKILL)
