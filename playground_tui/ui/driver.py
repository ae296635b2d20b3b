"""A terminal driver that never waits for the terminal.

Textual's driver puts every frame into a short queue and blocks the event loop when a terminal stops reading. This one
drops frames while the terminal is behind and paints the whole screen once when it has caught up. It also notices a
terminal that is gone without a signal: Textual's would read its end for ever. And it asks the terminal, for the pace
of frames, whether it has read so far, and reads and writes its encoding.
"""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
import termios
from codecs import getincrementaldecoder
from contextlib import suppress
from threading import Event
from time import monotonic
from typing import Any

from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._xterm_parser import XTermParser
from textual.drivers._writer_thread import MAX_QUEUED_WRITES
from textual.drivers.linux_driver import LinuxDriver
from textual.events import CursorPosition

from playground_tui.ui.pace import QUESTION, Pace
from playground_tui.ui.pasting import SafePaste
from playground_tui.ui.shown import Shown

BEHIND = MAX_QUEUED_WRITES - 6
"""Writes in the queue from which on frames are dropped; the room above is for the last words of `close`."""
CATCH_UP = 0.1
"""Seconds between looks whether the terminal has caught up."""
LOOK = 1.0
"""Seconds between looks whether the terminal is still there."""
TICK = 0.1
"""Seconds between looks whether an escape was a key of its own."""
AT_ONCE = 65_536
"""Bytes read from the terminal at once, at most."""
LAST_WORDS = 1.0
"""Seconds the terminal has at the end to take what is in the queue."""
LAST_ANSWER = 1.0
"""Seconds an answer of the terminal is waited for at the end: it would be typed into the shell."""
GIVE_BACK = (
    "\x1b[?2026l"
    "\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1016l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l"
    "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l\x1b[0m"
)
"""Everything that `start_application_mode` asks of the terminal, taken back."""
MODERN = re.compile(r"\x1b\[[<>][0-9]*u|\x1b\[\?[0-9]+\$p")
"""Requests that a system's console prints in place of obeying."""


class PatientDriver(LinuxDriver):
    """Drops frames instead of blocking."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._dropped = False
        self._taken = False
        self._line: list[Any] | None = None
        """The line settings from before the program. What an editor that died left is not for the shell."""
        self._last_words: list[str] | None = None
        self._holding = False
        """Whether the terminal was told to show nothing until a frame is whole."""
        self._answered = Event()
        self._answered.set()
        self._asked_at = 0.0
        self.pace: Pace | None = None
        """Told when the terminal answers."""
        self.written = 0
        """Characters written so far."""
        self.shown = Shown()
        """What the terminal shows, as far as it is known."""
        self.encoding = "utf-8"
        self.modern = True
        """Whether the terminal may be asked for what the consoles of systems do not know."""
        self._loop.call_later(LOOK, self._look)

    @property
    def queued(self) -> int:
        """Writes the terminal has not taken yet."""
        return self._writer_thread._queue.qsize() if self._writer_thread is not None else 0

    @property
    def behind(self) -> bool:
        """Whether what is written now would be dropped."""
        return self.queued >= BEHIND

    @property
    def stuck(self) -> bool:
        """Whether a write to the terminal hangs, after `close`. The interpreter cannot end in order then."""
        return self._writer_thread is not None and self._writer_thread.is_alive()

    def run_input_thread(self) -> None:
        """Read the terminal until it ends, or the program does."""
        parser, pasted = XTermParser(self._debug), SafePaste()
        decode = getincrementaldecoder(self.encoding)("replace").decode
        with suppress(OSError):
            while not self.exit_event.is_set():
                if select.select([self.fileno], [], [], TICK)[0]:
                    data = os.read(self.fileno, AT_ONCE)
                    if not data:
                        return
                    self._take(parser, pasted.safe(decode(data)))
                for event in parser.tick():
                    self.process_message(event)

    def _take(self, parser: XTermParser, text: str) -> None:
        if text:  # To the parser, nothing is the end.
            for event in parser.feed(text):
                if isinstance(event, CursorPosition):
                    self._answered.set()
                    self._loop.call_soon_threadsafe(self._tell_pace)
                else:
                    self.process_message(event)

    def ask(self) -> None:
        """Ask the terminal to answer when it has read all that was written so far."""
        if not self.behind:
            self._answered.clear()
            self._asked_at = monotonic()
            self.write(QUESTION)

    def _tell_pace(self) -> None:
        if self.pace is not None:
            self.pace.answered()

    def start_application_mode(self) -> None:
        """Take the terminal."""
        self.shown.forget()
        self._taken = True
        self._settle_line()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self.pace is not None:
            self.pace.begin()

    def _settle_line(self) -> None:
        with suppress(termios.error):
            if self._line is None:
                self._line = termios.tcgetattr(self.fileno)
            else:
                termios.tcsetattr(self.fileno, termios.TCSANOW, self._line)

    def stop_application_mode(self) -> None:
        """Give the terminal back, in one write: for a terminal that is behind there may be room for no more."""
        self._last_words = [SYNC_END] if self._holding else []
        self._holding = False
        super().stop_application_mode()
        words, self._last_words = "".join(self._last_words), None
        self._taken = False
        if self.queued < MAX_QUEUED_WRITES:
            super().write(words)

    def give_back(self) -> None:
        """Put the terminal in order as the process ends hard, from any thread. May hang when nobody reads it."""
        if self._taken:
            if self.attrs_before is not None:
                with suppress(termios.error):
                    termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            if self._file is not None:
                with suppress(OSError):
                    os.write(self._file.fileno(), (GIVE_BACK if self.modern else MODERN.sub("", GIVE_BACK)).encode())

    def _disable_mouse_support(self) -> None:
        # Textual turns it on where windows tell their size in band, and leaves it on for the shell.
        if self._mouse_pixels:
            self.write("\x1b[?1016l")
        super()._disable_mouse_support()

    def disable_input(self) -> None:
        """Stop reading, with no answer of the terminal under way."""
        if not self._hung_up():
            self._answered.wait(max(0.0, self._asked_at + LAST_ANSWER - monotonic()))
        super().disable_input()

    def write(self, data: str) -> None:
        """Queue `data` for the terminal, or drop it while the terminal is behind."""
        if not self.modern:
            data = MODERN.sub("", data)
        if self._last_words is not None:
            self._last_words.append(data)
            return
        # What ends a frame is never dropped alone: the terminal would show nothing any more.
        if not self.behind or (data == SYNC_END and self._holding):
            if data in (SYNC_START, SYNC_END):
                self._holding = data == SYNC_START
            self.written += len(data)
            super().write(data)
            return
        self.shown.forget()
        if not self._dropped:
            self._dropped = True
            self._loop.call_later(CATCH_UP, self._catch_up)

    def _catch_up(self) -> None:
        if self.queued:
            self._loop.call_later(CATCH_UP, self._catch_up)
        else:
            self._dropped = False
            asyncio.run_coroutine_threadsafe(self._repaint(), self._loop)

    async def _repaint(self) -> None:
        self._app.refresh(repaint=True, layout=True)

    def _look(self) -> None:
        """A terminal that hung up without a signal (it controls another session) ends the program as one with it."""
        if self._hung_up():
            os.kill(os.getpid(), signal.SIGHUP)
        else:
            self._loop.call_later(LOOK, self._look)

    def _hung_up(self) -> bool:
        poll = select.poll()
        poll.register(self.fileno, 0)
        return any(seen & select.POLLHUP for _, seen in poll.poll(0))

    def close(self) -> None:
        """Stop the writer; one that hangs on the terminal is left behind."""
        if self._writer_thread is not None and self.queued < MAX_QUEUED_WRITES:
            self._writer_thread._queue.put(None)
            self._writer_thread.join(LAST_WORDS)
