"""A control group of a sandbox's own, where the engine may make one (cgroup v2): the kernel then holds the limits."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from playground_tui.engine.tools.code_interpreter.limits import Limits

_ROOT = Path("/sys/fs/cgroup")
_WANTED = {"memory.max", "pids.max"}


class ControlGroup:
    """One group, beside the one that the engine is in."""

    def __init__(self, path: Path):
        self._path = path

    def take(self, pids: Iterable[int]) -> None:
        """Put processes into the group. Raises OSError."""
        for pid in pids:
            (self._path / "cgroup.procs").write_text(str(pid))

    def kill(self) -> None:
        """End all its processes."""
        with suppress(OSError):
            (self._path / "cgroup.kill").write_text("1")

    def remove(self) -> None:
        """Remove the group, once its processes are gone."""
        with suppress(OSError):
            self._path.rmdir()


def delegated(limits: Limits, *, root: Path = _ROOT, own: Path = Path("/proc/self/cgroup")) -> ControlGroup | None:
    """A new group with these limits, or None where the engine may make none."""
    parent = _beside(root, own)
    if parent is None or not os.access(parent, os.W_OK):
        return None
    path = parent / f"playground-tui-{secrets.token_hex(4)}"
    try:
        path.mkdir()
        return _limited(path, limits)
    except OSError:
        with suppress(OSError):
            path.rmdir()
        return None


def _beside(root: Path, own: Path) -> Path | None:
    """The directory of the group that the engine's own lies in, where that is known and of version 2."""
    with suppress(OSError):
        for line in own.read_text().splitlines():
            if line.startswith("0::/") and (root / "cgroup.controllers").exists():
                return (root / line[4:]).parent if line != "0::/" else root
    return None


def _limited(path: Path, limits: Limits) -> ControlGroup:
    """Raises OSError when the group cannot have limits."""
    if not all((path / name).exists() for name in _WANTED):
        raise FileNotFoundError(path)
    memory = limits.memory + limits.disk + 2 * limits.scratch
    for name, value in (("memory.max", memory), ("memory.swap.max", 0), ("pids.max", limits.processes + 8)):
        with suppress(FileNotFoundError):  # without swap there is no file for it
            (path / name).write_text(str(value))
    return ControlGroup(path)
