"""The processes of a sandbox as the kernel shows them from outside, in /proc."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_KILOBYTES = re.compile(r"^(?:RssAnon|RssShmem|VmSwap|VmPTE):\s*(\d+) kB", re.MULTILINE)
_THREADS = re.compile(r"^Threads:\s*(\d+)", re.MULTILINE)
_SHARED_OUT = re.compile(r"^(?:Pss_Anon|Pss_Shmem|Swap):\s*(\d+) kB", re.MULTILINE)
_ROUNDS, _ROUND_SECONDS = 200, 0.005
"""How often, and after which time, it is looked whether stopped processes stand still: new ones may come meanwhile."""
_NAMESPACES = ("ipc", "mnt", "net", "pid", "uts")


@dataclass(frozen=True, slots=True)
class Usage:
    """What the processes of a sandbox use at one moment. Memory in bytes, time in seconds since their start."""

    memory: int
    cpu_seconds: float
    tasks: int


def children(pid: int) -> list[int]:
    """The processes whose parent this one is."""
    found: list[int] = []
    with suppress(OSError):
        for task in (_PROC / str(pid) / "task").iterdir():
            with suppress(OSError):
                found += map(int, (task / "children").read_text().split())
    return found


def family(pid: int) -> Iterator[int]:
    """A process and all below it. One that loses its parent comes under the first process of the sandbox."""
    yield pid
    for child in children(pid):
        yield from family(child)


def usage(pid: int) -> Usage:
    """What a process and all below it use."""
    memory = tasks = ticks = 0
    for member in family(pid):
        status, times = _read(member, "status"), _fields(member)[11:15]
        memory += 1024 * sum(map(int, _KILOBYTES.findall(status)))
        tasks += sum(map(int, _THREADS.findall(status)))
        ticks += sum(map(int, times))  # its own, and those of its children that have ended
    return Usage(memory, ticks / _TICKS, tasks)


def memory_shared_out(pid: int) -> int:
    """The bytes of a process and all below it, those that several share counted once. Slower than `usage`."""
    return sum(1024 * sum(map(int, _SHARED_OUT.findall(_read(member, "smaps_rollup")))) for member in family(pid))


def _fields(pid: int) -> list[str]:
    """The fields of `/proc/PID/stat` from the third on, the state; none when it is gone."""
    return _read(pid, "stat").rpartition(")")[2].split()


def _read(pid: int, name: str) -> str:
    try:
        return (_PROC / str(pid) / name).read_text(errors="replace")
    except OSError:
        return ""


async def freeze(init: int) -> bool:
    """Stop all processes below the first one of a sandbox until `thaw`; whether they all stand still."""
    for _ in range(_ROUNDS):
        moving = [one for one in _below(init) if _fields(one)[:1] not in ([], ["T"], ["Z"], ["X"])]
        if not moving:
            return True
        _signal(moving, signal.SIGSTOP)
        await asyncio.sleep(_ROUND_SECONDS)
    return False


def thaw(init: int) -> None:
    """Let them go on."""
    _signal(_below(init), signal.SIGCONT)


def interrupt(init: int) -> None:
    """Interrupt them, as ctrl+c does in a terminal."""
    _signal(_below(init), signal.SIGINT)


def _below(pid: int) -> list[int]:
    return [one for one in family(pid) if one != pid]


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def confined(pid: int, uid: int) -> bool:
    """Whether a process can do no harm: of this user, with no capability and no way to one, filtered, set apart."""
    status = dict(line.split(":\t", 1) for line in _read(pid, "status").splitlines() if ":\t" in line)
    wanted = {"Uid": "\t".join([str(uid)] * 4), "NoNewPrivs": "1", "Seccomp": "2"}
    none = all(int(status.get(name, "1"), 16) == 0 for name in ("CapPrm", "CapEff", "CapAmb"))
    return none and all(status.get(name) == value for name, value in wanted.items()) and _apart(pid)


def _apart(pid: int) -> bool:
    try:
        return all(
            (_PROC / str(pid) / "ns" / one).readlink() != (_PROC / "self/ns" / one).readlink() for one in _NAMESPACES
        )
    except OSError:
        return False


def in_use(pid: int, directory: str) -> tuple[int, int]:
    """Bytes and inodes in use on the file system that a sandbox has there; 0 when it is gone."""
    try:
        found = os.statvfs(f"/proc/{pid}/root{directory}")
    except OSError:
        return 0, 0
    return (found.f_blocks - found.f_bfree) * found.f_frsize, found.f_files - found.f_ffree


def memory_left() -> float:
    """The part of this machine's memory that is available, 0 to 1."""
    text = (_PROC / "meminfo").read_text()
    total, available = (int(found) for found in re.findall(r"^Mem(?:Total|Available):\s*(\d+)", text, re.MULTILINE))
    return available / total
