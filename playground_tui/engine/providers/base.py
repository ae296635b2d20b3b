"""What a run asks of a model provider, and what a provider answers: the one protocol between the two."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

ErrorCode = Literal["server_error", "rate_limit_exceeded", "invalid_prompt"]
"""The contract's `last_error.code`."""
FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image of a user's message by URL (`https:` or `data:`). `detail` is auto, low or high."""

    url: str
    detail: str = "auto"


@dataclass(frozen=True, slots=True)
class UserTurn:
    """What the user said: text parts (str) and images, in order."""

    parts: tuple[str | ImagePart, ...]


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """One function call of the model. `arguments` is JSON text as the model wrote it."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class AssistantTurn:
    """What the model said, and the functions it called in the same breath."""

    text: str = ""
    calls: tuple[FunctionCall, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """The output of one function call; follows the turn that called it, once."""

    call_id: str
    output: str


Turn = UserTurn | AssistantTurn | ToolOutput


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One request to a model. None means not given: the provider's own default holds and nothing is forwarded."""

    model: str
    """The provider's own id, without our provider prefix."""
    turns: Sequence[Turn]
    instructions: str = ""
    tools: Sequence[Mapping[str, Any]] = ()
    """Function tools as an assistant has them: `{"type": "function", "function": {name, description, parameters}}`."""
    tools_needed: bool = True
    """Whether the request makes no sense without its tools: a model that refused tools a while ago is then asked."""
    tool_choice: str | Mapping[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    reasoning_effort: str | None = None
    response_format: str | Mapping[str, Any] | None = None
    """"auto" or None: none; else the contract's `{"type": "text" | "json_object" | "json_schema", ...}`."""
    max_completion_tokens: int | None = None
    hosted: Sequence[Mapping[str, Any]] = ()
    """The provider's own tools, as it takes them; only for one that `hosts_tools`."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Text:
    """More text of the answer (never empty)."""

    text: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """More of the words (never empty) with which the model refuses to answer."""

    text: str


@dataclass(frozen=True, slots=True)
class CallBegun:
    """The model begins a function call. `index` counts the calls of this request from 0."""

    index: int
    call_id: str
    name: str


@dataclass(frozen=True, slots=True)
class CallArguments:
    """More of the arguments' JSON text of call `index`."""

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """The provider refused this parameter (temperature, top_p or reasoning_effort) and the request went without it."""

    parameter: str


@dataclass(frozen=True, slots=True)
class HostedSearch:
    """The provider has searched its files. `results` are those of a file search in a step of the contract."""

    call_id: str
    queries: Sequence[str]
    results: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class HostedCode:
    """The provider has run code. `outputs` are logs (str) and pictures (bytes) in order."""

    call_id: str
    code: str
    outputs: Sequence[str | bytes] = ()


@dataclass(frozen=True, slots=True)
class Cited:
    """The text refers to a file of the provider, from `start` to `end` (characters of the text of this message).

    `container` is where code made the file; its `content` is there then, or None if it could not be had.
    """

    file_id: str
    filename: str
    start: int
    end: int
    container: str = ""
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is whole (`stop`, `tool_calls`) or was cut (`length`, `content_filter`). The last event."""

    reason: FinishReason
    usage: Usage | None = None


ProviderEvent = Text | Refusal | CallBegun | CallArguments | Dropped | HostedSearch | HostedCode | Cited | Finished


class ProviderError(Exception):
    """The provider failed. `str(error)` is a sentence that names the provider, without any key."""

    def __init__(self, sentence: str, *, code: ErrorCode = "server_error", status: int | None = None):
        super().__init__(sentence)
        self.code: ErrorCode = code
        self.status = status


class ToolsRefused(ProviderError):
    """The model takes no tools; nothing was said. It may be asked without any."""


class Provider(Protocol):
    """A source of models. Closing the iterator of `stream` aborts the provider's request."""

    name: str

    def stream(self, request: ModelRequest) -> AsyncIterator[ProviderEvent]:
        """Ask the model; ends with `Finished` or raises ProviderError."""
        ...

    async def models(self) -> Sequence[str]:
        """The provider's own ids of its models. Raises ProviderError."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class ToolHost(Protocol):
    """A provider that may bring file_search and code_interpreter itself."""

    @property
    def hosts_tools(self) -> bool:
        """Whether it was chosen to."""
        ...


@runtime_checkable
class EmbeddingProvider(Protocol):
    """A provider that may have embeddings, too."""

    name: str

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """The embedding of each text, in order. `model` is the provider's own id. Raises ProviderError."""
        ...


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """One provider as a visitor handed it over. The key stays in memory and out of every `repr`."""

    name: str
    kind: Literal["responses", "chat", "rehearsal"]
    base_url: str = ""
    api_key: str | None = field(default=None, repr=False)
    origin: Literal["config", "environment", "discovered", "built in"] = "config"
    problem: str = ""
    """Why it cannot be used (its key could not be had), as a sentence, or ""."""
    embedding_model: str = ""
    """The provider's own id of the model for embeddings; "" leaves it to what the provider lists."""
    tools: Literal["engine", "provider"] = "engine"
    """Whose file_search and code_interpreter are used; "provider" needs kind `responses`."""
    key_from: str = ""
    """Where the key was found: a variable or a setting, for sentences."""
