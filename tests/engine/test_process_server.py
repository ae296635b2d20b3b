"""What the engine answers to its own program on the socket, and to everybody on TCP."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground_tui.engine import listeners
from playground_tui.engine.api import control
from playground_tui.engine.errors import EXCEPTION_HANDLERS
from playground_tui.engine.guards import MAX_BODY, LimitBody
from playground_tui.engine.listeners import CannotListen, bind_unix
from playground_tui.protocol import HOPS_HEADER, PROTOCOL, SCHEMA
from tests.support.engine import NO_PROVIDERS, RunningEngine, short_directory
from tests.support.wait import until

KEYS = {"message", "type", "param", "code"}


@asynccontextmanager
async def on_socket(engine: RunningEngine) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.AsyncHTTPTransport(uds=str(engine.socket))
    async with httpx2.AsyncClient(base_url="http://engine", transport=transport, trust_env=False) as client:
        yield client


@asynccontextmanager
async def on_tcp(engine: RunningEngine, **headers: str) -> AsyncIterator[httpx2.AsyncClient]:
    address = await engine.tcp("secret")
    base_url = address.base_url.removesuffix("/v1")
    given = {"Authorization": "Bearer secret", **headers}
    async with httpx2.AsyncClient(base_url=base_url, headers=given, trust_env=False) as client:
        yield client


def refused(response: httpx2.Response, status: int) -> dict[str, Any]:
    """The contract's error object of a refused request."""
    assert response.status_code == status
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == KEYS
    return error


async def test_the_engine_describes_itself(engine: RunningEngine) -> None:
    async with on_socket(engine) as client:
        answer = (await client.get("/engine")).json()
    assert (answer["protocol"], answer["schema"], answer["listeners"]) == (PROTOCOL, SCHEMA, [])
    assert (answer["default_provider"], answer["default_model"]) == ("rehearsal", "rehearsal/echo")
    assert "rehearsal" in answer["sentence"]
    assert {"build", "version", "pid", "started_at", "connections", "active_runs", "providers"} < set(answer)


async def test_it_says_whether_code_can_be_run(engine: RunningEngine) -> None:
    async with on_socket(engine) as client:
        assert (await client.get("/engine")).json()["tools"] == {"code_interpreter": ""}


async def test_what_stands_in_the_way_of_code_is_said(engine: RunningEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    async with on_socket(engine) as client:
        said = (await client.get("/engine")).json()["tools"]["code_interpreter"]
    assert said.startswith("Code cannot be run: bubblewrap is not installed.")


async def test_nobody_waits_for_a_sandbox_that_does_not_come_up(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = asyncio.Event()
    monkeypatch.setattr(engine.engine.interpreter, "problem", waits.wait)
    monkeypatch.setattr(control, "PROBE_SECONDS", 0.01)
    async with on_socket(engine) as client:
        assert (await client.get("/engine")).json()["tools"] == {"code_interpreter": ""}


async def test_settings_are_taken_over_and_no_key_comes_back(engine: RunningEngine) -> None:
    own = {"name": "own", "kind": "chat", "base_url": "http://127.0.0.1:9/v1", "api_key": "canary", "origin": "config"}
    handover = {"providers": [own], "default_provider": "own", "idle_exit": 5, "run_expires_after": 30}
    async with on_socket(engine) as client:
        response = await client.put("/engine/settings", json=handover)
    answer = response.json()
    entry = next(provider for provider in answer["providers"] if provider["name"] == "own")
    assert (answer["default_provider"], entry["has_key"]) == ("own", True)
    assert "canary" not in response.text
    assert (engine.server.idle_exit, engine.engine.run_expires_after) == (5.0, 30)


@pytest.mark.parametrize(
    "body",
    [
        {"providers": [{"name": "x"}]},
        {"providers": [{"name": "x", "kind": "carrier pigeon"}]},
        {"providers": ["x"]},
        {**NO_PROVIDERS, "idle_exit": "soon"},
        [],
    ],
)
async def test_settings_that_cannot_be_used_are_refused(engine: RunningEngine, body: object) -> None:
    async with on_socket(engine) as client:
        refused(await client.put("/engine/settings", json=body), 400)
        refused(await client.put("/engine/settings", content=b"\xff"), 400)


async def test_stop_asks_the_process_to_end(engine: RunningEngine) -> None:
    async with on_socket(engine) as client:
        assert (await client.post("/engine/stop")).json() == {"stopping": True}
    assert engine.server.stopping.is_set() and engine.server.awake.is_set()


async def events(response: httpx2.Response) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    event = ""
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "event":
            event = value
        elif name == "data":
            yield event, json.loads(value)


async def test_a_listener_lives_as_long_as_its_request_and_shows_each_request(engine: RunningEngine) -> None:
    asked = {"host": "127.0.0.1", "port": 0, "key": "secret"}
    async with on_socket(engine) as client:
        async with (
            client.stream("POST", "/engine/listen", json=asked) as response,
            aclosing(events(response)) as stream,
        ):
            name, opened = await anext(stream)
            assert name == "listening"
            listed = (await client.get("/engine")).json()
            assert listed["listeners"] == [{"host": "127.0.0.1", "port": opened["port"]}]
            assert listed["connections"] == 1
            async with httpx2.AsyncClient(base_url=opened["base_url"], trust_env=False) as visitor:
                await visitor.get("/models?key=canary", headers={"Authorization": "Bearer canary"})
            name, logged = await anext(stream)
            assert name == "log" and logged["line"].startswith("GET /v1/models 401 ")
            assert "canary" not in logged["line"]
        await until(lambda: not engine.server.own_addresses())
        with pytest.raises(httpx2.ConnectError):
            await httpx2.AsyncClient(trust_env=False).get(opened["base_url"])
        assert engine.server.activity.connections == 0


async def test_a_stop_ends_the_listeners_stream(engine: RunningEngine) -> None:
    asked = {"host": "127.0.0.1", "port": 0, "key": "secret"}
    async with on_socket(engine) as client, client.stream("POST", "/engine/listen", json=asked) as response:
        stream = events(response)
        await anext(stream)
        for listener in list(engine.server._tcp):
            listener.close()
        assert [event async for event in stream] == []


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({"host": "127.0.0.1", "port": 0}, "key"),
        ({"host": "127.0.0.1", "port": 0, "key": ""}, "key"),
        ({"key": "k"}, "host"),
        ({"host": "no such host", "port": 0, "key": "k"}, "no address"),
        ({"host": "127.0.0.1", "port": 99999, "key": "k"}, "port"),
    ],
)
async def test_a_listener_that_cannot_be_is_refused(engine: RunningEngine, asked: dict[str, Any], word: str) -> None:
    async with on_socket(engine) as client:
        error = refused(await client.post("/engine/listen", json=asked), 400)
    assert word in error["message"]


async def test_a_port_in_use_is_said(engine: RunningEngine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        asked = {"host": "127.0.0.1", "port": port, "key": "k"}
        async with on_socket(engine) as client:
            error = refused(await client.post("/engine/listen", json=asked), 400)
    assert error["message"] == f"Cannot listen on 127.0.0.1 port {port}: Address already in use."


async def test_tcp_serves_the_api_and_no_control(engine: RunningEngine) -> None:
    async with on_tcp(engine) as client:
        models = (await client.get("/v1/models")).json()["data"]
        assert "rehearsal/echo" in {model["id"] for model in models}
        for method, path in (("GET", "/engine"), ("PUT", "/engine/settings"), ("POST", "/engine/stop")):
            refused(await client.request(method, path), 404)
    assert not engine.server.stopping.is_set()


@pytest.mark.parametrize("given", ["", "Bearer wrong", "Bearer secretly", "bearer", "Basic secret", "Bearer sécret"])
async def test_tcp_wants_the_key(engine: RunningEngine, given: str) -> None:
    async with on_tcp(engine) as client:
        headers = {"Authorization": given.encode()}
        error = refused(await client.get("/v1/models", headers=headers), 401)
    assert error["code"] == "invalid_api_key"


async def test_the_scheme_of_the_key_knows_no_case(engine: RunningEngine) -> None:
    async with on_tcp(engine) as client:
        assert (await client.get("/v1/models", headers={"Authorization": "bearer secret"})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "10.0.0.1:8765"},
        {"Host": "[::1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_tcp_does_not_answer_pages_of_foreign_names(engine: RunningEngine, headers: dict[str, str]) -> None:
    async with on_tcp(engine) as client:
        error = refused(await client.get("/v1/models", headers=headers), 403)
    assert "--allow-host" in error["message"]


@pytest.mark.parametrize("headers", [{"Host": "localhost:1"}, {"Host": "[::1]:8765"}, {"Origin": "http://localhost:3"}])
async def test_tcp_knows_the_names_of_this_machine(engine: RunningEngine, headers: dict[str, str]) -> None:
    async with on_tcp(engine) as client:
        assert (await client.get("/v1/models", headers=headers)).status_code == 200


async def test_a_name_can_be_added(engine: RunningEngine) -> None:
    listener = await engine.server.listen("127.0.0.1", 0, "k", ["Gateway.example"])
    headers = {"Authorization": "Bearer k", "Host": "gateway.example"}
    async with httpx2.AsyncClient(trust_env=False, headers=headers) as client:
        assert (await client.get(f"{listener.base_url}/models")).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
async def test_a_listener_on_every_address_goes_by_names_and_addresses_of_the_machine(
    engine: RunningEngine, host: str
) -> None:
    listener = await engine.server.listen(host, 0, "k")
    own = socket.gethostname()
    assert listener.base_url == f"http://{own}:{listener.port}/v1"
    where = "127.0.0.1" if host == "0.0.0.0" else "[::1]"
    async with httpx2.AsyncClient(trust_env=False, headers={"Authorization": "Bearer k"}) as client:
        for name, status in ((own, 200), (f"{own}.corp", 200), ("10.1.2.3", 200), ("evil.example", 403)):
            response = await client.get(f"http://{where}:{listener.port}/v1/models", headers={"Host": name})
            assert (name, response.status_code) == (name, status)


async def test_an_ipv6_address_is_written_as_one(engine: RunningEngine) -> None:
    listener = await engine.server.listen("::1", 0, "k")
    assert listener.base_url == f"http://[::1]:{listener.port}/v1"


async def test_a_body_that_says_it_is_beyond_the_limit_is_refused_unread(engine: RunningEngine) -> None:
    reader, writer = await asyncio.open_unix_connection(engine.socket)
    writer.write(b"POST /v1/threads HTTP/1.1\r\nHost: engine\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1))
    answer = await reader.readuntil(b"}}")
    assert answer.startswith(b"HTTP/1.1 413 ") and str(MAX_BODY).encode() in answer
    writer.close()


@pytest.mark.parametrize(
    "header", [b"Content-Length: 1000000000000", b"Content-Length: 1000000000\r\nExpect: 100-continue"]
)
async def test_a_body_without_end_or_not_yet_sent_is_not_waited_for(engine: RunningEngine, header: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(engine.socket)
    writer.write(b"POST /v1/threads HTTP/1.1\r\nHost: engine\r\n" + header + b"\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 413 ")
    writer.close()


async def test_a_body_is_refused_once_it_has_grown_beyond_the_limit() -> None:
    async def echo(request: Request) -> Response:
        return Response(await request.body())

    async def parts() -> AsyncIterator[bytes]:
        yield b"12345"
        yield b"67890"

    app = Starlette(routes=[Route("/", echo, methods=["POST"])], exception_handlers=EXCEPTION_HANDLERS)
    for limit, status in ((10, 200), (9, 413)):
        transport = httpx2.ASGITransport(LimitBody(app, lambda _path, limit=limit: limit))
        async with httpx2.AsyncClient(transport=transport, base_url="http://engine") as client:
            response = await client.post("/", content=parts())
            assert response.status_code == status


async def test_who_sends_too_much_can_read_why_and_ask_again(engine: RunningEngine) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(65):
            yield bytes(1024 * 1024)

    listener = await engine.tcp()
    for key, status in ((listener.key, 413), ("wrong", 401)):
        async with httpx2.AsyncClient(base_url=listener.base_url) as client:
            client.headers["Authorization"] = f"Bearer {key}"
            for body in (endless(), bytes(65 * 1024 * 1024)):
                refused(await client.post("/threads", content=body), status)
            client.headers["Authorization"] = f"Bearer {listener.key}"
            assert (await client.get("/models")).status_code == 200


async def test_the_engine_does_not_answer_itself(engine: RunningEngine) -> None:
    async with on_socket(engine) as client:
        error = refused(await client.get("/v1/models", headers={HOPS_HEADER: "1"}), 400)
    assert "OPENAI_BASE_URL" in error["message"]


async def test_closing_does_not_wait_for_streams(engine: RunningEngine) -> None:
    reader, writer = await asyncio.open_unix_connection(engine.socket)
    writer.write(b"GET /v1/changes HTTP/1.1\r\nHost: engine\r\n\r\n")
    await reader.readuntil(b": changes")
    await asyncio.wait_for(engine.server.close(), 5)
    assert b"change\n" not in await reader.read()
    writer.close()


async def test_closing_does_not_wait_for_who_does_not_read(
    engine: RunningEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "_GRACE", 0.05)
    file = await engine.engine.files.add("large", "user_data", bytes(16 * 1024 * 1024))
    listener = (await engine.tcp("k")).listener
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, limit=1024)
    path = f"/v1/files/{file['id']}/content"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer k\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    connections: Any = listener._listener._server.server_state.connections
    await until(lambda: all(connection.flow.write_paused for connection in connections))
    engine.server.leave(listener)
    await until(lambda: not connections)
    writer.close()


async def test_a_client_may_ask_again_on_its_connection_after_a_while(engine: RunningEngine) -> None:
    async with on_socket(engine) as client:
        for _ in range(3):
            response = await client.get("/v1/models")
            assert (response.status_code, response.headers.get("server")) == (200, None)


async def test_a_socket_that_was_made_anew_is_the_only_one_that_is_listened_on(engine: RunningEngine) -> None:
    async with on_socket(engine) as before:
        assert (await before.get("/engine")).status_code == 200
        (earlier,) = [server for listener in engine.server._unix for server in listener._server.servers]
        engine.socket.unlink()
        await engine.server.open_socket(engine.socket)
        assert not earlier.is_serving()
        assert (await before.get("/engine")).status_code == 200
    async with on_socket(engine) as after:
        assert (await after.get("/engine")).status_code == 200


async def test_a_socket_takes_the_place_of_one_that_was_left_but_of_nothing_else() -> None:
    directory = short_directory()
    path = directory / "s"
    bind_unix(path).close()
    bind_unix(path).close()
    path.unlink()
    path.write_text("mine")
    with pytest.raises(CannotListen, match="is not a socket"):
        bind_unix(path)
    path.unlink()
    directory.rmdir()
    with pytest.raises(CannotListen, match="No such file"):
        bind_unix(path)
    with pytest.raises(CannotListen, match="cannot be made"):
        bind_unix(Path("/tmp", "x" * 200))
