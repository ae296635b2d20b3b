"""A user's desk: the program on a terminal, started again and again in one home, and its engine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

from playground_tui.launch import ask_engine, ensure_engine
from playground_tui.paths import Paths
from tests.campaigns.drops.case import COMPOSER, NUMBERS, OUTPUT
from tests.campaigns.drops.model import MODEL, Model
from tests.campaigns.drops.typing import as_shown, mark_of
from tests.support.terminal import Terminal

SIZE = (120, 72)
"""The whole form can be seen."""
TO_COMPOSER, TO_FORM, TAB, BACKTAB, ENTER = "\x0c", "\x06", "\t", "\x1b[Z", "\r"
NEW_ASSISTANT, NEW_THREAD, ASSISTANTS, AGAIN = "\x0e", "\x14", "\x0f", "\x12"
EDITOR, SAVE, DELETE, HOME = "\x1bOS", "\x1b[15~", "\x1b[3~", "\x1b[H"
CLEAR = "\x15\x7f" * 8 + "\x0b" * 30
"""ctrl+u, backspace, ctrl+k: takes away what is before the cursor in a text of some lines, and what is behind it."""
ESCAPE, QUIT, HELP, HIDE_FORM, OTHER_PANE = "\x1b", "\x11", "\x1bOP", "\x1bOQ", "\x1b[17~"
DIALOGS = (ASSISTANTS, "\x07", HELP, "\x10", "\x1bOR")
"""Assistants, threads, help, the palette, a file to attach."""
FORM = 73
"""The column where the form begins."""
BOTH = ["name", "description", "instructions", "model", "file_search", "code_interpreter", "function"]
CONFIGURATION = ["configuration", "response_format", "temperature", "top_p", "reasoning_effort", "metadata"]
FUNCTION = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object", "properties": {}}}}


class Desk:
    """`home` is the environment; `model` answers. The engine lives on between the starts."""

    def __init__(self, home: Mapping[str, str], model: Model) -> None:
        self.model = model
        self.directory = Path(home["HOME"])
        self.home = {**home, "EDITOR": str(self.directory / "editor")}
        self.paths = Paths.from_environment(home)
        self.paths.config.mkdir(parents=True)
        self.paths.config_file.write_text(
            f'autosave_delay = 0.4\ndefault_provider = "told"\n[providers.told]\nkind = "chat"\n'
            f'base_url = "{model.server.base_url}"\n'
        )
        self._socket: Path | None = None
        self.terminal: Terminal

    def start(self, *, modern: bool = True) -> Terminal:
        """Start the program as a user does after a drop: without arguments."""
        self.terminal = Terminal(self.home, size=SIZE, modern=modern)
        return self.terminal

    def connected(self) -> None:
        """Wait until the program has the engine and the form."""
        self.terminal.wait("told (", "Model configuration", timeout=60)

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask the engine beside the program."""
        if self._socket is None:
            self._socket = ensure_engine(self.paths).socket
        return ask_engine(self._socket, method, f"/v1{path}", body, timeout=30)

    def until(self, what: str, there: Callable[[], object], *, timeout: float = 30.0) -> None:
        """Read the terminal until something is so."""
        end = time.monotonic() + timeout
        while not there():
            assert time.monotonic() < end, f"never so within {timeout:.0f} s: {what}"
            self.terminal.read()

    # The places

    def open_configuration(self) -> None:
        """Unfold the section of the form that begins folded: every later start finds it open."""
        self.terminal.type(TO_FORM + TAB * fields_of(created=False).index("configuration") + ENTER)
        self.until("it is open", lambda: "Top p" in self.form_lines)

    def open_ready(self, number: int) -> None:
        """Open an assistant with everything in it, whose name is drawn from a number."""
        self.open_assistant(mark_of(Random(number)), tools=[FUNCTION], response_format=SCHEMA)

    def open_assistant(self, mark: str, **fields: Any) -> str:
        """Make an assistant beside the program and open it; its id."""
        made = self.ask("POST", "/assistants", {"model": MODEL, "name": mark, **fields})
        self.terminal.type(ASSISTANTS)
        self.terminal.wait("Assistants on")
        self.terminal.type(mark)
        self.until("one assistant is listed", lambda: self.terminal.screen.count(mark) > 1)
        self.terminal.type(ENTER)
        self.until("it is open", lambda: mark in self.form_lines and "Assistants on" not in self.terminal.screen)
        return str(made["id"])

    def new_thread(self) -> None:
        """Begin a new thread, and say yes where it is asked whether the messages may go out of sight."""
        asks = "Begin a new thread?"
        self.terminal.type(NEW_THREAD)
        self.until("a new thread", lambda: self._header.startswith("new thread") or asks in self.terminal.screen)
        if asks in self.terminal.screen:
            self.terminal.type(ENTER)
        self.until("a new thread", lambda: self._header.startswith("new thread") and asks not in self.terminal.screen)

    def empty_composer(self) -> None:
        """Take away what stands in the composer."""
        self.terminal.type(TO_COMPOSER + CLEAR)
        self.until("an empty composer", lambda: "Message; enter sends" in self.terminal.screen)

    @property
    def _header(self) -> str:
        return self.cells(1, 1, FORM)

    @property
    def form_lines(self) -> str:
        return "\n".join(self.cells(y, FORM, SIZE[0]) for y in range(SIZE[1]))

    def go_to(self, place: str, *, created: bool) -> None:
        """Put the cursor there."""
        if place == COMPOSER:
            self.terminal.type(TO_COMPOSER)
        elif place == OUTPUT:
            self.terminal.type(TO_COMPOSER + BACKTAB)
        else:
            self.terminal.type(TO_FORM + TAB * fields_of(created=created).index(place))

    def empty(self, place: str) -> None:
        """Take away what is in the field that has the cursor."""
        if place in NUMBERS:
            self.terminal.type(HOME)
            self.until("the number has the cursor", lambda: self.shows(place, "", "0.00"))
            self.terminal.type(DELETE)
        elif place in {"name", "model"}:
            self.terminal.type("\x1b[F\x15")  # end, ctrl+u
        else:
            self.terminal.type(CLEAR)

    # What is seen

    def cells(self, y: int, start: int, end: int) -> str:
        """The text of some columns of a row."""
        row = self.terminal.cells(y)
        return "".join(row[start:end])

    def shows(self, place: str, mark: str, text: str) -> bool:
        """Whether the field holds exactly this text, as far as can be seen."""
        if place in NUMBERS:
            return self._number(place) == text
        lines = as_shown(text)
        for y in range(SIZE[1] - len(lines)):
            whole = self.cells(y, 0, SIZE[0])
            if mark not in whole:
                continue
            start, end = self._columns(y, mark, place)
            if start >= 0 and all(self.cells(y + at, start, end).rstrip(" │") == line for at, line in enumerate(lines)):
                return True
        return False

    def _columns(self, y: int, mark: str, place: str) -> tuple[int, int]:
        left, right = (0, FORM - 2) if place in {COMPOSER, OUTPUT} else (FORM, SIZE[0] - 1)
        row = self.terminal.cells(y)
        found = (x for x in range(left, right) if "".join(row[x : x + len(mark)]) == mark)
        return next(found, -1), right

    def _number(self, place: str) -> str:
        label = "Temperature" if place == "temperature" else "Top p"
        rows = (self.cells(y, FORM, SIZE[0]) for y in range(SIZE[1]))
        return next((row.split()[-1] for row in rows if row.startswith(label)), "")

    # What the engine has

    def sent(self, mark: str) -> list[dict[str, Any]]:
        """The user's messages that begin with this word, in whatever thread."""
        found = self.ask("GET", f"/threads?limit=100&q={mark}")["data"]
        return [
            message
            for thread in found
            for message in self.ask("GET", f"/threads/{thread['id']}/messages?limit=100")["data"]
            if message["role"] == "user" and text_of(message).startswith(mark)
        ]

    def runs(self, thread_id: str) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = self.ask("GET", f"/threads/{thread_id}/runs?limit=100")["data"]
        return runs

    def answers(self, thread_id: str, run_id: str) -> str:
        """The text that a run has made."""
        messages = self.ask("GET", f"/threads/{thread_id}/messages?run_id={run_id}")["data"]
        return "".join(map(text_of, messages))

    # What the machine says of the program

    def others(self) -> list[str]:
        """The processes that are left of the terminal's session, by their command lines."""
        left = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == self.terminal.pid and fields[0] != "Z" and int(entry.name) != os.getpid():
                    left.append((entry / "cmdline").read_text().replace("\0", " ").strip())
            except (OSError, IndexError):
                continue
        return left


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message."""
    return "".join(part["text"]["value"] for part in message["content"])


def fields_of(*, created: bool) -> list[str]:
    """The fields in the order of tab. Of the assistants made here all are shown, of a new one not."""
    if not created:
        return [*BOTH, *CONFIGURATION]
    configuration = [*CONFIGURATION]
    configuration.insert(2, "schema")
    return [*BOTH, "functions", *configuration]
