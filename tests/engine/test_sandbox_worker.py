"""The worker of the sandbox in this process, between pipes, with no sandbox around it: the code here is our own."""

from __future__ import annotations

import io
import json
import os
import resource
import select
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from playground_tui.engine.tools.code_interpreter import frames
from playground_tui.engine.tools.code_interpreter.inside import worker
from playground_tui.engine.tools.code_interpreter.inside.worker import (
    ALIAS,
    CODE,
    DONE,
    FILE,
    HEADER,
    PICTURE,
    READY,
    SEEN,
)

OPTIONS: dict[str, Any] = {
    "packages": ["json", "no_such_package"],
    "cpu_seconds": 100_000,
    "made_files": 2,
    "made_file": 100,
    "made_total": 150,
}


@dataclass
class Ends:
    """What the engine holds of the pipes."""

    giving: int
    taking: int
    output: int
    worker: worker.Worker

    def give(self, kind: int, name: str = "", contents: bytes = b"") -> None:
        os.write(self.giving, HEADER.pack(kind, len(name.encode()), len(contents)) + name.encode() + contents)

    def serve(self, *codes: str) -> str:
        """Give code, let the worker serve to the end; what was printed."""
        for code in codes:
            self.give(CODE, contents=code.encode())
        self.hang_up()
        self.worker.serve()
        return _all(self.output).decode()

    def hang_up(self) -> None:
        """Give nothing more."""
        if self.giving >= 0:
            os.close(self.giving)
            self.giving = -1

    def sent(self) -> list[tuple[int, str, bytes]]:
        """The frames that the worker sent."""
        data, found = io.BytesIO(_all(self.taking)), []
        while header := data.read(HEADER.size):
            kind, name, size = HEADER.unpack(header)
            found.append((kind, data.read(name).decode(), data.read(size)))
        return found


def _all(pipe: int) -> bytes:
    return os.read(pipe, 1_000_000) if select.select([pipe], [], [], 0)[0] else b""


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[Ends]:
    """Pipes to a worker. What it changes of this process is put back."""
    (coming, giving), (taking, going), (printed, output) = os.pipe(), os.pipe(), os.pipe()
    kept = [os.dup(1), os.dup(2)]
    place, hook, main, streams = Path.cwd(), sys.displayhook, sys.modules["__main__"], (sys.stdout, sys.stderr)
    handler, limit = signal.getsignal(signal.SIGINT), resource.getrlimit(resource.RLIMIT_CPU)
    ends = Ends(giving, taking, printed, worker.Worker(worker.Channel(coming, going), tmp_path, output, OPTIONS))
    yield ends
    sys.displayhook, sys.modules["__main__"], (sys.stdout, sys.stderr) = hook, main, streams
    os.chdir(place)
    signal.signal(signal.SIGINT, handler)
    resource.setrlimit(resource.RLIMIT_CPU, limit)
    for number, descriptor in enumerate(kept, 1):
        os.dup2(descriptor, number)
    # A number closed twice may be another's by then: matplotlib keeps its last font's file open.
    ends.hang_up()
    for descriptor in (*kept, coming, taking, going, printed, output):
        os.close(descriptor)


def test_both_ends_speak_of_the_same_frames() -> None:
    ours = (frames.READY, frames.CODE, frames.FILE, frames.PICTURE, frames.SEEN, frames.DONE, frames.ALIAS)
    assert ours == (READY, CODE, FILE, PICTURE, SEEN, DONE, ALIAS)
    assert frames.HEADER.format == HEADER.format


def test_it_says_what_packages_there_are_and_runs_code(ends: Ends) -> None:
    assert ends.serve("x = 2\nx + 1", "x = 5; print('5')", "await __import__('asyncio').sleep(0, 7)") == "3\n5\n7\n"
    assert ends.sent() == [(READY, "json", b""), *[(DONE, "", b"")] * 3]


def test_errors_are_printed_without_its_own_frames(ends: Ends) -> None:
    printed = ends.serve(
        "def f(): return 1 / 0\nf()", "exit = 0\nraise SystemExit", "import no_such_package_at_all", "("
    )
    assert printed.startswith('Traceback (most recent call last):\n  File "<code 1>", line 2, in <module>\n')
    assert "SystemExit" not in printed and "SyntaxError" in printed
    assert "(Nothing can be installed here. There is Python's standard library and json.)" in printed
    assert str(worker.__file__) not in printed


def test_files_are_placed_and_what_is_new_comes_back(ends: Ends, tmp_path: Path) -> None:
    ends.give(FILE, "in/a.txt", b"hello")
    (tmp_path / "is-a-directory").mkdir()
    ends.give(FILE, "is-a-directory", b"x" * 10)
    code = (
        "import os\nfrom pathlib import Path\nPath('in/a.txt').write_text('hello!')\nPath('b').write_text('x' * 101)\n"
        "for name in ('.hidden', 'new\\nline', *'123456'): Path(name).touch()\nPath('z').write_text('z' * 145)\n"
        "os.symlink('in/a.txt', 'link')"
    )
    printed = ends.serve(code)
    assert printed.startswith("The file is-a-directory could not be placed here: ")
    assert "(Not handed to the user, too many or too large: " in printed and " more.)" in printed
    assert [frame for frame in ends.sent() if frame[0] == FILE] == [(FILE, "1", b""), (FILE, "2", b"")]


def test_a_placed_file_has_another_name_that_is_not_handed_back(ends: Ends) -> None:
    ends.give(FILE, "in/a.txt", b"hello")
    ends.give(ALIAS, "file-1", b"in/a.txt")
    ends.give(ALIAS, "file-1", b"in/b.txt")
    ends.give(ALIAS, "file-2", b"no such file")
    code = "import os\nwith open('file-1', 'a') as file: file.write('!');\nsorted(os.listdir())"
    assert ends.serve(code) == "['file-1', 'in']\n"
    assert [frame for frame in ends.sent() if frame[0] == FILE] == [(FILE, "in/a.txt", b"hello!")]


def test_directories_that_are_nested_deep_do_no_harm(ends: Ends, tmp_path: Path) -> None:
    code = "import os\nfor _ in range(1500): os.mkdir('d'); os.chdir('d')\nos.chdir({0!r})\nopen('plain', 'w').close()"
    assert ends.serve(code.format(str(tmp_path))) == ""
    assert [frame for frame in ends.sent() if frame[0] == FILE] == [(FILE, "plain", b"")]
    os.chdir(tmp_path)
    for _ in range(1500):
        os.chdir("d")
    for _ in range(1500):
        os.chdir("..")
        Path("d").rmdir()


def test_a_file_that_cannot_be_read_stays(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.os, "fdopen", _raise)
    assert "too many or too large: a" in ends.serve("import pathlib\npathlib.Path('a').touch()")


def _raise(*_: object) -> None:
    raise OSError


def test_something_with_a_picture_is_sent_as_one(ends: Ends) -> None:
    code = "class P:\n    def _repr_png_(self): return b'png'\nimport sys\nprint(1)\nsys.displayhook(P())\nprint(2)"
    ends.give(CODE, contents=code.encode())
    ends.give(SEEN)
    assert ends.serve() == "1\n2\n"
    assert (PICTURE, "", b"png") in ends.sent()


def test_figures_are_shown_in_the_end(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    inside = str(Path(worker.__file__).parent)
    monkeypatch.setattr(sys, "path", [inside, *sys.path])
    monkeypatch.setenv("MPLBACKEND", "module://sandbox_figures")
    code = "import matplotlib.pyplot as plt\nplt.switch_backend('module://sandbox_figures')\nplt.plot([1]);"
    ends.give(CODE, contents=code.encode())
    ends.give(SEEN)
    ends.serve()
    pictures = [contents for kind, _, contents in ends.sent() if kind == PICTURE]
    assert len(pictures) == 1 and pictures[0].startswith(b"\x89PNG")


def test_streams_that_code_broke_do_not_matter(ends: Ends) -> None:
    assert ends.serve("import sys\nsys.stdout = None\nsys.stderr.close()\n1 / 0", "print(2)").endswith("\n2\n")


def test_limits_are_taken_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done: list[Any] = []
    for name in ("setgroups", "setresgid", "setresuid", "nice"):
        monkeypatch.setattr(worker.os, name, lambda *given, name=name: done.append((name, *given)))
    monkeypatch.setattr(worker.resource, "setrlimit", lambda which, pair: done.append((which, pair)))
    monkeypatch.setattr(worker.resource, "getrlimit", lambda _: (0, 100))
    monkeypatch.setattr(worker, "Path", lambda _: tmp_path / "score")
    worker.confine({"uid": 7, "rlimits": {"NPROC": 5, "DATA": 500}})
    assert (tmp_path / "score").read_text() == "1000"
    assert done == [
        ("setgroups", []),
        ("setresgid", 7, 7, 7),
        ("setresuid", 7, 7, 7),
        (resource.RLIMIT_NPROC, (5, 5)),
        (resource.RLIMIT_DATA, (100, 100)),
        ("nice", 10),
    ]
    worker.confine({"uid": None, "rlimits": {}})
    assert done[6:] == [("nice", 10)]


def test_root_that_must_stay_root_runs_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def denied(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(worker.os, "setgroups", denied)
    monkeypatch.setattr(worker, "Path", lambda _: tmp_path / "score")
    with pytest.raises(SystemExit, match="root cannot become another user"):
        worker.confine({"uid": 7, "rlimits": {}})


def test_the_whole_program_serves_on_its_standard_streams(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    served: list[Any] = []
    options = {**OPTIONS, "directory": str(tmp_path), "path": ["/x"], "uid": None, "rlimits": {}}
    for name in ("dup", "dup2", "open"):
        monkeypatch.setattr(worker.os, name, lambda *given, name=name: served.append((name, *given)) or 9)
    monkeypatch.setattr(worker, "confine", served.append)
    monkeypatch.setattr(worker.signal, "signal", lambda *given: served.append(given))
    monkeypatch.setattr(worker.warnings, "filterwarnings", lambda *_, **__: None)
    monkeypatch.setattr(worker.Worker, "serve", lambda self: served.append(self._directory))
    monkeypatch.setattr(sys, "argv", ["worker.py", json.dumps(options)])
    monkeypatch.setattr(sys, "path", ["/stdlib", "/some/site-packages"])
    kept = vars(worker.builtins).copy()
    try:
        worker.main()
        assert sys.path == ["/stdlib", "/x"] and sys.argv == [""]
    finally:
        vars(worker.builtins).update(exit=kept["exit"], quit=kept["quit"])
    assert served[0] == options and served[-1] == tmp_path
    assert ("dup2", 9, 0) in served and (signal.SIGINT, signal.SIG_IGN) in served
