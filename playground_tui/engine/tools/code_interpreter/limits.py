"""What code in a sandbox may use."""

from __future__ import annotations

import os
from dataclasses import dataclass

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one sandbox may use; times and output are those of one piece of code."""

    memory: int = 1024 * MEGABYTE
    """Bytes of all processes together, and of each alone."""
    disk: int = 512 * MEGABYTE
    """Bytes in /mnt/data. They are held in memory, beside `memory`."""
    scratch: int = 64 * MEGABYTE
    """Bytes in each of /tmp and /dev/shm."""
    inodes: int = 20_000
    """Files and directories in each of these."""
    processes: int = 64
    """Processes and threads."""
    descriptors: int = 256
    """Open files of a process."""
    cpu_seconds: float = 120.0
    """Seconds of processor time of all processes together."""
    wall_seconds: float = 120.0
    grace_seconds: float = 2.0
    """After an interrupt, code that goes on so long is killed, and its variables with it."""
    output: int = 100_000
    """Bytes of output that are kept: its beginning and its end."""
    flood: int = 64 * MEGABYTE
    """Code that prints more bytes is interrupted."""
    made_files: int = 100
    """Files that are handed back."""
    made_file: int = 64 * MEGABYTE
    """Bytes of each of them."""
    made_total: int = 64 * MEGABYTE
    """Bytes of all of them."""
    pictures: int = 50
    picture: int = 16 * MEGABYTE
    """Bytes of each of them."""
    picture_total: int = 32 * MEGABYTE
    """Bytes of all of them."""
    start_seconds: float = 20.0
    """A sandbox that is not ready by then is none."""


def limits_here() -> Limits:
    """The limits on this machine: a sandbox gets at most a quarter of its memory, and an eighth for its files."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    usual = Limits()
    return Limits(memory=min(usual.memory, total // 4), disk=min(usual.disk, total // 8))
