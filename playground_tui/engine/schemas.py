"""The bodies of requests, with the contract's limits. Unknown keys are refused.

What was given is told from what was not by `given()`: only the keys that stood in the body, as plain JSON.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

METADATA_PAIRS = 16
INSTRUCTIONS_CHARACTERS = 256_000
STORE_FILES = 500
"""Files that a new vector store can be given, and attachments of a message."""
LARGEST = 2**31 - 1
"""No count is larger: neither the database nor a provider takes whole numbers without end."""


class Body(BaseModel):
    """A JSON object of a request."""

    model_config = ConfigDict(extra="forbid", strict=True, serialize_by_alias=True)

    def given(self) -> dict[str, Any]:
        """What stood in the body, as plain JSON."""
        return self.model_dump(exclude_unset=True)


class Kept(Body):
    """A JSON object that is kept with whatever else it has."""

    model_config = ConfigDict(extra="allow")


def _few_pairs(pairs: dict[str, str]) -> dict[str, str]:
    if len(pairs) > METADATA_PAIRS:
        raise ValueError(f"at most {METADATA_PAIRS} pairs are allowed")
    return pairs


def _with_content(text: str) -> str:
    if not text:
        raise ValueError("the content must not be empty")
    return text


def _no_assistant(model: str) -> str:
    if model.startswith("asst_"):
        raise ValueError("an assistant cannot be the model of an assistant")
    return model


def _type_of(value: object) -> object:
    """What picks among alternatives: "string" for a text, the `type` of an object."""
    if isinstance(value, str):
        return "string"
    return value.get("type") if isinstance(value, dict) else getattr(value, "type", None)


def _text_or(other: str) -> Discriminator:
    """Picks "string" for a text and `other` for anything else."""
    return Discriminator(lambda value: "string" if isinstance(value, str) else other)


MetadataKey = Annotated[str, StringConstraints(max_length=64)]
MetadataValue = Annotated[str, StringConstraints(max_length=512)]
Metadata = Annotated[dict[MetadataKey, MetadataValue], AfterValidator(_few_pairs)]
Name = Annotated[str, StringConstraints(max_length=256)]
Description = Annotated[str, StringConstraints(max_length=512)]
Instructions = Annotated[str, StringConstraints(max_length=INSTRUCTIONS_CHARACTERS)]
Model = Annotated[str, StringConstraints(min_length=1, max_length=512), AfterValidator(_no_assistant)]
Temperature = Annotated[float, Field(ge=0, le=2)]
TopP = Annotated[float, Field(ge=0, le=1)]
TokenLimit = Annotated[int, Field(ge=256, le=LARGEST)]
FileId = Annotated[str, StringConstraints(min_length=1)]
FileIds = Annotated[list[FileId], Field(max_length=STORE_FILES)]
ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
FunctionName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
LEFT_OUT = Field(exclude_if=lambda value: value is None)
"""For keys that the contract has no null for: a null is taken for no key, so that no object ever shows it."""


# Tools


class CodeInterpreterTool(Body):
    type: Literal["code_interpreter"]


class RankingOptions(Kept):
    ranker: Literal["auto", "default_2024_08_21"] = "auto"
    score_threshold: Annotated[float, Field(ge=0, le=1)]


class FileSearchOptions(Body):
    max_num_results: Annotated[Annotated[int, Field(ge=1, le=50)] | None, LEFT_OUT] = None
    ranking_options: Annotated[RankingOptions | None, LEFT_OUT] = None


class FileSearchTool(Body):
    type: Literal["file_search"]
    file_search: Annotated[FileSearchOptions | None, LEFT_OUT] = None


class FileSearchToolType(Body):
    """file_search without options, as attachments have it."""

    type: Literal["file_search"]


class Function(Body):
    name: FunctionName
    description: Annotated[str | None, LEFT_OUT] = None
    parameters: Annotated[dict[str, Any] | None, LEFT_OUT] = None
    strict: bool | None = None


class FunctionTool(Body):
    type: Literal["function"]
    function: Function


Tool = Annotated[CodeInterpreterTool | FileSearchTool | FunctionTool, Field(discriminator="type")]
AssistantTools = Annotated[list[Tool], Field(max_length=128)]
RunTools = Annotated[list[Tool], Field(max_length=20)]


class CodeInterpreterResources(Body):
    file_ids: Annotated[list[str], Field(max_length=20)] = []


class AutoChunking(Body):
    type: Literal["auto"]


class ChunkSizes(Body):
    """In tokens."""

    max_chunk_size_tokens: Annotated[int, Field(ge=100, le=4096)]
    chunk_overlap_tokens: Annotated[int, Field(ge=0, le=2048)]

    @model_validator(mode="after")
    def _overlaps_by_half(self) -> ChunkSizes:
        if self.chunk_overlap_tokens * 2 > self.max_chunk_size_tokens:
            raise ValueError("chunk_overlap_tokens is at most half of max_chunk_size_tokens")
        return self


class StaticChunking(Body):
    type: Literal["static"]
    static: ChunkSizes


ChunkingStrategy = Annotated[AutoChunking | StaticChunking, Field(discriminator="type")]


class InlineVectorStore(Body):
    """A vector store that is made together with what uses it."""

    file_ids: FileIds | None = None
    chunking_strategy: ChunkingStrategy | None = None
    metadata: Metadata | None = None


class FileSearchResources(Body):
    vector_store_ids: Annotated[list[str], Field(max_length=1)] = []
    vector_stores: Annotated[list[InlineVectorStore], Field(max_length=1)] = []

    @model_validator(mode="after")
    def _one_store(self) -> FileSearchResources:
        if self.vector_store_ids and self.vector_stores:
            raise ValueError("either 'vector_store_ids' or 'vector_stores' is given, there is room for one")
        return self


class ToolResources(Body):
    code_interpreter: CodeInterpreterResources | None = None
    file_search: FileSearchResources | None = None


# Formats and choices


class TextFormat(Body):
    type: Literal["text"]


class JsonObjectFormat(Body):
    type: Literal["json_object"]


class JsonSchema(Body):
    name: FunctionName
    description: Annotated[str | None, LEFT_OUT] = None
    json_schema: Annotated[dict[str, Any] | None, Field(alias="schema"), LEFT_OUT] = None
    strict: bool | None = None


class JsonSchemaFormat(Body):
    type: Literal["json_schema"]
    json_schema: JsonSchema


ResponseFormat = Annotated[
    Annotated[Literal["auto"], Tag("string")]
    | Annotated[TextFormat, Tag("text")]
    | Annotated[JsonObjectFormat, Tag("json_object")]
    | Annotated[JsonSchemaFormat, Tag("json_schema")],
    Discriminator(_type_of),
]


class NamedFunction(Body):
    name: str


class NamedToolChoice(Body):
    type: Literal["function", "code_interpreter", "file_search"]
    function: NamedFunction | None = None

    @model_validator(mode="after")
    def _names_its_function(self) -> NamedToolChoice:
        if self.type == "function" and self.function is None:
            raise ValueError("a function must be named")
        return self


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("string")] | Annotated[NamedToolChoice, Tag("object")],
    _text_or("object"),
]


class Truncation(Body):
    type: Literal["auto", "last_messages"]
    last_messages: Annotated[int, Field(ge=1, le=LARGEST)] | None = None

    @model_validator(mode="after")
    def _says_how_many(self) -> Truncation:
        if self.type == "last_messages" and self.last_messages is None:
            raise ValueError("last_messages needs the number of messages")
        return self


# Assistants


class ModifyAssistant(Body):
    model: Model = ""
    name: Name | None = None
    description: Description | None = None
    instructions: Instructions | None = None
    tools: Annotated[AssistantTools, BeforeValidator(lambda tools: [] if tools is None else tools)] = []
    tool_resources: ToolResources | None = None
    metadata: Metadata | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: ReasoningEffort | None = None


class CreateAssistant(ModifyAssistant):
    model: Model


# Threads and messages


class TextPart(Body):
    type: Literal["text"]
    text: Annotated[str, AfterValidator(_with_content)]


class ImageUrl(Body):
    url: Annotated[str, StringConstraints(min_length=1)]
    detail: Literal["auto", "low", "high"] = "auto"


class ImageUrlPart(Body):
    type: Literal["image_url"]
    image_url: ImageUrl


class ImageFile(Body):
    file_id: FileId
    detail: Literal["auto", "low", "high"] = "auto"


class ImageFilePart(Body):
    type: Literal["image_file"]
    image_file: ImageFile


Part = Annotated[TextPart | ImageUrlPart | ImageFilePart, Field(discriminator="type")]
Content = Annotated[
    Annotated[str, AfterValidator(_with_content), Tag("string")]
    | Annotated[list[Part], Field(min_length=1), Tag("parts")],
    _text_or("parts"),
]
AttachmentTool = Annotated[CodeInterpreterTool | FileSearchToolType, Field(discriminator="type")]


class Attachment(Body):
    file_id: FileId
    tools: list[AttachmentTool] = []


class CreateMessage(Body):
    role: Literal["user", "assistant"]
    content: Content
    attachments: Annotated[list[Attachment], Field(max_length=STORE_FILES)] | None = None
    metadata: Metadata | None = None


class ModifyMetadata(Body):
    """The body that changes a message or a run: their metadata is all that can be changed."""

    metadata: Metadata | None = None


class ModifyMessage(ModifyMetadata):
    pass


class CreateThread(Body):
    messages: list[CreateMessage] | None = None
    tool_resources: ToolResources | None = None
    metadata: Metadata | None = None


class ModifyThread(Body):
    tool_resources: ToolResources | None = None
    metadata: Metadata | None = None


# Runs


class _RunSettings(Body):
    assistant_id: str
    model: Model | None = None
    instructions: Instructions | None = None
    tools: RunTools | None = None
    metadata: Metadata | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    stream: bool | None = None
    max_prompt_tokens: TokenLimit | None = None
    max_completion_tokens: TokenLimit | None = None
    truncation_strategy: Truncation | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: ReasoningEffort | None = None


class CreateRun(_RunSettings):
    additional_instructions: Instructions | None = None
    additional_messages: list[CreateMessage] | None = None


class CreateThreadAndRun(_RunSettings):
    thread: CreateThread | None = None
    tool_resources: ToolResources | None = None


class ModifyRun(ModifyMetadata):
    pass


class ToolOutput(Body):
    tool_call_id: str
    output: str = ""


class SubmitToolOutputs(Body):
    tool_outputs: list[ToolOutput]
    stream: bool | None = None
