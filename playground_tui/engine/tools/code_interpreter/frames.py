"""Frames from and to the worker in a sandbox. Nothing that comes from there is trusted."""

from __future__ import annotations

import asyncio
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from playground_tui.engine.tools.base import MadeFile
from playground_tui.engine.tools.code_interpreter.limits import Limits
from playground_tui.engine.tools.code_interpreter.output import Output

HEADER = struct.Struct(">BHQ")
"""The kind of a frame, the bytes of its name, and the bytes of its contents, which follow in this order."""
READY, CODE, FILE, PICTURE, SEEN, DONE, ALIAS = range(1, 8)

_BLOCK = 256 * 1024
_LONGEST_NAME = 255
_MOST_SHOWN = 1000
_PNG = b"\x89PNG\r\n\x1a\n"


class Violation(Exception):
    """What came is no frame of our worker."""


@dataclass(slots=True)
class Received:
    """What one piece of code gave so far."""

    limits: Limits
    output: Output
    files: list[MadeFile] = field(default_factory=list)
    shown: int = 0
    """How often there was something to show, pictures or not."""
    pictures: int = 0
    picture_bytes: int = 0
    file_bytes: int = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Take the next frame; whether the code is done. Raises Violation, IncompleteReadError, ConnectionError.

        After a picture the code waits for an answer: what it prints then comes behind the picture.
        """
        kind, name, size = await receive(reader)
        if kind == DONE and size == 0:
            return True
        if kind == PICTURE and size <= self.limits.picture:
            self._picture(await reader.readexactly(size))
            await send(writer, SEEN)
        elif kind == FILE and size <= min(self.limits.made_total - self.file_bytes, self.limits.made_file):
            self.file_bytes += size
            self._file(name, await reader.readexactly(size))
        else:
            raise Violation
        return False

    def _picture(self, png: bytes) -> None:
        self.shown += 1
        if self.shown > _MOST_SHOWN:
            raise Violation
        if not png.startswith(_PNG):
            self.output.note("(A picture that is not in the format PNG cannot be shown.)")
        elif self.pictures == self.limits.pictures or self.picture_bytes + len(png) > self.limits.picture_total:
            self.output.note("(Further pictures are left out.)")
        else:
            self.pictures += 1
            self.picture_bytes += len(png)
            self.output.picture(png)

    def _file(self, name: str, content: bytes) -> None:
        if len(self.files) == self.limits.made_files or not is_plain(name):
            raise Violation
        self.files.append(MadeFile(name, content))


def is_plain(name: str) -> bool:
    """Whether this is a path below a directory, short and without tricks."""
    path = PurePosixPath(name)
    straight = not path.is_absolute() and ".." not in path.parts and str(path) == name != "."
    return straight and name.isprintable() and len(name.encode()) <= _LONGEST_NAME


async def receive(reader: asyncio.StreamReader) -> tuple[int, str, int]:
    """The kind, name and size of contents of the next frame. Raises Violation, IncompleteReadError."""
    kind, length, size = HEADER.unpack(await reader.readexactly(HEADER.size))
    if length > 4 * _LONGEST_NAME:
        raise Violation
    try:
        return kind, (await reader.readexactly(length)).decode(), size
    except UnicodeDecodeError:
        raise Violation from None


async def send(writer: asyncio.StreamWriter, kind: int, name: str = "", contents: bytes = b"") -> None:
    """Send a frame. Raises ConnectionError."""
    label = name.encode()
    writer.write(HEADER.pack(kind, len(label), len(contents)) + label + contents)
    await writer.drain()


async def send_file(writer: asyncio.StreamWriter, name: str, path: Path) -> None:
    """Send a file under a name. Raises OSError when it cannot be read, ConnectionError when nobody takes it.

    One that gets shorter while it is read is filled up with NULs: the frame has said how long it is.
    """
    with await asyncio.to_thread(path.open, "rb") as file:
        size, label = os.fstat(file.fileno()).st_size, name.encode()
        writer.write(HEADER.pack(FILE, len(label), size) + label)
        while size:
            block = await asyncio.to_thread(file.read, min(size, _BLOCK)) or bytes(min(size, _BLOCK))
            size -= len(block)
            writer.write(block)
            await writer.drain()
