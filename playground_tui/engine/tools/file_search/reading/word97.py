"""The text of .doc files, as Word wrote them from 1997 to 2003.

Such a file holds streams, as a disk holds files. The stream WordDocument tells where the pieces of the text are; they
are listed in a stream of tables. Sources: [MS-CFB] section 2 and [MS-DOC] sections 2.4 and 2.5.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence

from playground_tui.engine.tools.file_search.reading.refusal import Unreadable

_HEADER, _ENTRY = 512, 128
_LAST = 0xFFFFFFF9
"""Numbers of sectors above this one mean something else, as the end of a chain."""
_SHORT = 4096
"""Streams of fewer bytes lie in sectors of 64 bytes within the root's stream."""
_WORD, _OLDEST = 0xA5EC, 0x00C1
_ENCRYPTED, _TABLE_1 = 0x0100, 0x0200
_NARROW = 1 << 30
_FIELD = re.compile(r"\x13[^\x13-\x15]*(?:\x14([^\x13-\x15]*))?\x15")
"""A field: what is computed, and what is shown of it."""
_SIGNS = (("\x07\x07", "\n"), ("\x07", " | "), ("\r", "\n\n"), ("\x0b", "\n"), ("\x0c", "\n\n"), ("\x1e", "-"))
LOCKED = "The document is protected by a password: save it without one and upload it again."
OTHER = "The file is an Office document that cannot be read: save it as .docx, .pdf or text."


def doc_text(content: bytes) -> str:
    """The text of a document, footnotes and page headers below it. Raises Unreadable for what is damaged, locked or not
    Word's."""
    try:
        return _text(_Streams(content))
    except (struct.error, IndexError, KeyError, ValueError) as error:
        raise Unreadable("unsupported_file", OTHER) from error


def _text(streams: _Streams) -> str:
    document = streams.read("WordDocument")
    kind, version = struct.unpack_from("<HH", document)
    flags = struct.unpack_from("<H", document, 10)[0]
    if kind != _WORD or version < _OLDEST:
        raise Unreadable("unsupported_file", OTHER)
    if flags & _ENCRYPTED:
        raise Unreadable("invalid_file", LOCKED)
    table = streams.read("1Table" if flags & _TABLE_1 else "0Table")
    start, size = struct.unpack_from("<II", document, 0x01A2)
    return _shown("".join(_pieces(document, table[start : start + size])))


def _pieces(document: bytes, table: bytes) -> Iterator[str]:
    at = 0
    while table[at] == 1:  # changes of properties, which say nothing
        at += 3 + struct.unpack_from("<H", table, at + 1)[0]
    count = (struct.unpack_from("<I", table, at + 1)[0] - 4) // 12
    ends = struct.unpack_from(f"<{count + 1}I", table, at + 5)
    for place in range(count):
        where = struct.unpack_from("<I", table, at + 5 + 4 * (count + 1) + 8 * place + 2)[0]
        length = ends[place + 1] - ends[place]
        if where & _NARROW:
            first = (where & ~_NARROW) // 2
            yield document[first : first + length].decode("cp1252", "replace")
        else:
            yield document[where : where + 2 * length].decode("utf-16-le", "replace")


def _shown(text: str) -> str:
    before = ""
    while text != before:  # fields stand in fields
        before, text = text, _FIELD.sub(r"\1", text)
    for sign, shown in _SIGNS:
        text = text.replace(sign, shown)
    return text


class _Streams:
    """The streams of a file, by name."""

    def __init__(self, content: bytes):
        self._content = content
        shift, self._small_shift = struct.unpack_from("<HH", content, 0x1E)
        self._size = 1 << shift
        directory, _, _, small, _, more = struct.unpack_from("<6I", content, 0x30)
        self._next = self._table(more)
        self._root, self._small_next = b"", _numbers(self._chain(small))
        self.names = dict(self._entries(self._chain(directory)))
        """Where each stream begins, and its bytes."""
        self._root = self._chain(self.names["Root Entry"][0])

    def read(self, name: str) -> bytes:
        """The contents of a stream."""
        first, size = self.names[name]
        if size >= _SHORT:
            return self._chain(first)[:size]
        width = 1 << self._small_shift
        sectors = _followed(first, self._small_next)
        return b"".join(self._root[one * width : (one + 1) * width] for one in sectors)[:size]

    def _sector(self, number: int) -> bytes:
        at = max(_HEADER, self._size) + number * self._size
        return self._content[at : at + self._size]

    def _table(self, more: int) -> Sequence[int]:
        """Which sector follows on which. The table's own sectors are listed in the header and, of a large file, on."""
        listed = list(struct.unpack_from("<109I", self._content, 0x4C))
        seen = set[int]()
        while more <= _LAST and more not in seen:
            seen.add(more)
            *numbers, more = _numbers(self._sector(more))
            listed += numbers
        return _numbers(b"".join(self._sector(number) for number in listed if number <= _LAST))

    def _chain(self, first: int) -> bytes:
        return b"".join(map(self._sector, _followed(first, self._next)))

    def _entries(self, directory: bytes) -> Iterator[tuple[str, tuple[int, int]]]:
        for at in range(0, len(directory) - _ENTRY + 1, _ENTRY):
            length = struct.unpack_from("<H", directory, at + 64)[0]
            name = directory[at : at + max(length - 2, 0)].decode("utf-16-le", "replace")
            first, size = struct.unpack_from("<II", directory, at + 116)
            yield name, (first, size)


def _numbers(data: bytes) -> Sequence[int]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])


def _followed(first: int, following: Sequence[int]) -> Iterator[int]:
    seen = set[int]()
    while first <= _LAST and first not in seen:
        seen.add(first)
        yield first
        first = following[first]
