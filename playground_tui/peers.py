"""Whose a Unix socket is: who is at its other end, and whether the directory it lies in is this user's own."""

from __future__ import annotations

import os
import socket
import stat
import struct
import sys
from pathlib import Path
from typing import Protocol

ROOT = 0
_UCRED = struct.Struct("iII")
"""Linux: pid, uid, gid."""
_XUCRED = struct.Struct("Ii")
"""macOS: version and uid, the beginning of what LOCAL_PEERCRED answers."""
_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class NotOurs(OSError):
    """What lies there is another user's. `str(error)` is a sentence that names it."""


class Connected(Protocol):
    """A connected socket, as far as it is asked for who is there."""

    @property
    def family(self) -> int: ...
    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes: ...


def peer_uid(connection: Connected) -> int:
    """The user at the other end of a Unix socket, as the kernel knows it. Raises OSError when it does not say."""
    if sys.platform == "linux":
        _, uid, _ = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    else:
        _, uid = _XUCRED.unpack(connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED.size))
    return int(uid)


def is_own_peer(connection: Connected) -> bool:
    """Whether this user is at the other end, or root, who may do everything anyway."""
    try:
        return peer_uid(connection) in (os.geteuid(), ROOT)
    except OSError:
        return False


def check_directory(path: Path) -> None:
    """Raise NotOurs when a socket at `path` may be another user's: keys are to be sent there.

    The temporary directory is everybody's: where ours was swept away, another user can make one of its name. One that
    is not there is no danger.
    """
    directory = path.parent
    try:
        found = directory.lstat()
    except OSError:
        return
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & _OTHERS_WRITE:
        raise NotOurs(
            f"{directory} is not a directory of yours alone (its owner is uid {found.st_uid}): nothing was sent to the "
            "socket in it. Move it away, and the engine makes its own."
        )
