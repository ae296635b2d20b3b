"""The program on terminals of many kinds: what it writes is what they can show, and streaming waits for slow ones."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from playground_tui.ui.pace import QUESTION
from tests.support.terminal import Terminal, run, user

COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
FULL, INDEXED = re.compile(rb"[34]8;2;"), re.compile(rb"[34]8;5;")
ANY = re.compile(rb"[\[;](3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]")


@contextmanager
def opened(model: str = "rehearsal/echo", **environ: str) -> Iterator[Terminal]:
    """The program with an assistant on a terminal of this environment, its form shown."""
    with user() as home:
        assert run(home, "assistants", "create", "--name", "Größe", "--model", model, "--tool", "file_search") == 0
        with Terminal(home, "--assistant", "Größe", **environ) as terminal:
            terminal.wait("File search", "no model is connected")
            yield terminal


def codes(terminal: Terminal) -> bytes:
    return b" ".join(COLOUR.findall(terminal.written))


@pytest.mark.parametrize(
    ("environ", "has", "has_not"),
    [
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, FULL, INDEXED),
        ({"TERM": "tmux-256color"}, INDEXED, FULL),
        ({"TERM": "screen"}, ANY, re.compile(rb"[34]8;")),
        ({"TERM": "xterm", "COLORTERM": "truecolor", "NO_COLOR": "1"}, re.compile(rb"\[7m"), ANY),
    ],
)
def test_a_terminal_gets_the_colours_it_has(
    environ: dict[str, str], has: re.Pattern[bytes], has_not: re.Pattern[bytes]
) -> None:
    with opened(**environ) as terminal:
        terminal.type("hello\x0f")
        terminal.wait("enter open")
    assert has.search(codes(terminal))
    assert not has_not.search(codes(terminal))


@pytest.mark.parametrize(
    ("locale", "model"),
    [({"LANG": "C"}, "markdown"), ({"LC_ALL": "C"}, "echo"), ({"LANG": "", "LC_CTYPE": "POSIX"}, "echo")],
)
def test_without_unicode_everything_is_ascii_and_words_are_readable(locale: dict[str, str], model: str) -> None:
    with opened(f"rehearsal/{model}", **locale) as terminal:
        terminal.wait("Grose")
        terminal.type("Größe → “Привет” 你好 😀\r")
        terminal.wait('Grosse -> "Privet" \\u4f60\\u597d [grinning face]')
        terminal.wait("completed")
        terminal.type("\x10")
        terminal.wait("Search for commands")
    assert terminal.written.isascii()


def test_a_terminal_of_another_encoding_gets_and_sends_it() -> None:
    with opened(LC_ALL="de_DE.ISO-8859-1") as terminal:
        os.write(terminal._main, "Größe\r".encode("latin-1"))
        terminal.until(lambda: terminal.written.count("Größe".encode("latin-1")) > 1)
    assert "Größe".encode() not in terminal.written


def test_a_console_is_sent_nothing_it_would_print_and_only_signs_of_its_font() -> None:
    with opened(TERM="linux") as terminal:
        terminal.type("hi\r")
        terminal.wait("completed", "┌", "└")
    assert not re.search(rb"\x1b\[[<>]|\$p", terminal.written)
    assert not set("╭╰…▎●→") & set(terminal.written.decode())


class Far:
    """Answers the program's questions `way` seconds after they were written, and remembers what came between."""

    def __init__(self, terminal: Terminal, way: float) -> None:
        self.terminal = terminal
        self.way = way
        self.asked: list[tuple[float, float]] = []
        """When each question came, and when it was answered."""
        self._seen = 0

    def read(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.terminal.read(0.01)
            self._answer()

    def _answer(self) -> None:
        written = self.terminal.written
        while (at := written.find(QUESTION.encode(), self._seen)) >= 0:
            self._seen = at + len(QUESTION)
            self.asked.append((time.monotonic(), time.monotonic() + self.way))
            self._due = True
        for number, (asked, due) in enumerate(self.asked):
            if due and due <= time.monotonic():
                os.write(self.terminal._main, b"\x1b[40;1R")
                self.asked[number] = (asked, 0)

    def clock(self) -> float:
        """Seconds, but for those in which the machine had no processor for the program or for this test."""
        waited = int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
        return time.monotonic() - waited - self.terminal.waited()

    def until(self, *words: str) -> None:
        end = time.monotonic() + 30
        while not all(word in self.terminal.screen for word in words):
            assert time.monotonic() < end, self.terminal.screen
            self.read(0.05)


def test_over_a_long_way_each_frame_waits_for_the_one_before_and_keys_do_not() -> None:
    way = 0.4
    with opened("rehearsal/markdown", COLORTERM="truecolor") as terminal:
        far = Far(terminal, way)
        while not far.asked:
            far.read(0.05)
        far.read(way + 0.3)
        assert len(far.asked) == 1
        terminal.type("stream\r")
        far.until("in progress")
        far.read(2 * way)
        terminal.type("typed")
        typed_at = far.clock()
        far.until("typed")
        assert far.clock() - typed_at < 2.0
        far.until("completed")
        between = [later[0] - sooner[0] for sooner, later in zip(far.asked[1:], far.asked[2:], strict=False)]
        assert len(between) > 4
        assert min(between) >= way
        terminal.type("\x11")
        end = time.monotonic() + 10
        while terminal._process.poll() is None:
            assert time.monotonic() < end
            far.read(0.05)
        assert all(not due for _, due in far.asked)


def test_an_answer_under_way_is_waited_for_when_the_program_ends() -> None:
    with opened("rehearsal/markdown") as terminal:
        far = Far(terminal, 0.3)
        far.read(0.6)
        terminal.type("stream\r")
        far.until("in progress")
        count = len(far.asked)
        while len(far.asked) == count:
            far.read(0.01)
        terminal.type("\x11")
        end = time.monotonic() + 10
        while b"\x1b[?1049l" not in terminal.written:
            assert time.monotonic() < end
            far.read(0.01)
        assert not far.asked[-1][1]


def test_any_size_while_text_streams_ends_with_a_whole_screen() -> None:
    with opened("rehearsal/markdown") as terminal:
        terminal.type("stream\r")
        terminal.wait("in progress")
        for columns, rows in ((20, 5), (300, 100), (1, 1), (60, 20), (79, 24), (300, 5), (20, 100), (120, 40)):
            terminal.resize(columns, rows)
            terminal.read(0.2)
        terminal.wait("completed", "Größe", "f1 help")


def test_an_editor_that_cannot_be_started_gives_the_terminal_back() -> None:
    with user() as home, Terminal(home, EDITOR="/nowhere/editor") as terminal:
        terminal.wait("rehearsal")
        terminal.type("half a thought\x1bOS")
        terminal.wait("/nowhere/editor could not be started: ", "half a thought")
        terminal.type("\x11")
        assert terminal.ended(within=20) == 0


def test_keys_typed_before_there_is_a_screen_go_where_they_would_have() -> None:
    with user() as home, Terminal(home) as terminal:
        terminal.type("\x06Helper\t\tAnswer briefly.\x0cWhat is 2+2?")
        terminal.wait("Helper", "15 / 256,000", "Answer briefly.", "What is 2+2?")
        assert "HelperWhat" not in terminal.screen
