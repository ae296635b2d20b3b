"""The embeddings of files in memory, so that a search need not read them from the store each time.

The embeddings of a file never change once all its chunks have theirs, and its number is never used again: nothing that
is held here gets old.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from threading import Lock

from sqlalchemy import Connection

from playground_tui.engine.store import chunks
from playground_tui.engine.tools.file_search.vectors import Part, parts

MOST = 256 * 1024 * 1024
"""Bytes that are held: about 43,000 embeddings of 1,536 numbers."""


class Held:
    """The embeddings of the files that were searched last, as many as there is room for. For any thread."""

    def __init__(self, most: int = MOST):
        self._most = most
        self._size = 0
        self._files: dict[int, list[Part]] = {}
        """By file, the one that was not used for longest first."""
        self._lock = Lock()

    @property
    def size(self) -> int:
        """Bytes that are held."""
        return self._size

    def clear(self) -> None:
        """Hold nothing any more."""
        with self._lock:
            self._files, self._size = {}, 0

    def of(self, c: Connection, store_files: Sequence[int]) -> Iterator[Part]:
        """The embeddings of these files' chunks."""
        here = self._here(store_files)
        for known in here.values():
            yield from known
        if missing := [file for file in store_files if file not in here]:
            yield from self._read(c, missing, set(store_files))

    def _here(self, store_files: Sequence[int]) -> dict[int, list[Part]]:
        """Those that are held; they are the ones used last now."""
        with self._lock:
            here = {file: self._files.pop(file) for file in store_files if file in self._files}
            self._files |= here
        return here

    def _read(self, c: Connection, store_files: Sequence[int], wanted: Collection[int]) -> Iterator[Part]:
        """Read from the store, and hold what there is room for without letting go of what is wanted."""
        for file, of_file in groupby(chunks.embeddings(c, store_files), key=itemgetter(0)):
            read, fits = list[Part](), True
            for _, seqs, packed in of_file:
                for part in parts(seqs, packed):
                    yield part
                    fits = fits and _size([*read, part]) <= self._most
                    read = [*read, part] if fits else []
            if fits:
                self._hold(file, read, wanted)

    def _hold(self, file: int, read: list[Part], wanted: Collection[int]) -> None:
        with self._lock:
            others = [other for other in self._files if other not in wanted]
            while others and self._size + _size(read) > self._most:
                self._size -= _size(self._files.pop(others.pop(0)))
            if self._size + _size(read) <= self._most and file not in self._files:
                self._files[file] = read
                self._size += _size(read)


def _size(held: Sequence[Part]) -> int:
    return sum(part.rows.nbytes for part in held)
