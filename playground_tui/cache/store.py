"""JSON files in one directory: written whole or not at all, read whatever they hold, never lost in silence.

Each file is an object with `schema: N`. A broken file is set aside with its date; one of an older schema is migrated
with a copy kept; one of a newer schema is left as it is and never written.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground_tui.paths import NO_FILE, opened, private_directory, reason_of, set_aside
from playground_tui.text import clean

LOCK_PATIENCE = 0.5
"""Seconds to wait for another program that is changing a shared file."""
_FORGOTTEN = 3600.0
"""Seconds after which a temporary file belongs to a program that was killed."""
_LOCKLESS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})
"""What a file system that has no locks answers: writing goes on, but nothing of others is ever adopted there."""

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Schema:
    """The number of the files' present schema, and how to come from number N to N + 1."""

    number: int = 1
    migrations: Mapping[int, Callable[[Body], Body]] = field(default_factory=dict)


class JsonStore:
    """The files of `directory`. `on_notice` takes sentences about files set aside or left untouched.

    Reading never raises. Writing raises OSError: the writer tells the user and tries again.
    """

    def __init__(
        self,
        directory: Path,
        on_notice: Callable[[str], None],
        *,
        schema: Schema | None = None,
        now: Callable[[], float] = time.time,
    ):
        self.directory = directory
        self._notice = on_notice
        self._schema = schema or Schema()
        self._now = now
        self._counter = itertools.count()
        self._newer: set[str] = set()
        self._held: dict[str, int] = {}
        self._locks: dict[int, int] = {}

    # --- reading

    def names(self) -> list[str]:
        """The names of the JSON files that are there."""
        try:
            return sorted(path.name for path in self.directory.iterdir() if path.name.endswith(".json"))
        except OSError:
            return []

    def read(self, name: str) -> Body | None:
        """The object in `name` without its schema number, or None when there is none that can be read."""
        try:
            return self.load(name)
        except OSError as error:
            self._notice(f"{self._shown(name)} cannot be read: {error.strerror}.")
            return None

    def load(self, name: str) -> Body | None:
        """As `read`; raises OSError when the file may be there but the disk does not answer."""
        try:
            raw = _contents(self.directory / name)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno not in NO_FILE:
                raise
            self._set_aside(name, f"cannot be read ({error.strerror})")
            return None
        body = _parsed(raw)
        number = None if body is None else body.pop("schema", None)
        if body is None or type(number) is not int:
            self._set_aside(name, "is broken")
            return None
        if number > self._schema.number:
            self._leave(name, number)
            return None
        return body if number == self._schema.number else self._migrated(name, raw, body, number)

    def _leave(self, name: str, number: int) -> None:
        if name not in self._newer:
            self._newer.add(name)
            self._notice(
                f"{self._shown(name)} was written by a newer playground-tui (schema {number}): it is left as it is, "
                "and what would be kept there is kept in memory only."
            )

    def _migrated(self, name: str, raw: bytes, body: Body, number: int) -> Body | None:
        try:
            for step in range(number, self._schema.number):
                body = self._schema.migrations[step](body)
        except (LookupError, TypeError, ValueError, AttributeError):
            self._set_aside(name, f"has schema {number}, which cannot be brought up to date")
            return None
        copy = f"{name.removesuffix('.json')}.schema-{number}.json"
        try:
            if not (self.directory / copy).exists():
                self._replace(copy, raw, hold=False)
        except OSError as error:
            self._notice(f"No copy of {self._shown(name)} could be kept: {reason_of(error)}.")
        return body

    def _set_aside(self, name: str, why: str) -> None:
        try:
            target = set_aside(self.directory / name, self._now())
        except FileNotFoundError:
            return
        except OSError as error:
            self._notice(f"{self._shown(name)} {why}, and could not be set aside: {error.strerror}.")
        else:
            self._notice(f"{self._shown(name)} {why}: it was set aside as {clean(target.name, newlines=False)}.")

    def _shown(self, name: str) -> str:
        return clean(str(self.directory / name), newlines=False)

    # --- writing

    def save(self, name: str, body: Mapping[str, Any], *, hold: bool = False) -> None:
        """Replace `name` by `body`, whole or not at all, without waiting for the disk (see `sync`).

        With `hold` this process keeps the file's lock from then on (also over later saves). Raises OSError.
        """
        if name in self._newer:
            return
        whole = {"schema": self._schema.number, **body}
        data = json.dumps(whole, ensure_ascii=True, separators=(",", ":"), default=str).encode("ascii")
        try:
            self._replace(name, data, hold=hold)
        except IsADirectoryError:
            self._set_aside(name, "is a directory")
            self._replace(name, data, hold=hold)

    def _replace(self, name: str, data: bytes, *, hold: bool) -> None:
        private_directory(self.directory)
        temporary = self.directory / f".{name}.{os.getpid()}-{next(self._counter)}.tmp"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
            _write_all(descriptor, data)
            if hold:
                _lock_patiently(descriptor)
            temporary.replace(self.directory / name)
        except BaseException:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        if hold:
            self._keep(name, descriptor)
        else:
            os.close(descriptor)

    def remove(self, name: str) -> None:
        """Remove `name` if it is there. Raises OSError."""
        if name in self._newer:
            return
        with contextlib.suppress(FileNotFoundError):
            (self.directory / name).unlink()

    def sync(self, name: str) -> None:
        """Wait until the disk has `name` (or its removal). Raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            _fsync(self.directory / name)
        _fsync(self.directory)

    def sweep(self) -> None:
        """Remove what killed programs left half-written."""
        with contextlib.suppress(OSError):
            for path in self.directory.glob(".*.tmp"):
                if path.lstat().st_mtime < self._now() - _FORGOTTEN:
                    path.unlink()

    # --- locks

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone among all programs on this directory, for a read-modify-write.

        A second entry by the same thread, by a signal handler that interrupted the first, shares its lock.
        Raises OSError, also when another program does not let go within LOCK_PATIENCE seconds.
        """
        me = threading.get_ident()
        if me in self._locks:
            _lock_patiently(self._locks[me])
            yield
            return
        private_directory(self.directory)
        descriptor = os.open(self.directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._locks[me] = descriptor
        try:
            _lock_patiently(descriptor)
            yield
        finally:
            # Freed, then forgotten, then closed: a handler that comes in between finds a lock it can take.
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)
            del self._locks[me]
            os.close(descriptor)

    def hold(self, name: str) -> bool:
        """Take the lock of the existing file `name` and keep it. False when somebody else has it."""
        descriptor = self._try_lock(name)
        if descriptor is not None:
            self._keep(name, descriptor)
        return descriptor is not None

    def held_elsewhere(self, name: str) -> bool:
        """Whether a living program holds `name`. In doubt it does."""
        if not (self.directory / name).exists():
            return False
        descriptor = self._try_lock(name, fcntl.LOCK_SH)  # Two that look at once find nobody.
        if descriptor is not None:
            os.close(descriptor)
        return descriptor is None

    def intact(self) -> bool:
        """Whether the files this process holds are still those at their names."""
        return all(_same_file(fd, self.directory / name) for name, fd in list(self._held.items()))

    def release(self) -> None:
        """Give up the locks of all files held."""
        for name in list(self._held):
            os.close(self._held.pop(name))

    def _keep(self, name: str, descriptor: int) -> None:
        # One step each, so that a signal handler that keeps the file in between closes nothing twice.
        former = self._held.pop(name, None)
        if self._held.setdefault(name, descriptor) != descriptor:
            os.close(descriptor)  # The handler's is the newer file.
        if former is not None:
            os.close(former)

    def _try_lock(self, name: str, how: int = fcntl.LOCK_EX) -> int | None:
        """A descriptor that holds the lock of the file that is at `name` now, or None."""
        path = self.directory / name
        try:
            descriptor = _opened_to_lock(path)
        except OSError:
            return None
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            if _same_file(descriptor, path):
                return descriptor
        os.close(descriptor)
        return None


def _opened_to_lock(path: Path) -> int:
    """The file opened so that it can be locked: for writing where that is possible, as network file systems need it."""
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)


def sentence_of(directory: Path, error: OSError) -> str:
    """What a failed write means to the user, in one line."""
    place, cause = (clean(words, newlines=False) for words in (str(directory), reason_of(error)))
    return f"Nothing can be saved in {place}: {cause}. It is kept in memory and written when it can be."


def _contents(path: Path) -> bytes:
    with opened(path, os.O_RDONLY) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
        return file.read()


def _parsed(raw: bytes) -> Body | None:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _lock_patiently(descriptor: int) -> None:
    end = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise BlockingIOError(errno.EAGAIN, "another playground is writing") from None
        except OSError as error:
            if error.errno in _LOCKLESS:
                return None
            raise
        time.sleep(0.01)
