"""The official SDK on vector stores, with files that are indexed while it polls."""

from __future__ import annotations

from collections.abc import AsyncIterator

import openai
import pytest
from openai import AsyncOpenAI

from tests.support.engine import RunningEngine

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")

POLL = 10
"""Milliseconds between two looks."""
PARROTS = ("parrots.md", b"# Parrots\n\nThe parrot of the harbour master is blue.\n")


@pytest.fixture
async def sdk(engine: RunningEngine) -> AsyncIterator[AsyncOpenAI]:
    address = await engine.tcp()
    async with AsyncOpenAI(base_url=address.base_url, api_key=address.key, max_retries=0) as client:
        yield client


async def test_a_file_is_uploaded_indexed_and_found(sdk: AsyncOpenAI) -> None:
    stores = sdk.vector_stores
    store = await stores.create(name="docs", expires_after={"anchor": "last_active_at", "days": 3})
    assert (store.object, store.status, store.file_counts.total) == ("vector_store", "completed", 0)
    file = await stores.files.upload_and_poll(
        vector_store_id=store.id, file=PARROTS, poll_interval_ms=POLL, attributes={"kind": "bird"}
    )
    assert (file.status, file.last_error, file.attributes) == ("completed", None, {"kind": "bird"})
    assert file.usage_bytes > 0
    after = await stores.retrieve(store.id)
    assert (after.file_counts.completed, after.usage_bytes) == (1, file.usage_bytes)
    found = await stores.search(store.id, query="which colour has the parrot?")
    assert [(one.filename, one.file_id, one.attributes) for one in found.data] == [
        ("parrots.md", file.id, {"kind": "bird"})
    ]
    assert "The parrot of the harbour master is blue." in found.data[0].content[0].text
    fish = {"type": "eq", "key": "kind", "value": "fish"}
    assert (await stores.search(store.id, query="parrot", filters=fish)).data == []  # type: ignore[arg-type]
    (piece,) = (await stores.files.content(file.id, vector_store_id=store.id)).data
    assert piece.type == "text"
    assert "harbour master" in (piece.text or "")
    assert (await sdk.files.delete(file.id)).deleted
    assert (await stores.search(store.id, query="parrot")).data == []
    assert [one.id async for one in stores.files.list(store.id)] == []


async def test_a_batch_says_how_its_files_ended(sdk: AsyncOpenAI) -> None:
    stores = sdk.vector_stores
    store = await stores.create()
    batch = await stores.file_batches.upload_and_poll(
        vector_store_id=store.id, files=[PARROTS, ("a.txt", b"Apples."), ("b.bin", bytes(256))], poll_interval_ms=POLL
    )
    counts = batch.file_counts
    assert (batch.status, counts.completed, counts.failed, counts.total) == ("completed", 2, 1, 3)
    failed = [
        one
        async for one in stores.file_batches.list_files(
            batch.id, vector_store_id=store.id, filter="failed", limit=1, order="asc"
        )
    ]
    assert [one.last_error and one.last_error.code for one in failed] == ["unsupported_file"]
    again = await stores.file_batches.create_and_poll(
        store.id, files=[{"file_id": failed[0].id}], poll_interval_ms=POLL
    )
    assert (again.status, again.file_counts.failed) == ("failed", 1)
    assert (await stores.file_batches.cancel(again.id, vector_store_id=store.id)).status == "failed"


async def test_attached_files_are_indexed_for_the_thread(sdk: AsyncOpenAI) -> None:
    file = await sdk.files.create(file=PARROTS, purpose="assistants")
    thread = await sdk.beta.threads.create(
        messages=[
            {
                "role": "user",
                "content": "Which colour?",
                "attachments": [{"file_id": file.id, "tools": [{"type": "file_search"}]}],
            }
        ]
    )
    assert thread.tool_resources is not None
    assert thread.tool_resources.file_search is not None
    (store_id,) = thread.tool_resources.file_search.vector_store_ids or []
    indexed = await sdk.vector_stores.files.poll(file.id, vector_store_id=store_id, poll_interval_ms=POLL)
    assert indexed.status == "completed"
    assert (await sdk.vector_stores.search(store_id, query="parrot")).data[0].file_id == file.id


async def test_refusals_are_the_sdks_own_errors(sdk: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="No vector store found with id 'vs_x'"):
        await sdk.vector_stores.retrieve("vs_x")
    with pytest.raises(openai.BadRequestError) as refused:
        await sdk.vector_stores.create(expires_after={"anchor": "last_active_at", "days": 400})
    assert (refused.value.param, refused.value.code) == ("expires_after.days", "invalid_value")
