"""The bodies of requests about vector stores, their files and file batches, with the contract's limits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    FiniteFloat,
    StringConstraints,
    Tag,
    model_validator,
)

from playground_tui.engine.schemas import (
    AutoChunking,
    Body,
    ChunkingStrategy,
    Description,
    FileId,
    FileIds,
    Metadata,
    Name,
    StaticChunking,
)
from playground_tui.engine.store.store_files import Wanted

ATTRIBUTE_PAIRS = 16
BATCH_FILES = 2000
QUERY_CHARACTERS = 10_000
QUERIES = 20
WHOLE_NUMBER = 2**63 - 1


def _few_pairs(pairs: dict[str, Any]) -> dict[str, Any]:
    if len(pairs) > ATTRIBUTE_PAIRS:
        raise ValueError(f"at most {ATTRIBUTE_PAIRS} pairs are allowed")
    return pairs


Number = Annotated[int, Field(ge=-WHOLE_NUMBER, le=WHOLE_NUMBER)] | FiniteFloat
AttributeKey = Annotated[str, StringConstraints(max_length=64)]
AttributeText = Annotated[str, StringConstraints(max_length=512)]


def _kind(value: object) -> str:
    """What a plain value is called; what has no name is taken for a text, and refused as none."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "array" if isinstance(value, list) else "text"


Attribute = Annotated[
    Annotated[AttributeText, Tag("text")] | Annotated[Number, Tag("number")] | Annotated[bool, Tag("boolean")],
    Discriminator(lambda value: "text" if isinstance(value, list) else _kind(value)),
]
Attributes = Annotated[dict[AttributeKey, Attribute], AfterValidator(_few_pairs)]


class ExpiresAfter(Body):
    anchor: Literal["last_active_at"]
    days: Annotated[int, Field(ge=1, le=365)]


class CreateVectorStore(Body):
    name: Name | None = None
    description: Description | None = None
    file_ids: FileIds | None = None
    expires_after: ExpiresAfter | None = None
    chunking_strategy: ChunkingStrategy | None = None
    metadata: Metadata | None = None


class ModifyVectorStore(Body):
    name: Name | None = None
    expires_after: ExpiresAfter | None = None
    metadata: Metadata | None = None


class CreateStoreFile(Body):
    file_id: FileId
    attributes: Attributes | None = None
    chunking_strategy: ChunkingStrategy | None = None

    def wanted(self) -> Wanted:
        """The file as it is to be put in."""
        strategy = self.chunking_strategy.given() if self.chunking_strategy else None
        return Wanted(self.file_id, self.attributes, strategy)


class ModifyStoreFile(Body):
    attributes: Attributes | None


class CreateBatch(Body):
    file_ids: Annotated[list[FileId], Field(min_length=1, max_length=BATCH_FILES)] | None = None
    files: Annotated[list[CreateStoreFile], Field(min_length=1, max_length=BATCH_FILES)] | None = None
    attributes: Attributes | None = None
    chunking_strategy: ChunkingStrategy | None = None

    @model_validator(mode="after")
    def _one_or_the_other(self) -> CreateBatch:
        if (self.file_ids is None) == (self.files is None):
            raise ValueError("either 'file_ids' or 'files' is given")
        return self

    def wanted(self) -> list[Wanted]:
        """The files as they are to be put in. With `files` each says for itself how."""
        if self.files is not None:
            return [file.wanted() for file in self.files]
        return wanted(self.file_ids or [], self.chunking_strategy, self.attributes)


def wanted(
    file_ids: Iterable[str],
    chunking_strategy: AutoChunking | StaticChunking | None,
    attributes: dict[str, Any] | None = None,
) -> list[Wanted]:
    """Files that are to be put in, all of them in the same way."""
    strategy = chunking_strategy.given() if chunking_strategy else None
    return [Wanted(file_id, attributes, strategy) for file_id in file_ids]


# Search


class Comparison(Body):
    type: Literal["eq", "ne", "gt", "gte", "lt", "lte"]
    key: str
    value: Attribute


class Membership(Body):
    type: Literal["in", "nin"]
    key: str
    value: list[Attribute]


class Compound(Body):
    type: Literal["and", "or"]
    filters: list[Filter]


Filter = Annotated[Comparison | Membership | Compound, Field(discriminator="type")]
Query = Annotated[str, StringConstraints(min_length=1, max_length=QUERY_CHARACTERS)]


class SearchRanking(Body):
    ranker: Literal["none", "auto", "default-2024-11-15", "default_2024_08_21"] = "auto"
    score_threshold: Annotated[float, Field(ge=0, le=1)] = 0.0


class Search(Body):
    query: Annotated[
        Annotated[list[Query], Field(min_length=1, max_length=QUERIES)],
        BeforeValidator(lambda query: [query] if isinstance(query, str) else query),
    ]
    filters: Filter | None = None
    max_num_results: Annotated[int, Field(ge=1, le=50)] = 10
    ranking_options: SearchRanking | None = None
    rewrite_query: bool | None = None
    """Taken and not used: the words that are searched for are those that were given."""
