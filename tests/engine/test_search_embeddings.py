"""Embeddings from providers: which model, what is asked of it, and search without them whenever they cannot be had."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from playground_tui.engine.providers.base import EmbeddingProvider, ProviderError, ProviderSettings
from playground_tui.engine.providers.chat import ChatProvider
from playground_tui.engine.providers.known import OPENAI_EMBEDDING
from playground_tui.engine.providers.registry import ProviderRegistry
from playground_tui.engine.providers.rehearsal import RehearsalProvider
from playground_tui.engine.store import chunks as chunks_store
from playground_tui.engine.store.tables import chunks, vector_store_files
from playground_tui.engine.tools.file_search import embeddings, indexing, vectors
from playground_tui.engine.tools.file_search.embeddings import Embedder, NoEmbeddings
from tests.support.provider_server import Exchange, ProviderServer, Reply, error, raw
from tests.support.scripted import ScriptedEngine, scripted_engine
from tests.support.searching import eventually, found, names, store_of

PATH = "/v1/embeddings"
MEANINGS = ("dog puppy hound", "tide sea water", "money price cost")
"""What the test's model knows: words of one line mean the same."""


def meaning(text: str) -> list[float]:
    """A number for each line of MEANINGS, and a little of something else."""
    words = text.lower().split()
    return [*(float(sum(words.count(word) for word in line.split())) for line in MEANINGS), 0.01]


async def by_meaning(exchange: Exchange) -> None:
    texts = exchange.request.json["input"]
    await reply([meaning(text) for text in texts])(exchange)


def reply(vectors: list[Any]) -> Reply:
    """An answer with these embeddings, in an order of its own: `index` tells theirs."""
    data = [{"index": place, "embedding": vector} for place, vector in enumerate(vectors)]
    return raw(200, json.dumps({"data": data[::-1]}).encode(), "application/json")


def in_turn(*replies: Reply) -> Reply:
    """These replies, one after the other; the last one for ever."""
    left = list(replies)

    async def answer(exchange: Exchange) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(exchange)

    return answer


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer(models=["chat-model", "nomic-embed-text"]) as server:
        server.routes[PATH] = by_meaning
        yield server


@pytest.fixture
async def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ScriptedEngine]:
    monkeypatch.setattr(embeddings, "PAUSES", (0.0, 0.0))
    async with scripted_engine(tmp_path) as running:
        yield running


async def connect(engine: ScriptedEngine, server: ProviderServer, **settings: Any) -> None:
    """Make the server the engine's default provider."""
    await engine.server.settle([ProviderSettings("local", "chat", server.base_url, **settings)], "local", {})


def embedded(server: ProviderServer) -> list[dict[str, Any]]:
    """The bodies of the requests for embeddings."""
    return [request.json for request in server.requests if request.path == PATH]


async def embedders(engine: ScriptedEngine) -> list[str | None]:
    """The model of each file, and nothing half done."""
    query = select(vector_store_files.c.embedder).order_by(vector_store_files.c.seq)
    return list(await engine.engine.database.read(lambda c: c.execute(query).scalars().all()))


async def all_embedded(engine: ScriptedEngine) -> None:
    async def embedded() -> bool:
        return None not in await embedders(engine)

    await eventually(embedded)


async def test_what_means_the_same_is_found_without_its_words(engine, server):
    await connect(engine, server)
    store_id = await store_of(engine, pets_md="Bring your dog", sea_md="The tide is high", shop_md="The price is low")
    assert await embedders(engine) == ["local/nomic-embed-text"] * 3
    assert await names(engine, store_id, "puppy", limit=1) == ["pets.md"]
    best, *_ = await found(engine, store_id, "puppy")
    assert best.score == pytest.approx(1.0, abs=0.01)
    assert await names(engine, store_id, "puppy", score_threshold=0.5) == ["pets.md"]
    assert {"model": "nomic-embed-text", "input": ["pets.md\nBring your dog"]} in embedded(server)


async def test_both_rankings_count(engine, server):
    await connect(engine, server)
    store_id = await store_of(engine, a_md="A hound barks.", b_md="A dog called Rex barks.", c_md="Rex is a king.")
    assert (await names(engine, store_id, "puppy called Rex"))[0] == "b.md"


async def test_embeddings_are_kept_as_float32_of_length_one(engine, server):
    await connect(engine, server)
    await store_of(engine, a_md="dog tide")
    packed = await engine.engine.database.read(lambda c: c.execute(select(chunks.c.embedding)).scalar_one())
    assert len(packed) == 4 * 4
    assert vectors.nearest(packed, vectors.parts([1], [packed]), 5)[1] == pytest.approx(1.0)


async def test_a_large_file_is_embedded_in_several_requests(engine, server, monkeypatch):
    monkeypatch.setattr(indexing, "PART", 5)
    monkeypatch.setattr(embeddings, "TEXTS", 2)
    await connect(engine, server)
    await store_of(engine, a_txt="Some words stand here. " * 3000)
    count = await engine.engine.database.read(lambda c: len(c.execute(select(chunks.c.embedding)).scalars().all()))
    assert sum(inputs := [len(body["input"]) for body in embedded(server)]) == count > 10
    assert max(inputs) == 2
    assert await embedders(engine) == ["local/nomic-embed-text"]


async def test_a_short_file_does_not_wait_for_all_embeddings_of_a_long_one(engine, server, monkeypatch):
    monkeypatch.setattr(indexing, "PART", 2)
    monkeypatch.setattr(indexing, "WORKERS", 1)
    await connect(engine, server)
    store_id = await store_of(engine, long_txt="Tides rise and fall. " * 3000, short_txt="A dog barks.")
    await all_embedded(engine)
    asked = ["short.txt" in body["input"][0] for body in embedded(server)]
    assert 1 <= asked.index(True) < len(asked) - 3
    assert await names(engine, store_id, "puppy", limit=1) == ["short.txt"]


async def test_a_file_counts_as_indexed_when_its_embeddings_take_long_and_they_follow(engine, server, monkeypatch):
    monkeypatch.setattr(indexing, "PART", 2)
    monkeypatch.setattr(indexing, "SOON", 0.0)
    gate = asyncio.Event()

    async def slow(exchange: Exchange) -> None:
        if len(embedded(server)) > 1:
            await gate.wait()
        await by_meaning(exchange)

    server.routes[PATH] = slow
    await connect(engine, server)
    store_id = await store_of(engine, long_txt="Tides rise and fall. " * 3000)
    assert await embedders(engine) == [None]
    assert await names(engine, store_id, "tides", limit=1) == ["long.txt"]
    gate.set()
    await all_embedded(engine)
    query = select(chunks.c.embedding)
    assert None not in await engine.engine.database.read(lambda c: c.execute(query).scalars().all())


async def test_what_another_model_had_begun_is_embedded_anew(engine, server, monkeypatch):
    monkeypatch.setattr(indexing, "PART", 2)
    monkeypatch.setattr(indexing, "SOON", 0.0)
    monkeypatch.setattr(embeddings, "PAUSES", ())

    async def once(exchange: Exchange) -> None:
        done = len(embedded(server)) > 1
        await (error(503) if done else reply([[1.0, 0.0], [1.0, 0.0]]))(exchange)

    server.routes[PATH] = once
    await connect(engine, server, embedding_model="first")
    await store_of(engine, long_txt="Tides rise and fall. " * 3000)
    server.routes[PATH] = by_meaning
    await connect(engine, server, embedding_model="second")
    await all_embedded(engine)
    packed = await engine.engine.database.read(lambda c: c.execute(select(chunks.c.embedding)).scalars().all())
    assert {len(one) for one in packed} == {4 * 4}


async def test_the_configured_model_comes_first(engine, server):
    await connect(engine, server, embedding_model="mine")
    await store_of(engine, a_md="dog")
    assert embedded(server)[0]["model"] == "mine"


async def test_without_a_model_for_embeddings_none_are_asked_for(engine, server):
    server.models = ["chat-model"]
    await connect(engine, server)
    store_id = await store_of(engine, a_md="dog")
    assert (await names(engine, store_id, "dog"), embedded(server)) == (["a.md"], [])


@pytest.mark.parametrize("status", [401, 404, 405])
async def test_a_refusal_is_remembered(engine, server, status):
    server.routes[PATH] = error(status)
    await connect(engine, server)
    store_id = await store_of(engine, a_md="dog", b_md="dog", c_md="dog")
    asked = len(embedded(server))
    assert 1 <= asked <= indexing.WORKERS
    await store_of(engine, d_md="dog")
    assert len(embedded(server)) == asked
    assert len(await names(engine, store_id, "dog")) == 3


async def test_another_provider_of_the_same_name_is_asked_again(engine, server):
    server.routes[PATH] = error(401)
    await connect(engine, server, api_key="wrong")
    store_id = await store_of(engine, a_md="dog")
    server.routes[PATH] = by_meaning
    await connect(engine, server, api_key="right")
    await all_embedded(engine)
    assert await names(engine, store_id, "puppy") == ["a.md"]


async def test_what_may_pass_is_tried_again_a_few_times(engine, server):
    server.routes[PATH] = in_turn(error(429), error(503), by_meaning)
    await connect(engine, server)
    await store_of(engine, a_md="dog")
    assert await embedders(engine) == ["local/nomic-embed-text"]


async def test_what_does_not_pass_leaves_the_files_for_later(engine, server, monkeypatch):
    monkeypatch.setattr(indexing, "REST", 0.05)
    broken = len(embeddings.PAUSES) + 1
    server.routes[PATH] = in_turn(*[error(503)] * broken * indexing.WORKERS, by_meaning)
    await connect(engine, server)
    store_id = await store_of(engine, a_md="dog", b_md="tide")
    assert set(await names(engine, store_id, "dog", "tide")) == {"a.md", "b.md"}
    await all_embedded(engine)
    assert (await names(engine, store_id, "puppy"))[0] == "a.md"


async def test_files_from_before_the_provider_came_are_embedded_then(engine, server):
    store_id = await store_of(engine, a_md="dog", b_md="tide")
    assert await names(engine, store_id, "puppy") == []
    await connect(engine, server)
    await all_embedded(engine)
    assert await names(engine, store_id, "puppy", limit=1) == ["a.md"]


async def test_two_workers_who_find_the_same_file_embed_it_once(engine, server, monkeypatch):
    await store_of(engine, a_md="dog")
    unembedded, waits = chunks_store.unembedded, [threading.Barrier(2).wait] * 2

    def at_once(*given: Any) -> int | None:
        if waits:
            waits.pop()(10)
        return unembedded(*given)

    monkeypatch.setattr(chunks_store, "unembedded", at_once)
    await connect(engine, server)
    await asyncio.gather(*engine.engine.search._indexer._workers)
    assert len(embedded(server)) == 1


async def test_long_texts_are_shortened_for_a_model_that_takes_no_long_ones(engine, server):
    async def strict(exchange: Exchange) -> None:
        long = any(len(text) > embeddings.SHORT for text in exchange.request.json["input"])
        await (error(400, "input is too long") if long else by_meaning)(exchange)

    server.routes[PATH] = strict
    await connect(engine, server)
    await store_of(engine, a_txt="dog " * 3000, b_txt="tide " * 1000)
    assert await embedders(engine) == ["local/nomic-embed-text"] * 2
    refused = [body for body in embedded(server) if any(len(text) > embeddings.SHORT for text in body["input"])]
    assert 1 <= len(refused) <= indexing.WORKERS


async def test_a_file_whose_texts_are_refused_is_found_by_its_words_and_holds_up_no_other(engine, server):
    async def picky(exchange: Exchange) -> None:
        bad = any("forbidden" in text for text in exchange.request.json["input"])
        await (error(400, "no") if bad else by_meaning)(exchange)

    server.routes[PATH] = picky
    await connect(engine, server)
    store_id = await store_of(engine, a_md="forbidden dog", b_md="dog")
    assert await embedders(engine) == [None, "local/nomic-embed-text"]
    assert set(await names(engine, store_id, "dog")) == {"a.md", "b.md"}


@pytest.mark.parametrize(
    "answer",
    [
        reply([]),
        reply([[]]),
        reply([["a"]]),
        reply([[True]]),
        reply([None]),
        reply([[10**400]]),
        reply([[1e300]]),
        raw(200, b'{"data": [{"embedding": [NaN]}]}', "application/json"),
        raw(200, b"[]", "application/json"),
        raw(200, b"<html>", "text/html"),
    ],
)
async def test_an_answer_that_is_no_embedding_is_not_used(engine, server, answer):
    server.routes[PATH] = answer
    await connect(engine, server)
    store_id = await store_of(engine, a_md="dog")
    assert await embedders(engine) == [None]
    assert await names(engine, store_id, "dog") == ["a.md"]


async def test_a_search_goes_by_words_when_the_query_cannot_be_embedded(engine, server, monkeypatch):
    await connect(engine, server)
    store_id = await store_of(engine, a_md="dog", b_md="tide")
    server.routes[PATH] = error(500)
    assert await names(engine, store_id, "dog") == ["a.md"]
    hang = asyncio.Event()

    async def hanging(_: Exchange) -> None:
        await hang.wait()

    server.routes[PATH] = hanging
    monkeypatch.setattr(embeddings, "ANSWER", 0.05)
    assert await names(engine, store_id, "dog") == ["a.md"]
    await engine.server.settle([], None, {})
    assert await names(engine, store_id, "dog") == ["a.md"]


async def test_embeddings_of_another_length_are_left_out(engine, server):
    await connect(engine, server)
    store_id = await store_of(engine, a_md="dog", b_md="tide")
    server.routes[PATH] = reply([[1.0, 0.0]])
    assert await names(engine, store_id, "dog") == ["a.md"]


async def test_a_provider_without_embeddings_has_none():
    assert not isinstance(RehearsalProvider(), EmbeddingProvider)
    registry = ProviderRegistry(own_addresses=list, probe=False)
    assert await registry.embedding_model() is None
    with pytest.raises(NoEmbeddings) as caught:
        await Embedder(registry).documents("rehearsal/echo", ["text"])
    assert not caught.value.passing


async def test_the_usual_model_is_taken_at_openai_and_wherever_it_is_listed(server):
    registry = ProviderRegistry(own_addresses=list, probe=False)
    await registry.replace([ProviderSettings("openai", "responses", "https://api.openai.com/v1", "key")], "openai")
    assert await registry.embedding_model() == f"openai/{OPENAI_EMBEDDING}"
    server.models = ["text-embedding-ada-002", OPENAI_EMBEDDING]
    await registry.replace([ProviderSettings("other", "chat", server.base_url)], "other")
    assert await registry.embedding_model() == f"other/{OPENAI_EMBEDDING}"
    await registry.replace([ProviderSettings("broken", "chat", problem="no key")], "broken")
    assert await registry.embedding_model() is None
    await registry.replace([], "gone")
    assert await registry.embedding_model() is None
    await registry.close()


async def test_a_provider_that_cannot_be_reached_is_a_failure_that_may_pass(server):
    provider = ChatProvider(ProviderSettings("local", "chat", server.base_url))
    await server.stop()
    with pytest.raises(ProviderError) as caught:
        await provider.embed("m", ["text"])
    assert embeddings.may_pass(caught.value)
    await provider.close()
    await server.start()


def test_texts_are_sent_in_requests_that_are_not_too_large():
    long = "x" * (embeddings.CHARACTERS - 1)
    assert [len(batch) for batch in embeddings.batches(["a", long, "b", "c"])] == [2, 2]
    assert [len(batch) for batch in embeddings.batches(["a"] * 70)] == [32, 32, 6]
    assert list(embeddings.batches([])) == []


@pytest.mark.parametrize("wrong", [[], [[float("inf")]], [[1.0], [1.0, 2.0]]])
def test_what_is_no_embedding_cannot_be_packed(wrong):
    with pytest.raises(ValueError, match=r"embeddings|shape"):
        vectors.packed(wrong)


def test_an_embedding_of_zeros_is_near_to_nothing():
    zeros, one = vectors.packed([[0.0, 0.0], [3.0, 4.0]])
    assert vectors.nearest(one, vectors.parts([1, 2], [zeros, one]), 2) == pytest.approx({2: 1.0, 1: 0.0})


def test_the_nearest_of_many_parts_are_kept():
    packed = vectors.packed([[1.0, number / 10] for number in range(10)])
    parts = [*vectors.parts(range(5), packed[:5]), *vectors.parts(range(5, 10), packed[5:])]
    assert list(vectors.nearest(packed[6], parts, 3)) == [6, 7, 5]
    assert vectors.nearest(packed[6], [], 3) == {}


def test_items_with_embeddings_of_several_lengths_are_told_apart():
    (short,), long = vectors.packed([[1.0, 0.0]]), vectors.packed([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    parts = list(vectors.parts([1, 2, 3], [long[0], short, long[1]]))
    assert vectors.nearest(long[1], parts, 5) == {3: 1.0, 1: 0.0}
    assert vectors.nearest(short, parts, 5) == {2: 1.0}


async def test_embeddings_of_chunks_that_are_gone_are_not_kept(engine):
    await engine.engine.database.write(lambda c: chunks_store.embed(c, {99: b"1234"}))
    await engine.engine.database.write(lambda c: chunks_store.embed(c, {}))
    assert await engine.engine.database.read(lambda c: c.execute(select(chunks)).all()) == []
