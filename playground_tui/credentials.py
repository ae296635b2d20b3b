"""Where a key comes from, and text without it.

A key is looked for in the environment, then asked of a command, of the keyring and of a file: the first that has one is
used. It stays in memory: no log, no message and no file of the program holds it.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL

from playground_tui.redaction import redacted
from playground_tui.text import shorten

KEY_TIMEOUT = 10.0
"""Seconds that a command, or the keyring, may take."""
LONGEST_FILE = 64 * 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_KEYRING = Path(__file__).with_name("keyring_entry.py")


class Secret(str):
    """A key: a string as any other, but not in a `repr`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'(a key)'" if self else "''"


class NoKey(Exception):
    """A source has no key. `str(error)` is a sentence that names it."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where one key may be; what is empty is not looked at.

    `prefix` begins the names of the settings in sentences: `providers.openai.api_key`, `server_key`.
    """

    prefix: str
    variable: str = ""
    command: str = ""
    keyring: str = ""
    """User name of the entry; its service is `playground-tui`."""
    file: str = ""

    def __iter__(self) -> Iterator[tuple[str, Callable[[Mapping[str, str]], Secret]]]:
        """The sources there are, in their order: a name, and what gets the key or raises NoKey."""
        if self.variable:
            yield self.variable, self._of_variable
        if self.command:
            yield f"{self.prefix}_command", self._of_command
        if self.keyring:
            yield f"{self.prefix}_keyring", self._of_keyring
        if self.file:
            yield f"{self.prefix}_file", self._of_file

    def _of_variable(self, environ: Mapping[str, str]) -> Secret:
        value = environ.get(self.variable, "").strip()
        if not value:
            raise NoKey(f"{self.variable} is not set.")
        return _checked(value, self.variable)

    def _of_command(self, environ: Mapping[str, str]) -> Secret:
        return _printed(["/bin/sh", "-c", self.command], f"{self.prefix}_command", environ)

    def _of_keyring(self, environ: Mapping[str, str]) -> Secret:
        return _printed([sys.executable, "-P", str(_KEYRING), self.keyring], f"{self.prefix}_keyring", environ)

    def _of_file(self, environ: Mapping[str, str]) -> Secret:
        home = environ.get("HOME") or "~"
        path = Path(home, self.file[2:]) if self.file.startswith("~/") else Path(self.file)
        return _checked(_first_line(_private_text(path, f"{self.prefix}_file")), f"{self.prefix}_file")


@dataclass(frozen=True, slots=True)
class Found:
    """A key and where it came from, or why there is none ("" when none was asked for)."""

    key: Secret | None = None
    origin: str = ""
    problem: str = ""


def find_key(sources: Sources, environ: Mapping[str, str]) -> Found:
    """The key of the first source that has one. Blocks for as long as commands take: call it off the event loop."""
    problems = []
    for origin, get in sources:
        try:
            return Found(get(environ), origin)
        except NoKey as error:
            problems.append(str(error))
    return Found(problem=" ".join(problems))


def is_key(text: str) -> bool:
    """Whether this can be sent as a key."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _checked(text: str, origin: str) -> Secret:
    if is_key(text):
        return Secret(text)
    raise NoKey(f"{origin} holds no key: it is empty, or has spaces or characters outside ASCII.")


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "").strip()


def _private_text(path: Path, label: str) -> str:
    """What is in a file that only this user can read. Raises NoKey."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            if wrong := _not_private(os.fstat(descriptor), path):
                raise NoKey(f"{label}: {wrong}")
            return os.read(descriptor, LONGEST_FILE).decode("utf-8", "replace")
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        raise NoKey(f"{label}: {path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def _not_private(found: os.stat_result, path: Path) -> str:
    """What is wrong with a file that is to hold a key, as a sentence, or ""."""
    if not stat.S_ISREG(found.st_mode):
        return f"{path} is no file."
    if found.st_uid != os.geteuid():
        return f"{path} belongs to another user (uid {found.st_uid}), so it is not used."
    if found.st_mode & _OTHERS:
        return f"others can read {path}, so it is not used: chmod 600 {path}, or make a new key."
    return ""


def _printed(command: list[str], label: str, environ: Mapping[str, str]) -> Secret:
    """The first line that a command prints, as a key. Raises NoKey."""
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
            start_new_session=True,
        ) as process:
            printed, said = _in_time(process, label)
    except (OSError, ValueError) as error:
        raise NoKey(f"{label} cannot be run: {shorten(str(error), 120)}.") from None
    out, words = (text.decode("utf-8", "replace") for text in (printed, said))
    if process.returncode:
        raise NoKey(f"{label} failed with exit code {process.returncode}{_last_words(words, out)}")
    if not out.strip():
        raise NoKey(f"{label} printed nothing{_last_words(words, out)}")
    return _checked(_first_line(out), label)


def _in_time(process: subprocess.Popen[bytes], label: str) -> tuple[bytes, bytes]:
    try:
        return process.communicate(timeout=KEY_TIMEOUT)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, SIGKILL)
        raise NoKey(f"{label} did not end within {KEY_TIMEOUT:g} s.") from None


def _last_words(said: str, printed: str) -> str:
    """What a command said last on stderr, without anything it printed or that looks like a key."""
    for line in printed.split():
        said = said.replace(line, "[key]")
    words = next((line for line in reversed(said.splitlines()) if line.strip()), "")
    return f": {shorten(redacted(words, strict=True), 200).rstrip('.')}." if words else "."
