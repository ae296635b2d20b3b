"""A file of this machine is chosen by its path, which completes itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from textual.binding import Binding, BindingType

from playground_tui.assistants.local_files import shown_size
from playground_tui.text import clean, shorten
from playground_tui.ui.dialogs.chooser import Choice, Chooser, Row

MOST = 5_000
"""Entries of a directory that are looked at."""


class PathChooser(Chooser):
    """A path to a file that is there. Dismissed with Choice(path), or None for escape.

    Relative paths begin at `base`, and `~` is the home directory.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", show=False, priority=True),
    ]

    def __init__(self, title: str, base: Path, *, hint: str = "", text: str = "") -> None:
        super().__init__(
            title,
            [],
            hint=hint or "enter choose · tab complete · esc close",
            empty="nothing here begins so",
            text=text,
            asks=f"path, from {_shown(str(base))}",
        )
        self._base = base
        self._listed: str | None = None
        self._then: dict[str, Callable[[], None]] = {}
        """What a key asked for before the entries of what was typed were there: keys may be faster than the disk."""

    def _fill(self, query: str) -> None:
        self.run_worker(self._list(query), exclusive=True, group="paths")

    async def _list(self, query: str) -> None:
        rows = await asyncio.to_thread(lambda: list(entries(self._base, query)))
        self._rows = rows
        self.show_rows(rows)
        self._listed = query
        then, self._then = self._then.get(query), {}
        if then is not None:
            then()

    def _once_listed(self, act: Callable[[], None]) -> None:
        """Act as soon as the entries are those of what is typed."""
        if self._listed == self.search.value:
            act()
        else:
            self._then = {self.search.value: act}

    def choose(self, action: str) -> None:
        self._once_listed(partial(self._choose, action))

    def _choose(self, action: str) -> None:
        path = self._meant()
        if os.path.isdir(path):
            self._go_on(path)
        elif os.path.isfile(path):
            self.dismiss(Choice(str(path), action))

    def _meant(self) -> Path:
        """The path that is typed, or the highlighted one that it begins."""
        typed = resolved(self._base, self.search.value)
        if self.highlighted_id and not os.path.isfile(typed):
            return Path(self.highlighted_id)
        return typed

    def action_complete(self) -> None:
        """Take the highlighted entry over into the path."""
        self._once_listed(self._complete)

    def _complete(self) -> None:
        if self.highlighted_id:
            self._go_on(Path(self.highlighted_id))

    def _go_on(self, path: Path) -> None:
        self.search.value = near(self._base, path) + (os.sep if os.path.isdir(path) else "")
        self.search.action_end()


class SavePath(PathChooser):
    """A path to write to: enter takes what is typed. A directory is gone into."""

    def _meant(self) -> Path:
        return resolved(self._base, self.search.value)

    def choose(self, action: str) -> None:
        path = self._meant()
        if os.path.isdir(path):
            self._go_on(path)
        else:
            self.dismiss(Choice(str(path), action))


def near(base: Path, path: Path) -> str:
    """A path as it is typed: from `base` where it is below, else whole."""
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)


def resolved(base: Path, typed: str) -> Path:
    """The path that is meant: as typed, quoted by a shell, or as a `file:` URL dropped into the terminal."""
    text = typed.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    if text.startswith("file://"):
        text = unquote(urlsplit(text).path)
    path = base / _at_home(text)
    return path if os.path.exists(path) else base / _at_home(text.replace("\\ ", " "))


def _at_home(text: str) -> str:
    return os.path.expanduser(text)  # noqa: PTH111 -- the one of Path raises for a user that there is not


def entries(base: Path, typed: str) -> Iterator[Row]:
    """The entries of the directory that the typed path is in, those that begin as its last part; directories first."""
    directory, _, last = typed.rpartition(os.sep)
    where = resolved(base, directory + os.sep) if directory or typed.startswith(os.sep) else base
    try:
        with os.scandir(where) as found:
            matching = [entry for _, entry in zip(range(MOST), found, strict=False) if _begins(entry.name, last)]
    except OSError:
        return
    matching.sort(key=lambda entry: (not _is_directory(entry), entry.name.casefold()))
    for entry in matching:
        yield _row(entry)


def _begins(name: str, start: str) -> bool:
    return name.casefold().startswith(start.casefold()) and (start.startswith(".") or not name.startswith("."))


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _row(entry: os.DirEntry[str]) -> Row:
    if _is_directory(entry):
        return Row(entry.path, _shown(entry.name) + os.sep)
    try:
        return Row(entry.path, _shown(entry.name), shown_size(entry.stat().st_size))
    except OSError:
        return Row(entry.path, _shown(entry.name))


def _shown(name: str) -> str:
    return shorten(clean(name, newlines=False), 70)
