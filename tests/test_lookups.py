"""Look-ups of addresses: a resolver that does not answer keeps nobody from leaving, nor other work from being done."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from playground_tui import lookups
from playground_tui.desk.faults import stray
from tests.support.terminal import ROOT, user

AT_ONCE = 50
"""More than the threads that asyncio keeps for such work."""

_SILENT = """\
import socket, sys, threading
def silent(*asked, **more):
    print("asked", flush=True)
    threading.Event().wait()
socket.getaddrinfo = silent
from playground_tui.cli import main
sys.exit(main())
"""


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A resolver that answers when the test is over."""
    over = threading.Event()

    def getaddrinfo(*_: Any) -> list[Any]:
        over.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield
    over.set()


def test_addresses_are_found() -> None:
    async def job() -> list[Any]:
        return await asyncio.get_running_loop().getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)

    assert ("127.0.0.1", 80) in [address for *_, address in lookups.run(job())]


def test_what_cannot_be_found_is_raised() -> None:
    async def job() -> None:
        await asyncio.get_running_loop().getaddrinfo("a" * 300, 80)

    with pytest.raises(UnicodeError):
        lookups.run(job())


@pytest.mark.usefixtures("silent")
def test_silence_holds_up_neither_files_nor_the_end() -> None:
    async def job() -> str:
        loop = asyncio.get_running_loop()
        asked = [asyncio.create_task(loop.getaddrinfo("example.com", 80)) for _ in range(AT_ONCE)]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(asked[0]), 0.01)
        return await asyncio.to_thread(lambda: "read")

    assert lookups.run(job()) == "read"


def test_a_callback_that_fails_is_for_the_log_and_not_for_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def job() -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 // 0)
        await asyncio.sleep(0)

    log = tmp_path / "state" / "playground.log"
    lookups.run(job(), partial(stray, log))
    assert "ZeroDivisionError" in log.read_text()
    assert capfd.readouterr() == ("", "")


def test_ctrl_c_ends_a_command_whose_server_is_being_looked_up() -> None:
    with user() as home:
        command = [sys.executable, "-c", _SILENT, "--server", "http://nowhere.example.com/v1", "models"]
        process = subprocess.Popen(command, env=home, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "asked\n"
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 130
        finally:
            process.kill()
            process.communicate()
