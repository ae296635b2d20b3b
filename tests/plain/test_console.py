"""Reading lines with the shell's line editing, on a real pseudo-terminal in place of this process's own."""

from __future__ import annotations

import io
import os
import pty
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from playground_tui.letters import Letters
from playground_tui.plain.console import Console, ReadlineConsole, open_console


class Keyboard:
    """The other end of the terminal."""

    def __init__(self, main: int) -> None:
        self._main = main
        self.shown = b""

    def after(self, seen: bytes, keys: bytes, *, pause: float = 0.0) -> threading.Thread:
        """Press these keys when that is shown, and a while later."""

        def press() -> None:
            end = time.monotonic() + 10
            while seen not in self.shown and time.monotonic() < end:
                self.read(0.05)
            time.sleep(pause)
            os.write(self._main, keys)

        thread = threading.Thread(target=press)
        thread.start()
        return thread

    def read(self, seconds: float) -> None:
        if select.select([self._main], [], [], seconds)[0]:
            self.shown += os.read(self._main, 65536)


@contextmanager
def at_keyboard() -> Iterator[Keyboard]:
    """A terminal at this process's file descriptors 0 and 1; entered in a test, where pytest lets them be."""
    main, child = pty.openpty()
    kept = os.dup(0), os.dup(1)
    os.dup2(child, 0)
    os.dup2(child, 1)
    source = os.fdopen(0, encoding="utf-8", closefd=False)
    out = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    with pytest.MonkeyPatch.context() as patched, source, out:
        patched.setattr(sys, "stdin", source)
        patched.setattr(sys, "stdout", out)
        patched.setenv("TERM", "xterm-256color")
        yield Keyboard(main)
    for number, former in enumerate(kept):
        os.dup2(former, number)
        os.close(former)
    os.close(main)
    os.close(child)


def console_here() -> Console:
    console = open_console(sys.stdin, sys.stdout)
    assert isinstance(console, ReadlineConsole)
    return console


def test_a_line_is_kept_while_it_is_typed_and_nothing_but_text_is_written() -> None:
    with at_keyboard() as keyboard:
        console, typed = console_here(), list[str]()
        first = keyboard.after(b"you: ", b"half a ")

        def note(line: str) -> None:
            typed.append(line)
            if line == "half a ":
                os.write(keyboard._main, b"thought\r")

        assert console.read("you: ", typed=note) == "half a thought"
        first.join()
        assert "half a " in typed
        console.look()  # no line is being typed: nothing to tell
        keyboard.read(0.2)
        assert b"\x1b" not in keyboard.shown


def test_what_was_begun_stands_in_the_line_and_the_up_arrow_brings_history() -> None:
    with at_keyboard() as keyboard:
        console = console_here()
        pressed = keyboard.after(b"half", b" more\r")
        assert console.read("you: ", begun="half") == "half more"
        pressed.join()
        pressed = keyboard.after(b"then: ", b"\x1b[A\r")
        assert console.read("then: ", history=["older", "newest"]) == "newest"
        pressed.join()


def test_a_paste_is_one_text_and_a_command_in_it_another() -> None:
    with at_keyboard() as keyboard:
        console = console_here()
        pressed = keyboard.after(b"you: ", b"one\rtwo\r/quit\r", pause=0.1)
        assert console.read_pasted("you: ") == ["one", "two"]
        assert console.read_pasted("you: ") == ["/quit"]
        pressed.join()


def test_the_end_of_the_input() -> None:
    with at_keyboard() as keyboard:
        console = console_here()
        pressed = keyboard.after(b"you: ", b"\x04", pause=0.1)
        with pytest.raises(EOFError):
            console.read("you: ")
        pressed.join()
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_without_line_editing(monkeypatch: pytest.MonkeyPatch) -> None:
    with at_keyboard() as keyboard:
        monkeypatch.setitem(sys.modules, "readline", None)
        console = open_console(sys.stdin, sys.stdout)
        assert not console.edits
        pressed = keyboard.after(b"you: ", b"hello\n")
        assert console.read("you: ") == "hello"
        pressed.join()
        console.look()


def test_a_file_is_read_line_by_line_and_said() -> None:
    out = io.StringIO()
    console = open_console(io.StringIO("one\ntwo"), out)
    assert [console.read_pasted("you: "), console.read_pasted("you: ")] == [["one"], ["two"]]
    with pytest.raises(EOFError):
        console.read("you: ")
    assert out.getvalue() == "you: one\nyou: two\nyou: \n"


def test_a_terminal_without_unicode_gets_readable_text() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    Console(io.StringIO(), out, Letters(("ascii",)).spelled).write("wait… \x1b[31m λ")
    assert raw.getvalue().decode("ascii") == "wait... ^[[31m l\n"
    assert b"\x1b" not in raw.getvalue()
