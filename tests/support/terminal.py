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
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import pyte

from playground_tui.launch import LaunchError, stop_engine
from playground_tui.paths import Paths
from tests.support.engine import short_directory
from tests.support.engine_process import process_is_gone

ROOT = Path(__file__).parents[2]


class Terminal:
    """A terminal of 120 columns and 40 rows with the playground on it.

    The program starts as a user starts it, with the environment `home`; `arguments` and `environ` are added.
    """

    def __init__(self, home: Mapping[str, str], *arguments: str, **environ: str):
        self._main, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self._screen = pyte.Screen(120, 40)
        self._stream = pyte.ByteStream(self._screen)
        self.written = b""
        """Everything read from the program."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, *arguments],
            stdin=child,
            stdout=child,
            stderr=child,
            env={**home, **environ},
            cwd=ROOT,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 -- no thread runs in the child yet
        )
        os.close(child)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self.hang_up()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def screen(self) -> str:
        """What a person sees now."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def read(self, seconds: float = 0.05) -> bool:
        """Take what the program writes within that time; whether there was something."""
        if not select.select([self._main], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._main, 65536)
        except OSError:
            return False
        self.written += data
        self._stream.feed(data)
        return bool(data)

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

    def ended(self, *, within: float, reading: bool = True) -> int:
        """The exit code; raises AssertionError when the program still runs after that time."""
        end = time.monotonic() + within
        while self._process.poll() is None:
            assert time.monotonic() < end, f"still there after {within} s; the screen:\n{self.screen}"
            if reading and self._main >= 0:
                self.read(0.02)
            else:
                time.sleep(0.02)
        while reading and self._main >= 0 and self.read(0):
            pass
        assert process_is_gone(self.pid)
        return self._process.returncode


_START = "import sys; from playground_tui.cli import main; sys.exit(main())"


def run(home: Mapping[str, str], *arguments: str) -> int:
    """Run a headless command; its exit code."""
    return subprocess.run([sys.executable, "-c", _START, *arguments], env=home, cwd=ROOT, check=False).returncode


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
