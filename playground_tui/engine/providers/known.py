"""One state of the registry: the providers that are known, which is the default, and what to say about them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import httpx2

from playground_tui.engine.providers.base import Provider, ProviderError, ProviderSettings
from playground_tui.engine.providers.chat import ChatProvider
from playground_tui.engine.providers.discovery import KINDS
from playground_tui.engine.providers.http import loopback
from playground_tui.engine.providers.refusals import where
from playground_tui.engine.providers.rehearsal import RehearsalProvider
from playground_tui.engine.providers.responses import ResponsesProvider
from playground_tui.redaction import shown_url

Addresses = list[tuple[str, int]]
"""(host, port) of TCP listeners."""

OPENAI = "api.openai.com"
OPENAI_EMBEDDING = "text-embedding-3-small"
NO_CHAT = re.compile(
    r"embed|whisper|tts|dall-e|moderation|image|audio|realtime|transcribe|sora|rerank|babbage|davinci|instruct|search"
    r"|computer-use|codex|deep-research|-pro\b",
    re.IGNORECASE,
)
"""Models of a list that a new assistant would not want."""
UNREACHABLE = "unreachable: "
ANYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 -- recognised, not listened on


@dataclass(slots=True)
class Known:
    """A provider with what is known of it: its models, newest first, and whether it answered when asked."""

    settings: ProviderSettings
    provider: Provider
    state: str = "unknown"
    models: tuple[str, ...] = ()
    asked_at: float | None = None
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    @classmethod
    def of(cls, settings: ProviderSettings) -> Self:
        kinds: Mapping[str, Callable[[ProviderSettings], Provider]] = {
            "chat": ChatProvider,
            "responses": ResponsesProvider,
        }
        make = kinds.get(settings.kind)
        return cls(settings, make(settings) if make else RehearsalProvider())

    def problem(self, own: Addresses) -> str:
        """Why this provider cannot be used, as a sentence, or ""."""
        return self.settings.problem or (own_sentence(self.settings) if is_own(self.settings, own) else "")

    def embedding_model(self) -> str:
        """The provider's own id of its model for embeddings: what is configured, the usual one at OpenAI, elsewhere the
        first of the list that is called so; "" if there is none."""
        if self.settings.embedding_model:
            return self.settings.embedding_model
        if OPENAI in where(self.settings) or OPENAI_EMBEDDING in self.models:
            return OPENAI_EMBEDDING
        return next((model for model in self.models if "embed" in model.lower()), "")

    async def ask(self, clock: Callable[[], float]) -> None:
        """Bring `models` and `state` up to date. A provider that cannot be reached keeps an empty list."""
        begun = clock()
        async with self._asking:
            if self.asked_at is not None and self.asked_at >= begun:
                return
            try:
                self.models, self.state = tuple(await self.provider.models()), "ok"
            except ProviderError as error:
                self.models, self.state = (), f"{UNREACHABLE}{error}"
            self.asked_at = clock()


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers by name and the name of the default one (which need not be among them).

    `trusted` are the found ones that may become the default by themselves.
    """

    known: Mapping[str, Known]
    default: str
    trusted: frozenset[str] = frozenset()

    def with_usual_default(self, own: Addresses) -> Providers:
        """openai if it has a key, the local servers in their order, whatever else is configured, rehearsal."""
        order = ["openai", *(kind.name for kind in KINDS), *self.known]
        chosen = (name for name in order if name in self.known and self._may_be_default(self.known[name], own))
        return replace(self, default=next(chosen, "rehearsal"))

    def _may_be_default(self, known: Known, own: Addresses) -> bool:
        settings = known.settings
        if settings.origin == "discovered":
            return settings.name in self.trusted
        keyless = settings.api_key is None and OPENAI in where(settings)
        return settings.kind != "rehearsal" and not keyless and not known.problem(own)

    def describe(self, own: Addresses) -> dict[str, Any]:
        """The providers' part of what the engine says of itself. No keys."""
        return {
            "providers": [self._entry(known, own) for known in self.known.values()],
            "default_provider": self.default,
            "default_model": self.default_model(),
            "sentence": self.sentence(own),
        }

    def _entry(self, known: Known, own: Addresses) -> dict[str, Any]:
        settings = known.settings
        problem = known.problem(own)
        return {
            "name": settings.name,
            "kind": settings.kind,
            "base_url": shown_url(settings.base_url),
            "has_key": settings.api_key is not None,
            "origin": settings.origin,
            "state": f"not usable: {problem}" if problem else known.state,
        }

    def default_model(self) -> str:
        """Full id of a model for a new assistant, or "" while none is known."""
        if self.default == "rehearsal":
            return "rehearsal/echo"
        known = self.known.get(self.default)
        models = known.models if known else ()
        chosen = next((model for model in models if not NO_CHAT.search(model)), "")
        return f"{self.default}/{chosen}" if chosen else ""

    def sentence(self, own: Addresses) -> str:
        """One line for the screen: which provider is in use and, without one, how to connect one."""
        known = self.known.get(self.default)
        if known is None:
            return f"{self.default} is the default provider but is not configured: name another in config.toml."
        if problem := known.problem(own):
            return problem
        if self.default == "rehearsal":
            return f"rehearsal: no model is connected. {self._how_to_connect(own)}"
        if known.state.startswith(UNREACHABLE):
            return known.state.removeprefix(UNREACHABLE)
        found = ", found on this machine" if known.settings.origin == "discovered" else ""
        return f"{self.default} ({where(known.settings)}{found})"

    def _how_to_connect(self, own: Addresses) -> str:
        problem = next((known.problem(own) for known in self.known.values() if known.problem(own)), "")
        if problem:
            return problem
        strangers = [name for name, known in self.known.items() if known.settings.origin == "discovered"]
        if strangers and not self.trusted:
            name = strangers[0]
            return f'{name} runs here, maybe as another user: default_provider = "{name}" in config.toml uses it.'
        return "Set OPENAI_API_KEY or start Ollama; restart."


def is_own(settings: ProviderSettings, own: Addresses) -> bool:
    """Whether the provider's address is one of our own listeners."""
    port = port_of(settings)
    if port is None:
        return False
    host = httpx2.URL(settings.base_url).host
    return any(port == ours and same_host(host, listening) for listening, ours in own)


def same_host(host: str, listening: str) -> bool:
    """Whether a request to `host` may reach a socket that listens on `listening`, as far as names tell."""
    return host == listening or (
        (loopback(host) or host in ANYWHERE) and (loopback(listening) or listening in ANYWHERE)
    )


def port_of(settings: ProviderSettings, *, local: bool = False) -> int | None:
    """The port of the provider's address; with `local`, only if it is on this machine."""
    try:
        url = httpx2.URL(settings.base_url)
    except httpx2.InvalidURL:
        return None
    if not url.host or (local and not loopback(url.host)):
        return None
    return url.port or {"http": 80, "https": 443}.get(url.scheme)


def own_sentence(settings: ProviderSettings) -> str:
    """What to do about a provider that is this engine."""
    check = "OPENAI_BASE_URL" if settings.origin == "environment" else f"base_url of [providers.{settings.name}]"
    return f"Provider {settings.name} is this engine itself: check {check}."
