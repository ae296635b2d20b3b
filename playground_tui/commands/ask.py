"""`playground-tui ask`: one question, its answer on stdout as it is written."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import threading
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TextIO

from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.local_files import FileError, size_of
from playground_tui.commands.asking import Asked, Asking, Question
from playground_tui.commands.output import (
    DONE,
    FAILED,
    INTERRUPTED,
    WRONG_USAGE,
    Connect,
    WrongUsage,
    add_command,
    add_json,
    print_json,
    print_text,
)
from playground_tui.config import Settings
from playground_tui.launch import LaunchError
from playground_tui.paths import Paths

GRACE = 5.0
"""Seconds that a cancelled run has to end before it is left."""

_DESCRIPTION = """\
Sends TEXT (or what stands on stdin, with - or without TEXT) and prints the answer as it is written.

  playground-tui ask -a "My assistant" "What is new?"      an assistant by id or name
  playground-tui ask -m ollama/qwen3 < question.txt        a model, without instructions
  playground-tui ask -t thread_... "And then?"             goes on in a thread
  playground-tui ask --file plan.pdf "When is it due?"     searches in a file, computes with data, looks at a picture

Without -a and -m the assistant last opened in the playground answers. The thread is named on stderr."""

Ending = Literal["answered", "interrupted", "timeout", "hangup"]


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = add_command(subparsers, "ask", "ask once and print the answer", _DESCRIPTION)
    parser.add_argument("words", nargs="*", metavar="TEXT", help="the question; - reads it from stdin")
    parser.add_argument("-a", "--assistant", dest="of_assistant", metavar="ID|NAME", help="the assistant that answers")
    parser.add_argument("-m", "--model", metavar="ID", help="the model; with -a in place of the assistant's own")
    parser.add_argument("-t", "--thread", dest="in_thread", metavar="ID", help="go on in this thread")
    file_help = "a file that goes with it; may be given several times"
    parser.add_argument("--file", action="append", default=[], type=Path, metavar="PATH", help=file_help)
    parser.add_argument("--timeout", type=_seconds, metavar="S", help="cancel the run after this many seconds")
    add_json(parser)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise ValueError(text)
    return seconds


async def run(  # noqa: PLR0917 -- the form of every command
    arguments: argparse.Namespace, connect: Connect, settings: Settings, paths: Paths, out: TextIO, err: TextIO
) -> int:
    """Exit code 0; 1 when there is no whole answer; 2 for wrong usage; 130 when interrupted.

    ctrl+c, SIGTERM and the time-out cancel the run at the server. A hangup leaves it running.
    """
    try:
        question = Question(
            text=await _text(arguments.words),
            assistant=arguments.of_assistant or settings.assistant,
            model=arguments.model,
            thread_id=arguments.in_thread or settings.thread,
            key=uuid.uuid4().hex,
            files=_files(arguments.file),
        )
    except WrongUsage as error:
        return _report(Asked(error=str(error)), WRONG_USAGE, arguments.json, out, err)
    asking = Asking(question, settings, paths, stream_to=None if arguments.json else out, err=err)
    try:
        ending = await _watched(asking, connect, arguments.timeout)
    except WrongUsage as error:
        return _report(asking.asked(str(error)), WRONG_USAGE, arguments.json, out, err)
    except (AssistantsError, LaunchError) as error:
        return _report(asking.asked(str(error)), FAILED, arguments.json, out, err)
    return _ended(asking, ending, arguments, out, err)


def _ended(asking: Asking, ending: Ending, arguments: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    if ending == "answered":
        asked = asking.asked()
        return _report(asked, FAILED if asked.error else DONE, arguments.json, out, err)
    if ending == "hangup":
        return INTERRUPTED
    what = "Interrupted" if ending == "interrupted" else f"No whole answer within {arguments.timeout:g} s"
    end = "the run was cancelled" if asking.asked().run else "nothing was run"
    code = INTERRUPTED if ending == "interrupted" else FAILED
    return _report(asking.asked(f"{what}: {end}."), code, arguments.json, out, err)


def _report(asked: Asked, code: int, as_json: bool, out: TextIO, err: TextIO) -> int:
    if as_json:
        print_json(asked.failure() if code else asked.answer(), out)
    elif asked.error:
        print_text(f"playground-tui: {asked.error}", err)
    return code


async def _watched(asking: Asking, connect: Connect, patience: float | None) -> Ending:
    """Ask until the run rests, a signal comes or `patience` seconds are over; then end what was begun."""
    work: asyncio.Future[Any] = asyncio.ensure_future(asking.ask(connect))
    with _signals() as signalled:
        try:
            await asyncio.wait((work, signalled), timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                work.result()
                return "answered"
            ending: Ending = signalled.result() if signalled.done() else "timeout"
            if ending != "hangup":
                await _cancelled_at_server(asking, work)
        finally:
            work.cancel()
            await asyncio.wait((work,), timeout=GRACE)
    return ending


async def _cancelled_at_server(asking: Asking, work: asyncio.Future[Any]) -> None:
    with contextlib.suppress(AssistantsError, TimeoutError):
        async with asyncio.timeout(GRACE):
            if await asking.cancel():
                await asyncio.wait((work,))


@contextlib.contextmanager
def _signals() -> Iterator[asyncio.Future[Any]]:
    """A future that a signal to end sets. One that the caller had set to be ignored (nohup) stays ignored."""
    loop = asyncio.get_running_loop()
    signalled: asyncio.Future[Any] = loop.create_future()
    endings: dict[signal.Signals, Ending] = {
        signal.SIGINT: "interrupted",
        signal.SIGTERM: "interrupted",
        signal.SIGHUP: "hangup",
    }
    taken = [number for number in endings if signal.getsignal(number) is not signal.SIG_IGN]

    def end(number: signal.Signals) -> None:
        if not signalled.done():
            signalled.set_result(endings[number])

    former = {number: signal.getsignal(number) for number in taken}
    for number in taken:
        loop.add_signal_handler(number, end, number)
    try:
        yield signalled
    finally:
        for number, handler in former.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


def _files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files, each of which can be read. Raises WrongUsage."""
    try:
        for path in paths:
            size_of(path)
    except FileError as error:
        raise WrongUsage(str(error)) from error
    return tuple(paths)


async def _text(words: list[str]) -> str:
    """The question. Raises WrongUsage when there is none."""
    text = " ".join(words)
    if not words and sys.stdin.isatty():
        raise WrongUsage("Say what to ask: playground-tui ask TEXT, or - to read it from stdin.")
    if words in ([], ["-"]):
        text = (await _read_all(sys.stdin.fileno())).decode("utf-8", "replace")
    if not text.strip():
        raise WrongUsage("There is nothing to ask: the text is empty.")
    return text.encode("utf-8", "replace").decode()


async def _read_all(descriptor: int) -> bytes:
    """Everything from a descriptor, in a thread that nobody waits for when the program is interrupted."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bytes] = loop.create_future()

    def read() -> None:
        data = b"".join(iter(lambda: os.read(descriptor, 65536), b""))
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: None if done.done() else done.set_result(data))

    threading.Thread(target=read, name="stdin", daemon=True).start()
    return await done
