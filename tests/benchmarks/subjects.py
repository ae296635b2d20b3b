"""The programs that are measured: the floor, and the playground on its own engine and a scripted model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.pty_session import PtySession
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
    name = "floor"

    def __init__(self, home: Path, pace: float):
        self._home = home
        self._pace = pace
        self._report = home / "last-tokens"

    def start(self) -> PtySession:
        self._report.write_text("")
        argv = [sys.executable, "-m", "tests.benchmarks.floor", str(self._report), str(self._pace)]
        return PtySession(argv, environment(self._home), cwd=ROOT)

    def asked_at(self, number: int) -> float:
        return time.monotonic()

    def last_token_at(self, number: int) -> float:
        end = time.monotonic() + 120
        while len(lines := self._report.read_text().split()) < number:
            if time.monotonic() > end:
                raise TimeoutError("the floor did not finish")
            time.sleep(0.01)
        return float(lines[number - 1])

    def engine_pid(self) -> int | None:
        return None


class PlaygroundSubject:
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

    def start(self) -> PtySession:
        argv = [sys.executable, "-m", "playground_tui", "--assistant", "Bench"]
        return PtySession(argv, self._environment, cwd=ROOT)

    def stop_engine(self) -> None:
        self.command("engine", "stop")

    def asked_at(self, number: int) -> float:
        return float(self._server.wait("asked", number, timeout=0.05)["at"])

    def last_token_at(self, number: int) -> float:
        return float(self._server.wait("last", number, timeout=120)["at"])

    def engine_pid(self) -> int | None:
        (found,) = (self._home / "data").rglob("engine.json")
        return int(json.loads(found.read_text())["pid"])
