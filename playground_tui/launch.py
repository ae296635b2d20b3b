"""Finding the engine of a data directory, starting it, replacing it, stopping it. Standard library only."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from playground_tui import __version__
from playground_tui.address import EngineAddress, build_id, lock_is_held
from playground_tui.paths import PathError, Paths, private_directory
from playground_tui.peers import NotOurs, check_directory
from playground_tui.protocol import PROTOCOL, SCHEMA
from playground_tui.text import clean

ANOTHER_RUNS = 3
"""Exit status of an engine that found another one living in its data directory."""
CHECK_SECONDS = 3600.0
"""How long the engine may look at its store: all of it is read."""
_POLL = 0.02
_REFUSED = 400
_TAIL_LINES = 6
_INHERITED = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TZDIR|TMPDIR|XDG_\w+|VIRTUAL_ENV|CONDA_PREFIX"
    r"|(PYTHON|LD_|DYLD_|NIX_|COVERAGE_|SSL_CERT_)\w*|(HTTP|HTTPS|ALL|NO)_PROXY",
    re.IGNORECASE,
)
"""What an engine needs of the environment of who starts it first: where programs and files are, and the way out."""
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)


class LaunchError(Exception):
    """There is no engine to talk to. `str(error)` is a sentence: why, and what to do."""


class EngineSilent(Exception):
    """The engine's socket is not there, refuses, or did not answer in time."""


def find_engine(paths: Paths) -> EngineAddress | None:
    """The living engine of the data directory, or None. Raises LaunchError when it lives on another host."""
    address = EngineAddress.read(paths.engine_file)
    if address is None:
        return None
    if address.is_elsewhere():
        raise LaunchError(_elsewhere(address, paths))
    return address if lock_is_held(paths.engine_lock) else None


def ensure_engine(paths: Paths, *, timeout: float = 10.0) -> EngineAddress:
    """The engine of the data directory, started if none lives and replaced if it is of another build and idle.

    Blocks at most about `timeout` seconds for a start. Raises LaunchError.
    """
    address = _Arrival(paths, timeout).wait()
    if _to_be_replaced(address) and _stop_idle(address, paths):
        return _Arrival(paths, timeout).wait()
    return address


def stop_engine(paths: Paths, *, timeout: float = 10.0) -> bool:
    """Stop the engine and wait until it is gone; False when none lives. Raises LaunchError when it stays."""
    address = find_engine(paths)
    if address is None:
        return False
    try:
        ask_engine(address.socket, "POST", "/engine/stop")
    except EngineSilent:
        with suppress(ProcessLookupError):
            os.kill(address.pid, signal.SIGTERM)
    if not _within(timeout, lambda: not lock_is_held(paths.engine_lock)):
        raise LaunchError(f"The engine (process {address.pid}) does not stop. End it with: kill -9 {address.pid}")
    return True


def check_store(paths: Paths) -> dict[str, Any]:
    """What the engine, or in its absence a process in its place, finds in the store: see `GET /engine/check`.

    Raises LaunchError when nobody could look.
    """
    address = find_engine(paths)
    if address is not None:
        return _checked_by(address)
    done = subprocess.run(check_command(paths), check=False, capture_output=True, env=engine_environment(os.environ))
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        words = done.stderr.decode(errors="replace").strip()
        raise LaunchError(f"The store could not be checked: {clean(words)}") from error
    if "error" in report:
        raise LaunchError(clean(str(report["error"])))
    return report


def _checked_by(address: EngineAddress) -> dict[str, Any]:
    try:
        return ask_engine(address.socket, "GET", "/engine/check", timeout=CHECK_SECONDS)
    except EngineSilent as error:
        raise LaunchError(f"The engine (process {address.pid}) does not answer at {address.socket}: {error}") from error


def ask_engine(
    path: Path, method: str, target: str, body: Mapping[str, Any] | None = None, *, timeout: float = 10.0
) -> dict[str, Any]:
    """One control request over the Unix socket; the answer's JSON object.

    Raises EngineSilent without an answer, LaunchError with the engine's own sentence when it refuses, or when the
    socket may be another user's.
    """
    content = b"" if body is None else json.dumps(body).encode()
    try:
        check_directory(path)
        status, answer = _exchange(path, request_bytes(method, target, content), timeout)
        raw = json.loads(answer or b"{}")
    except NotOurs as error:
        raise LaunchError(str(error)) from error
    except (OSError, ValueError) as error:
        raise EngineSilent(str(error)) from error
    if status >= _REFUSED:
        raise LaunchError(refusal(raw))
    return raw if isinstance(raw, dict) else {}


def request_bytes(method: str, target: str, content: bytes) -> bytes:
    """A request of HTTP/1.0, whose answer is all that comes until the connection ends: `http.client` takes 30 ms to
    import, which every start would wait for."""
    return b"%s %s HTTP/1.0\r\nHost: engine\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        method.encode(),
        target.encode(),
        len(content),
        content,
    )


def status_of(line: bytes) -> int:
    """The status in an answer's first line. Raises ValueError when it is none."""
    version, status, *_ = line.split(None, 2)
    if not version.startswith(b"HTTP/1."):
        raise ValueError("no answer of HTTP")
    return int(status)


def _exchange(path: Path, request: bytes, timeout: float) -> tuple[int, bytes]:
    """Send a request; the answer's status and body. Raises OSError, ValueError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout)
        connection.connect(str(path))
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return status_of(head), body


def refusal(raw: object) -> str:
    """The sentence in the body of an error answer."""
    error = raw.get("error") if isinstance(raw, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return clean(str(message)) if message else "The engine refused without saying why."


def _elsewhere(address: EngineAddress, paths: Paths) -> str:
    host = clean(address.host, newlines=False)
    return (
        f"The engine of {paths.data} runs on {host} (process {address.pid}), and two would damage its store. "
        f"Run `playground-tui serve --host 0.0.0.0` on {host} and connect with --server http://{host}:8765/v1. "
        f"If it is no longer there, delete {paths.engine_file}."
    )


def _refuse_newer(address: EngineAddress) -> None:
    """An engine that speaks a newer protocol is never replaced. Raises LaunchError naming the version to install."""
    if address.protocol > PROTOCOL:
        version = clean(address.version, newlines=False)
        raise LaunchError(
            f"The engine that runs is of version {version}, newer than this program ({__version__}). "
            f"Install version {version}: pip install playground-tui=={version}"
        )


def _to_be_replaced(address: EngineAddress) -> bool:
    if address.protocol == PROTOCOL and _newer(address):
        return False
    return address.protocol < PROTOCOL or address.build != build_id()


def _newer(address: EngineAddress) -> bool:
    return address.schema > SCHEMA or _numbers(address.version) > _numbers(__version__)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _stop_idle(address: EngineAddress, paths: Paths) -> bool:
    """Stop an engine of another build if no run is active; whether it is gone.

    Raises LaunchError when it is too old to be used and too busy to be stopped.
    """
    active = int(ask_engine(address.socket, "GET", "/engine").get("active_runs", 0))
    if not active:
        return stop_engine(paths)
    if address.protocol < PROTOCOL:
        raise LaunchError(
            f"An engine of the older version {clean(address.version, newlines=False)} still works on {active} run(s). "
            "Start again when they have ended, or stop it: playground-tui engine stop"
        )
    return False


class _Arrival:
    """The wait for an engine that answers, starting one while none lives."""

    def __init__(self, paths: Paths, timeout: float):
        self._paths = paths
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._found: EngineAddress | None = None

    def wait(self) -> EngineAddress:
        if not _within(self._timeout, self._answers) or self._found is None:
            raise LaunchError(self._too_late())
        return self._found

    def _answers(self) -> bool:
        self._found = find_engine(self._paths)
        if self._found is not None:
            _refuse_newer(self._found)
            return self._reached(self._found)
        if self._process is None or self._process.poll() == ANOTHER_RUNS:
            self._begin()
        elif self._process.poll() is not None:
            raise LaunchError(f"The engine did not start. {last_words(self._paths.engine_log)}".rstrip())
        return False

    def _reached(self, address: EngineAddress) -> bool:
        try:
            ask_engine(address.socket, "GET", "/engine", timeout=2.0)
        except EngineSilent:
            # Its socket may have been swept out of the temp directory: on this signal it looks, others ignore it.
            with suppress(OSError):
                os.kill(address.pid, signal.SIGCONT)
            return False
        return True

    def _begin(self) -> None:
        if lock_is_held(self._paths.engine_lock):
            return
        try:
            for directory in (self._paths.data, self._paths.state, self._paths.runtime):
                private_directory(directory)
            with _log(self._paths.engine_log) as log:
                self._process = subprocess.Popen(
                    engine_command(self._paths),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    env=engine_environment(os.environ),
                    start_new_session=True,
                )
            # It outlives this process or not: either way somebody waits for it, and no zombie stays.
            threading.Thread(target=self._process.wait, daemon=True).start()
        except (OSError, PathError) as error:
            raise LaunchError(f"The engine cannot be started: {error}") from error

    def _too_late(self) -> str:
        if self._found is not None:
            return (
                f"The engine (process {self._found.pid}) does not answer at {self._found.socket}. "
                f"Stop it with `playground-tui engine stop`, or kill {self._found.pid}."
            )
        return f"The engine did not answer within {self._timeout:.0f} s. {tail(self._paths.engine_log)}".rstrip()


def engine_command(paths: Paths) -> list[str]:
    """The command line of the engine of these directories (-P: nothing is imported from where it is started)."""
    directories = ["--data", str(paths.data), "--state", str(paths.state), "--runtime", str(paths.runtime)]
    return [sys.executable, "-P", "-m", "playground_tui.engine", *directories]


def check_command(paths: Paths) -> list[str]:
    """The command line that looks at the store of these directories while no engine runs."""
    return [sys.executable, "-P", "-m", "playground_tui.engine.check", "--data", str(paths.data)]


def engine_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What the engine inherits: no credentials, for keys are handed over by each visitor; and where this package is.

    A key may be in a variable of any name: so only what is needed is passed on.
    """
    names = [name for name in environ if _INHERITED.fullmatch(name) and not _SECRET_NAME.search(name)]
    kept = {name: environ[name] for name in names}
    package_parent = str(Path(__file__).parent.parent)
    if "site-packages" not in package_parent:
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, [package_parent, kept.get("PYTHONPATH")]))
    return kept


def tail(log: Path) -> str:
    """The last lines of the log in a sentence, "" when there are none."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    last = [clean(line) for line in lines[-_TAIL_LINES:] if line.strip()]
    return f"The end of {log}:\n" + "\n".join(f"  {line}" for line in last) if last else ""


def last_words(log: Path) -> str:
    """Why an engine ended: its own sentence where it said one, else the end of its log."""
    words = tail(log)
    _, marked, sentence = words.rpartition("\n")[2].partition(" ERROR ")
    return sentence if marked else words


@contextmanager
def _log(path: Path) -> Iterator[int]:
    """The log opened for appending, 0600. It begins anew when it has grown beyond a megabyte."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    if path.exists() and path.stat().st_size > 1_000_000:
        flags |= os.O_TRUNC
    descriptor = os.open(path, flags, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _within(seconds: float, predicate: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not predicate():
        if time.monotonic() > end:
            return False
        time.sleep(_POLL)
    return True
