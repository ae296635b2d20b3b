"""Somebody at the playground: the real program on a pseudo-terminal, its keys pressed and its screen read."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from playground_tui.launch import find_engine
from playground_tui.paths import Paths
from tests.support.terminal import Terminal

PATIENCE = 240.0
"""Seconds that a program may take on a machine that does other things too."""
TO_COMPOSER, TO_FORM, SAVE, QUIT = "\x0c", "\x06", "\x1b[15~", "\x11"
END, RUB_OUT = "\x1b[F", "\x15"
"""To the end of the line, and everything before it away."""
FIELDS = ("name", "description", "instructions")
"""The fields that come first in the form, in their order."""
SETTINGS = "autosave_delay = 0.3\n"


def settle_in(environ: Mapping[str, str]) -> Paths:
    """Make the directories of a user, whose form saves itself quickly."""
    paths = Paths.from_environment(environ)
    paths.config.mkdir(parents=True, mode=0o700, exist_ok=True)
    paths.config_file.write_text(SETTINGS)
    return paths


class Person:
    """One playground and what is done in it."""

    def __init__(self, environ: Mapping[str, str], *arguments: str, connects: bool = True):
        self._environ = environ
        self._arguments = arguments
        self._gone = False
        self.terminal = Terminal(environ, *arguments)
        self.sees("rehearsal" if connects and not arguments else "Name")

    @property
    def screen(self) -> str:
        """What is on the screen, without blanks and ends of lines, which may be anywhere in a sentence."""
        return "".join(self.terminal.screen.split())

    def sees(self, *words: str) -> None:
        """Read until all these words stand on the screen."""
        wanted = ["".join(one.split()) for one in words]
        self.terminal.until(lambda: all(one in self.screen for one in wanted), timeout=PATIENCE)

    def sees_no_more(self, words: str) -> None:
        wanted = "".join(words.split())
        self.terminal.until(lambda: wanted not in self.screen, timeout=PATIENCE)

    def fill_in(self, field: str, text: str) -> None:
        """Put a text into a field of the form, in place of what stood there."""
        tabs = "\t" * FIELDS.index(field)
        self.terminal.type(f"{TO_FORM}{tabs}{END}{RUB_OUT}{text}")

    def create(self, name: str) -> None:
        """Make a new assistant."""
        self.fill_in("name", name)
        self.terminal.type(SAVE)

    def write(self, text: str) -> None:
        """Put a text into the composer, in place of what stood there."""
        self.terminal.type(f"{TO_COMPOSER}{END}{RUB_OUT}{text}")

    def send(self, text: str) -> None:
        self.write(text)
        self.terminal.type("\r")

    def quit(self) -> None:
        self.terminal.type(QUIT)
        code = self.terminal.ended(within=PATIENCE)
        self._judge_end()
        assert code == 0, (code, self.terminal.screen)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.terminal.read(0)
        self.terminal.kill(signal.SIGKILL)
        self.terminal.ended(within=PATIENCE)
        self._judge_end()

    def _judge_end(self) -> None:
        assert b"Traceback" not in self.terminal.written, self.terminal.screen
        self.__exit__()

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._gone:
            self._gone = True
            self.terminal.__exit__()


@contextmanager
def engine_of(paths: Paths) -> Iterator[httpx2.Client]:
    """A client of the living engine for paths below `/v1`."""
    address = find_engine(paths)
    assert address is not None, "no engine lives"
    transport = httpx2.HTTPTransport(uds=str(address.socket))
    with httpx2.Client(transport=transport, base_url="http://engine/v1", timeout=PATIENCE) as http:
        yield http


def assistants(paths: Paths) -> list[dict[str, Any]]:
    """What the engine has, newest first."""
    with engine_of(paths) as http:
        found: list[dict[str, Any]] = http.get("/assistants", params={"limit": 100}).json()["data"]
    return found


def kept(directory: Path) -> str:
    """Everything in the cache's files, each of which must be whole."""
    files = [path for path in directory.glob("*.json") if ".broken-" not in path.name]
    bodies = [json.loads(path.read_text()) for path in files]
    assert all("schema" in body for body in bodies)
    return json.dumps(bodies)
