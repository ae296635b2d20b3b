"""Keys that are looked for in everything a program wrote: logs, cache, store, screen, output, process list.

    python -m tests.campaigns.secrets [--rounds 10] [--seed 1]

Each round gives a provider, another server and `serve` keys of their own, from every source there is, and has them
repeated by servers that refuse: whole, masked, cut, encoded, over two lines. All loggers are at DEBUG, and the umask is
any. In no file, on no terminal and in no process list may a key, a piece of it or its end be found, and no file or
directory may be open to others.
"""

from __future__ import annotations

import argparse
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx2

from playground_tui.address import EngineAddress
from playground_tui.paths import Paths, private_directory
from tests.campaigns.canary import Canary, files_below
from tests.campaigns.hostile_servers import served
from tests.support.assistants_server import AssistantsServer
from tests.support.provider_server import ProviderServer, Reply, error, raw, stream
from tests.support.terminal import ROOT, Terminal, user

START = "import sys; from playground_tui.cli import main; sys.exit(main())"
LOUD = "import logging\nlogging.basicConfig(level=logging.DEBUG)\n"
KEYRING = """
import pathlib
class Keyring:
    __module__ = "keyring.backends.SecretService"
    def get_password(self, service, user): return pathlib.Path("%s").read_text()
class errors: KeyringError = RuntimeError
def get_keyring(): return Keyring()
"""
SOURCES = ("variable", "odd variable", "command", "keyring", "file")
MASKS = (0o000, 0o022, 0o077, 0o777)


@dataclass
class Outcome:
    """What a campaign saw. `searched` are bytes."""

    rounds: int = 0
    programs: int = 0
    refusals: int = 0
    files: int = 0
    searched: int = 0
    processes: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        return (
            f"{self.rounds} rounds: {self.programs} programs, {self.refusals} refusals that repeat a key;"
            f" {self.files} files, {self.searched:,} bytes and {self.processes} processes searched:"
            f" {len(self.findings)} findings."
        )


def refusals(canary: Canary, random: Random) -> Iterator[Reply]:
    """Answers of a server that repeats the key it was sent, for ever."""
    while True:
        words = f"Incorrect API key provided: {canary.told(random.randrange(11))}. You can find yours at https://x."
        status = random.choice((400, 401, 403, 404, 422, 429, 500, 503))
        headers = {"retry-after": canary.key, "x-request-id": canary.key, "location": f"http://x/?key={canary.key}"}
        body = {"error": {"message": words, "param": canary.key, "code": canary.key, "type": words, "more": [words]}}
        yield random.choice(
            (
                error(status, words, param=words, code=canary.key, headers=headers),
                raw(status, json.dumps({"detail": words}).encode(), "application/json", headers),
                raw(status, words.encode(), "text/plain", headers),
                raw(status, f"<html>{words}</html>".encode(), "text/html", headers),
                raw(302, b"", "text/plain", headers),
                raw(200, words.encode(), "application/json"),
                stream(b"data: " + json.dumps(body).encode() + b"\n\n"),
                stream(b"event: error\ndata: " + json.dumps(body).encode() + b"\n\n"),
            )
        )


class Watch:
    """Looks at the process list while programs run."""

    def __init__(self, canaries: list[Canary], engine: Callable[[], int]) -> None:
        self.findings: set[str] = set()
        self.seen: set[str] = set()
        self._canaries = canaries
        self._engine = engine
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.05):
            engine = self._engine()
            for process in Path("/proc").glob("[0-9]*"):
                names = ["cmdline", *(["environ"] if int(process.name) == engine else [])]
                for name in names:
                    with suppress(OSError):
                        self._judge(process, name, (process / name).read_bytes())

    def _judge(self, process: Path, name: str, data: bytes) -> None:
        self.seen.add(process.name)
        for canary in self._canaries:
            if canary.key.encode() in data:
                self.findings.add(f"the {name} of process {process.name} has the key: {data[:60]!r}")

    def end(self) -> None:
        self._over.set()
        self._thread.join()


class Round:
    """One user with keys from everywhere."""

    def __init__(self, environ: dict[str, str], random: Random, outcome: Outcome) -> None:
        self.outcome = outcome
        self._random = random
        self._home = Path(environ["HOME"])
        self._paths = Paths.from_environment(environ)
        self._environ = environ
        self._mask = random.choice(MASKS)
        self._heard: list[tuple[str, bytes]] = []
        self.provider_key, self.server_key, self.serve_key = (Canary(random) for _ in range(3))
        self._canaries = [self.provider_key, self.server_key, self.serve_key]
        self._given = self._home / "given"

    def prepare(self, url: str) -> None:
        """Write the configuration, with each source of keys for a provider of its own."""
        python, self._given = self._home / "python", self._home / "given"
        for directory in (python, self._given, self._paths.config):
            private_directory(directory)
        for name, text in (("provider", self.provider_key.key), ("server", self.server_key.key)):
            self._write(self._given / name, text + "\n")
        self._write(python / "sitecustomize.py", LOUD)
        self._write(python / "keyring.py", KEYRING % (self._given / "provider"))
        self._write(self._paths.config_file, self._configuration(url))
        self._environ |= {"OPENAI_API_KEY": self.provider_key.key, "OPENAI_BASE_URL": url, "OPENAI_LOG": "debug"}
        self._environ |= {"MY_LLM": self.provider_key.key, "PYTHONPATH": str(python)}

    def _configuration(self, url: str) -> str:
        key = f"'{self._given / 'provider'}'"
        sources = {
            "variable": "api_key_env = 'OPENAI_API_KEY'",
            "odd variable": "api_key_env = 'MY_LLM'",
            "command": f'api_key_command = "echo no; echo {self.provider_key.tail} >&2; exit 1"\napi_key_file = {key}',
            "keyring": "api_key_keyring = true",
            "file": f"api_key_file = {key}",
        }
        lines = [f"server_key_file = '{self._given / 'server'}'"]
        for name in SOURCES:
            kind = self._random.choice(("chat", "responses"))
            lines += [f"[providers.{name.replace(' ', '-')}]", f"kind = '{kind}'\nbase_url = '{url}'\n{sources[name]}"]
        return "\n".join(lines)

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o600)

    def command(self, *arguments: str, **environ: str) -> None:
        """A command without a screen, whose words and data are searched."""
        done = subprocess.run(
            [sys.executable, "-c", START, *arguments],
            env={**self._environ, **environ},
            cwd=ROOT,
            capture_output=True,
            check=False,
            umask=self._mask,
            timeout=180,
        )
        self.heard(" ".join(arguments), done.stdout + done.stderr)

    def heard(self, what: str, data: bytes) -> None:
        self.outcome.programs += 1
        self._heard.append((what, data))

    @contextmanager
    def terminal(self, *arguments: str, **environ: str) -> Iterator[Terminal]:
        """The playground, or its plain mode, on a terminal that is searched."""
        quiet = {name: value for name, value in self._environ.items() if name != "PYTHONPATH"}
        before = os.umask(self._mask)
        try:
            terminal = Terminal(quiet, *arguments, **environ)
        finally:
            os.umask(before)
        with terminal:
            yield terminal
        self.heard("the terminal", terminal.written)

    def search(self) -> None:
        """Look for every key in everything, and at the modes of all files."""
        places = [(what, data) for what, data in self._heard]
        own = {self._given, self._home / "python", self._paths.config}
        for path in files_below(self._home):
            if not own.intersection(path.parents):
                places.append((str(path.relative_to(self._home)), path.read_bytes()))
                self.outcome.files += 1
        for what, data in places:
            self.outcome.searched += len(data)
            for canary in self._canaries:
                if form := canary.found_in(data):
                    self.outcome.findings.append(f"{what}: {form} ({self._around(data, canary)})")
        self.outcome.findings += [f"{path} is open to others: {mode:o}" for path, mode in self._open()]

    def _around(self, data: bytes, canary: Canary) -> bytes:
        at = next((at for _, needle in canary.needles() if (at := data.find(needle)) >= 0), 0)
        return data[max(0, at - 60) : at + 60]

    def _open(self) -> Iterator[tuple[Path, int]]:
        for path in self._home.rglob("*"):
            mode = stat.S_IMODE(path.lstat().st_mode)
            wanted = 0o700 if path.is_dir() else 0o600
            if not path.is_symlink() and mode != wanted and "python" not in path.parts:
                yield path.relative_to(self._home), mode

    def engine(self) -> int:
        address = EngineAddress.read(self._paths.engine_file)
        return address.pid if address else 0

    def watch(self) -> Watch:
        return Watch(self._canaries, self.engine)


def play(round_: Round, random: Random, *, whole: bool) -> None:
    """Everything that may tell a key."""
    provider, other = ProviderServer(), AssistantsServer()
    told, told_there = refusals(round_.provider_key, random), refusals(round_.server_key, random)
    with served(provider), served(other):
        round_.prepare(provider.base_url)
        watch = round_.watch()
        try:
            provider.script(*(next(told) for _ in range(60)))
            provider.routes["/v1/models"] = next(told)
            for name in SOURCES if whole else SOURCES[-1:]:
                round_.command("ask", "-m", f"{name.replace(' ', '-')}/scripted", "hello")
            round_.command("models")
            other.instead("GET", "", *(next(told_there) for _ in range(8)))
            other.instead("POST", "", *(next(told_there) for _ in range(8)))
            round_.command("--server", other.base_url, "ask", "-m", "x", "hello")
            round_.command("doctor", "--json")
            if whole:
                _more(round_, other.base_url)
            _screen(round_)
            round_.command("engine", "stop")
        finally:
            watch.end()
        round_.outcome.refusals += len(provider.posts) + len(other.requests)
        round_.outcome.processes += len(watch.seen)
        round_.outcome.findings += sorted(watch.findings)


def _more(round_: Round, url: str) -> None:
    for arguments in (
        ("assistants", "list"),
        ("threads", "list", "--json"),
        ("engine", "status", "--json"),
        ("doctor",),
    ):
        round_.command(*arguments)
    round_.command("--server", url, "assistants", "list")
    round_.command("--server", url, "models", PLAYGROUND_TUI_SERVER_KEY=round_.server_key.key)
    _served(round_)
    with round_.terminal("--plain") as terminal:
        terminal.wait("you:", timeout=120)
        terminal.type("/status\r/quit\r")
        terminal.ended(within=120)


def _served(round_: Round) -> None:
    """`serve`, asked with the right key and with a wrong one."""
    with round_.terminal("serve", "--port", "0", PLAYGROUND_TUI_SERVE_KEY=round_.serve_key.key) as terminal:
        terminal.wait("ctrl+c ends it", timeout=120)
        base_url = next(word for word in terminal.screen.split() if word.startswith("http://"))
        for key, where in ((round_.serve_key.key, "file/x"), (round_.serve_key.key + "x", "file/x")):
            headers = {"Authorization": f"Bearer {key}"}
            body = {"model": where, "messages": [{"role": "user", "content": "hello"}]}
            answer = httpx2.post(
                f"{base_url}/chat/completions", json=body, headers=headers, trust_env=False, timeout=60
            )
            told = "\n".join([answer.text, *(f"{name}: {value}" for name, value in answer.headers.items())])
            round_.heard("an answer of serve", told.encode())
        terminal.type("\x03")
        terminal.ended(within=60)


def _screen(round_: Round) -> None:
    """The playground: an assistant is made, and its run is refused."""
    with round_.terminal() as terminal:
        terminal.wait("Model", timeout=120)
        terminal.until(lambda: "/" in terminal.screen or "refus" in terminal.screen, timeout=120)
        terminal.type("\x06Helper\x1b[15~")
        terminal.wait("Helper")
        terminal.type("\x0chello\r")
        terminal.wait("hello")
        for _ in range(20):
            terminal.read(0.1)
        terminal.type("\x11")
        terminal.ended(within=60)


def campaign(*, rounds: int, seed: int, whole: bool = True) -> Outcome:
    """Play so many rounds."""
    outcome = Outcome()
    for number in range(rounds):
        random = Random(f"{seed} {number}")
        with user() as environ:
            round_ = Round(environ, random, outcome)
            found = len(outcome.findings)
            play(round_, random, whole=whole)
            round_.search()
            outcome.findings[found:] = [f"round {number} of seed {seed}: {one}" for one in outcome.findings[found:]]
        outcome.rounds += 1
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.secrets", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    outcome = campaign(rounds=arguments.rounds, seed=arguments.seed)
    print(outcome.sentence)
    for finding in outcome.findings:
        print(finding)
    return int(bool(outcome.findings))


if __name__ == "__main__":
    sys.exit(main())
