"""One measurement: the documents uploaded to an engine of its own, indexed, and all questions asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import func, select

from playground_tui.engine.store.tables import chunks
from playground_tui.engine.tools.base import Found, SearchRequest
from tests.retrieval.measures import ndcg, recall
from tests.retrieval.questions import QUESTIONS
from tests.support.engine import RunningEngine, running_engine

DOCUMENTS = Path(__file__).with_name("documents")
CHUNKING = ((800, 400), (200, 100), (100, 50))
"""The usual chunks, and smaller ones, of which there are more to choose from."""
DEPTH = 10
PATIENCE = 120.0
"""Seconds in which the documents must be indexed."""


@dataclass(frozen=True, slots=True)
class Report:
    """Means over all questions, and the questions whose answers were not all among the first five passages."""

    recall: float
    ndcg: float
    missed: Sequence[str]
    chunks: int


async def measured(
    directory: Path, size: int, overlap: int, base_url: str | None = None, model: str | None = None
) -> Report:
    """Measure with chunks of this size, by words alone or with the embeddings of a server's model."""
    async with running_engine(directory) as running:
        if base_url is not None:
            provider = {"name": "embeddings", "kind": "chat", "base_url": base_url, "embedding_model": model}
            await running.settle(providers=[provider], default_provider="embeddings")
        store_id = await _upload(running, size, overlap)
        assert await running.engine.search.settled([store_id], PATIENCE)
        rankings = [await _found(running, store_id, question.text) for question in QUESTIONS]
        count = await running.engine.database.read(
            lambda c: c.execute(select(func.count()).select_from(chunks)).scalar_one()
        )
        return _report(rankings, count)


def _report(rankings: Sequence[Sequence[Found]], count: int) -> Report:
    recalls = [recall(found, question) for found, question in zip(rankings, QUESTIONS, strict=True)]
    gains = [ndcg(found, question) for found, question in zip(rankings, QUESTIONS, strict=True)]
    missed = [question.text for question, value in zip(QUESTIONS, recalls, strict=True) if value < 1]
    return Report(sum(recalls) / len(recalls), sum(gains) / len(gains), missed, count)


async def _upload(running: RunningEngine, size: int, overlap: int) -> str:
    transport = httpx2.AsyncHTTPTransport(uds=str(running.socket))
    static = {"max_chunk_size_tokens": size, "chunk_overlap_tokens": overlap}
    async with httpx2.AsyncClient(transport=transport, base_url="http://engine/v1", timeout=60) as client:
        ids = [await _sent(client, path) for path in sorted(DOCUMENTS.iterdir())]
        body: dict[str, Any] = {"file_ids": ids, "chunking_strategy": {"type": "static", "static": static}}
        store = (await client.post("/vector_stores", json=body)).raise_for_status().json()
    return str(store["id"])


async def _sent(client: httpx2.AsyncClient, path: Path) -> str:
    form = {"purpose": "assistants"}
    response = await client.post("/files", files={"file": (path.name, path.read_bytes())}, data=form)
    return str(response.raise_for_status().json()["id"])


async def _found(running: RunningEngine, store_id: str, question: str) -> list[Found]:
    return await running.engine.search.search(SearchRequest([question], [store_id], limit=DEPTH))
