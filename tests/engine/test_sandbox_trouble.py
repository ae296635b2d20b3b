"""Code in a real sandbox, on a machine that fails: what goes on, what ends, and what is said."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground_tui.engine.tools.base import CannotRun
from playground_tui.engine.tools.code_interpreter import processes, service
from tests.support.sandbox import SMALL, THREAD, Bench, bench
from tests.support.wait import until


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as made:
        yield made


async def test_code_that_cannot_be_watched_is_ended(made: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await made.text("x = 1")

    def fails() -> float:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as full:
        full.setattr(processes, "memory_left", fails)
        printed = await made.text("import time\ntime.sleep(20)")
    assert "Python was ended: what it uses could not be watched any longer" in printed
    assert (await made.text("2")).endswith("2\n")


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def unreadable(path: Path) -> None:
    """A file that has a size, and no contents that can be read: the frame has said how long it is."""
    speed = Path("/sys/class/net/lo/speed")
    try:
        speed.read_bytes()
    except OSError as error:
        if error.errno == errno.EINVAL:
            path.unlink()
            return path.symlink_to(speed)
    pytest.skip("this machine has no such file")


@pytest.mark.parametrize(("spoil", "words"), [(a_directory, "Is a directory"), (unreadable, "Invalid argument")])
async def test_a_file_that_cannot_be_read_ends_python_and_nothing_else(made: Bench, spoil: Any, words: str) -> None:
    await made.text("x = 1")
    file = made.kept.add("file-1", b"x", "a.txt")
    spoil(made.kept.path("file-1"))
    async with asyncio.timeout(10):
        assert f"Python was ended: a file could not be read for it ({words})" in await made.text("print(1)", [file])
    assert (await made.text("2")).endswith("2\n")


async def test_code_runs_though_nothing_can_be_noted_of_it(made: Bench, tmp_path: Path) -> None:
    (tmp_path / "sandbox").write_text("no directory")
    assert await made.text("1 + 1") == "2\n"
    await made.interpreter.forget(THREAD)
    assert await made.text("1 + 2") == "3\n"


class SlowStarts:
    """Sandboxes that start when they may."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = 0
        self.go_on = asyncio.Event()
        self._start = service.start
        monkeypatch.setattr(service, "start", self.start)

    async def start(self, *how: Any) -> Any:
        self.begun += 1
        await self.go_on.wait()
        return await self._start(*how)


async def test_a_sandbox_that_is_slow_to_start_holds_up_no_other_thread(
    made: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made.text("x = 1")
    slow = SlowStarts(monkeypatch)
    other = asyncio.create_task(made.text("2", thread="thread_2"))
    await until(lambda: slow.begun)
    async with asyncio.timeout(10):
        assert await made.text("x") == "1\n"
    slow.go_on.set()
    assert await other == "2\n"


async def test_a_sandbox_that_starts_has_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench(tmp_path, most=1, patience=0.05) as made:
        slow = SlowStarts(monkeypatch)
        first = asyncio.create_task(made.text("1"))
        await until(lambda: slow.begun)
        async with asyncio.timeout(10):
            with pytest.raises(CannotRun, match="1 other threads are running code"):
                await made.text("2", thread="thread_2")
        slow.go_on.set()
        assert await first == "1\n"


async def cancelled(made: Bench, code: str) -> None:
    """Begin code that prints something, and cancel it then."""
    running = asyncio.create_task(made.run(code))
    await until(lambda: (sandbox := made.interpreter._seats[THREAD].sandbox) and sandbox._output.bytes)
    running.cancel()
    await asyncio.wait([running])


async def test_code_behind_some_that_does_not_heed_its_end_gets_a_new_python(made: Bench) -> None:
    await made.text("x = 1")
    deaf = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint(1, flush=True)\nwhile True: pass"
    await cancelled(made, deaf)
    assert await made.text("2") == "(Python was started anew: variables of earlier code are gone.)\n2\n"


async def test_a_file_that_came_with_code_which_never_began_comes_with_the_next(tmp_path: Path) -> None:
    async with bench(tmp_path, replace(SMALL, grace_seconds=20)) as made:
        file = made.kept.add("file-1", b"here", "a.txt")
        await made.text("import time")
        await cancelled(made, "try:\n    print(1, flush=True)\n    while True: pass\nfinally: time.sleep(0.1)")
        never = asyncio.create_task(made.run("1", [file]))
        await until(made.interpreter._seats[THREAD].lock.locked)
        never.cancel()
        await asyncio.wait([never])
        assert await made.text("print(open('a.txt').read())", [file]) == "here\n"


async def test_a_sandbox_leaves_nothing_open_though_nobody_waits_for_its_end(made: Bench) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    await made.text("x = 1")
    sandbox = made.interpreter._seats[THREAD].sandbox
    assert sandbox is not None
    ending = asyncio.create_task(sandbox.end())
    await asyncio.sleep(0)
    ending.cancel()
    await asyncio.wait([ending])
    await until(lambda: len(list(Path("/proc/self/fd").iterdir())) <= before)


async def test_a_sandbox_that_is_used_again_while_another_ends_goes_on(made: Bench) -> None:
    for thread in ("thread_1", "thread_2"):
        await made.text("x = 1", thread=thread)
    idle, used = made.interpreter._seats["thread_1"].sandbox, list[asyncio.Task[str]]()
    assert idle is not None
    end = idle.end

    async def meanwhile() -> None:
        used.append(asyncio.create_task(made.text("import time\ntime.sleep(0.2)\nx", thread="thread_2")))
        await until(lambda: made.interpreter._seats["thread_2"].users)
        await end()

    with pytest.MonkeyPatch.context() as slow:
        slow.setattr(idle, "end", meanwhile)
        slow.setattr(made.interpreter, "_idle_seconds", 0.01)
        await made.interpreter._end_idle()
    assert await used[0] == "1\n"
