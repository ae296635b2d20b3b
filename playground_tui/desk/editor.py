"""A text in the user's own editor, on a file that is kept until its text is back in the program."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shlex
import shutil
import signal
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from playground_tui.paths import PathError, private_directory

FALLBACKS = ("editor", "nano", "vi")
"""Looked for, in this order, when neither VISUAL nor EDITOR is set."""
JSON_FIELDS = frozenset({"functions", "schema"})
"""Fields whose file is named as JSON, so that the editor knows the language; all others are Markdown."""
LAST_WORDS = 0.5
"""Seconds an editor has to save its text when the program ends before it."""

HOMELESS = "The text that was opened in the editor is not here any more. What you wrote is kept in"
"""Begins the sentence that ends with the file."""

_NAME = re.compile(
    r"(?P<field>[A-Za-z0-9_.-]+?)(?:@(?P<key>[A-Za-z0-9_.-]+))?~(?P<pid>[0-9]{1,9})-[0-9a-f]{8}\.(?:md|json)"
)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")


class EditorError(Exception):
    """The editor could not do its work; the words say what happened and where the text is."""


@dataclass(frozen=True, slots=True)
class Edited:
    """A text that an editor wrote, in its file: kept until somebody discards it.

    `field` and `key` are the `name` and `key` given to `edit`. `written_at` is in Unix seconds: what was typed into the
    field later is newer.
    """

    field: str
    key: str
    text: str
    written_at: float
    path: Path

    def text_after(self, before: str) -> str:
        """The text without the newline that editors put at the end of a file, where the field had `before`."""
        return self.text if before.endswith("\n") else self.text.removesuffix("\n")

    def put_by(self) -> Path:
        """Give the file a name that no start takes back, and return it: its text has no place in the program."""
        try:
            return self.path.replace(self.path.with_name(self.path.name.replace("~", "-")))
        except OSError:
            return self.path

    def discard(self) -> None:
        """Remove the file: its text is in a draft on disk now, or not wanted."""
        with suppress(OSError):
            self.path.unlink()


def command(environ: Mapping[str, str]) -> list[str]:
    """The editor's command line without the file. Raises EditorError when there is none."""
    for variable in ("VISUAL", "EDITOR"):
        try:
            words = shlex.split(environ.get(variable, ""))
        except ValueError as error:
            raise EditorError(f"{variable} cannot be read as a command: {error}.") from None
        if words:
            return words
    for name in FALLBACKS:
        if shutil.which(name, path=environ.get("PATH")):
            return [name]
    raise EditorError(f"No editor was found: set EDITOR, or install one of {', '.join(FALLBACKS)}.")


async def edit(
    text: str,
    *,
    name: str,
    directory: Path,
    environ: Mapping[str, str],
    suspend: Callable[[], AbstractContextManager[object]],
    key: str = "",
) -> Edited:
    """Open `text` in the editor and return what it was when the editor ended. The file stays until it is discarded.

    `name` is the field the text belongs to, `key` what the field belongs to (an assistant, a thread); both come back
    with `leftovers` if this program ends before the editor does. `suspend` gives the terminal away while it is entered,
    and raises OSError where it cannot. The event loop goes on meanwhile. `environ` is the environment the program was
    started with: Textual takes NO_COLOR out of the process's own. Raises EditorError.
    """
    words = command(environ)
    path = _written(text, name, key, directory)
    try:
        with suspend(), _undisturbed():
            code = await _run([*words, str(path)], environ)
    except OSError as error:
        kept = _kept(_edited(path, name, key), text)
        how = "did not end well" if kept else "could not be started"
        raise EditorError(f"{words[0]} {how}: {error}.{kept}") from error
    edited = _edited(path, name, key)
    if code == 0:
        return replace(edited, text=edited.text_after(text))
    raise EditorError(f"{words[0]} ended with code {code}: the text stays as it was.{_kept(edited, text)}")


def _kept(edited: Edited, before: str) -> str:
    """Where the text of an editor that failed is, as a sentence, or "" where it wrote none: it is not wanted."""
    if edited.text_after(before) != before:
        return f" What it had written is kept in {edited.put_by()}."
    edited.discard()
    return ""


def leftovers(directory: Path) -> list[Edited]:
    """The texts of editors whose playground is gone, oldest first. What cannot be read is left where it is."""
    found = []
    for path in directory.glob("*~*"):
        name = _NAME.fullmatch(path.name)
        if name and not _is_alive(int(name["pid"])):
            with suppress(EditorError):
                found.append(_edited(path, name["field"], name["key"] or ""))
    return sorted(found, key=lambda edited: edited.written_at)


def recover(
    directory: Path, key: str, fields: Collection[str], after: float, say: Callable[[str], None]
) -> list[Edited]:
    """The newest leftover of each of these fields of `key`; those written before `after` (Unix seconds) are discarded.

    Older ones that are newer than that stay in their files, which is told to `say`. Whoever takes the texts discards
    the files once they are in a draft on disk.
    """
    wanted: dict[str, Edited] = {}
    for leftover in leftovers(directory):
        if leftover.key == _in_a_name(key) and leftover.field in fields:
            if leftover.written_at < after:
                leftover.discard()
                continue
            if older := wanted.get(leftover.field):
                say(f"Two editors had left a text for the same place. The older one is kept in {older.put_by()}.")
            wanted[leftover.field] = leftover
    return list(wanted.values())


def _written(text: str, name: str, key: str, directory: Path) -> Path:
    """A new file with the text, for this user alone. Raises EditorError."""
    belongs = _in_a_name(name) + (f"@{_in_a_name(key)}" if key else "")
    suffix = ".json" if name in JSON_FIELDS else ".md"
    path = directory / f"{belongs}~{os.getpid()}-{secrets.token_hex(4)}{suffix}"
    try:
        private_directory(directory)
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(text.encode("utf-8", "replace"))
    except (OSError, PathError) as error:
        raise EditorError(f"The text could not be written for the editor: {error}.") from error
    return path


def _in_a_name(text: str) -> str:
    return _NOT_IN_NAMES.sub("-", text) or "text"


def _edited(path: Path, name: str, key: str) -> Edited:
    """What is in the file now. Raises EditorError."""
    try:
        text = path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
        return Edited(name, key, text, path.stat().st_mtime, path)
    except OSError as error:
        raise EditorError(f"What the editor wrote could not be read: {error}.") from error


async def _run(words: list[str], environ: Mapping[str, str]) -> int:
    """Run a command on this terminal and return its code; `environ` is all it gets, NO_COLOR too."""
    process = await asyncio.create_subprocess_exec(*words, env=dict(environ))
    try:
        return await process.wait()
    except asyncio.CancelledError:
        # The program ends before the editor: as if its terminal had gone, which editors save their text for.
        with suppress(ProcessLookupError, TimeoutError):
            process.send_signal(signal.SIGHUP)
            await asyncio.wait_for(process.wait(), LAST_WORDS)
        raise


@contextmanager
def _undisturbed() -> Iterator[None]:
    """While the terminal belongs to the editor, its ctrl+c is not ours."""
    # A handler and not SIG_IGN, which the editor would inherit.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # another user's
    return True
