"""`playground-tui serve`: the engine on TCP, for code that speaks the Assistants API."""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from playground_tui.config import ConfigError, Settings, provider_handover
from playground_tui.launch import (
    EngineSilent,
    LaunchError,
    ask_engine,
    ensure_engine,
    find_engine,
    refusal,
    request_bytes,
    status_of,
)
from playground_tui.paths import Paths, private_directory
from playground_tui.peers import check_directory
from playground_tui.text import clean

PORT = 8765
KEY_VARIABLE = "PLAYGROUND_TUI_SERVE_KEY"
_HIGHEST_PORT = 65535
_OK = 200

_DESCRIPTION = """\
Put the engine on TCP: code written for the Assistants API (client.beta.assistants, client.beta.threads) runs against it
with base_url and api_key changed. It answers until ctrl+c and shows each request.

Where an engine runs already, it listens for this command, and only the listening ends with it. Where none runs, this
command is the engine: its log comes to the terminal, and it ends, with its runs, on ctrl+c or when the connection
drops. Start it inside tmux, or start a playground first.

Visitors need a key: the one in PLAYGROUND_TUI_SERVE_KEY, else one that is made once and kept in {key}."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A TCP listener to be: what the engine needs for it, and who is told about it."""

    host: str
    port: int
    key: str
    names: tuple[str, ...]
    """Host names it is called by, beside the ones it knows itself."""
    handover: Mapping[str, Any]
    opened: Callable[[str], None]
    """Called with the base URL once it listens."""
    show: Callable[[str], None]
    """Called with a line about each request."""


BecomeEngine = Callable[[Paths, Serving], Awaitable[int | None]]
"""Be the engine in the foreground; the exit code, or None because another engine lives. Raises LaunchError."""


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "serve",
        help="put the engine on TCP for code that speaks the Assistants API",
        description=_DESCRIPTION.format(key="the data directory (serve.key)"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, this machine)")
    parser.add_argument("--port", type=_port, default=PORT, help=f"default: {PORT}; 0 takes a free one")
    parser.add_argument(
        "--allow-host",
        metavar="NAME",
        action="append",
        default=[],
        help="another name this machine is called by (requests to unknown names are refused); may be repeated",
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to {_HIGHEST_PORT}")
    return int(text)


async def run(
    arguments: argparse.Namespace,
    _connect: object,
    settings: Settings,
    paths: Paths,
    out: TextIO,
    err: TextIO,
    *,
    become_engine: BecomeEngine,
    environ: Mapping[str, str] = os.environ,
) -> int:
    """Serve until interrupted. Exit code 1 when it cannot, 2 for a host there is not or a key that is none."""

    def say(sentence: str) -> None:
        print(clean(sentence), file=err, flush=True)

    try:
        await _check_host(arguments.host, arguments.port)
        key, whence = serve_key(paths, environ)
        serving = Serving(
            host=arguments.host,
            port=arguments.port,
            key=key,
            names=tuple(arguments.allow_host),
            handover=await asyncio.to_thread(provider_handover, settings, environ),
            opened=lambda base_url: _announce(base_url, whence, is_local(arguments.host), out, say),
            show=say,
        )
        return await _serve(paths, serving, become_engine)
    except ConfigError as error:
        say(str(error))
        return 2
    except (EngineSilent, LaunchError, OSError) as error:
        say(str(error))
        return 1


async def _serve(paths: Paths, serving: Serving, become_engine: BecomeEngine) -> int:
    """Be the engine when none lives, else ask the living one to listen."""
    if await asyncio.to_thread(find_engine, paths) is None:
        code = await become_engine(paths, serving)
        if code is not None:
            return code
    address = await asyncio.to_thread(ensure_engine, paths)
    await asyncio.to_thread(ask_engine, address.socket, "PUT", "/engine/settings", serving.handover)
    async for event, data in listening(address.socket, serving):
        if event == "listening":
            serving.opened(str(data.get("base_url")))
        elif event == "log":
            serving.show(str(data.get("line")))
    raise LaunchError("The engine has stopped, and with it this listener.")


async def listening(path: Path, serving: Serving) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Events of a listener that the engine keeps open while this iterator is read. Raises LaunchError, OSError."""
    check_directory(path)
    reader, writer = await asyncio.open_unix_connection(path)
    asked = {"host": serving.host, "port": serving.port, "key": serving.key, "names": serving.names}
    body = json.dumps(asked).encode()
    try:
        writer.write(request_bytes("POST", "/engine/listen", body))
        status = status_of(await reader.readline())
        await reader.readuntil(b"\r\n\r\n")
        if status != _OK:
            raise LaunchError(refusal(json.loads(await reader.read() or b"{}")))
        event = ""
        while line := await reader.readline():
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "event":
                event = value
            elif name == "data":
                yield event, json.loads(value)
    except (asyncio.IncompleteReadError, ValueError) as error:
        raise LaunchError("The engine did not answer as an engine does.") from error
    finally:
        writer.close()


async def _check_host(host: str, port: int) -> None:
    try:
        await asyncio.get_running_loop().getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"--host {host} is no address of a machine.") from error


def is_local(host: str) -> bool:
    """Whether nobody outside this machine can reach a listener on that host."""
    with suppress(ValueError):
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    return host.lower() == "localhost"


def serve_key(paths: Paths, environ: Mapping[str, str]) -> tuple[str, str]:
    """The key that visitors need, and where a person finds it. Made once (0600) unless the environment has one.

    Raises ConfigError for a key that cannot be sent, OSError when the file cannot be read or made.
    """
    given = environ.get(KEY_VARIABLE, "")
    if given:
        return _usable(given, KEY_VARIABLE), f"the value of {KEY_VARIABLE}"
    if not paths.serve_key.exists():
        _make_key(paths.serve_key)
    descriptor = os.open(paths.serve_key, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor) as file:
        os.fchmod(descriptor, 0o600)
        return _usable(file.read().strip(), str(paths.serve_key)), f"in {paths.serve_key}"


def _usable(key: str, whence: str) -> str:
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError(f"{whence} holds no key: letters, digits and signs without spaces are needed.")
    return key


def _make_key(path: Path) -> None:
    private_directory(path.parent)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"pt-{secrets.token_urlsafe(32)}\n")
    # Of two that make it at once the first wins, and nobody reads half of one.
    with suppress(FileExistsError):
        os.link(temporary, path)
    temporary.unlink()


def _announce(base_url: str, whence: str, local: bool, out: TextIO, say: Callable[[str], None]) -> None:
    print(base_url, file=out, flush=True)
    say(f"The Assistants API is served at {base_url}. The key is {whence}.")
    say(f'  client = OpenAI(base_url="{base_url}", api_key=KEY)')
    if not local:
        say("Other machines can reach it, and what they send is not encrypted: on a foreign network use an SSH tunnel.")
    say("ctrl+c ends it.")
