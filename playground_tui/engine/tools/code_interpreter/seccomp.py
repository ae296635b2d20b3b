"""The system calls that code in a sandbox may not make, as the filter program that bubblewrap hands to the kernel.

The filter is classic BPF as `seccomp(2)` describes it: it reads the architecture, the number and the first argument
of a call. Numbers are those of the kernel's tables for x86-64 and for the generic table (arm64, riscv64).
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator

_LOAD, _EQUAL, _GREATER, _ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _ERROR, _KILL = 0x7FFF0000, 0x00050000, 0x80000000

_NEW_NAMESPACES = 0x7E020000
"""The flags CLONE_NEW* of clone(2)."""
_FAMILIES = (1, 2, 10)
"""Sockets within the sandbox: unix, IPv4, IPv6. Others may reach beyond its network namespace, as AF_VSOCK does."""
_NEWEST = 452
"""Calls that came to Linux later than this table are answered as an older kernel would."""
_CLONE3 = 435

_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7, "arm64": 0xC00000B7, "riscv64": 0xC00000F3}

# In this order: mounts and namespaces; other processes and where memory lies; the kernel itself; its keys; memory that
# no limit counts (memfd, System V, message queues); ways around the checks of paths. For all machines alike: io_uring,
# the newer calls about mounts, and those that act on other processes.
_EVERYWHERE = (*range(425, 434), 438, 440, 442, 443, 447, 448)
_X86_64 = (
    *(165, 166, 155, 161, 272, 308, 170, 171),
    *(101, 310, 311, 312, 298, 323, 135, 154, 256, 279, 237, 238, 239),
    *(103, 134, 136, 139, 153, 156, 159, 163, 164, 167, 168, 169, 172, 173, 174, 175, 176, 177, 178, 179, 180),
    *(212, 227, 246, 305, 313, 320, 321),
    *(248, 249, 250),
    *(319, 29, 30, 31, 67, 64, 65, 66, 220, 68, 69, 70, 71, 240, 241, 242, 243, 244, 245),
    *(278, 300, 301, 303, 304),
)
_GENERIC = (
    *(40, 39, 41, 51, 97, 268, 161, 162),
    *(117, 270, 271, 272, 241, 282, 92, 235, 236, 237, 238, 239),
    *(116, 58, 171, 89, 170, 224, 225, 142, 105, 106, 60, 42, 18, 112, 104, 266, 273, 294, 280),
    *(217, 218, 219),
    *(279, 194, 195, 196, 197, 186, 187, 188, 189, 190, 191, 192, 193, 180, 181, 182, 183, 184, 185),
    *(75, 262, 263, 264, 265),
)


def filter_for(machine: str) -> bytes | None:
    """The filter for a machine as `platform.machine()` names it, None for one that there is no filter for."""
    architecture = _MACHINES.get(machine)
    if architecture is None:
        return None
    clone, socket, refused = (56, 41, _X86_64) if machine == "x86_64" else (220, 198, _GENERIC)
    return b"".join(_program(architecture, clone, socket, (*refused, *_EVERYWHERE)))


def _program(architecture: int, clone: int, socket: int, refused: tuple[int, ...]) -> Iterator[bytes]:
    yield _step(_LOAD, _ARCHITECTURE)
    yield _step(_EQUAL, architecture, 1, 0)
    yield _step(_RETURN, _KILL)
    yield _step(_LOAD, _NUMBER)
    yield from _refuse(_GREATER, _NEWEST, errno.ENOSYS)
    yield from _refuse(_EQUAL, _CLONE3, errno.ENOSYS)  # its flags lie in memory, which a filter does not see
    for number in refused:
        yield from _refuse(_EQUAL, number, errno.EPERM)
    yield _step(_EQUAL, clone, 0, 3)
    yield _step(_LOAD, _FIRST_ARGUMENT)
    yield _step(_ANY_BIT, _NEW_NAMESPACES, 0, 4 + len(_FAMILIES))
    yield _step(_RETURN, _ERROR | errno.EPERM)
    yield _step(_EQUAL, socket, 0, 2 + len(_FAMILIES))
    yield _step(_LOAD, _FIRST_ARGUMENT)
    for place, family in enumerate(_FAMILIES):
        yield _step(_EQUAL, family, len(_FAMILIES) - place, 0)
    yield _step(_RETURN, _ERROR | errno.EAFNOSUPPORT)
    yield _step(_RETURN, _ALLOW)


def _refuse(test: int, value: int, error: int) -> Iterator[bytes]:
    yield _step(test, value, 0, 1)
    yield _step(_RETURN, _ERROR | error)


def _step(code: int, value: int, when_true: int = 0, when_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, when_true, when_false, value)
