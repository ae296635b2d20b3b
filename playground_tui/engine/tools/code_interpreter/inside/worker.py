"""Python inside the sandbox: it takes files and code from a pipe, runs the code, and hands back what it made.

It runs alone, with the standard library. What comes in and goes out are frames: a kind, a name and contents. What the
code prints goes to another pipe as it is. The code can do anything to this process: who reads its frames trusts none.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import io
import json
import linecache
import os
import resource
import signal
import stat
import struct
import sys
import time
import traceback
import types
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HEADER = struct.Struct(">BHQ")
"""The kind of a frame, the bytes of its name, and the bytes of its contents, which follow in this order."""
READY, CODE, FILE, PICTURE, SEEN, DONE, ALIAS = range(1, 8)

BLOCK = 1024 * 1024
_SPARE_SECONDS = 5
"""The engine interrupts code in time. Should it be hindered, the kernel ends the code so many seconds later."""
_Stamp = tuple[int, int, int]


class Channel:
    """The two pipes to the engine: frames that come, and frames that go."""

    def __init__(self, coming: int, going: int):
        self._coming = coming
        self._going = going

    def receive(self) -> tuple[int, str, int]:
        """The kind, name and size of contents of the next frame; the contents are still to be read. Raises EOFError."""
        kind, name, size = HEADER.unpack(self.read(HEADER.size))
        return kind, self.read(name).decode(), size

    def read(self, size: int) -> bytes:
        """So many bytes. Raises EOFError."""
        return b"".join(self.blocks(size))

    def blocks(self, size: int) -> Iterator[bytes]:
        """So many bytes, as they come. Raises EOFError."""
        while size:
            block = os.read(self._coming, min(size, BLOCK))
            if not block:
                raise EOFError
            size -= len(block)
            yield block

    def send(self, kind: int, name: str = "", contents: bytes = b"") -> None:
        """Send a frame."""
        label = name.encode()
        self._write(HEADER.pack(kind, len(label), len(contents)) + label)
        self._write(contents)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._going, view) :]


class Worker:
    """One namespace, in which piece after piece of code runs."""

    def __init__(self, channel: Channel, directory: Path, output: int, options: Mapping[str, Any]):
        self._channel = channel
        self._directory = directory
        self._output = output
        self._options = options
        self._process = os.getpid()
        self._count = 0
        self._main = types.ModuleType("__main__")
        self._known: dict[str, _Stamp] = {}

    def serve(self) -> None:
        """Take frames until the pipe is closed."""
        self._channel.send(READY, " ".join(name for name in self._options["packages"] if find_spec(name)))
        with suppress(EOFError):
            while True:
                kind, name, size = self._channel.receive()
                if kind == FILE:
                    self._place(name, size)
                elif kind == ALIAS:
                    self._link(name, self._channel.read(size).decode())
                elif kind == CODE:
                    self._turn(self._channel.read(size).decode())

    def _place(self, name: str, size: int) -> None:
        """Write a file that the engine gives. All of it is read, also when there is no room for it."""
        path, problem = self._directory / name, ""
        blocks = self._channel.blocks(size)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            with path.open("xb") as file:
                for block in blocks:
                    file.write(block)
        except OSError as error:
            problem = error.strerror or str(error)
        for _ in blocks:
            pass
        if problem:
            with suppress(OSError):
                path.unlink()
            self._say(f"The file {name} could not be placed here: {problem}.")

    def _link(self, alias: str, name: str) -> None:
        """Let a file that the engine gave be found under another name, too. Links are not handed back."""
        with suppress(OSError):
            if (self._directory / name).exists():
                (self._directory / alias).symlink_to(name)

    def _turn(self, code: str) -> None:
        self._prepare()
        self._known = dict(self._files())
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._run(code)
        except BaseException as error:  # noqa: BLE001 - whatever the code raises is its result
            self._report(error)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            self._flush()
            if os.getpid() != self._process:  # a child that the code made and that came back here
                os._exit(0)
        self._hand_back()
        self._channel.send(DONE)

    def _prepare(self) -> None:
        """Undo what earlier code did to the streams."""
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        most = int(time.process_time() + self._options["cpu_seconds"] + _SPARE_SECONDS)
        resource.setrlimit(resource.RLIMIT_CPU, (_within(most, hard), hard))
        os.dup2(self._output, 1)
        os.dup2(self._output, 2)
        for name in ("stdout", "stderr"):
            raw = io.BufferedWriter(io.FileIO(1, "w", closefd=False))
            setattr(sys, name, io.TextIOWrapper(raw, "utf-8", "backslashreplace", line_buffering=True))
        sys.modules["__main__"] = self._main
        sys.displayhook = self._display
        with suppress(OSError):
            os.chdir(self._directory)

    def _run(self, code: str) -> None:
        self._count += 1
        name = f"<code {self._count}>"
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        tree = ast.parse(code, name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        self._evaluate(compile(tree, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT))
        if isinstance(last, ast.Expr):
            expression = ast.Expression(last.value)
            sys.displayhook(self._evaluate(compile(expression, name, "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)))
        self._show_figures()

    def _evaluate(self, code: types.CodeType) -> Any:
        value = eval(code, self._main.__dict__)  # noqa: S307 - this is what the sandbox is for
        return import_module("asyncio").run(value) if code.co_flags & inspect.CO_COROUTINE else value

    def _display(self, value: Any) -> None:
        """Show a value as a notebook does: its picture if it has one."""
        if value is None:
            return
        picture = getattr(value, "_repr_png_", None)
        if callable(picture):
            self._flush()
            self._channel.send(PICTURE, "", picture())
            self._channel.receive()  # until it was seen: what is printed now comes behind it
        else:
            print(repr(value))  # noqa: T201
            self._main.__dict__["_"] = value

    def _show_figures(self) -> None:
        if "matplotlib.pyplot" in sys.modules:
            import_module("sandbox_figures").show()

    def _report(self, error: BaseException) -> None:
        """Print the error of the code without the frames of this file."""
        self._flush()
        if isinstance(error, SystemExit) and error.code in (None, 0):
            return
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        self._say("".join(traceback.format_exception(type(error), error, trace)).rstrip())
        if isinstance(error, ModuleNotFoundError):
            known = ", ".join(name for name in self._options["packages"] if find_spec(name))
            self._say(
                f"(Nothing can be installed here. There is Python's standard library{known and ' and ' + known}.)"
            )

    def _flush(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()

    def _say(self, text: str) -> None:
        data = memoryview((text + "\n").encode("utf-8", "backslashreplace"))
        while data:
            data = data[os.write(self._output, data) :]

    def _files(self) -> Iterator[tuple[str, _Stamp]]:
        """The regular files of the directory with what tells a change; hidden ones are left out."""
        waiting = [self._directory]
        while waiting:  # not os.walk, which gives up in directories that are nested deep
            place = waiting.pop()
            with suppress(OSError), os.scandir(place) as entries:
                for entry in entries:
                    found = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(found.st_mode) and not entry.name.startswith((".", "__pycache__")):
                        waiting.append(place / entry.name)
                    elif stat.S_ISREG(found.st_mode) and not entry.name.startswith("."):
                        stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
                        yield str((place / entry.name).relative_to(self._directory)), stamp

    def _hand_back(self) -> None:
        """Send the files that are new or changed, as far as the limits go."""
        made = [(path, stamp[1]) for path, stamp in self._files() if self._known.get(path) != stamp]
        room, left_out = self._options["made_total"], []
        for number, (path, size) in enumerate(sorted(made)):
            contents = None
            if number < self._options["made_files"] and size <= min(room, self._options["made_file"]):
                contents = _contents(self._directory / path, size)
            if contents is None or not _plain(path):
                left_out.append(path)
            else:
                room -= size
                self._channel.send(FILE, path, contents)
        if left_out:
            more = f" and {len(left_out) - 5} more" if len(left_out) > 5 else ""
            self._say(f"(Not handed to the user, too many or too large: {', '.join(left_out[:5])}{more}.)")


def _plain(path: str) -> bool:
    return path.isprintable() and len(path.encode("utf-8", "replace")) <= 255


def _contents(path: Path, size: int) -> bytes | None:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            return file.read(size)
    except OSError:
        return None


def _within(limit: int, hard: int) -> int:
    return limit if hard == resource.RLIM_INFINITY else min(limit, hard)


def confine(options: Mapping[str, Any]) -> None:
    """Give up being root, if the engine is, and take the limits on. Raises OSError."""
    Path("/proc/self/oom_score_adj").write_text("1000")  # before all others when memory is short
    if options["uid"] is not None:
        _become(options["uid"])
    for name, value in options["rlimits"].items():
        which = getattr(resource, f"RLIMIT_{name}")
        limit = _within(value, resource.getrlimit(which)[1])
        resource.setrlimit(which, (limit, limit))
    os.nice(10)


def _become(uid: int) -> None:
    try:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    except PermissionError:
        sys.exit("root cannot become another user")


def main() -> None:
    """Serve the engine on standard input and output; the code's own output goes where standard error goes."""
    options = json.loads(sys.argv[1])
    confine(options)
    channel = Channel(os.dup(0), os.dup(1))
    output = os.dup(2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    warnings.filterwarnings("ignore", message=".*non-interactive, and thus cannot be shown")
    vars(builtins).update(exit=sys.exit, quit=sys.exit)
    sys.path[:] = [path for path in sys.path if "site-packages" not in path] + options["path"]
    sys.argv = [""]
    Worker(channel, Path(options["directory"]), output, options).serve()


if __name__ == "__main__":
    main()
