"""The body of a chat completion that the engine answers itself.

Chat programs send much that no engine knows (`seed`, `frequency_penalty`, `top_k`, ...). What only colours an answer is
taken and left unused; what an answer would lack (further choices, log probabilities, sound) is refused.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from playground_tui.engine.schemas import (
    LARGEST,
    AssistantTools,
    CreateThreadAndRun,
    FunctionTool,
    Kept,
    Metadata,
    ReasoningEffort,
    ResponseFormat,
    Temperature,
    ToolChoice,
    TopP,
)

MOST_STOPS = 16


def _one_answer(count: int) -> int:
    if count != 1:
        raise ValueError("one answer at a time can be given")
    return count


def _no(wanted: bool) -> bool:
    if wanted:
        raise ValueError("log probabilities cannot be given")
    return wanted


def _text_alone(kinds: list[str]) -> list[str]:
    if kinds != ["text"]:
        raise ValueError("an answer is text")
    return kinds


def _few_stops(stop: str | list[str]) -> str | list[str]:
    if isinstance(stop, list) and len(stop) > MOST_STOPS:
        raise ValueError(f"at most {MOST_STOPS} sequences are allowed")
    return stop


# Messages


class TextPiece(Kept):
    type: Literal["text"]
    text: str


class RefusalPiece(Kept):
    type: Literal["refusal"]
    refusal: str


class PieceUrl(Kept):
    url: Annotated[str, Field(min_length=1)]
    detail: Literal["auto", "low", "high"] | None = None


class ImagePiece(Kept):
    type: Literal["image_url"]
    image_url: PieceUrl


_TEXT_OR_LIST = Discriminator(lambda value: "string" if isinstance(value, str) else "parts")

Texts = Annotated[
    Annotated[str, Tag("string")] | Annotated[list[TextPiece], Field(min_length=1), Tag("parts")], _TEXT_OR_LIST
]
UserPiece = Annotated[TextPiece | ImagePiece, Field(discriminator="type")]
UserContent = Annotated[
    Annotated[str, Tag("string")] | Annotated[list[UserPiece], Field(min_length=1), Tag("parts")], _TEXT_OR_LIST
]
SaidPiece = Annotated[TextPiece | RefusalPiece, Field(discriminator="type")]
SaidContent = Annotated[Annotated[str, Tag("string")] | Annotated[list[SaidPiece], Tag("parts")], _TEXT_OR_LIST]


class SystemMessage(Kept):
    role: Literal["system", "developer"]
    content: Texts


class UserMessage(Kept):
    role: Literal["user"]
    content: UserContent


class CalledFunction(Kept):
    name: str
    arguments: str = ""


class ToolCall(Kept):
    id: Annotated[str, Field(min_length=1)]
    type: Literal["function"] = "function"
    function: CalledFunction


class AssistantMessage(Kept):
    role: Literal["assistant"]
    content: SaidContent | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None


class ToolMessage(Kept):
    role: Literal["tool"]
    tool_call_id: str
    content: Texts


ChatMessage = Annotated[SystemMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")]


# The request


class StreamOptions(Kept):
    include_usage: bool | None = None


Tokens = Annotated[int, Field(ge=1, le=LARGEST)]


class CreateCompletion(Kept):
    """`max_completion_tokens` goes before `max_tokens`, its old name."""

    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: Annotated[list[FunctionTool], Field(max_length=128)] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: ReasoningEffort | None = None
    stop: Annotated[str | list[str], AfterValidator(_few_stops)] | None = None
    n: Annotated[int, AfterValidator(_one_answer)] | None = None
    logprobs: Annotated[bool, AfterValidator(_no)] | None = None
    modalities: Annotated[list[str], AfterValidator(_text_alone)] | None = None
    metadata: Metadata | None = None

    @property
    def stops(self) -> tuple[str, ...]:
        """The sequences at which the answer ends."""
        stop = self.stop or ()
        return tuple(filter(None, (stop,) if isinstance(stop, str) else stop))

    @property
    def token_limit(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens

    @property
    def wants_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)

    def settings(self) -> dict[str, Any]:
        """What is asked of the model besides the messages, as plain JSON; only what was given."""
        names = {"temperature", "top_p", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort"}
        given = self.model_dump(include=names, exclude_unset=True, exclude_none=True)
        return given | ({"max_completion_tokens": self.token_limit} if self.token_limit else {})


class CompletionRun(CreateThreadAndRun):
    """The run that a completion becomes: it may have few tokens and many tools."""

    additional_instructions: str | None = None
    tools: AssistantTools | None = None
    max_completion_tokens: Tokens | None = None
