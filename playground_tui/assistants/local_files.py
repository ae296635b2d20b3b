"""Files of this machine that go to a server or come from one."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from playground_tui.assistants.errors import AssistantsError
from playground_tui.text import clean, shorten

LARGEST_FILE = 512 * 2**20
"""Bytes that the API takes in one file."""
LONGEST_NAME = 200
"""Bytes of a file's name that came from a server: disks take 255, and a number may follow."""
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})
"""Endings of the pictures that the API shows to a model."""

Progress = Callable[[int], None]
"""Told how many bytes of a file are on their way."""


class FileError(AssistantsError):
    """A file of this machine cannot be read or written."""


def working_directory() -> Path:
    """Where the program was started; the home directory once that is gone."""
    try:
        return Path.cwd()
    except OSError:
        return Path(os.path.expanduser("~"))  # noqa: PTH111 -- the one of Path raises where there is none


def is_picture(path: Path) -> bool:
    """Whether the API shows this file to a model as a picture."""
    return path.suffix.lower() in PICTURES


def purpose_of(path: Path) -> str:
    """What the API has a file uploaded for."""
    return "vision" if is_picture(path) else "assistants"


def size_of(path: Path) -> int:
    """The bytes of a file that can be sent. Raises FileError with a sentence for one that cannot."""
    with opened(path) as file:
        return os.fstat(file.fileno()).st_size


def opened(path: Path) -> io.BufferedReader:
    """The file, to be sent. Raises FileError with a sentence: not there, no file, empty, too large, not readable."""
    try:
        if not path.is_file():
            what = "is a directory" if path.is_dir() else "is no plain file" if path.exists() else "is not there"
            raise FileError(f"{_shown(path)} {what}.")
        file = path.open("rb")
    except OSError as error:
        raise FileError(f"{_shown(path)} cannot be read: {error.strerror or error}.") from error
    size = os.fstat(file.fileno()).st_size
    if 0 < size <= LARGEST_FILE:
        return file
    file.close()
    raise FileError(f"{_shown(path)} is {'larger than 512 MB' if size else 'empty'}: the API does not take it.")


class Counted(io.IOBase):
    """A file that tells how much of it was read: what is sent goes out as it is read."""

    def __init__(self, file: io.BufferedReader, progress: Progress | None):
        self._file = file
        self._progress = progress

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        if self._progress is not None:
            self._progress(self._file.tell())
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def fileno(self) -> int:
        return self._file.fileno()

    def seekable(self) -> bool:
        return True


@contextmanager
def written(target: Path, *, replace: bool) -> Iterator[IO[bytes]]:
    """A file that takes the place of `target` when the block ends well, and leaves nothing behind when it does not.

    Raises FileError, also for a target that is there and may not be replaced.
    """
    try:
        if target.exists() and not replace:
            raise FileError(f"{_shown(target)} is there already.")
        file = tempfile.NamedTemporaryFile(prefix=".playground-tui-", dir=target.parent, delete=False)  # noqa: SIM115
    except OSError as error:
        raise _unwritten(target, error) from error
    temporary = Path(file.name)
    try:
        with file:
            yield file
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except OSError as error:
        raise _unwritten(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def sendable_name(path: Path) -> str:
    """The file's name as UTF-8: on disk it may be any bytes."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def free_name(directory: Path, name: str) -> Path:
    """A path in `directory` for a file that a server calls so: safe, and not there yet."""
    cut = clean(name, newlines=False).replace("/", "_").encode()[-LONGEST_NAME:].decode(errors="ignore")
    safe = cut.strip().lstrip(".") or "file"
    wanted = Path(safe)
    candidates = (safe if number == 1 else f"{wanted.stem}-{number}{wanted.suffix}" for number in range(1, 10_000))
    return next((path for name in candidates if not os.path.exists(path := directory / name)), directory / safe)


def shown_size(size: int) -> str:
    """`120 bytes`, `1.4 KB`, `3.0 MB`."""
    for limit, unit in ((1e3, "bytes"), (1e6, "KB"), (1e9, "MB")):
        if size < limit:
            return f"{size} bytes" if unit == "bytes" else f"{size / (limit / 1e3):.1f} {unit}"
    return f"{size / 1e9:.1f} GB"


def _umask() -> int:
    """The permissions that new files of this program do not get."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _shown(path: Path) -> str:
    return shorten(clean(str(path), newlines=False), 120)


def _unwritten(target: Path, error: OSError) -> FileError:
    return FileError(f"{_shown(target)} cannot be written: {error.strerror or error}.")
