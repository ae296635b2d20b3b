"""The search service: files of vector stores are indexed in the background and searched."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from sqlalchemy import Connection

from playground_tui.engine.files import Files
from playground_tui.engine.providers.registry import ProviderRegistry
from playground_tui.engine.store import chunks, vector_stores
from playground_tui.engine.store.chunks import Source
from playground_tui.engine.store.database import Database
from playground_tui.engine.store.failures import StoreFailed
from playground_tui.engine.tools.base import Found, SearchRequest
from playground_tui.engine.tools.file_search.embeddings import Embedder
from playground_tui.engine.tools.file_search.filters import passes
from playground_tui.engine.tools.file_search.held import Held
from playground_tui.engine.tools.file_search.indexing import Indexer
from playground_tui.engine.tools.file_search.reading.process import Limits
from playground_tui.engine.tools.file_search.searching import find

IDLE = 600.0
"""Seconds after the last search in which embeddings stay in memory."""


class SearchService:
    """Indexing and search of this engine's vector stores."""

    def __init__(
        self,
        database: Database,
        files: Files,
        providers: ProviderRegistry,
        *,
        clock: Callable[[], float] = time.time,
        limits: Limits | None = None,
    ):
        self._database = database
        self._clock = clock
        self._embedder = Embedder(providers)
        self._indexer = Indexer(database, files, self._embedder, limits=limits)
        self._held = Held()
        self._letting_go: asyncio.TimerHandle | None = None

    async def search(self, request: SearchRequest) -> list[Found]:
        """The best pieces, best first."""
        now = int(self._clock())
        stores = await self._database.read(lambda c: vector_stores.usable(c, request.vector_store_ids, now=now))
        sources = await self._database.read(partial(_wanted, stores=stores, request=request))
        embedded = await self._embedded(request.queries, sources)
        finding = partial(find, request=request, sources=sources, embedded=embedded, held=self._held)
        found = await self._database.read(finding)
        self._let_go_later()
        if stores:
            with suppress(StoreFailed):  # what was found is there, whether its use can be noted or not
                await self._database.write(lambda c: vector_stores.touch(c, stores, at=now))
        return found

    async def settled(self, vector_store_ids: Sequence[str], seconds: float) -> bool:
        """Wait until no file of these stores is being indexed, at most so long; whether that came true."""
        return await self._indexer.settled(vector_store_ids, seconds)

    def wake(self) -> None:
        """Files were added or taken out, or there are other providers: go on in the background. Called at start too,
        for what an engine before left."""
        self._indexer.wake()

    async def stop(self) -> None:
        """End the work under way; what is not indexed stays in progress for the next engine."""
        await self._indexer.stop()
        if self._letting_go is not None:
            self._letting_go.cancel()

    def _let_go_later(self) -> None:
        """Hold no embeddings any more once nobody has searched for a while."""
        if self._letting_go is not None:
            self._letting_go.cancel()
        self._letting_go = asyncio.get_running_loop().call_later(IDLE, self._held.clear)

    async def _embedded(self, queries: Sequence[str], sources: Sequence[Source]) -> dict[str, list[bytes]]:
        """The queries' embeddings by each of the models that the files were embedded with."""
        models = dict.fromkeys(source.embedder for source in sources if source.embedder is not None)
        asked = {model: await self._embedder.queries(model, queries) for model in models}
        return {model: made for model, made in asked.items() if made is not None}


def _wanted(c: Connection, *, stores: Sequence[str], request: SearchRequest) -> list[Source]:
    return [source for source in chunks.sources(c, stores) if passes(source.attributes, request.filters)]
