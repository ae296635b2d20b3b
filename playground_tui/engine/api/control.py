"""What a program says to its own engine: over the Unix socket alone, never on TCP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from playground_tui.engine.check.store import check_store
from playground_tui.engine.errors import ApiError, Json
from playground_tui.engine.listeners import CannotListen
from playground_tui.engine.providers.base import ProviderSettings
from playground_tui.engine.sse import event_stream, sse
from playground_tui.engine.store.runs import all_active

if TYPE_CHECKING:
    from playground_tui.engine.server import EngineServer, TcpListener

PROBE_SECONDS = 1.0
"""Who asks for the engine waits at most so long for the first look at what it can run."""
_KINDS = {"responses", "chat", "rehearsal"}


def _server(request: Request) -> EngineServer:
    server: EngineServer = request.app.state.server
    return server


def description(server: EngineServer) -> dict[str, Any]:
    """The engine in plain values: what it is, who uses it, and which providers it has. No keys."""
    address = server.address
    return {
        "protocol": address.protocol,
        "schema": address.schema,
        "build": address.build,
        "version": address.version,
        "pid": address.pid,
        "started_at": server.started_at,
        "connections": server.activity.connections,
        "active_runs": server.engine.runs.active_count,
        "problem": server.health.problem,
        "notices": server.notices,
        "listeners": [{"host": host, "port": port} for host, port in server.own_addresses()],
        **server.engine.providers.describe(),
    }


async def show(request: Request) -> Response:
    server = _server(request)
    tools = {"code_interpreter": await _problem_of_code(server)}
    return Json({**description(server), "tools": tools})


async def _problem_of_code(server: EngineServer) -> str:
    """Why no code can be run, as a sentence; "" if it can, or while that is not known yet."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            return await server.engine.interpreter.problem()
    except TimeoutError:
        return ""


async def check(request: Request) -> Response:
    """Whether the store holds together, and each run that is active there is one this engine works on."""
    engine = _server(request).engine
    directory = engine.database.path.with_name("files")
    report = await engine.database.read(partial(check_store, directory=directory, now=engine.now()))
    known = engine.runs.active_ids
    active = {run["id"] for run in await engine.database.read(all_active)}
    lost = [run_id for run_id in report.active_runs if run_id in active and run_id not in known]
    return Json(report.with_lost(lost).plain())


async def settings(request: Request) -> Response:
    """Take over a visitor's providers and settings; the latest are used for new runs."""
    server = _server(request)
    await take_settings(server, await _body(request))
    return Json(description(server))


async def take_settings(server: EngineServer, body: Mapping[str, Any]) -> None:
    """Use a handed-over `{"providers": [...], "default_provider", "idle_exit", "run_expires_after", "allow_code"}`.

    Raises ApiError when something in it cannot be used.
    """
    try:
        providers = [_provider(entry) for entry in body.get("providers", [])]
        await server.settle(providers, body.get("default_provider"), body)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ApiError(f"These settings cannot be used: {type(error).__name__} {error}") from error


def _provider(raw: Mapping[str, Any]) -> ProviderSettings:
    if raw["kind"] not in _KINDS:
        raise ApiError(f"Provider {raw['name']} is of an unknown kind: {raw['kind']}.", param="kind")
    return ProviderSettings(
        name=str(raw["name"]),
        kind=raw["kind"],
        base_url=str(raw.get("base_url") or ""),
        api_key=raw.get("api_key") or None,
        key_from=str(raw.get("key_from") or ""),
        origin=raw.get("origin", "config"),
        problem=str(raw.get("problem") or ""),
        embedding_model=str(raw.get("embedding_model") or ""),
        tools="provider" if raw.get("tools") == "provider" else "engine",
    )


async def stop(request: Request) -> Response:
    _server(request).stop()
    return Json({"stopping": True})


async def listen(request: Request) -> Response:
    """Listen on TCP for as long as this request lives, and tell it about every request that comes there."""
    body = await _body(request)
    key = body.get("key")
    if not isinstance(key, str) or not key:
        raise ApiError("Listening on TCP needs a key.", param="key")
    server = _server(request)
    try:
        listener = await server.listen(str(body["host"]), int(body["port"]), key, body.get("names", ()))
    except CannotListen as error:
        raise ApiError(str(error), code="cannot_listen") from error
    except (KeyError, TypeError, ValueError) as error:
        raise ApiError("Listening needs a host and a port.") from error
    return event_stream(_log_of(server, listener))


async def _log_of(server: EngineServer, listener: TcpListener) -> AsyncGenerator[bytes, None]:
    lines = listener.log.watch()
    try:
        yield sse("listening", {"host": listener.host, "port": listener.port, "base_url": listener.base_url})
        async for line in lines:
            yield sse("log", {"line": line})
    finally:
        await lines.aclose()
        server.leave(listener)


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ApiError("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise ApiError("The body is not a JSON object.")
    return body


ROUTES = [
    Route("/engine", show, methods=["GET"]),
    Route("/engine/check", check, methods=["GET"]),
    Route("/engine/settings", settings, methods=["PUT"]),
    Route("/engine/stop", stop, methods=["POST"]),
    Route("/engine/listen", listen, methods=["POST"]),
]
