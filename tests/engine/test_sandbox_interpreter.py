"""The code interpreter: what code gives, what a thread keeps, and how sandboxes come and go."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground_tui.engine.tools.base import CannotRun, Logs
from playground_tui.engine.tools.code_interpreter import probe, processes, service
from playground_tui.engine.tools.code_interpreter.limits import limits_here
from playground_tui.engine.tools.code_interpreter.processes import children
from playground_tui.engine.tools.code_interpreter.sandbox import StartFailed
from tests.support.sandbox import SMALL, THREAD, Bench, bench, pictures, shown
from tests.support.wait import until

ANEW = "(Python was started anew: variables of earlier code are gone.)\n"
NO_NAMESPACES = "bwrap: No permissions to create new namespace"


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as one:
        yield one


def sandbox_of(made: Bench, thread: str = THREAD) -> Any:
    return made.interpreter._seats[thread].sandbox


async def test_code_can_be_run_here(made: Bench) -> None:
    assert await made.interpreter.problem() == ""
    assert await made.text("print(1 + 1)") == "2\n"


async def test_the_last_value_is_shown_as_a_notebook_does(made: Bench) -> None:
    assert await made.text("x = 20\nx + 1") == "21\n"
    assert await made.text("_ * 2") == "42\n"
    assert await made.text("None") == ""
    assert await made.text("y = 3") == ""
    assert await made.text("'a'; 'b'") == "'b'\n"
    assert await made.text("") == ""


async def test_variables_imports_and_functions_stay(made: Bench) -> None:
    await made.text("import math\ndef area(r): return math.pi * r * r\nsize = 2")
    assert await made.text("round(area(size), 2)") == "12.57\n"
    assert await made.text("import sys\nsys.modules['__main__'].size") == "2\n"


async def test_threads_have_variables_of_their_own(made: Bench) -> None:
    await made.text("x = 1")
    assert "NameError" in await made.text("x", thread="thread_2")


async def test_errors_are_told_with_their_line_and_without_our_own_frames(made: Bench) -> None:
    printed = await made.text("print('before')\ndef fail():\n    return 1 / 0\nfail()")
    assert printed.startswith('before\nTraceback (most recent call last):\n  File "<code 1>", line 4, in <module>\n')
    assert "    return 1 / 0\n" in printed
    assert printed.endswith("ZeroDivisionError: division by zero\n")
    assert "worker" not in printed
    assert "SyntaxError" in await made.text("def")
    assert "null bytes" in await made.text("x = '\0'")


async def test_packages_that_are_missing_are_said_with_those_that_are_there(made: Bench) -> None:
    printed = await made.text("import requests")
    assert "No module named 'requests'" in printed
    assert "numpy, pandas, matplotlib" in printed
    for ours in ("playground_tui", "starlette", "sqlalchemy", "pytest"):
        assert "ModuleNotFoundError" in await made.text(f"import {ours}")


async def test_numpy_and_pandas_are_there(made: Bench) -> None:
    assert await made.text("import numpy, pandas\npandas.DataFrame({'a': numpy.arange(2)}).a.sum().item()") == "1\n"


async def test_figures_are_pictures_shown_or_not(made: Bench) -> None:
    code = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nprint('between')\nplt.plot([2, 1])\nNone"
    result = await made.run(code)
    assert shown(result) == "[picture]between\n[picture]"
    assert all(png.startswith(b"\x89PNG") for png in pictures(result))
    assert shown(await made.run("1")) == "1\n"


async def test_a_figure_is_shown_whatever_backend_the_code_wants(made: Bench) -> None:
    code = "import matplotlib\nmatplotlib.use('Agg')\nimport matplotlib.pyplot as plt\nplt.bar([1], [2])\nplt.show()"
    assert shown(await made.run(code)) == "[picture]"


async def test_output_of_programs_and_of_c_is_in_its_place(made: Bench) -> None:
    code = "import os, sys\nprint('a')\nos.system('echo b; echo c >&2')\nprint('d', file=sys.stderr)\nos.write(1, b'e')"
    assert await made.text(code) == "a\nb\nc\nd\ne1\n"


async def test_code_may_await(made: Bench) -> None:
    assert await made.text("import asyncio\nawait asyncio.sleep(0)\nawait asyncio.sleep(0, 'slept')") == "'slept'\n"


async def test_code_may_stop_itself(made: Bench) -> None:
    assert await made.text("print(1)\nexit()\nprint(2)") == "1\n"
    assert "SystemExit: 3" in await made.text("import sys\nsys.exit(3)")
    assert await made.text("print(3)") == "3\n"


async def test_what_code_does_to_its_streams_is_undone(made: Bench) -> None:
    await made.text("import os, sys, signal\nsys.stdout.close()\nsys.stderr = None\nos.close(1)\nos.chdir('/')")
    await made.text(
        "sys.displayhook = None\nsys.modules['__main__'] = None\nsignal.signal(signal.SIGINT, signal.SIG_IGN)"
    )
    assert await made.text("print(os.getcwd())\n2") == "/mnt/data\n2\n"


async def test_a_child_that_comes_back_ends(made: Bench) -> None:
    assert await made.text("import os\npid = os.fork()\nif pid: os.waitpid(pid, 0)\n1") == "1\n1\n"
    assert await made.text("2") == "2\n"


async def test_text_of_any_kind_is_kept(made: Bench) -> None:
    assert await made.text("print('\\udcff', 'a\\0b', 'ü\U0001f642')") == "\\udcff a␀b ü🙂\n"


async def test_files_are_placed_once_and_made_files_come_back(made: Bench) -> None:
    table = made.kept.add("file-1", b"a,b\n1,2\n", "table.csv")
    deep = made.kept.add("file-2", b"x", "out/deep.txt")
    result = await made.run("print(open('/mnt/data/table.csv').read())", [table, deep])
    assert (shown(result), list(result.files)) == ("a,b\n1,2\n\n", [])
    made.kept.path("file-1").write_bytes(b"changed")
    code = "open('table.csv', 'a').write('3,4\\n')\nimport os\nos.makedirs('new')\nopen('new/x', 'wb').write(bytes(3));"
    result = await made.run(code, [table, deep])
    assert [(file.path, file.content) for file in result.files] == [
        ("new/x", bytes(3)),
        ("table.csv", b"a,b\n1,2\n3,4\n"),
    ]
    stored = made.kept.add("file-3", b"a,b\n1,2\n3,4\n", "table.csv")
    assert await made.text("print(len(open('table.csv').read()))", [deep, stored]) == "12\n"


async def test_a_file_is_found_by_its_id_too_as_with_the_hosted_api(made: Bench) -> None:
    table = made.kept.add("file-1", b"a,b\n1,2\n", "out/table.csv")
    result = await made.run("print(open('/mnt/data/file-1').read())", [table])
    assert (shown(result), list(result.files)) == ("a,b\n1,2\n\n", [])
    result = await made.run("open('/mnt/data/file-1', 'a').write('3,4\\n');", [table])
    assert [(file.path, file.content) for file in result.files] == [("out/table.csv", b"a,b\n1,2\n3,4\n")]


async def test_files_that_cannot_be_placed_are_said(made: Bench) -> None:
    gone = made.kept.add("file-1", b"x", "gone.txt")
    made.kept.path("file-1").unlink()
    large = made.kept.add("file-2", bytes(SMALL.disk + 1), "large.bin")
    after = made.kept.add("file-3", b"after", "after.txt")
    printed = await made.text("print(open('after.txt').read())", [gone, large, after])
    assert "(The file gone.txt is there no more.)" in printed
    assert "The file large.bin could not be placed here: " in printed
    assert printed.endswith("after\n")


@pytest.mark.parametrize("name", ["../../etc/x", "/etc/x", "a\nb", "..", "x" * 300, "a/../b"])
async def test_a_file_with_a_strange_name_goes_by_its_id(made: Bench, name: str) -> None:
    strange = made.kept.add("file-1", b"x", name)
    assert await made.text("import os\nos.listdir()", [strange]) == "['file-1']\n"


async def test_cancelling_ends_the_code_and_not_the_sandbox(made: Bench) -> None:
    await made.text("x = 5")
    running = asyncio.create_task(made.run("print('begun', flush=True)\nwhile True: pass"))
    await until(lambda: sandbox_of(made)._output.bytes > 0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await made.text("x") == "5\n"


async def test_cancelling_code_that_does_not_heed_it_ends_the_sandbox(made: Bench) -> None:
    code = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint(1, flush=True)\nwhile True: pass"
    running = asyncio.create_task(made.run(code))
    await until(lambda: made.interpreter._seats and sandbox_of(made) and sandbox_of(made)._output.bytes > 0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until(lambda: not sandbox_of(made).alive)
    assert await made.text("2") == ANEW + "2\n"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os\nos._exit(3)", "its process exited with status 3"),
        ("import ctypes\nctypes.string_at(0)", "its process was ended by a signal: Segmentation fault"),
        ("import os\nos.closerange(0, 99)", "its process exited with status"),
        ("class R:\n    def __repr__(self): os._exit(0)\nimport os\nR()", "its process exited with status 0"),
    ],
)
async def test_a_process_that_ends_is_said_and_begun_anew(made: Bench, code: str, said: str) -> None:
    printed = await made.text("x = 1\n" + code)
    assert printed.endswith("Its variables are gone.)\n") and said in printed
    assert await made.text("'x' in globals()") == ANEW + "False\n"


async def test_a_sandbox_that_was_killed_while_idle_leaves_nothing_open(made: Bench) -> None:
    await made.text("x = 1")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        sandbox = sandbox_of(made)
        os.kill(sandbox._init, signal.SIGKILL)
        await until(lambda sandbox=sandbox: not sandbox.alive)
        assert await made.text("2") == ANEW + "2\n"
    await until(lambda: len(list(Path("/proc/self/fd").iterdir())) <= before)


async def test_the_remark_comes_before_a_picture_too(made: Bench) -> None:
    await made.text("import os; os._exit(1)")
    result = await made.run("import matplotlib.pyplot as plt; plt.plot([1]); None")
    assert isinstance(result.outputs[0], Logs)
    assert shown(result) == ANEW.rstrip("\n") + "[picture]"


async def test_a_sandbox_that_is_idle_for_long_ends(tmp_path: Path) -> None:
    async with bench(tmp_path, idle_seconds=0.05) as made:
        await made.text("x = 1")
        await until(lambda: not made.interpreter._seats)
        assert await made.text("2") == ANEW + "2\n"


async def test_the_one_that_was_idle_longest_gives_way(tmp_path: Path) -> None:
    async with bench(tmp_path, most=2) as made:
        for thread in ("thread_1", "thread_2", "thread_1", "thread_3"):
            await made.text("x = 1", thread=thread)
        assert list(made.interpreter._seats) == ["thread_1", "thread_3"]
        assert await made.text("x") == "1\n"


async def test_when_all_are_at_work_another_waits_for_one(tmp_path: Path) -> None:
    async with bench(tmp_path, most=1) as made:
        first = asyncio.create_task(made.text("import time\ntime.sleep(0.3)\n1"))
        await until(lambda: made.interpreter._seats and sandbox_of(made))
        assert await made.text("2", thread="thread_2") == "2\n"
        assert await first == "1\n"


async def test_waiting_for_a_sandbox_has_an_end(tmp_path: Path) -> None:
    async with bench(tmp_path, most=1, patience=0.05) as made:
        first = asyncio.create_task(made.run("print(1, flush=True)\nwhile True: pass"))
        await until(lambda: made.interpreter._seats and sandbox_of(made) and sandbox_of(made)._output.bytes > 0)
        with pytest.raises(CannotRun, match="1 other threads are running code, which is the limit"):
            await made.run("2", thread="thread_2")
        first.cancel()
        await asyncio.wait([first])


async def test_a_thread_that_is_forgotten_begins_again(made: Bench) -> None:
    await made.text("x = 1")
    process = sandbox_of(made)._process
    await made.interpreter.forget(THREAD)
    assert process.returncode is not None
    assert await made.text("2") == "2\n"


async def test_forgetting_a_thread_ends_the_code_that_runs_in_it(made: Bench) -> None:
    running = asyncio.create_task(made.run("print(1, flush=True)\nwhile True: pass"))
    await until(lambda: made.interpreter._seats and sandbox_of(made) and sandbox_of(made)._output.bytes > 0)
    sandbox = sandbox_of(made)
    await made.interpreter.forget(THREAD)
    assert "Python was ended" in shown(await running)
    assert not sandbox.alive and not made.interpreter._seats


async def test_forgetting_a_thread_while_its_sandbox_starts_leaves_none(made: Bench) -> None:
    running = asyncio.create_task(made.run("while True: pass"))
    await until(lambda: THREAD in made.interpreter._seats)
    seat = made.interpreter._seats[THREAD]
    await made.interpreter.forget(THREAD)
    running.cancel()
    await asyncio.wait([running])
    assert seat.sandbox is None or not seat.sandbox.alive


@pytest.mark.parametrize("ticks", range(6))
async def test_stopping_while_a_sandbox_starts_leaves_none(tmp_path: Path, ticks: int) -> None:
    before = children(os.getpid())
    async with bench(tmp_path) as made:
        assert await made.interpreter.problem() == ""
        running = asyncio.create_task(made.run("while True: pass"))
        while children(os.getpid()) == before:
            await asyncio.sleep(0)
        for _ in range(ticks):
            await asyncio.sleep(0)
        running.cancel()
        done, _ = await asyncio.wait([running], timeout=10)
        assert done
        await until(lambda: children(os.getpid()) == before)


async def test_after_the_engine_s_end_it_is_said_that_variables_are_gone(tmp_path: Path) -> None:
    async with bench(tmp_path) as made:
        await made.text("x = 1")
    async with bench(tmp_path) as made:
        assert await made.text("2") == ANEW + "2\n"


async def test_two_pieces_of_code_of_a_thread_come_one_after_the_other(made: Bench) -> None:
    first = asyncio.create_task(made.text("import time\ntime.sleep(0.1)\nx = 1\nx"))
    await until(lambda: THREAD in made.interpreter._seats)
    assert await made.text("x + 1") == "2\n"
    assert await first == "1\n"


async def test_what_stands_in_the_way_is_said_and_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def fails(*_: object) -> None:
        nonlocal asked
        asked += 1
        raise StartFailed(NO_NAMESPACES)

    monkeypatch.setattr(service, "start", fails)
    async with bench(tmp_path) as made:
        first = await made.interpreter.problem()
        assert first.startswith("Code cannot be run: user namespaces")
        assert await made.interpreter.problem() == first
        assert asked == 1
        with pytest.raises(CannotRun, match="user namespaces"):
            await made.run("1")
        monkeypatch.setattr(service, "_ASK_AGAIN", 0.0)
        monkeypatch.undo()
        monkeypatch.setattr(service, "_ASK_AGAIN", 0.0)
        assert await made.interpreter.problem() == ""


async def test_an_error_of_the_system_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(service, "start", fails)
    async with bench(tmp_path) as made:
        assert (
            await made.interpreter.problem() == "Code cannot be run: the sandbox does not start: Too many open files."
        )


async def test_without_bubblewrap_nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    async with bench(tmp_path) as made:
        assert "Install it, for example with `apt install bubblewrap`" in await made.interpreter.problem()
        with pytest.raises(CannotRun, match="bubblewrap is not installed"):
            await made.run("print(1)")


async def test_a_bubblewrap_that_gives_no_sizes_is_watched_the_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "SIZED", (99, 0))
    async with bench(tmp_path, replace(SMALL, scratch=SMALL.disk)) as made:
        code = "for i in range(999):\n    with open(f'/tmp/{i}', 'wb') as f: f.write(bytes(10 ** 7))"
        assert "it wrote more than 16 MB to /tmp" in await made.text(code)


async def test_a_machine_short_of_memory_ends_code(made: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "memory_left", lambda: 0.01)
    assert "this machine's memory is nearly full" in await made.text("import time\ntime.sleep(20)")


def test_a_small_machine_gives_less() -> None:
    here = limits_here()
    assert 0 < here.disk <= 512 * 1024 * 1024 and 0 < here.memory <= 1024 * 1024 * 1024
