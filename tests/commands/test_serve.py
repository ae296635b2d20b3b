"""`playground-tui serve`, beside a living engine and as the engine itself."""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from playground_tui.commands import serve
from playground_tui.commands.serve import Serving, is_local, serve_key
from playground_tui.config import ConfigError, Settings
from playground_tui.launch import LaunchError, ask_engine, ensure_engine, find_engine
from playground_tui.paths import Paths
from tests.support.engine_process import home, process_is_gone
from tests.support.wait import until

KEY = {"PLAYGROUND_TUI_SERVE_KEY": "secret"}


@pytest.fixture
def paths() -> Iterator[Paths]:
    with home() as made:
        yield made


async def _never(_paths: Paths, _serving: Serving) -> int | None:
    raise AssertionError("an engine lives: no second one is to be")


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    serve.add_parser(parser.add_subparsers())
    return parser.parse_args(["serve", *arguments])


@asynccontextmanager
async def serving(paths: Paths, *arguments: str) -> AsyncIterator[tuple[str, io.StringIO]]:
    """`serve` beside the living engine: its base URL, and what it says."""
    out, err = io.StringIO(), io.StringIO()
    task = asyncio.create_task(
        serve.run(parsed(*arguments), None, Settings(), paths, out, err, become_engine=_never, environ=KEY)
    )
    await until(lambda: "ctrl+c" in err.getvalue() or task.done())
    yield out.getvalue().strip(), err
    task.cancel()
    await asyncio.wait({task})


async def _get(url: str, key: str = "secret") -> int:
    async with httpx2.AsyncClient(trust_env=False, headers={"Authorization": f"Bearer {key}"}) as client:
        return (await client.get(url)).status_code


async def test_a_living_engine_listens_while_serve_stays_in_front(paths: Paths) -> None:
    address = await asyncio.to_thread(ensure_engine, paths)
    async with serving(paths, "--port", "0") as (base_url, err):
        assert await _get(f"{base_url}/models") == 200
        assert await _get(f"{base_url}/models", "wrong") == 401
        await until(lambda: "401" in err.getvalue())
        assert f'base_url="{base_url}"' in err.getvalue() and "PLAYGROUND_TUI_SERVE_KEY" in err.getvalue()
        assert "secret" not in err.getvalue() and "Other machines" not in err.getvalue()
        assert "GET /v1/models 200 " in err.getvalue()
    status = await asyncio.to_thread(ask_engine, address.socket, "GET", "/engine")
    await until(lambda: not ask_engine(address.socket, "GET", "/engine")["listeners"])
    assert status["pid"] == address.pid
    with pytest.raises(httpx2.ConnectError):
        await _get(f"{base_url}/models")


async def test_an_engine_that_stops_ends_serve(paths: Paths) -> None:
    address = await asyncio.to_thread(ensure_engine, paths)
    async with serving(paths, "--port", "0") as (_, err):
        await asyncio.to_thread(ask_engine, address.socket, "POST", "/engine/stop")
        await until(lambda: "The engine has stopped" in err.getvalue())


async def test_other_machines_are_warned_of(paths: Paths) -> None:
    await asyncio.to_thread(ensure_engine, paths)
    async with serving(paths, "--host", "0.0.0.0", "--port", "0") as (base_url, err):
        assert base_url.startswith(f"http://{socket.gethostname()}:")
        assert "Other machines can reach it" in err.getvalue()


async def said(paths: Paths, *arguments: str, environ: dict[str, str] = KEY) -> tuple[int, str]:
    """Exit code and words of a `serve` that does not come to be."""

    async def cannot(_paths: Paths, _serving: Serving) -> int | None:
        raise LaunchError("no engine here")

    out, err = io.StringIO(), io.StringIO()
    code = await serve.run(parsed(*arguments), None, Settings(), paths, out, err, become_engine=cannot, environ=environ)
    assert out.getvalue() == ""
    return code, err.getvalue()


async def test_what_cannot_be_is_a_sentence(paths: Paths) -> None:
    assert await said(paths, "--host", "no such host") == (2, "--host no such host is no address of a machine.\n")
    assert await said(paths, environ={"PLAYGROUND_TUI_SERVE_KEY": "two words"}) == (
        2,
        "PLAYGROUND_TUI_SERVE_KEY holds no key: letters, digits and signs without spaces are needed.\n",
    )
    assert await said(paths) == (1, "no engine here\n")


async def test_a_port_in_use_is_a_sentence(paths: Paths) -> None:
    await asyncio.to_thread(ensure_engine, paths)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, words = await said(paths, "--port", str(port))
    assert (code, words) == (1, f"Cannot listen on 127.0.0.1 port {port}: Address already in use.\n")


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_there_is_not_is_wrong_usage(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parsed("--port", port)
    assert "is not a port" in capsys.readouterr().err


def test_a_key_is_made_once_and_kept_from_others(paths: Paths) -> None:
    key, whence = serve_key(paths, {})
    assert serve_key(paths, {}) == (key, whence) == (key, f"in {paths.serve_key}")
    assert len(key) > 40 and stat.S_IMODE(paths.serve_key.stat().st_mode) == 0o600
    assert [path.name for path in paths.data.iterdir()] == ["serve.key"]
    paths.serve_key.chmod(0o644)
    serve_key(paths, {})
    assert stat.S_IMODE(paths.serve_key.stat().st_mode) == 0o600
    assert serve_key(paths, KEY)[0] == "secret"


def test_a_key_file_that_holds_none_is_named(paths: Paths) -> None:
    serve_key(paths, {})
    paths.serve_key.write_text("\n")
    with pytest.raises(ConfigError, match=r"serve\.key holds no key"):
        serve_key(paths, {})
    paths.serve_key.unlink()
    paths.serve_key.symlink_to(paths.data)
    with pytest.raises(OSError, match="symbolic"):
        serve_key(paths, {})


@pytest.mark.parametrize(
    ("host", "local"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("devbox", False)]
)
def test_which_hosts_are_this_machine_alone(host: str, local: bool) -> None:
    assert is_local(host) is local


def test_without_a_host_only_this_machine_can_reach_it() -> None:
    assert parsed().host == "127.0.0.1" and is_local(parsed().host)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_without_an_engine_serve_is_the_engine(paths: Paths, number: signal.Signals) -> None:
    root = paths.data.parent
    environ = {**os.environ, **KEY, "XDG_CONFIG_HOME": str(root), "XDG_DATA_HOME": str(root / "d")}
    environ |= {"XDG_STATE_HOME": str(root / "s"), "TMPDIR": str(root)}
    own = Paths.from_environment(environ)
    root.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "playground_tui", "serve", "--port", "0"]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        base_url = (await asyncio.to_thread(process.stdout.readline)).strip()
        assert await _get(f"{base_url}/models") == 200
        address = find_engine(own)
        assert address is not None and address.pid == process.pid
        assert await asyncio.to_thread(ensure_engine, own) == address
    finally:
        process.send_signal(number)
    _, err = await asyncio.to_thread(process.communicate)
    assert process.returncode == (130 if number == signal.SIGINT else 0)
    assert "GET /v1/models 200 " in err and "Traceback" not in err
    assert process_is_gone(process.pid) and find_engine(own) is None


def test_the_sources_of_a_key_are_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        parsed("--help")
    text = capsys.readouterr().out
    assert "PLAYGROUND_TUI_SERVE_KEY" in text and "--allow-host" in text
    assert "Where none runs, this\ncommand is the engine" in text and "Start it inside tmux" in text
