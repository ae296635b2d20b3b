"""Embeddings from the model providers, where they have any."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence

from playground_tui.engine.providers.base import EmbeddingProvider, Provider, ProviderError
from playground_tui.engine.providers.refusals import Refused
from playground_tui.engine.providers.registry import ProviderRegistry, UnknownProvider
from playground_tui.engine.tools.file_search.vectors import packed

TEXTS = 32
"""The texts of one request, at most."""
CHARACTERS = 200_000
"""And their characters, together."""
PAUSES = (1.0, 4.0)
"""Seconds before a request is repeated that failed in a way that may pass."""
ANSWER = 10.0
"""Seconds that a search waits for the embedding of its queries."""
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Statuses of failures that may pass."""
REFUSALS = frozenset({401, 403, 404, 405, 501})
"""Statuses that a server would answer to any text."""
TOO_LONG = frozenset({400, 413, 422, 500})
"""Statuses that servers answer to texts that are too long for the model."""
SHORT = 1_500
"""Characters that every model takes."""
_log = logging.getLogger(__name__)


class NoEmbeddings(Exception):
    """Embeddings cannot be had. `passing`: they may be in a while."""

    def __init__(self, reason: object, *, passing: bool):
        super().__init__(str(reason))
        self.passing = passing


class Embedder:
    """Texts to embeddings, by the models of the providers."""

    def __init__(self, providers: ProviderRegistry, *, pause: Callable[[float], Awaitable[object]] = asyncio.sleep):
        self._providers = providers
        self._pause = pause
        self._refused: dict[str, Provider] = {}
        """Models that cannot be used, with the provider that said so: another one of the same name is asked again."""
        self._short: set[str] = set()
        """Models that take no long texts."""

    async def model(self) -> str | None:
        """The full id of the model by which new files are embedded: the default provider's; None if it has none."""
        model = await self._providers.embedding_model()
        provider = self._provider(model) if model else None
        return model if model and provider and self._refused.get(model) is not provider else None

    def _provider(self, model: str) -> Provider | None:
        """Whose model it is, None if that one was taken away meanwhile."""
        try:
            return self._providers.resolve(model)[0]
        except UnknownProvider:
            return None

    async def documents(self, model: str, texts: Sequence[str]) -> list[bytes]:
        """The packed embeddings of texts. Raises NoEmbeddings."""
        return [embedding for batch in batches(texts) for embedding in await self._tried(model, batch)]

    async def queries(self, model: str, texts: Sequence[str]) -> list[bytes] | None:
        """The same for what is looked for: at once or, when they cannot be had at once, None."""
        try:
            async with asyncio.timeout(ANSWER):
                return await self._asked(model, list(texts))
        except (ProviderError, UnknownProvider, TimeoutError, ValueError) as error:
            _log.warning("searching without embeddings of %s: %s", model, error or "no answer in time")
            return None

    async def _tried(self, model: str, batch: list[str]) -> list[bytes]:
        pauses = iter(PAUSES)
        while True:
            try:
                return await self._fitting(model, batch)
            except (ProviderError, UnknownProvider, ValueError) as error:
                pause = next(pauses, None) if may_pass(error) else None
                if pause is None:
                    raise self._given_up(model, error) from error
            await self._pause(pause)

    async def _fitting(self, model: str, batch: list[str]) -> list[bytes]:
        """Many local models take 512 tokens at a time: a longer text is known by its beginning then."""
        if model not in self._short:
            try:
                return await self._asked(model, batch)
            except Refused as refusal:
                if refusal.status not in TOO_LONG or max(map(len, batch)) <= SHORT:
                    raise
        embeddings = await self._asked(model, [text[:SHORT] for text in batch])
        self._short.add(model)
        return embeddings

    def _given_up(self, model: str, error: Exception) -> NoEmbeddings:
        _log.warning("no embeddings of %s: %s", model, error)
        provider = self._provider(model)
        if provider and isinstance(error, Refused) and error.status in REFUSALS:
            self._refused[model] = provider
        return NoEmbeddings(error, passing=may_pass(error))

    async def _asked(self, model: str, texts: list[str]) -> list[bytes]:
        provider, own = self._providers.resolve(model)
        if not isinstance(provider, EmbeddingProvider):
            raise UnknownProvider(f"{provider.name} has no embeddings.")
        return packed(await provider.embed(own, texts))


def may_pass(error: Exception) -> bool:
    """Whether the same request may work in a moment."""
    return isinstance(error, ProviderError) and (error.status is None or error.status in PASSING)


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in as many requests as they need."""
    batch: list[str] = []
    for text in texts:
        if batch and (len(batch) == TEXTS or sum(map(len, batch)) + len(text) > CHARACTERS):
            yield batch
            batch = []
        batch.append(text)
    if batch:
        yield batch
