"""Lines in and lines out: what a screen reader follows. No escape sequence is ever written."""

from __future__ import annotations

import select
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

from playground_tui.text import clean

if TYPE_CHECKING:
    from types import FrameType

LOOK = 0.2
"""Seconds between looks at a line being typed, to keep it."""
PASTED = 0.05
"""Seconds within which a further line is part of a paste: nobody types that fast."""

Spell = Callable[[str], str]
Typed = Callable[[str], None]
"""Is told, from a signal handler, what stands in the line being typed."""


class Console:
    """Reads and writes whole lines.

    `read` raises EOFError at the end of the input and KeyboardInterrupt for ctrl+c.
    """

    edits = False
    """Whether a line that was begun can be given back to be edited."""

    def __init__(self, source: TextIO, out: TextIO, spell: Spell = str) -> None:
        """`spell` writes out the characters that the terminal does not have."""
        self._spell = spell
        self._source = source
        self._out = out
        self._echoes = not source.isatty()
        self._next: list[str] = []

    def look(self) -> None:
        """Tell what stands in the line being typed, if one is; a signal handler may ask."""

    def write(self, text: str) -> None:
        """One or more lines of text, whatever is in it."""
        self._put(clean(text) + "\n")

    def read(
        self, prompt: str, *, begun: str = "", history: Sequence[str] = (), typed: Typed = lambda line: None
    ) -> str:
        """A line. `begun` stands in it already where the console `edits`; the up arrow brings `history`."""
        prompt = clean(prompt)
        if self._next:
            line = self._next.pop(0)
            self._put(f"{prompt}{clean(line)}\n")
            return line
        shown = [clean(text, newlines=False) for text in history]
        return _whole(self._line(prompt, clean(begun, newlines=False), shown, typed))

    def read_pasted(
        self, prompt: str, *, begun: str = "", history: Sequence[str] = (), typed: Typed = lambda line: None
    ) -> list[str]:
        """As `read`, with the lines that came in the same instant: a text that was pasted. A command ends it."""
        waited = not self._pending(0)
        lines = [self.read(prompt, begun=begun, history=history, typed=typed)]
        while waited and not lines[0].startswith("/") and self._pending(PASTED):
            line = self.read("")
            if line.startswith("/"):
                self._next.append(line)
                break
            lines.append(line)
        return lines

    def _line(self, prompt: str, begun: str, history: Sequence[str], typed: Typed) -> str:
        self._put(prompt)
        line = self._source.readline()
        if not line:
            self._put("\n")
            raise EOFError
        if self._echoes:
            self._put(f"{clean(line.rstrip())}\n")
        return line.removesuffix("\n")

    def _pending(self, seconds: float) -> bool:
        """Whether more input is there within so many seconds; of a file or a pipe each line is one of its own."""
        return not self._echoes and bool(select.select([self._source], [], [], seconds)[0])

    def _put(self, text: str) -> None:
        encoding = self._out.encoding or "utf-8"
        self._out.write(self._spell(text).encode(encoding, "backslashreplace").decode(encoding))
        self._out.flush()


class ReadlineConsole(Console):
    """A terminal with the shell's line editing."""

    edits = True

    def __init__(self, source: TextIO, out: TextIO, spell: Spell, readline: Any) -> None:
        super().__init__(source, out, spell)
        self._readline = readline
        self._typed: Typed | None = None
        for setting in ("enable-bracketed-paste", "enable-meta-key", "enable-active-region", "colored-stats"):
            readline.parse_and_bind(f"set {setting} off")
        readline.set_auto_history(False)

    def _line(self, prompt: str, begun: str, history: Sequence[str], typed: Typed) -> str:
        readline = self._readline
        readline.clear_history()
        for text in history:
            readline.add_history(text)
        readline.set_startup_hook(partial(readline.insert_text, begun) if begun else None)
        try:
            with self._watched(typed):
                return input(self._spell(prompt))
        except EOFError:
            self._put("\n")
            raise
        finally:
            readline.set_startup_hook(None)

    @contextmanager
    def _watched(self, typed: Typed) -> Iterator[None]:
        """While a line is typed, tell what stands in it. By a signal: only then the buffer is at rest."""

        def tick(_number: int, _frame: FrameType | None) -> None:
            try:
                self.look()
            except SystemError as error:
                # Of two signals at once `input` handles the second with what the first one raised still on its way.
                raise error.__cause__ or error from None

        before = signal.signal(signal.SIGALRM, tick)
        self._typed = typed
        signal.setitimer(signal.ITIMER_REAL, LOOK, LOOK)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            self._typed = None

    def look(self) -> None:
        if self._typed is not None:
            self._typed(_whole(self._readline.get_line_buffer()))


def _whole(line: str) -> str:
    """The line without halves of characters, which a terminal that is not Unicode leaves."""
    return line.encode("utf-8", "replace").decode()


def open_console(source: TextIO, out: TextIO, spell: Spell = str) -> Console:
    """The console of this terminal: with line editing where there is a terminal and Python has it."""
    if source.isatty() and out.isatty():
        try:
            import readline  # noqa: PLC0415 -- it takes hold of the terminal
        except ImportError:
            return Console(source, out, spell)
        return ReadlineConsole(source, out, spell, readline)
    return Console(source, out, spell)
