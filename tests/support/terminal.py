"""The program as a process of its own on a pseudo-terminal, which is read only while something is waited for.

with user() as home, Terminal(home) as terminal:
    terminal.wait("rehearsal")
    terminal.type("hello\\r")
    terminal.kill(signal.SIGTERM)
    assert terminal.ended(within=4) == 143
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import pyte

from playground_tui.launch import LaunchError, stop_engine
from playground_tui.paths import Paths
from tests.support.engine import short_directory
from tests.support.engine_process import process_is_gone
from tests.support.modes import KITTY, left_behind

ROOT = Path(__file__).parents[2]
ANSWERS = {b"\x1b[6n": b"\x1b[1;1R", b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[?2048$p": b"\x1b[?2048;2$y"}
"""What a terminal says that knows synchronized output and tells its size in band."""
QUESTIONS = re.compile(b"|".join(map(re.escape, ANSWERS)))
LONGEST_QUESTION = max(map(len, ANSWERS))


class Terminal:
    """A terminal with the playground on it; `size` is columns and rows.

    The program starts as a user starts it, with the environment `home`; `arguments` and `environ` are added. A `modern`
    terminal answers what it is asked.
    """

    def __init__(
        self,
        home: Mapping[str, str],
        *arguments: str,
        size: tuple[int, int] = (120, 40),
        modern: bool = False,
        **environ: str,
    ):
        self._main, self._child = pty.openpty()
        fcntl.ioctl(self._child, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self._settings = termios.tcgetattr(self._child)
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._modern = modern
        self._answered = 0
        self._waited: dict[str, int] = {}
        """Nanoseconds, by thread; those of threads that have ended too."""
        self.written = b""
        """Everything read from the program."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, *arguments],
            stdin=self._child,
            stdout=self._child,
            stderr=self._child,
            env={**home, **environ},
            cwd=ROOT,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 -- no thread runs in the child yet
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self.hang_up()
        os.close(self._child)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def screen(self) -> str:
        """What a person sees now."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def cells(self, row: int) -> list[str]:
        """The texts of a row's columns; behind a wide character stands an empty one."""
        line = self._screen.buffer[row]
        return [line[column].data for column in range(self._screen.columns)]

    def pixels(self) -> list[list[pyte.screens.Char]]:
        """Every cell of the screen with its colours."""
        screen = self._screen
        return [[screen.buffer[row][column] for column in range(screen.columns)] for row in range(screen.lines)]

    def read(self, seconds: float = 0.05) -> bool:
        """Take what the program writes within that time; whether there was something."""
        if not select.select([self._main], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._main, 65536)
        except OSError:
            return False
        self.written += data
        self._stream.feed(KITTY.sub(b"", data))  # which pyte does not know and would show
        if self._modern:
            self._answer()
        return bool(data)

    def _answer(self) -> None:
        """Answer what was asked since the last time as a terminal does that knows these questions."""
        for question in QUESTIONS.finditer(self.written, self._answered):
            self._answered = question.end()
            os.write(self._main, ANSWERS[question[0]])
        self._answered = max(self._answered, len(self.written) - LONGEST_QUESTION)

    def until(self, there: Callable[[], bool], *, timeout: float = 20.0) -> None:
        """Read until something is so."""
        end = time.monotonic() + timeout
        while not there():
            assert time.monotonic() < end, f"never so within {timeout} s; the screen:\n{self.screen}"
            self.read()

    def wait(self, *words: str, timeout: float = 20.0) -> None:
        """Read until all these words stand on the screen."""
        self.until(lambda: all(word in self.screen for word in words), timeout=timeout)

    def gone(self, *words: str) -> None:
        """Read until none of these words stands on the screen."""
        self.until(lambda: not any(word in self.screen for word in words))

    def type(self, keys: str) -> None:
        os.write(self._main, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """The window gets another size."""
        self._screen.resize(rows, columns)
        fcntl.ioctl(self._main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def kill(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def hang_up(self) -> None:
        """The terminal's window is closed."""
        if self._main >= 0:
            os.close(self._main)
            self._main = -1

    def disorder(self) -> list[str]:
        """What the program, which has ended, left in its terminal otherwise than it was, in words."""
        wrong = left_behind(self.written)
        settings = termios.tcgetattr(self._child)
        if settings != self._settings:
            wrong.append("the line settings")
        if unread := self._unread():
            wrong.append(f"{unread} bytes of answers for the shell")
        termios.tcsetattr(self._child, termios.TCSANOW, settings)
        return wrong

    def _unread(self) -> int:
        """Bytes for the program that nobody has read: the shell would take them for typed."""
        tty.setraw(self._child)  # In the usual mode only whole lines are counted.
        return int.from_bytes(fcntl.ioctl(self._child, termios.FIONREAD, bytes(4)), sys.byteorder)

    def waited(self) -> float:
        """Seconds for which the program was ready to go on and the machine had no processor for it."""
        for thread in Path(f"/proc/{self.pid}/task").glob("*/schedstat"):
            with suppress(OSError, IndexError):
                self._waited[thread.parent.name] = int(thread.read_text().split()[1])
        return sum(self._waited.values()) / 1e9

    def ended(self, *, within: float, reading: bool = True) -> int:
        """The exit code; raises AssertionError when the program still runs after that time, not counting `waited`."""
        end = time.monotonic() + within - self.waited()
        while self._process.poll() is None:
            assert time.monotonic() < end + self.waited(), f"still there after {within} s; the screen:\n{self.screen}"
            if reading and self._main >= 0:
                self.read(0.02)
            else:
                time.sleep(0.02)
        while reading and self._main >= 0 and self.read(0):
            pass
        assert process_is_gone(self.pid)
        return self._process.returncode


def _take_terminal() -> None:
    """As a login does: the terminal controls the session, and its end is not ignored (under `nohup` it would be)."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


_START = "import sys; from playground_tui.cli import main; sys.exit(main())"


def run(home: Mapping[str, str], *arguments: str) -> int:
    """Run a headless command; its exit code."""
    return subprocess.run([sys.executable, "-c", _START, *arguments], env=home, cwd=ROOT, check=False).returncode


def on_disk(home: Mapping[str, str], text: str) -> bool:
    """Whether the cache has this in a composer. How soon that must be so is measured elsewhere:
    `python -m tests.campaigns.drops`."""
    for file in Path(home["XDG_DATA_HOME"]).rglob("cache/*--composer-*.json"):
        with suppress(FileNotFoundError):  # it may go to another thread at this moment
            if text in file.read_text():
                return True
    return False


@contextmanager
def user() -> Iterator[dict[str, str]]:
    """The environment of a user who never started the program. An engine left behind is stopped."""
    directory = short_directory()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "TMPDIR": str(directory),
        "XDG_DATA_HOME": str(directory / "share"),
        "XDG_CONFIG_HOME": str(directory / "config"),
        "XDG_STATE_HOME": str(directory / "state"),
    }
    try:
        yield environ
    finally:
        with suppress(LaunchError):
            stop_engine(Paths.from_environment(environ))
        shutil.rmtree(directory, ignore_errors=True)
