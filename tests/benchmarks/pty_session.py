"""A program on a pseudo-terminal of fixed size: keys in, bytes and the moments they came out."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import pyte

from tests.benchmarks.relay import Line, Relay

ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_].*?\x1b\\|[()][A-B0-2]|[=>78])")
CURSOR_QUESTION, CURSOR_ANSWER = b"\x1b[6n", b"\x1b[1;1R"


class PtySession:
    """A child on its own controlling terminal. Its output is read at once, always, by a thread.

    Like a terminal it answers the question for the cursor's place; other questions stay unanswered, as on plain ones.
    """

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        cwd: Path,
        columns: int = 120,
        rows: int = 40,
        line: Line | None = None,
    ):
        """`line`: what stands between the program and this terminal."""
        self._main, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._columns, self._rows = columns, rows
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            argv,
            stdin=child,
            stdout=child,
            stderr=child,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 -- no threads run yet in the child
        )
        os.close(child)
        self._relay = Relay(self._main, line) if line is not None else None
        self._end = self._relay.fileno() if self._relay is not None else self._main
        self._chunks: list[tuple[float, bytes]] = []
        self._arrived = threading.Condition()
        self._open = True
        self._reader = threading.Thread(target=self._read, name="pty reader", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def total(self) -> int:
        """Bytes that came so far."""
        with self._arrived:
            return sum(len(data) for _, data in self._chunks)

    @property
    def waited(self) -> int:
        """The most bytes that ever waited for the line."""
        return self._relay.most if self._relay is not None else 0

    def mark(self) -> int:
        """A place in the output, for `find`."""
        with self._arrived:
            return len(self._chunks)

    def mark_at(self, moment: float) -> int:
        """The place in the output where what came since a moment begins."""
        with self._arrived:
            return sum(1 for at, _ in self._chunks if at < moment)

    def send(self, keys: str) -> float:
        """Type; returns the moment of it."""
        now = time.monotonic()
        os.write(self._end, keys.encode())
        return now

    def find(self, found: Callable[[bytes], bool], *, since: int = 0, timeout: float = 30.0) -> float:
        """The moment at which the bytes since a mark first made `found` true. Raises TimeoutError."""
        end = time.monotonic() + timeout
        seen, place = b"", since
        with self._arrived:
            while True:
                for at, data in self._chunks[place:]:
                    place += 1
                    seen += data
                    if found(seen):
                        return at
                    seen = seen[-65536:]
                if not self._open or not self._arrived.wait(max(0.0, end - time.monotonic())):
                    raise TimeoutError("not seen; the terminal shows:\n" + self.screen())

    def find_bytes(self, wanted: str, *, since: int = 0, timeout: float = 30.0) -> float:
        needle = wanted.encode()
        return self.find(lambda seen: needle in seen, since=since, timeout=timeout)

    def quiet(self, seconds: float, *, timeout: float = 30.0) -> None:
        """Return when nothing has come for so long."""
        end = time.monotonic() + timeout
        with self._arrived:
            while self._arrived.wait(seconds) and time.monotonic() < end:
                continue

    def text(self, *, since: int = 0) -> str:
        """The output since a mark without its escape sequences."""
        with self._arrived:
            data = b"".join(data for _, data in self._chunks[since:])
        return ESCAPES.sub(b"", data).decode("utf-8", "replace")

    def screen(self) -> str:
        """What a terminal would show now."""
        screen = pyte.Screen(self._columns, self._rows)
        stream = pyte.ByteStream(screen)
        for _, data in self._chunks:
            stream.feed(data)
        return "\n".join(line.rstrip() for line in screen.display)

    def wait(self, timeout: float) -> int:
        return self._process.wait(timeout)

    def close(self) -> None:
        """End the program: asked, then told."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._relay is not None:
            self._relay.close()
        self._reader.join(2)
        with contextlib.suppress(OSError):
            os.close(self._main)

    def _read(self) -> None:
        cut = b""
        while True:
            try:
                select.select([self._end], [], [])
                data = os.read(self._end, 65536)
            except OSError:
                data = b""
            with self._arrived:
                self._open = bool(data)
                if data:
                    self._chunks.append((time.monotonic(), data))
                self._arrived.notify_all()
            if not data:
                return
            seen = cut + data
            cut = seen[-len(CURSOR_QUESTION) + 1 :]  # too short to hold a question that was answered
            if questions := seen.count(CURSOR_QUESTION):
                with contextlib.suppress(OSError):
                    os.write(self._end, CURSOR_ANSWER * questions)


def has_text(seen: bytes) -> bool:
    """Whether something readable has been painted."""
    return re.search(rb"[A-Za-z]{3}", ESCAPES.sub(b" ", seen)) is not None
