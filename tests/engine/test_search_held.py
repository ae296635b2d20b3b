"""Embeddings in memory: read once, as many as there is room for, and never of files that are searched no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, update

from playground_tui.engine.store.tables import chunks, vector_store_files
from playground_tui.engine.tools.file_search import service
from playground_tui.engine.tools.file_search.held import Held
from playground_tui.engine.tools.file_search.vectors import nearest
from tests.engine.test_search_embeddings import connect, server
from tests.support.provider_server import ProviderServer
from tests.support.scripted import ScriptedEngine, scripted_engine
from tests.support.searching import eventually, found, names, store_of

__all__ = ["server"]
PETS = {"dogs_md": "dog", "tides_md": "tide", "prices_md": "price"}
EACH = 4 * 4
"""Bytes of an embedding."""


@pytest.fixture
async def engine(tmp_path: Path, server: ProviderServer) -> AsyncIterator[ScriptedEngine]:
    async with scripted_engine(tmp_path) as running:
        await connect(running, server)
        yield running


async def forget_stored(engine: ScriptedEngine) -> None:
    """Take all embeddings out of the store."""
    await engine.engine.database.write(lambda c: c.execute(update(chunks).values(embedding=None)))


async def files(engine: ScriptedEngine) -> list[int]:
    """The numbers of the files in vector stores."""
    query = select(vector_store_files.c.seq).order_by(vector_store_files.c.seq)
    return list(await engine.engine.database.read(lambda c: c.execute(query).scalars().all()))


async def near(engine: ScriptedEngine, held: Held, of: list[int]) -> int:
    """How many chunks of these files have embeddings, as they are held or read."""
    query = select(chunks.c.embedding).where(chunks.c.embedding.is_not(None)).limit(1)
    some = await engine.engine.database.read(lambda c: c.execute(query).scalar()) or bytes(EACH)
    return len(await engine.engine.database.read(lambda c: nearest(some, held.of(c, of), 100)))


async def test_the_embeddings_of_a_search_are_read_from_the_store_once(engine):
    store_id = await store_of(engine, **PETS)
    assert (await names(engine, store_id, "puppy"))[0] == "dogs.md"
    await forget_stored(engine)
    assert (await names(engine, store_id, "hound"))[0] == "dogs.md"


async def test_a_file_that_was_taken_out_is_not_found_in_memory(engine):
    store_id = await store_of(engine, **PETS)
    best, *_ = await found(engine, store_id, "puppy")
    await engine.http.delete(f"/vector_stores/{store_id}/files/{best.file_id}")
    assert "dogs.md" not in await names(engine, store_id, "puppy")


async def test_embeddings_leave_the_memory_when_nobody_searches(engine, monkeypatch):
    monkeypatch.setattr(service, "IDLE", 0.0)
    store_id = await store_of(engine, **PETS)
    assert (await names(engine, store_id, "puppy"))[0] == "dogs.md"
    await forget_stored(engine)

    async def gone() -> bool:
        return await names(engine, store_id, "puppy") == []

    await eventually(gone)


async def test_no_more_is_held_than_there_is_room_for_and_the_rest_is_read_each_time(engine):
    await store_of(engine, **PETS)
    one, two, three = await files(engine)
    held = Held(most=2 * EACH)
    assert await near(engine, held, [one, two, three]) == 3
    assert held.size == 2 * EACH
    assert await near(engine, held, [three]) == 1, "gives way to nothing that is wanted, takes the place of the oldest"
    await forget_stored(engine)
    assert await near(engine, held, [one, two, three]) == 2
    held.clear()
    assert (held.size, await near(engine, held, [one, two, three])) == (0, 0)


async def test_a_file_that_is_too_long_is_not_held_in_part(engine):
    await store_of(engine, long_txt="The tide is high. " * 1500)
    held = Held(most=EACH)
    count = await near(engine, held, await files(engine))
    assert count > 2
    assert held.size == 0
    assert await near(engine, held, await files(engine)) == count


async def test_several_threads_may_search_at_once(engine):
    await store_of(engine, **PETS)
    held, of = Held(), await files(engine)
    assert set(await asyncio.gather(*map(partial(near, engine, held), [of] * 20))) == {3}
    assert held.size == 3 * EACH
