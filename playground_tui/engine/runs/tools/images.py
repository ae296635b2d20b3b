"""Images of messages that are files, as a model is given them."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from playground_tui.engine.runs.tools.perform import Keeper
from playground_tui.engine.store.history import Said

IMAGE_BYTES = 20 * 2**20
"""A larger file is no image that a provider takes."""
ALL_BYTES = 50 * 2**20
"""The newest images are told, up to so many bytes together."""

_KINDS: Mapping[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


async def image_urls(messages: Iterable[Said], files: Keeper) -> dict[str, str]:
    """The `data:` URLs of the images in what users said, by file id; without files that are gone or no images."""
    ids = list(dict.fromkeys(_image_files(messages)))
    if not ids:
        return {}
    return await asyncio.to_thread(_read, {file_id: files.path(file_id) for file_id in reversed(ids)})


def _image_files(messages: Iterable[Said]) -> Iterator[str]:
    for message in messages:
        for part in message.parts or () if message.role == "user" else ():
            if part["type"] == "image_file":
                yield part["image_file"]["file_id"]


def _read(paths: Mapping[str, Path]) -> dict[str, str]:
    room, urls = ALL_BYTES, {}
    for file_id, path in paths.items():
        content = _content(path, min(room, IMAGE_BYTES))
        if kind := _kind(content):
            room -= len(content)
            urls[file_id] = f"data:{kind};base64,{b64encode(content).decode()}"
    return urls


def _content(path: Path, most: int) -> bytes:
    """What is in a file of at most so many bytes; nothing for others and for those that are gone."""
    try:
        return path.read_bytes() if path.stat().st_size <= most else b""
    except OSError:
        return b""


def _kind(content: bytes) -> str | None:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _KINDS.items() if content.startswith(start)), None)
