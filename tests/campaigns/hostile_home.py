"""The home of a user on whom everything is hostile: directories, files, configuration and environment."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from playground_tui.launch import LaunchError, stop_engine
from playground_tui.paths import Paths
from tests.campaigns.hostile_text import Hostile
from tests.campaigns.judge import LINES, SCREEN, Judge
from tests.support.engine import short_directory
from tests.support.terminal import Terminal

QUIET = 0.06
"""Seconds without a byte after which a screen is painted."""
_NOT_IN_TOML = re.compile("[\x7f\ud800-\udfff]")


class JudgedTerminal(Terminal):
    """A terminal whose emulator is the judge."""

    def __init__(self, home: Mapping[str, str], *arguments: str, judge: Judge, **environ: str) -> None:
        super().__init__(home, *arguments, **environ)
        self.judge = judge
        self.displays: set[str] = set()
        """What stood on the screen, each time that it was at rest."""
        self._screen = judge.emulator
        self._stream = judge  # type: ignore[assignment] -- takes bytes as pyte's own does

    @property
    def is_over(self) -> bool:
        return self._process.poll() is not None

    @property
    def _is_busy(self) -> bool:
        """Whether the program computes, or waits for its turn to."""
        states = (
            thread.read_text().rpartition(")")[2].split()[0] for thread in Path(f"/proc/{self.pid}/task").glob("*/stat")
        )
        with suppress(OSError):
            return any(state in "RD" for state in states)
        return False

    def rest(self, seconds: float = QUIET, *, most: float = 30.0) -> None:
        """Read until nothing more comes from a program that has nothing to do."""
        left = round(most / seconds)
        while (self.read(seconds) or self._is_busy) and left:
            left -= 1
        self.displays.add(self.judge.display)


@dataclass
class HostileHome:
    """`environ` is what programs are started with; `seen` the names of hostile texts that were shown."""

    environ: dict[str, str]
    directory: Path
    hostile: Hostile
    random: Random
    seen: set[str]
    findings: list[str]
    judged: int = 0
    """Bytes."""
    programs: int = 0

    def configure(self, lines: str = "", **keys: str) -> None:
        """Write `config.toml`: these lines, a hostile theme, and keys by their names."""
        whole = [lines, "[display]", f"theme = {toml(self.hostile.text('theme'))}", "[keys]"]
        whole += [f"{toml(name)} = {toml(value)}" for name, value in keys.items()]
        config = Path(os.fsdecode(self.environ["XDG_CONFIG_HOME"]), "playground-tui")
        config.mkdir(parents=True, exist_ok=True)
        (config / "config.toml").write_text("\n".join(whole), encoding="utf-8")

    @contextmanager
    def screen(self, *arguments: str, **environ: str) -> Iterator[JudgedTerminal]:
        """The playground on a judged terminal."""
        with self._judged(Judge(allowed=SCREEN), arguments, environ) as terminal:
            yield terminal

    @contextmanager
    def lines(self, *arguments: str, **environ: str) -> Iterator[JudgedTerminal]:
        """A command, or the plain mode, on a judged terminal."""
        with self._judged(Judge(allowed=LINES, ends="\r\n\t"), arguments, environ) as terminal:
            yield terminal

    @contextmanager
    def _judged(self, judge: Judge, arguments: tuple[str, ...], environ: dict[str, str]) -> Iterator[JudgedTerminal]:
        with JudgedTerminal(self.environ, *arguments, judge=judge, **environ) as terminal:
            try:
                yield terminal
            finally:
                judge.end()
                self._note(judge, " ".join(arguments) or "playground", terminal.displays)

    def _note(self, judge: Judge, what: str, displays: set[str]) -> None:
        written = "".join([*judge.texts, *displays])
        if "Traceback" in written or "a fault in the program" in written:
            judge.findings.append(f"crash: {written[-1500:]!r}")
        self.findings += [f"{ascii(what)[:60]}: {finding}" for finding in judge.findings]
        self.seen |= {name for name in self.hostile.names if name in written}
        self.judged += judge.seen
        self.programs += 1


def toml(text: str) -> str:
    """A string as a configuration file holds it: what it may not hold raw is escaped."""
    quoted = json.dumps(text, ensure_ascii=False)
    return _NOT_IN_TOML.sub(lambda found: "\\u007f" if found[0] == "\x7f" else "\\ufffd", quoted)


@contextmanager
def hostile_home(hostile: Hostile, random: Random) -> Iterator[HostileHome]:
    """A home with hostile names in it. An engine left in it is stopped."""
    base = short_directory()
    places = ("share", "config", "state", "work")
    # A blank at the end of such a variable does not count.
    names = {name: os.fsdecode(hostile.file_name(f"{name} directory")).strip() for name in places}
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(base / names["work"]),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "TMPDIR": str(base),
        "XDG_DATA_HOME": str(base / names["share"]),
        "XDG_CONFIG_HOME": str(base / names["config"]),
        "XDG_STATE_HOME": str(base / names["state"]),
    }
    for variable in ("COLORFGBG", "COLORTERM", "EDITOR", "TZ", "SSH_CONNECTION", "USER", "LC_MESSAGES"):
        environ[variable] = hostile.variable(variable)
    work = base / names["work"]
    work.mkdir()
    for _ in range(4):
        with suppress(OSError):
            (work / os.fsdecode(hostile.file_name("local file"))).write_text(hostile.pieces(3), errors="replace")
    try:
        yield HostileHome(environ, work, hostile, random, set(), [])
    finally:
        with suppress(LaunchError):
            stop_engine(Paths.from_environment(environ))
        shutil.rmtree(os.fsencode(base), ignore_errors=True)
