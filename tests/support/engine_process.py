"""Engines as processes of their own, and stand-ins for engines of other versions."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from playground_tui.address import EngineAddress, boot_id
from playground_tui.launch import LaunchError, find_engine, stop_engine
from playground_tui.paths import Paths
from tests.support.engine import address_of, paths_in, short_directory

NOBODY = 2**22 + 1
"""A process id beyond the kernel's highest: signals sent to it reach nobody."""


@contextmanager
def home() -> Iterator[Paths]:
    """Directories of a user who never started the program. An engine left in them is stopped."""
    directory = short_directory()
    paths = paths_in(directory)
    try:
        yield paths
    finally:
        with suppress(LaunchError):
            stop_engine(paths)
        shutil.rmtree(directory)


@contextmanager
def held_lock(paths: Paths) -> Iterator[None]:
    """The engine's lock, held as by a living engine."""
    paths.data.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(paths.engine_lock, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def write_address(paths: Paths, **changes: Any) -> EngineAddress:
    """An `engine.json` of this program, with these changes."""
    paths.data.mkdir(parents=True, exist_ok=True)
    address = replace(address_of(paths.runtime / "engine.sock"), **{"boot_id": boot_id(), "pid": NOBODY, **changes})
    address.write(paths.engine_file)
    return address


class OtherEngine:
    """Something that answers on an engine's socket, as an engine of another version would."""

    def __init__(self, paths: Paths, answer: Mapping[str, Any], **address: Any):
        self.asked: list[str] = []
        self._answer = json.dumps(answer).encode()
        self._lock = held_lock(paths)
        self._lock.__enter__()
        self.address = write_address(paths, **address)
        paths.runtime.mkdir(parents=True, exist_ok=True)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(self.address.socket))
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                line = connection.recv(65536).split(b"\r\n")[0].decode()
                if not line:
                    return
                self.asked.append(line.removesuffix(" HTTP/1.0"))
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + self._answer)
            if line.startswith("POST /engine/stop"):
                self._lock.__exit__(None, None, None)

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(str(self.address.socket))
        self._thread.join()
        self._socket.close()
        with suppress(OSError):
            self._lock.__exit__(None, None, None)


@contextmanager
def other_engine(paths: Paths, answer: Mapping[str, Any], **address: Any) -> Iterator[OtherEngine]:
    """An engine of another version while the context lasts."""
    other = OtherEngine(paths, answer, **address)
    try:
        yield other
    finally:
        other.close()


def process_is_gone(pid: int) -> bool:
    """Whether the process has ended (a zombie has)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def living(paths: Paths) -> EngineAddress:
    """The living engine, which there must be."""
    address = find_engine(paths)
    assert address is not None
    return address
