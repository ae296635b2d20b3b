"""Who may connect, how long a request may take to arrive, and how many connections there are, on real sockets."""

from __future__ import annotations

import asyncio
import hmac
import os
import subprocess
import sys
from pathlib import Path

import pytest

from playground_tui.assistants.errors import NotReachable
from playground_tui.commands import serve
from playground_tui.config import ConfigError
from playground_tui.engine import connection, guards
from playground_tui.launch import LaunchError, ask_engine
from playground_tui.peers import NotOurs, check_directory
from tests.support.engine import NO_PROVIDERS, RunningEngine
from tests.support.wait import until

NOBODY = 65534
AS_USER = """
import os, socket, sys
os.setgroups([]); os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
peer = socket.socket(socket.AF_UNIX)
peer.connect(sys.argv[2])
peer.sendall(b"GET /engine HTTP/1.0\\r\\nHost: engine\\r\\n\\r\\n")
sys.stdout.buffer.write(peer.recv(12))
"""
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="another user can be had by root alone")

Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def knock(engine: RunningEngine, data: bytes = b"") -> Peer:
    reader, writer = await asyncio.open_unix_connection(engine.socket)
    writer.write(data)
    return reader, writer


async def heard(peer: Peer) -> bytes:
    """Everything until the engine closes; what it resets ends too."""
    reader, writer = peer
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except (ConnectionResetError, BrokenPipeError):
        return b""
    finally:
        writer.close()


async def as_user(uid: int, path: Path) -> tuple[bytes, str]:
    command = [sys.executable, "-c", AS_USER, str(uid), str(path)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False)
    return done.stdout, done.stderr.decode().strip().rpartition("\n")[2]


@only_root
async def test_another_user_does_not_get_through_the_directory(engine: RunningEngine) -> None:
    assert (await as_user(NOBODY, engine.socket))[1].startswith("PermissionError")


@only_root
async def test_another_user_who_reaches_the_socket_is_not_answered(engine: RunningEngine) -> None:
    engine.socket.parent.chmod(0o755)
    engine.socket.chmod(0o666)
    told, failed = await as_user(NOBODY, engine.socket)
    assert told == b"" and (not failed or "BrokenPipe" in failed or "ConnectionReset" in failed)
    assert (await as_user(0, engine.socket))[0] == b"HTTP/1.1 200"


async def test_nothing_is_sent_to_a_socket_where_others_may_put_one(engine: RunningEngine) -> None:
    client = engine.client()
    engine.socket.parent.chmod(0o777)
    with pytest.raises(LaunchError, match="not a directory of yours alone"):
        ask_engine(engine.socket, "PUT", "/engine/settings", NO_PROVIDERS)
    with pytest.raises(NotReachable, match="nothing was sent"):
        await client.engine_settings(NO_PROVIDERS)
    serving = serve.Serving("127.0.0.1", 0, "key", (), {}, print, print)
    with pytest.raises(NotOurs):
        await anext(serve.listening(engine.socket, serving))
    engine.socket.parent.chmod(0o700)
    assert (await asyncio.to_thread(ask_engine, engine.socket, "GET", "/engine"))["connections"] == 0


def test_the_directory_of_a_socket_is_no_link(tmp_path: Path) -> None:
    check_directory(tmp_path / "none" / "s")
    (tmp_path / "own").mkdir(mode=0o700)
    check_directory(tmp_path / "own" / "s")
    (tmp_path / "link").symlink_to(tmp_path / "own")
    with pytest.raises(NotOurs):
        check_directory(tmp_path / "link" / "s")


@pytest.mark.parametrize("begun", [b"", b"GET /v1/models HTTP/1.1\r\nHost: engine\r\nX-Slow: "])
async def test_headers_that_do_not_come_are_not_waited_for(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(connection, "HEADERS_WITHIN", 0.05)
    assert (await heard(await knock(engine, begun))).startswith(b"HTTP/1.1 408 ")


async def test_dripping_headers_get_no_more_time(engine: RunningEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEADERS_WITHIN", 0.1)
    peer = await knock(engine, b"GET /v1/models HTTP/1.1\r\n")
    ended = asyncio.create_task(heard(peer))
    while not ended.done():
        peer[1].write(b"X-A: b\r\n")
        await asyncio.wait({ended}, timeout=0.01)
    assert ended.result().startswith(b"HTTP/1.1 408 ") or not ended.result()  # reset by the drop it did not read


async def test_the_second_request_of_a_connection_has_its_time_too(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = b"GET /v1/assistants HTTP/1.1\r\nHost: engine\r\n\r\n"
    reader, writer = await knock(engine, whole)
    await reader.readuntil(b"\r\n\r\n")
    monkeypatch.setattr(connection, "HEADERS_WITHIN", 0.05)
    writer.write(whole[:20])
    assert (await heard((reader, writer))).endswith(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n"
                                                   b"Connection: close\r\n\r\n")  # fmt: skip


@pytest.mark.parametrize(
    "begun",
    [
        b"POST /v1/threads HTTP/1.1\r\nHost: engine\r\nContent-Length: 1000\r\n\r\n{",
        b"POST /v1/files HTTP/1.1\r\nHost: engine\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n3\r\n--b\r\n",
    ],
    ids=["JSON", "file"],
)
async def test_a_body_that_drips_is_not_waited_for(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(connection, "BODY_PERIOD", 0.05)
    assert (await heard(await knock(engine, begun))).startswith(b"HTTP/1.1 408 ")
    await until(lambda: engine.server.activity.connections == 0)


async def test_who_has_no_key_cannot_hold_a_connection_with_a_body(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BODY_PERIOD", 0.05)
    address = await engine.tcp()
    peer = await asyncio.open_connection("127.0.0.1", address.listener.port)
    peer[1].write(b"POST /v1/threads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
    assert (await heard(peer)).startswith(b"HTTP/1.1 401 ")


async def test_a_newer_connection_takes_the_place_of_an_idle_one(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MOST_CONNECTIONS", 3)
    streaming = b"GET /v1/changes HTTP/1.1\r\nHost: engine\r\n\r\n"
    held = [await knock(engine, streaming) for _ in range(2)]
    for reader, _ in held:
        await reader.readuntil(b": changes")
    idle = await knock(engine)
    newer = await knock(engine, streaming)
    await newer[0].readuntil(b": changes")
    assert await heard(idle) == b""
    refused = await heard(await knock(engine))
    assert refused.startswith(b"HTTP/1.1 503 ") and b"Retry-After" in refused
    assert not any(reader.at_eof() for reader, _ in (*held, newer))
    for _, writer in (*held, newer):
        writer.close()


@pytest.mark.parametrize(
    "wrong",
    [
        b"GET /v1/models HTTP/1.1\r\nHost: engine\r\nX-Long: " + b"x" * 70_000,
        b"GET /" + b"x" * 70_000,
        b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: engine\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /v1/threads HTTP/1.1\r\nHost: engine\r\nContent-Length: 4\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: engine\r\nX: a\x00b\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
    ids=["long header", "long line", "two hosts", "two lengths", "unknown coding", "zero byte", "TLS"],
)
async def test_what_is_no_request_is_refused_and_not_logged(
    engine: RunningEngine, caplog: pytest.LogCaptureFixture, wrong: bytes
) -> None:
    answer = await heard(await knock(engine, wrong))
    assert answer[9:12] in (b"400", b"501") or not answer, answer
    assert caplog.records == []


async def test_the_key_is_compared_in_constant_time(engine: RunningEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    compare = hmac.compare_digest

    def noting(given: bytes, expected: bytes) -> bool:
        compared.append(given)
        return compare(given, expected)

    monkeypatch.setattr(guards.hmac, "compare_digest", noting)
    address = await engine.tcp("right")
    for key, status in ((b"right", b"200"), (b"wrong", b"401"), (b"", b"401")):
        peer = await asyncio.open_connection("127.0.0.1", address.listener.port)
        peer[1].write(b"GET /v1/models HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer " + key + b"\r\n\r\n")
        assert (await heard(peer))[9:12] == status
    assert compared == [b"right", b"wrong", b""]


def test_a_key_that_cannot_be_sent_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no key"):
        serve.serve_key(tmp_path, {serve.KEY_VARIABLE: "a\x1bb"})  # type: ignore[arg-type] -- no path is looked at
