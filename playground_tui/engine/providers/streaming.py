"""What the two HTTP providers share: asking again without what a server refuses, and remembering it.

A server or model that does not take a parameter answers 400 and names it. temperature, top_p and reasoning_effort are
then left out (and said so: `Dropped`); what we add ourselves (`stream_options`, `max_completion_tokens`) is left out or
said in another way without a word. Only before the first text: after it the answer would begin twice.
"""

from __future__ import annotations

import re
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from typing import Any

import httpx2

from playground_tui.engine.providers.base import (
    Dropped,
    ModelRequest,
    ProviderError,
    ProviderEvent,
    ProviderSettings,
    ToolsRefused,
)
from playground_tui.engine.providers.http import Http
from playground_tui.engine.providers.refusals import Refused, garbage
from playground_tui.engine.providers.shapes import is_number, mappings, whole

OPTIONAL = {
    "reasoning_effort": re.compile(r"reasoning|thinking", re.IGNORECASE),
    "temperature": re.compile(r"\btemperature\b", re.IGNORECASE),
    "top_p": re.compile(r"\btop_?p\b", re.IGNORECASE),
}
"""The parameters a request can go without, and how servers name them."""
UNSUPPORTED = re.compile(
    r"unsupported|not support|n't support|unrecogni[sz]ed|unknown|unexpected|not permitted|not allowed"
    r"|extra (?:fields|inputs)|not accept|not available|deprecated|cannot (?:both )?be|not compatible|incompatible"
    r"|only the default",
    re.IGNORECASE,
)
TOOLLESS = re.compile(
    r"(?:support|accept|requires?|not available|not permitted).*\b(?:tools?|function.?call)"
    r"|\b(?:tool|function.?call).*(?:support|accept|requires?|not available|not permitted)",
    re.IGNORECASE,
)
"""How servers say that a model takes no tools: Ollama, vLLM, llama.cpp and OpenRouter each in other words."""
TOOLLESS_STATUSES = frozenset({400, 404, 422, 500, 501})
TOOLLESS_SECONDS = 600.0
"""So long a refusal of tools is remembered: a server may be started anew with an option that makes it take them."""

EMBEDDING = 60.0
"""Seconds in which the embeddings of one request must come."""


class HttpProvider(ABC):
    """A provider on HTTP. What a model refused is kept in `_refused` while the provider lives."""

    extras: frozenset[str] = frozenset()
    """Our own additions to a request that a server may refuse."""

    def __init__(self, settings: ProviderSettings):
        self.name = settings.name
        self.settings = settings
        self._http = Http(settings)
        self._refused: dict[str, frozenset[str]] = {}
        self._toolless: dict[str, tuple[float, ToolsRefused]] = {}
        """The models that refused tools: until when that is remembered, and what was said."""

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ProviderEvent, None]:
        """Ask the model, without what it is known to refuse. Raises ProviderError."""
        if request.tools and not request.tools_needed:
            self._raise_known_refusal(request.model)
        told: set[str] = set()
        while True:
            refused = self._refused.get(request.model, frozenset())
            for parameter in given(request) & refused - told:
                told.add(parameter)
                yield Dropped(parameter)
            begun = False
            try:
                async with aclosing(self._attempt(without(request, refused), refused)) as events:
                    async for event in events:
                        begun = True
                        yield event
                return
            except Refused as refusal:
                more = self._unsupported(refusal, request) - refused
                if begun or not more:
                    raise self._refusal(refusal, request, begun) from refusal
                self._refused[request.model] = refused | more

    def forwarded(self, path: str, body: Mapping[str, Any]) -> AbstractAsyncContextManager[httpx2.Response]:
        """POST `body` as it is; see `Http.forwarded`."""
        return self._http.forwarded(path, body)

    async def models(self) -> Sequence[str]:
        """Ids of the provider's models, the newest first where it tells their age. Raises ProviderError."""
        answer = await self._http.get("/models")
        listed = answer.get("data", answer.get("models"))
        if not isinstance(listed, list):
            raise garbage(self.settings, "")
        found = [(whole(model.get("created")), str(model["id"])) for model in mappings(listed) if "id" in model]
        return [name for _, name in sorted(found, key=lambda model: -model[0])]

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """The embedding of each text, in order. Raises ProviderError."""
        answer = await self._http.post("/embeddings", {"model": model, "input": list(texts)}, seconds=EMBEDDING)
        listed = sorted(mappings(answer.get("data")), key=lambda entry: whole(entry.get("index")))
        found = [entry.get("embedding") for entry in listed]
        if len(found) != len(texts) or not all(is_embedding(numbers) for numbers in found):
            raise garbage(self.settings, "")
        return [[float(number) for number in numbers] for numbers in found if numbers]

    async def close(self) -> None:
        """Close the connections, at once or when the last stream has ended."""
        await self._http.close()

    def _raise_known_refusal(self, model: str) -> None:
        until, said = self._toolless.get(model, (0.0, None))
        if said is not None and time.monotonic() < until:
            raise ToolsRefused(str(said), code=said.code, status=said.status)

    def _refusal(self, refusal: Refused, request: ModelRequest, begun: bool) -> ProviderError:
        """The refusal, as one of tools if it is."""
        of_tools = request.tools and refusal.status in TOOLLESS_STATUSES and TOOLLESS.search(refusal.said)
        if begun or not of_tools:
            return refusal
        of_tools_alone = ToolsRefused(str(refusal), code=refusal.code, status=refusal.status)
        self._toolless[request.model] = time.monotonic() + TOOLLESS_SECONDS, of_tools_alone
        return of_tools_alone

    @abstractmethod
    def _attempt(self, request: ModelRequest, refused: frozenset[str]) -> AsyncGenerator[ProviderEvent, None]:
        """One request. Raises Refused when the server answers with an error status."""

    def _unsupported(self, refusal: Refused, request: ModelRequest) -> frozenset[str]:
        """The parameter this refusal is about, if the request can go without it."""
        if refusal.status not in {400, 422}:
            return frozenset()
        words = f"{refusal.param} {refusal.said}"
        if not UNSUPPORTED.search(f"{refusal.kind} {refusal.said}"):
            return frozenset()
        named = [name for name in self.extras if name in words]
        named += [
            name for name, pattern in OPTIONAL.items() if name in given(request) and pattern.search(refusal.param)
        ]
        named += [name for name, pattern in OPTIONAL.items() if name in given(request) and pattern.search(refusal.said)]
        return frozenset(named[:1])


def is_embedding(numbers: object) -> bool:
    """Whether this is a list of numbers and not empty."""
    return isinstance(numbers, list) and bool(numbers) and all(map(is_number, numbers))


def given(request: ModelRequest) -> frozenset[str]:
    """The optional parameters the request has."""
    return frozenset(name for name in OPTIONAL if getattr(request, name) is not None)


def without(request: ModelRequest, refused: frozenset[str]) -> ModelRequest:
    changes: dict[str, Any] = dict.fromkeys(given(request) & refused)
    return replace(request, **changes)
