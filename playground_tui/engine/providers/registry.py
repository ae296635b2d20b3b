"""The providers there are: handed over by visitors, found on this machine, and the rehearsal that is always there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from playground_tui.engine.providers.base import EmbeddingProvider, Provider, ProviderSettings
from playground_tui.engine.providers.discovery import KINDS, Found, discover
from playground_tui.engine.providers.known import Addresses, Known, Providers, port_of
from playground_tui.engine.providers.rehearsal import RehearsalProvider

FRESH = 60.0
"""Seconds for which a provider's list of models is not asked for again."""
HEAD_START = 0.3
"""Seconds that taking over new settings waits for the default provider's models, so that a first one can be named."""

FIRST_VISITOR = 5.0
"""Seconds that a run waits in a new engine for the providers that its first visitor brings."""


class UnknownProvider(Exception):
    """A model's provider is not there or cannot be used. `str(error)` is a sentence."""


class ProviderRegistry:
    """Which provider answers for which model id.

    What is known stands in one frozen `Providers`, which is replaced as a whole. A run keeps the provider it began
    with: one that is no longer known closes its connections when its last stream has ended.

    `own_addresses` are the engine's TCP listeners, `ports` replaces the local servers' usual ports by kind.
    """

    def __init__(
        self,
        *,
        own_addresses: Callable[[], Addresses],
        probe: bool = True,
        rehearsal: Provider | None = None,
        ports: Mapping[str, int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._own_addresses = own_addresses
        self._probe = probe
        self._ports = ports
        self._clock = clock
        settings = ProviderSettings("rehearsal", "rehearsal", origin="built in")
        self._rehearsal = Known(settings, rehearsal or RehearsalProvider())
        self._providers = Providers({"rehearsal": self._rehearsal}, "rehearsal")
        self._gone: frozenset[str] = frozenset(kind.name for kind in KINDS)
        self._replacing = asyncio.Lock()
        self._told = asyncio.Event()
        """Whether a visitor has said which providers there are."""
        self._refreshing: set[asyncio.Task[None]] = set()

    async def replace(self, settings: Sequence[ProviderSettings], default: str | None) -> None:
        """Use these providers for new runs, and the local servers that answer now.

        Providers whose settings did not change stay as they are, with what they have learned.
        """
        async with self._replacing:
            found = await self._discover(settings)
            before = self._providers
            self._providers = self._arranged(before, settings, found, default)
            self._told.set()
            kept = {id(known) for known in self._providers.known.values()}
            self._gone |= set(before.known) - {"rehearsal"}
            for known in before.known.values():
                if id(known) not in kept:
                    await known.provider.close()
        await self._learn_default()

    async def wait_for_visitor(self, model: str) -> None:
        """Wait until it is known which providers there are, for a model of which that matters.

        An engine begins with none. What was on its way to the one that died before it may arrive ahead of the first
        visitor, who brings them; where nobody does within FIRST_VISITOR, it goes on without.
        """
        if not model.startswith("rehearsal/"):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), FIRST_VISITOR)

    def resolve(self, model: str, hint: str | None = None) -> tuple[Provider, str]:
        """The provider for a model id and the provider's own id of it. `hint` names the provider of a bare id.

        Raises UnknownProvider.
        """
        providers = self._providers
        name, slash, own = model.partition("/")
        if not slash or (name not in providers.known and name not in self._gone):
            name, own = hint or providers.default, model
        known = providers.known.get(name)
        if known is None:
            raise UnknownProvider(missing(name))
        if problem := known.problem(self._own_addresses()):
            raise UnknownProvider(problem)
        if not own:
            raise UnknownProvider(f"No model is named: {name} needs one, as in {name}/MODEL.")
        return known.provider, own

    async def models(self) -> list[dict[str, Any]]:
        """The models of all providers as the contract's objects, with full ids. Providers that do not answer are left
        out."""
        providers = self._providers
        usable = [known for known in providers.known.values() if not known.problem(self._own_addresses())]
        await asyncio.gather(*(self._refresh(known) for known in usable))
        return [
            {"id": f"{known.settings.name}/{model}", "object": "model", "created": 0, "owned_by": known.settings.name}
            for known in usable
            for model in known.models
        ]

    async def embedding_model(self) -> str | None:
        """The full id of the default provider's model for embeddings, None if it is known to have none."""
        known = self._providers.known.get(self._providers.default)
        if known is None or known.problem(self._own_addresses()) or not isinstance(known.provider, EmbeddingProvider):
            return None
        if not (own := known.embedding_model()):
            await self._refresh(known)
            own = known.embedding_model()
        return f"{known.settings.name}/{own}" if own else None

    @property
    def tools_elsewhere(self) -> bool:
        """Whether a provider brings its own tools: files and vector stores may be there then."""
        return any(known.settings.tools == "provider" for known in self._providers.known.values())

    def describe(self) -> dict[str, Any]:
        """`providers`, `default_provider`, `default_model` and `sentence` for people, in plain values."""
        return self._providers.describe(self._own_addresses())

    async def close(self) -> None:
        """Close every connection."""
        tasks = list(self._refreshing)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for known in self._providers.known.values():
            await known.provider.close()

    def _arranged(
        self, before: Providers, settings: Sequence[ProviderSettings], found: Sequence[Found], default: str | None
    ) -> Providers:
        """The new state: handed-over providers before found ones, rehearsal last."""
        wanted = {entry.name: entry for entry in (*(one.settings for one in found), *settings)}
        wanted.pop("rehearsal", None)
        known = {name: reused(before.known.get(name), entry) for name, entry in wanted.items()}
        trusted = frozenset(one.settings.name for one in found if one.trusted)
        providers = Providers({**known, "rehearsal": self._rehearsal}, default or "", trusted)
        return providers if default else providers.with_usual_default(self._own_addresses())

    async def _discover(self, settings: Sequence[ProviderSettings]) -> list[Found]:
        if not self._probe:
            return []
        taken = [port for _, port in self._own_addresses()]
        taken += [port for entry in settings if (port := port_of(entry, local=True))]
        found = await discover(ports=self._ports, taken=taken)
        return [one for one in found if one.settings.name not in {entry.name for entry in settings}]

    async def _learn_default(self) -> None:
        """Ask the default provider for its models, and wait a moment for the answer."""
        known = self._providers.known.get(self._providers.default)
        if known is None or known.problem(self._own_addresses()):
            return
        task = asyncio.create_task(self._refresh(known), name=f"models of {known.settings.name}")
        self._refreshing.add(task)
        task.add_done_callback(self._refreshing.discard)
        await asyncio.wait({task}, timeout=HEAD_START)

    async def _refresh(self, known: Known) -> None:
        """Ask for a provider's models, unless that was done a moment ago."""
        if known.asked_at is None or self._clock() - known.asked_at >= FRESH:
            await known.ask(self._clock)


def reused(known: Known | None, settings: ProviderSettings) -> Known:
    """The provider that is already there when nothing about it changed, else a new one."""
    return known if known is not None and known.settings == settings else Known.of(settings)


def missing(name: str) -> str:
    """Why a provider is not there."""
    if name in {kind.name for kind in KINDS}:
        return f"Provider {name} was not found on this machine: start it, then start the playground again."
    return f"Provider {name} is not configured."
