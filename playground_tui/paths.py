"""Every path the program touches. Directories are the user's own and closed to others (0700)."""

from __future__ import annotations

import errno
import itertools
import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

APP = "playground-tui"
"""The name of the program's directories."""


NO_FILE = frozenset({errno.EISDIR, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENXIO})
"""What the system answers where a file was to be opened and something else lies there, or what is not ours."""


class PathError(OSError):
    """A directory cannot be used safely. `str(error)` is a sentence that names it."""


@dataclass(frozen=True, slots=True)
class Paths:
    """The four directories, and the files in them. Nothing is created by asking for a path."""

    config: Path
    data: Path
    state: Path
    runtime: Path
    """For sockets alone: in the temporary directory, since a login's runtime directory vanishes with the login."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Paths:
        """The user's directories: an absolute `XDG_*_HOME` wins, else the platform's own place.

        `environ` stands for the process's environment in what it holds (`XDG_*_HOME`, `TMPDIR`).
        """
        given = os.environ if environ is None else environ
        return cls(
            config=_home(given, "config"),
            data=_home(given, "data"),
            state=_home(given, "state"),
            runtime=_temporary(given) / f"{APP}-{os.getuid()}",
        )

    @property
    def config_file(self) -> Path:
        return self.config / "config.toml"

    @property
    def cache(self) -> Path:
        return self.data / "cache"

    @property
    def database(self) -> Path:
        return self.data / "engine.db"

    @property
    def engine_file(self) -> Path:
        """Where the living engine says how it is reached; valid only while `engine_lock` is held."""
        return self.data / "engine.json"

    @property
    def engine_lock(self) -> Path:
        return self.data / "engine.lock"

    @property
    def editor(self) -> Path:
        """Texts that are open in $EDITOR."""
        return self.data / "editor"

    @property
    def versions(self) -> Path:
        """Earlier states of assistants at servers that keep none."""
        return self.data / "versions"

    @property
    def serve_key(self) -> Path:
        return self.data / "serve.key"

    @property
    def engine_log(self) -> Path:
        return self.state / "engine.log"

    @property
    def log(self) -> Path:
        return self.state / "playground.log"


def private_directory(path: Path) -> Path:
    """Make `path` a directory of this user that nobody else may enter, and return it.

    Missing parents are made 0700 too; existing ones are left as they are.

    Raises PathError when it is a symbolic link, no directory, or another user's; OSError when it cannot be made.
    """
    missing = [path, *path.parents]
    for directory in reversed([entry for entry in missing if not os.path.lexists(entry)]):
        directory.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise PathError(f"{path} is a symbolic link; a directory of your own is needed there.")
    if not stat.S_ISDIR(found.st_mode):
        raise PathError(f"{path} is not a directory.")
    if found.st_uid != os.getuid():
        raise PathError(f"{path} belongs to another user (uid {found.st_uid}).")
    if stat.S_IMODE(found.st_mode) != 0o700:
        path.chmod(0o700)
    return path


def reason_of(error: OSError) -> str:
    """Why the disk refused, as the rest of a sentence without its full stop."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "it is not writable"
    return (error.strerror or str(error)).rstrip(".")


def set_aside(path: Path, now: float | None = None) -> Path:
    """Rename what lies at `path` to `NAME.broken-DATE.SUFFIX` beside it (never over something else); where it is now.

    `now` is in Unix seconds. Raises OSError.
    """
    date = time.strftime("%Y%m%d-%H%M%S", time.localtime(now))
    for number in itertools.count(1):
        again = "" if number == 1 else f"-{number}"
        target = path.with_name(f"{path.stem}.broken-{date}{again}{path.suffix}")
        if not os.path.lexists(target):
            break
    return path.rename(target)


def is_usable(path: Path, *, links: bool = False) -> bool:
    """Whether a file that can be read and written lies there (with `links` also a link to one), and no directory, pipe
    or file of another user. One of this user's is made private.

    Raises OSError for what the disk refuses, also when nothing lies there.
    """
    try:
        if path.lstat().st_uid == os.getuid() and not path.is_symlink() and path.is_file():
            path.chmod(0o600)
        with opened(path, os.O_RDWR, links=links):
            return True
    except OSError as error:
        if error.errno in NO_FILE or (path.is_symlink() and not path.exists()):
            return False
        raise


@contextmanager
def opened(path: Path, flags: int, *, links: bool = True) -> Iterator[int]:
    """A regular file opened, closed at the end; nothing else is waited for. Raises OSError, with an errno of NO_FILE
    where something lies there that is not such a file, or not ours to open."""
    flags |= os.O_CLOEXEC | os.O_NONBLOCK | (0 if links else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise IsADirectoryError(errno.EISDIR, "not a file", str(path))
        yield descriptor
    finally:
        os.close(descriptor)


def _home(environ: Mapping[str, str], kind: str) -> Path:
    chosen = environ.get(f"XDG_{kind.upper()}_HOME", "").strip()
    if chosen.startswith("/"):
        return Path(chosen) / APP
    import platformdirs  # noqa: PLC0415 -- `--version` and the engine's client need no directories

    directories = platformdirs.PlatformDirs(APP, appauthor=False)
    return Path(getattr(directories, f"user_{kind}_dir"))


def _temporary(environ: Mapping[str, str]) -> Path:
    chosen = Path(environ.get("TMPDIR", ""))
    return chosen if chosen.is_absolute() and chosen.is_dir() else Path("/tmp")  # noqa: S108 -- the owner is checked
