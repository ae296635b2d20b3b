"""Files put into vector stores of an engine, as a client does it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from playground_tui.engine.tools.base import Found, SearchRequest
from tests.support.scripted import ScriptedEngine

PATIENCE = 20.0
"""Seconds in which a few small files must be indexed."""


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return as soon as the condition holds; AssertionError after PATIENCE."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not await condition():
        assert loop.time() < end, f"not within {PATIENCE} s"
        await asyncio.sleep(0.005)


async def uploaded(engine: ScriptedEngine, name: str, content: str | bytes) -> str:
    """The id of a new file."""
    content = content.encode() if isinstance(content, str) else content
    response = await engine.http.post("/files", files={"file": (name, content)}, data={"purpose": "assistants"})
    assert response.status_code == 200, response.text
    return str(response.json()["id"])


async def store_of(engine: ScriptedEngine, *, settled: bool = True, **contents: str | bytes) -> str:
    """A vector store of new files, indexed unless told otherwise. `a_md=...` is the file "a.md"."""
    ids = [await uploaded(engine, name.replace("_", "."), content) for name, content in contents.items()]
    store = await engine.post("/vector_stores", file_ids=ids)
    if settled:
        assert await engine.engine.search.settled([store["id"]], PATIENCE)
    return str(store["id"])


async def files_of(engine: ScriptedEngine, store_id: str) -> list[dict[str, Any]]:
    """The files of a vector store, oldest first."""
    page = await engine.get(f"/vector_stores/{store_id}/files?order=asc")
    return list(page["data"])


async def found(engine: ScriptedEngine, store_ids: str | list[str], *queries: str, **options: Any) -> list[Found]:
    """What a search finds."""
    ids = [store_ids] if isinstance(store_ids, str) else store_ids
    return await engine.engine.search.search(SearchRequest(queries, ids, **options))


async def names(engine: ScriptedEngine, store_ids: str | list[str], *queries: str, **options: Any) -> list[str]:
    """The names of the files that a search finds, best first."""
    return [one.filename for one in await found(engine, store_ids, *queries, **options)]
