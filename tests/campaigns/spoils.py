"""Ways in which a file is broken, each judged by what must have become of it."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

Spoil = Callable[[Path, Random], None]

STRANGER = 12345
"""Somebody else's user id."""
_PR_CAPBSET_DROP = 24
_OVERRIDES = (0, 1, 2, 3)
"""Capabilities of root (chown, dac_override, dac_read_search, fowner): who has them can read everything."""


def be_ordinary() -> bool:
    """Let every program that is started from now on respect the modes of files, as those of ordinary users do.

    False where this process is no root: they do already.
    """
    if os.getuid() != 0:
        return False
    system = ctypes.CDLL(None, use_errno=True)
    for capability in _OVERRIDES:
        if system.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "root's capabilities cannot be given up")
    return True


def truncated(path: Path, random: Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: random.randrange(1, max(len(content), 2))])


def emptied(path: Path, _random: Random) -> None:
    path.write_bytes(b"")


def garbage(path: Path, random: Random) -> None:
    path.write_bytes(random.randbytes(random.choice([1, 40, 5000])))


def scribbled_on(path: Path, random: Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(random.choice([1, 4, 40])):
        at = random.randrange(max(len(content), 1))
        content[at : at + 16] = random.randbytes(16)
    path.write_bytes(content)


def a_directory(path: Path, _random: Random) -> None:
    path.unlink()
    path.mkdir()
    (path / "kept").write_text("kept")


def a_pipe(path: Path, _random: Random) -> None:
    path.unlink()
    os.mkfifo(path)


def a_dangling_link(path: Path, _random: Random) -> None:
    path.unlink()
    path.symlink_to(path.parent / "nowhere" / path.name)


def a_link_to_itself(path: Path, _random: Random) -> None:
    path.unlink()
    path.symlink_to(path)


def a_link_elsewhere(path: Path, _random: Random) -> None:
    """What it was lies somewhere else now, and a link leads there."""
    elsewhere = path.parent.parent / f"elsewhere-{path.name}"
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)


def not_ours(path: Path, _random: Random) -> None:
    if os.getuid() == 0:
        os.chown(path, STRANGER, STRANGER)
        path.chmod(0o600)
    else:
        path.chmod(0)


def read_only(path: Path, _random: Random) -> None:
    path.chmod(0o400)


def newer(path: Path, _random: Random) -> None:
    """From a version to come."""
    if path.suffix == ".db":
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
    else:
        path.write_text(json.dumps({**json.loads(path.read_text()), "schema": 999, "protocol": 999}))


SPOILS: tuple[Spoil, ...] = (
    truncated,
    emptied,
    garbage,
    scribbled_on,
    a_directory,
    a_pipe,
    a_dangling_link,
    a_link_to_itself,
    a_link_elsewhere,
    not_ours,
    read_only,
    newer,
)


NO_FILES = frozenset((a_directory, a_pipe, a_dangling_link, a_link_to_itself))
"""Something else lies in the file's place."""


def trace_of(path: Path) -> bytes:
    """What can be told again of something that was set aside: its bytes, or what it is."""
    if path.is_symlink():
        return b"link " + os.fsencode(path.readlink())
    if path.is_dir():
        return b"directory"
    return path.read_bytes() if path.is_file() else b"pipe"
