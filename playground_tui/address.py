"""Where an engine is, as `engine.json` says it, and which program it was started from."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """The contents of `engine.json`. True only while the lock beside it is held."""

    socket: Path
    pid: int
    protocol: int
    schema: str
    build: str
    version: str
    host: str
    boot_id: str = ""
    """Of the kernel: two hosts never share it. Empty where the system has none."""

    @classmethod
    def read(cls, path: Path) -> EngineAddress | None:
        """The address in the file, or None when there is none that can be read."""
        try:
            raw = json.loads(path.read_bytes())
        except (OSError, ValueError):
            return None
        return cls._from_json(raw) if isinstance(raw, dict) else None

    @classmethod
    def _from_json(cls, raw: Mapping[str, Any]) -> EngineAddress | None:
        try:
            return cls(
                socket=Path(str(raw["socket"])),
                pid=int(raw["pid"]),
                protocol=int(raw["protocol"]),
                **{name: str(raw.get(name, "")) for name in ("schema", "build", "version", "host", "boot_id")},
            )
        except (KeyError, TypeError, ValueError):
            return None

    def write(self, path: Path) -> None:
        """Replace the file in one step, mode 0600. Raises OSError."""
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        text = json.dumps(self.as_json())
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        temporary.replace(path)

    def is_elsewhere(self) -> bool:
        """Whether this names another host: there the lock says nothing, for not every network filesystem carries it."""
        return self.host != host_name() and self.boot_id != (boot_id() or "unknown")

    def as_json(self) -> dict[str, Any]:
        """Plain values, for people and scripts."""
        return {**asdict(self), "socket": str(self.socket)}


def host_name() -> str:
    """This host's name as `engine.json` records it."""
    return socket.gethostname()


def boot_id() -> str:
    """The kernel's id of this boot, "" where there is none."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def build_id() -> str:
    """A hash of the package's source: two programs with one build behave alike."""
    package, digest = str(Path(__file__).parent), hashlib.sha256()
    for place, directories, names in os.walk(package):  # a start waits for it: pathlib takes twice as long
        directories.sort()
        for name in sorted(names):
            if name.endswith(".py"):
                path = f"{place}/{name}"
                digest.update(path.removeprefix(package).encode())
                with open(path, "rb", buffering=0) as file:  # noqa: PTH123
                    digest.update(file.read())
    return digest.hexdigest()[:16]


def lock_is_held(lock: Path) -> bool:
    """Whether an engine lives: it holds this file's lock as long as its process exists."""
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
