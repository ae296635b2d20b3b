"""The search service: files of vector stores are indexed in the background and searched."""

from __future__ import annotations

from collections.abc import Sequence

from playground_tui.engine.files import Files
from playground_tui.engine.providers.registry import ProviderRegistry
from playground_tui.engine.store.database import Database
from playground_tui.engine.tools.base import Found, SearchRequest


class SearchService:
    """Indexing and search of this engine's vector stores."""

    def __init__(self, database: Database, files: Files, providers: ProviderRegistry):
        self._database = database
        self._files = files
        self._providers = providers

    async def search(self, request: SearchRequest) -> list[Found]:
        """The best pieces, best first."""
        raise NotImplementedError

    async def settled(self, vector_store_ids: Sequence[str], seconds: float) -> bool:
        """Wait until no file of these stores is being indexed, at most so long; whether that came true."""
        raise NotImplementedError

    def wake(self) -> None:
        """Files were added: index them in the background. Called at start too, for what an engine before left."""

    async def stop(self) -> None:
        """End the work under way; what is not indexed stays in progress for the next engine."""
