"""What a server of the Assistants API answers, as the program needs it: frozen, and read totally.

Every `from_json` takes whatever JSON object a server sent and never raises: a missing or wrongly typed field becomes
its empty value, so that an object of a newer or careless server still shows. `raw` keeps the object as it came.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

Json = Mapping[str, Any]

LAST_SECOND = 253_402_000_000
"""Unix seconds: days before the end of the year 9999, so that it is one in every zone."""
ACTIVE_STATUSES = frozenset({"queued", "in_progress", "requires_action", "cancelling"})
"""The run states in which a thread takes neither a message nor another run."""


def text_of(raw: Json, key: str) -> str:
    """The string at `key`, or ""."""
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def whole_of(raw: Json, key: str) -> int | None:
    """The number at `key` as a whole number, or None; some servers send fractions."""
    value = raw.get(key)
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def time_of(raw: Json, key: str) -> int | None:
    """The time at `key` in Unix seconds; None for one that no calendar has."""
    value = whole_of(raw, key)
    return value if value is not None and 0 <= value <= LAST_SECOND else None


def object_of(raw: Json, key: str) -> Json:
    """The object at `key`, or an empty one."""
    value = raw.get(key)
    return value if isinstance(value, Mapping) else {}


def objects_of(raw: Json, key: str) -> Sequence[Json]:
    """The objects in the list at `key`; anything else in it is left out."""
    value = raw.get(key)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


@dataclass(frozen=True, slots=True)
class Assistant:
    """One assistant as the server has it."""

    id: str
    raw: Json

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        return cls(id=text_of(raw, "id"), raw=dict(raw))

    @property
    def name(self) -> str:
        return text_of(self.raw, "name")

    @property
    def model(self) -> str:
        return text_of(self.raw, "model")

    @property
    def created_at(self) -> int:
        """Unix seconds."""
        return time_of(self.raw, "created_at") or 0

    @property
    def category(self) -> str:
        """`metadata.category`, by which the picker groups."""
        return text_of(object_of(self.raw, "metadata"), "category")

    @property
    def tool_types(self) -> tuple[str, ...]:
        return tuple(text_of(tool, "type") for tool in objects_of(self.raw, "tools"))


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one run."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        prompt = whole_of(raw, "prompt_tokens") or 0
        completion = whole_of(raw, "completion_tokens") or 0
        return cls(prompt, completion, whole_of(raw, "total_tokens") or prompt + completion)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A piece of a file that a file search found. `score` is from 0 to 1; `text` is "" where it was not asked for."""

    file_id: str
    file_name: str = ""
    score: float = 0.0
    text: str = ""

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        score = raw.get("score")
        return cls(
            file_id=text_of(raw, "file_id"),
            file_name=text_of(raw, "file_name"),
            score=float(min(max(score, 0), 1)) if isinstance(score, int | float) else 0.0,
            text="\n\n".join(text_of(part, "text") for part in objects_of(raw, "content")),
        )


@dataclass(frozen=True, slots=True)
class CodeOutput:
    """What code put out: the text of its logs, or the file of a picture."""

    logs: str = ""
    image: str = ""
    """The picture's file id."""

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        return cls(text_of(raw, "logs"), text_of(object_of(raw, "image"), "file_id"))


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool. `output` is a function's, None while it is awaited.

    `arguments` is the JSON text the model wrote for a function, or the code of a code interpreter.
    """

    id: str
    type: str
    name: str = ""
    arguments: str = ""
    output: str | None = None
    results: tuple[SearchResult, ...] | None = None
    """What a file search found, best first; None while it searches."""
    outputs: tuple[CodeOutput, ...] = ()
    """What the code put out, in order."""

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        function, code = object_of(raw, "function"), object_of(raw, "code_interpreter")
        search = object_of(raw, "file_search")
        output = function.get("output")
        return cls(
            id=text_of(raw, "id"),
            type=text_of(raw, "type"),
            name=text_of(function, "name"),
            arguments=text_of(function, "arguments") or text_of(code, "input"),
            output=output if isinstance(output, str) else None,
            results=tuple(map(SearchResult.from_json, objects_of(search, "results"))) if "results" in search else None,
            outputs=tuple(map(CodeOutput.from_json, objects_of(code, "outputs"))),
        )


@dataclass(frozen=True, slots=True)
class Run:
    """One run. Times are Unix seconds. `waiting_for` are the function calls whose outputs the server awaits."""

    id: str
    thread_id: str = ""
    assistant_id: str = ""
    status: str = "queued"
    model: str = ""
    created_at: int = 0
    started_at: int | None = None
    completed_at: int | None = None
    error_code: str = ""
    error_message: str = ""
    incomplete_reason: str = ""
    usage: Usage | None = None
    """None where none were told: a run that ended without any has zeros in the contract."""
    waiting_for: tuple[ToolCall, ...] = ()
    notes: str = ""
    """What the engine did differently from what was asked, in a sentence (metadata of the engine), or ""."""
    raw: Json = field(default_factory=dict, repr=False)

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        error = object_of(raw, "last_error")
        usage = Usage.from_json(object_of(raw, "usage"))
        awaited = object_of(object_of(raw, "required_action"), "submit_tool_outputs")
        return cls(
            id=text_of(raw, "id"),
            thread_id=text_of(raw, "thread_id"),
            assistant_id=text_of(raw, "assistant_id"),
            status=text_of(raw, "status") or "queued",
            model=text_of(raw, "model"),
            created_at=time_of(raw, "created_at") or 0,
            started_at=time_of(raw, "started_at"),
            completed_at=time_of(raw, "completed_at"),
            error_code=text_of(error, "code"),
            error_message=text_of(error, "message"),
            incomplete_reason=text_of(object_of(raw, "incomplete_details"), "reason"),
            usage=usage if usage.total_tokens else None,
            waiting_for=tuple(ToolCall.from_json(call) for call in objects_of(awaited, "tool_calls")),
            notes=text_of(raw, "playground_notes"),
            raw=dict(raw),
        )

    @property
    def active(self) -> bool:
        return self.status in ACTIVE_STATUSES


@dataclass(frozen=True, slots=True)
class Annotation:
    """A place in a message's text that names a file: a source (`file_citation`) or a file made (`file_path`)."""

    type: str
    text: str
    """What stands there in the message's text."""
    file_id: str

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        kind = text_of(raw, "type")
        return cls(kind, text_of(raw, "text"), text_of(object_of(raw, kind), "file_id"))


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message, and the types of the tools that may use it."""

    file_id: str
    tools: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        return cls(text_of(raw, "file_id"), tuple(text_of(tool, "type") for tool in objects_of(raw, "tools")))


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a thread. `text` joins its text parts; other parts stand in it as `[image_file: id]`."""

    id: str
    role: str
    text: str = ""
    thread_id: str = ""
    run_id: str = ""
    assistant_id: str = ""
    status: str = "completed"
    incomplete_reason: str = ""
    created_at: int = 0
    metadata: Json = field(default_factory=dict)
    images: tuple[str, ...] = ()
    """The file ids of its pictures."""
    annotations: tuple[Annotation, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        parts = objects_of(raw, "content")
        return cls(
            id=text_of(raw, "id"),
            role=text_of(raw, "role") or "assistant",
            text="\n\n".join(filter(None, map(part_text, parts))),
            thread_id=text_of(raw, "thread_id"),
            run_id=text_of(raw, "run_id"),
            assistant_id=text_of(raw, "assistant_id"),
            status=text_of(raw, "status") or "completed",
            incomplete_reason=text_of(object_of(raw, "incomplete_details"), "reason"),
            created_at=time_of(raw, "created_at") or 0,
            metadata=dict(object_of(raw, "metadata")),
            images=tuple(filter(None, (text_of(object_of(part, "image_file"), "file_id") for part in parts))),
            annotations=tuple(note for part in parts for note in annotations_of(part)),
            attachments=tuple(map(Attachment.from_json, objects_of(raw, "attachments"))),
        )

    @property
    def made_files(self) -> dict[str, str]:
        """The files and pictures made for an answer, by id, with the name that its text gives them, or ""."""
        if self.role == "user":
            return {}
        paths = {note.file_id: note.text.rpartition("/")[2] for note in self.annotations if note.type == "file_path"}
        ids = (*self.images, *(attachment.file_id for attachment in self.attachments), *paths)
        return {file_id: paths.get(file_id, "") for file_id in ids}


def annotations_of(part: Json) -> list[Annotation]:
    """The annotations of one content part that name a file."""
    found = map(Annotation.from_json, objects_of(object_of(part, "text"), "annotations"))
    return [note for note in found if note.file_id]


def part_text(part: Json) -> str:
    """The text of one content part of a message."""
    kind = text_of(part, "type")
    if kind == "text":
        text = part.get("text")
        return text if isinstance(text, str) else text_of(object_of(part, "text"), "value")
    if kind == "refusal":
        return text_of(part, "refusal")
    body = object_of(part, kind)
    if not kind:
        return ""
    return f"[{kind}: {text_of(body, 'file_id') or text_of(body, 'url')}]"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run: a message being made, or tools being called."""

    id: str
    run_id: str
    type: str
    status: str
    tool_calls: tuple[ToolCall, ...] = ()
    message_id: str = ""
    """The message that the step makes."""
    created_at: int = 0

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        details = object_of(raw, "step_details")
        return cls(
            id=text_of(raw, "id"),
            run_id=text_of(raw, "run_id"),
            type=text_of(raw, "type"),
            status=text_of(raw, "status"),
            tool_calls=tuple(ToolCall.from_json(call) for call in objects_of(details, "tool_calls")),
            message_id=text_of(object_of(details, "message_creation"), "message_id"),
            created_at=time_of(raw, "created_at") or 0,
        )


@dataclass(frozen=True, slots=True)
class ThreadSummary:
    """A thread in a list. Times are Unix seconds."""

    id: str
    first_message: str = ""
    message_count: int = 0
    last_activity_at: int = 0
    assistant_ids: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        ids = raw.get("assistant_ids")
        return cls(
            id=text_of(raw, "id"),
            first_message=text_of(raw, "first_message"),
            message_count=whole_of(raw, "message_count") or 0,
            last_activity_at=time_of(raw, "last_activity_at") or time_of(raw, "created_at") or 0,
            assistant_ids=tuple(i for i in ids if isinstance(i, str)) if isinstance(ids, list | tuple) else (),
        )
