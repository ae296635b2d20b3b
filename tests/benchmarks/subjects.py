"""The programs that are measured: the floor, and the playground on its own engine and a scripted model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.benchmarks.pty_session import PtySession
from tests.benchmarks.relay import Line
from tests.benchmarks.server import Server

ROOT = Path(__file__).parents[2]
KEPT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


def environment(home: Path) -> dict[str, str]:
    """A bare login over SSH on a true-colour terminal, with a home of its own."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    places = {
        "HOME": home,
        "TMPDIR": home / "tmp",
        "XDG_CONFIG_HOME": home / "config",
        "XDG_DATA_HOME": home / "data",
        "XDG_STATE_HOME": home / "state",
        "XDG_CACHE_HOME": home / "cache",
    }
    for place in places.values():
        place.mkdir(exist_ok=True)
    terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    login = {"SSH_CONNECTION": "127.0.0.1 50000 127.0.0.1 22", "SSH_TTY": "/dev/pts/0"}
    return {**kept, **terminal, **login, **{name: str(place) for name, place in places.items()}}


class FloorSubject:
    """A program that streams by itself: `floor`, the Textual one, or `printer`."""

    def __init__(self, home: Path, pace: float, program: str = "floor"):
        self.name = program
        self._home = home
        self._pace = pace
        self._report = home / "last-tokens"

    def start(self) -> PtySession:
        self._report.write_text("")
        argv = [sys.executable, "-m", f"tests.benchmarks.{self.name}", str(self._report), str(self._pace)]
        return PtySession(argv, environment(self._home), cwd=ROOT)

    def asked_at(self, number: int) -> float:
        return time.monotonic()

    def last_token_at(self, number: int) -> float:
        end = time.monotonic() + 120
        while len(lines := self._report.read_text().split()) < number:
            if time.monotonic() > end:
                raise TimeoutError(f"the {self.name} did not finish")
            time.sleep(0.01)
        return float(lines[number - 1])

    def engine_pid(self) -> int | None:
        return None


class PlaygroundSubject:
    """The playground with its engine, whose model is the scripted server."""

    name = "playground"

    def __init__(self, home: Path, server: Server):
        self._home = home
        self._server = server
        keys = {"OPENAI_API_KEY": "bench", "OPENAI_BASE_URL": server.base_url}
        self._environment = environment(home) | keys
        self.command("assistants", "create", "--name", "Bench", "--model", "openai/scripted")

    def command(self, *arguments: str) -> str:
        """Run a headless command of the playground; its output."""
        argv = [sys.executable, "-m", "playground_tui", *arguments]
        done = subprocess.run(
            argv, check=False, env=self._environment, cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        if done.returncode != 0:
            raise RuntimeError(f"{arguments}: {done.stderr}")
        return done.stdout

    def start(self, *more: str, line: Line | None = None, assistant: str = "Bench") -> PtySession:
        """`more`: further arguments; `line`: what stands between the program and the terminal."""
        argv = [sys.executable, "-m", "playground_tui", "--assistant", assistant, *more]
        return PtySession(argv, self._environment, cwd=ROOT, line=line)

    def stop_engine(self) -> None:
        self.command("engine", "stop")

    @contextmanager
    def api(self) -> Iterator[httpx2.Client]:
        """The engine's API, for what is to be there before anything is measured."""
        transport = httpx2.HTTPTransport(uds=str(self._engine()["socket"]))
        with httpx2.Client(transport=transport, base_url="http://engine/v1", timeout=120) as client:
            yield client

    def new_thread(self) -> str:
        """The id of a thread without messages."""
        with self.api() as api:
            response = api.post("/threads", json={})
        return str(response.raise_for_status().json()["id"])

    def asked_at(self, number: int) -> float:
        return float(self._server.wait("asked", number, timeout=0.05)["at"])

    def last_token_at(self, number: int) -> float:
        return float(self._server.wait("last", number, timeout=120)["at"])

    @property
    def answers(self) -> int:
        """Messages that reached the model so far."""
        return self._server.count("asked")

    def engine_pid(self) -> int | None:
        return int(self._engine()["pid"])

    def _engine(self) -> dict[str, Any]:
        (found,) = (self._home / "data").rglob("engine.json")
        return dict(json.loads(found.read_text()))
