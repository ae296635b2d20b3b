"""What the headless commands share: data on `out`, words on `err`, and how a failure becomes an exit code."""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from playground_tui.assistants.errors import AssistantsError, NotFound
from playground_tui.assistants.naming import named
from playground_tui.assistants.objects import Assistant
from playground_tui.text import clean, shorten

if TYPE_CHECKING:
    from playground_tui.assistants.client import AssistantsClient

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit codes."""

Connect = Callable[[], "Awaitable[AssistantsClient]"]
"""Finds (or starts) the server and answers a client of it; raises AssistantsError or LaunchError."""


class WrongUsage(Exception):
    """The command was called in a way that cannot work. `str(error)` is a sentence."""


def print_text(text: str, file: TextIO, *, end: str = "\n") -> None:
    """Words or data as text: cleaned, and in what the file can encode."""
    _print_clean(clean(text), file, end=end)


def _print_clean(text: str, file: TextIO, *, end: str = "\n") -> None:
    encoding = getattr(file, "encoding", None) or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), file=file, end=end, flush=True)


def print_json(value: object, file: TextIO) -> None:
    """Data for programs, in ASCII."""
    print(json_text(value, indent=2), file=file, flush=True)


def json_text(value: object, *, indent: int | None = None) -> str:
    """JSON in printable ASCII."""
    return json.dumps(value, indent=indent, default=str).replace("\x7f", "\\u007f")


@contextmanager
def printed_at_the_end(what: str, out: TextIO, *, as_json: bool) -> Iterator[list[str]]:
    """A list for the ids of what is done in the block; they are printed at its end, also when it fails midway."""
    done: list[str] = []
    try:
        yield done
    finally:
        if as_json:
            print_json({what: done}, out)
        else:
            for one in done:
                print_text(one, out)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], file: TextIO, *, widest: int = 48) -> None:
    """Aligned columns; cells but the first are cut after `widest` characters."""
    lines = [header, *([shorten(row[0], 256), *(shorten(cell, widest) for cell in row[1:])] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        print_text("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip(), file)


def shown_time(seconds: float) -> str:
    """Unix seconds in the host's zone; the date is left out today. "" for 0."""
    if seconds <= 0:
        return ""
    moment, today = time.localtime(seconds), time.localtime()
    return time.strftime("%H:%M:%S" if moment[:3] == today[:3] else "%Y-%m-%d %H:%M", moment)


async def exit_code(action: Awaitable[None], err: TextIO) -> int:
    """Wait for `action`; its failure is said on `err` and becomes the exit code."""
    try:
        await action
    except WrongUsage as error:
        print_text(f"playground-tui: {error}", err)
        return WRONG_USAGE
    except AssistantsError as error:
        print_text(f"playground-tui: {error}", err)
        return FAILED
    return DONE


@asynccontextmanager
async def connected(connect: Connect) -> AsyncIterator[AssistantsClient]:
    """A client for the time of the block."""
    client = await connect()
    try:
        yield client
    finally:
        await client.close()


async def find_assistant(client: AssistantsClient, wanted: str) -> Assistant:
    """The assistant with this id, or else with this name.

    Raises WrongUsage with the ids when several have the name, AssistantsError when none has it.
    """
    if wanted.startswith("asst_"):
        try:
            return await client.retrieve_assistant(wanted)
        except NotFound:
            pass
    found = named(await client.list_assistants(), wanted)
    if not found:
        raise AssistantsError(f"No assistant has the id or name {shorten(wanted, 80)}.")
    return only_one(found, wanted)


def only_one(found: Sequence[Assistant], wanted: str) -> Assistant:
    """The one that was found. Raises WrongUsage with the ids when there are more."""
    if len(found) > 1:
        ids = ", ".join(one.id for one in found)
        raise WrongUsage(f"Several assistants are named {shorten(wanted, 80)}: name one by its id: {ids}")
    return found[0]


def add_command(subparsers: Any, name: str, words: str, description: str) -> argparse.ArgumentParser:
    """A parser for one command, its description printed as it is written."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name, help=words, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    return parser


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


class CleanStream:
    """Writes text that arrives in pieces: each is cleaned in the light of what came before it."""

    _UNFINISHED = re.compile(r"[\r\u200c\u200d\ufe0e\ufe0f\U000e0020-\U000e007f]+\Z")
    _CONTEXT = 32

    def __init__(self, file: TextIO):
        self._file = file
        self._before = ""
        self._held = ""
        self._last = "\n"

    def write(self, text: str) -> None:
        text = self._held + text
        unfinished = self._UNFINISHED.search(text)
        self._held = unfinished[0][-self._CONTEXT :] if unfinished else ""
        self._emit(text.removesuffix(self._held))

    def end(self) -> None:
        """Write what was held back, and end the line."""
        self._emit(self._held)
        self._held = ""
        if self._last != "\n":
            print_text("", self._file)
            self._last = "\n"

    def _emit(self, text: str) -> None:
        if not text:
            return
        shown = clean(self._before + text)[len(clean(self._before)) :]
        self._before = (self._before + text)[-self._CONTEXT :]
        self._last = shown[-1:] or self._last
        _print_clean(shown, self._file, end="")
