"""Noticing model servers on this machine: Ollama, LM Studio, llama.cpp and vLLM on their usual loopback ports.

Whoever can log in may listen on these ports. So a server is listed only if it answers like its kind, and may become the
default only if its listening socket belongs to this user, root or a system account.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from playground_tui.engine.providers.base import ProviderSettings
from playground_tui.engine.providers.http import at_most
from playground_tui.engine.providers.shapes import mapping
from playground_tui.protocol import HOPS_HEADER

PATIENCE = 0.3
"""Seconds all probes together may take."""
LONGEST = 64 * 1024
"""Bytes of an answer that are read."""
SYSTEM_ACCOUNTS = 1_000
"""User ids below this are root and system accounts."""
TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
LISTENING = "0A"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of local server: where it usually listens, and how it is told from others."""

    name: str
    port: int
    path: str
    answers: Callable[[str, Mapping[str, Any]], bool]
    """Given the server's name as its header has it, and the JSON object it sent (empty if it sent none)."""


@dataclass(frozen=True, slots=True)
class Found:
    """A local server that answers like its kind. `trusted`: it may become the default by itself."""

    settings: ProviderSettings
    trusted: bool


def _has_version(_server: str, told: Mapping[str, Any]) -> bool:
    return isinstance(told.get("version"), str)


def _is_lm_studio(_server: str, told: Mapping[str, Any]) -> bool:
    return isinstance(told.get("data"), list)


def _is_llama_cpp(server: str, told: Mapping[str, Any]) -> bool:
    return "llama.cpp" in server.lower() or "default_generation_settings" in told


KINDS = (
    Kind("ollama", 11434, "/api/version", _has_version),
    Kind("lmstudio", 1234, "/api/v0/models", _is_lm_studio),
    Kind("llamacpp", 8080, "/props", _is_llama_cpp),
    Kind("vllm", 8000, "/version", _has_version),
)
"""In the order in which they become the default."""


async def discover(
    *, ports: Mapping[str, int] | None = None, taken: Sequence[int] = (), tables: Sequence[Path] = TABLES
) -> list[Found]:
    """The local servers there are, in the order of KINDS. `ports` by kind in place of the usual ones; `taken` are ports
    of ours or of configured providers, which are not asked."""
    wanted = [(kind, (ports or {}).get(kind.name, kind.port)) for kind in KINDS]
    wanted = [(kind, port) for kind, port in wanted if port not in taken]
    async with httpx2.AsyncClient(timeout=PATIENCE, trust_env=False, headers={HOPS_HEADER: "1"}) as client:
        answers = await asyncio.gather(*(_answers(client, kind, port) for kind, port in wanted))
    found = [(kind, port) for (kind, port), answered in zip(wanted, answers, strict=True) if answered]
    return [Found(_settings(kind.name, port), trusted(port, tables)) for kind, port in found]


def _settings(name: str, port: int) -> ProviderSettings:
    return ProviderSettings(name, "chat", f"http://127.0.0.1:{port}/v1", origin="discovered")


async def _answers(client: httpx2.AsyncClient, kind: Kind, port: int) -> bool:
    try:
        async with asyncio.timeout(PATIENCE), client.stream("GET", f"http://127.0.0.1:{port}{kind.path}") as response:
            content = await at_most(response, LONGEST)
            told = _object(content[:LONGEST]) if response.status_code == 200 else {}
            return kind.answers(response.headers.get("server", ""), told)
    except (httpx2.HTTPError, TimeoutError):
        return False


def _object(content: bytes) -> Mapping[str, Any]:
    """The JSON object of an answer, empty for one that is something else: anybody may listen there."""
    try:
        return mapping(json.loads(content))
    except (ValueError, RecursionError):
        return {}


def trusted(port: int, tables: Sequence[Path] = TABLES) -> bool:
    """Whether every socket that listens on this port belongs to this user, root or a system account.

    False where the kernel does not tell (no /proc).
    """
    owners = {uid for table in tables for found, uid in listeners(table) if found == port}
    return bool(owners) and all(uid == os.getuid() or uid < SYSTEM_ACCOUNTS for uid in owners)


def listeners(table: Path) -> Iterator[tuple[int, int]]:
    """(port, user id) of the listening sockets in a table such as /proc/net/tcp. Source: proc(5)."""
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return
    for fields in map(str.split, lines):
        if len(fields) > 7 and fields[3] == LISTENING:
            yield int(fields[1].rpartition(":")[2], 16), int(fields[7])
