"""How bubblewrap is called: what the sandbox sees, and what it has not."""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground_tui.engine.tools.code_interpreter.limits import Limits
from playground_tui.engine.tools.code_interpreter.packages import PACKAGES

DIRECTORY = "/mnt/data"
WRITABLE = (DIRECTORY, "/tmp", "/dev/shm")  # noqa: S108 - paths within the sandbox
_WORKER = "/run/interpreter"
_PACKAGES = "/run/packages"
_INSIDE = Path(__file__).with_name("inside")

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store")
_SETTINGS = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/fonts")
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/tmp",  # noqa: S108
    "TMPDIR": "/tmp",  # noqa: S108
    "USER": "sandbox",
    "LOGNAME": "sandbox",
    "LANG": "C.UTF-8",
    "PYTHONPATH": _PACKAGES,
    "PYTHONDONTWRITEBYTECODE": "1",
    "MPLBACKEND": "module://sandbox_figures",
    "MPLCONFIGDIR": "/tmp/.matplotlib",  # noqa: S108
    "MALLOC_ARENA_MAX": "2",
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "2"),
}
_NAMESPACES = ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")


@dataclass(frozen=True, slots=True)
class Setup:
    """What the sandboxes of an engine are made of. `packages` are the places of what is bound beside the system."""

    bwrap: str
    python: Path
    """The interpreter itself, outside any virtual environment."""
    packages: Sequence[Path]
    root: bool
    """Whether the engine is root: then the worker becomes somebody else before it runs code."""
    sized: bool = True
    """Whether this bubblewrap gives a directory its size. Where it does not, the watchdog alone counts."""


def setup_here(bwrap: str, packages: Sequence[Path], *, sized: bool) -> Setup:
    """What this engine has."""
    interpreter = getattr(sys, "_base_executable", "") or sys.executable
    return Setup(bwrap, Path(interpreter).resolve(), packages, os.geteuid() == 0, sized)


def options_of(setup: Setup) -> list[str]:
    """The options of bubblewrap but the filter's. As root it makes no user namespace: who has none cannot use one."""
    options = [*_NAMESPACES] if setup.root else ["--unshare-all", "--unshare-user"]
    options += ["--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv", "--cap-drop", "ALL"]
    if setup.root:
        options += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    for name, value in _ENVIRONMENT.items():
        options += ["--setenv", name, value]
    return options


def mounts(setup: Setup, limits: Limits) -> list[str]:
    """What the sandbox sees: the system, the interpreter and its packages read-only, and its own directories."""
    found = [*_directories("/etc", "/run", _WORKER, _PACKAGES), *_system(), *_interpreter()]
    for package in setup.packages:
        found += ["--ro-bind", str(package), f"{_PACKAGES}/{package.name}"]
    for name in ("worker.py", "sandbox_figures.py"):
        found += ["--ro-bind", str(_INSIDE / name), f"{_WORKER}/{name}"]
    found += ["--proc", "/proc", "--dev", "/dev"]
    for place, size in zip(WRITABLE, (limits.disk, limits.scratch, limits.scratch), strict=True):
        found += ["--perms", "1777", *(("--size", str(size)) if setup.sized else ()), "--tmpfs", place]
    return [*found, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", DIRECTORY]


def _system() -> Iterator[str]:
    for place in map(Path, _SYSTEM):
        if place.is_symlink():
            yield from ("--symlink", str(place.readlink()), str(place))
        elif place.is_dir():
            yield from ("--ro-bind", str(place), str(place))
    for setting in _SETTINGS:
        yield from ("--ro-bind-try", setting, setting)


def _directories(*places: str) -> Iterator[str]:
    """Directories that everyone in the sandbox may enter; bubblewrap would make them for itself alone."""
    for place in places:
        yield from ("--perms", "0755", "--dir", place)


def _interpreter() -> Iterator[str]:
    """The installation of Python, where it is no part of the system; whatever else is installed in it is covered."""
    home = Path(sys.base_prefix).resolve()
    if not home.is_relative_to("/usr") and not home.is_relative_to("/nix/store"):
        yield from _directories(*map(str, reversed(home.parents[:-1])))
        yield from ("--ro-bind", str(home), str(home))
    for place in sorted(set(_libraries(home))):
        yield from ("--tmpfs", str(place), "--remount-ro", str(place))


def _libraries(home: Path) -> Iterator[Path]:
    values = {"base": str(home), "platbase": str(home), "installed_base": str(home)}
    named: Iterable[str] = (sysconfig.get_path(name, vars=values) for name in ("purelib", "platlib"))
    for place in (*named, "/usr/lib/python3/dist-packages"):
        if Path(place).is_dir():
            yield Path(place).resolve()


def worker_command(setup: Setup, limits: Limits, uid: int | None) -> list[str]:
    """What runs inside."""
    options = worker_options(limits, uid)
    return [str(setup.python), "-I", "-S", "-X", "utf8", f"{_WORKER}/worker.py", json.dumps(options)]


def worker_options(limits: Limits, uid: int | None) -> dict[str, Any]:
    """What the worker is told. `rlimits` are what the kernel holds each process to."""
    return {
        "uid": uid,
        "directory": DIRECTORY,
        "path": [_WORKER, _PACKAGES],
        "packages": list(PACKAGES),
        "cpu_seconds": limits.cpu_seconds,
        "made_files": limits.made_files,
        "made_file": limits.made_file,
        "made_total": limits.made_total,
        "rlimits": {
            "CORE": 0,
            "DATA": limits.memory,
            "AS": 8 * limits.memory,
            "FSIZE": limits.disk,
            "NOFILE": limits.descriptors,
            "NPROC": limits.processes,
            "MEMLOCK": 65536,
            "MSGQUEUE": 0,
            "RTPRIO": 0,
            "NICE": 0,
        },
    }
