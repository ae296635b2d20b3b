"""The states that assistants have had, and what was deleted and can be brought back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Generic, Self, TypeVar

from playground_tui.assistants.fields import LABELS
from playground_tui.assistants.objects import Assistant, Json, ThreadSummary, object_of, text_of, whole_of

FILES: Final = "tool_resources"
WORDS: Final = {**LABELS, "tools": "tools", FILES: "files of its tools"}
"""What the API's fields are called in a sentence."""
TEMPORARY: Final = {"playground_tui": "temporary"}
"""The metadata of an assistant that is made for one question alone."""
_DAY: Final = 24 * 3600

Kind = TypeVar("Kind", Assistant, ThreadSummary)


@dataclass(frozen=True, slots=True)
class Version:
    """One state an assistant has had. `at` is in Unix seconds, `number` counts its versions from 1."""

    id: str
    number: int
    at: float
    action: str
    """created, modified, deleted, restored, or seen: it was changed by somebody else."""
    client: str
    """Who did it, "" where that is unknown."""
    changed: tuple[str, ...]
    """The keys that differ from the version before."""
    assistant: Json
    """The whole assistant; empty in a list."""

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        changed = raw.get("changed")
        return cls(
            id=text_of(raw, "id"),
            number=whole_of(raw, "number") or 0,
            at=whole_of(raw, "created_at") or 0,
            action=text_of(raw, "action"),
            client=text_of(raw, "client"),
            changed=tuple(map(str, changed)) if isinstance(changed, list) else (),
            assistant=object_of(raw, "assistant"),
        )

    @property
    def what(self) -> str:
        """What was done, in a few words."""
        fields = ", ".join(WORDS.get(name, name) for name in self.changed)
        if self.action == "restored":
            return "brought back"
        if self.action == "seen":
            return f"changed elsewhere: {fields}" if fields else "as it was first seen here"
        return fields if self.action == "modified" and fields else self.action

    @property
    def where(self) -> str:
        """From where it was done."""
        return self.client or ("elsewhere" if self.action == "seen" else "another program")


@dataclass(frozen=True, slots=True)
class Deleted(Generic[Kind]):
    """Something that was deleted. Times are Unix seconds; from `purge_at` on it cannot be brought back."""

    what: Kind
    at: float
    purge_at: float

    @classmethod
    def of(cls, what: Kind, raw: Json) -> Self:
        """`what` as the engine lists it."""
        return cls(what, whole_of(raw, "deleted_at") or 0, whole_of(raw, "purge_at") or 0)

    def days_left(self, now: float) -> int:
        """Whole days until it is gone for good, a begun one counted."""
        return max(0, math.ceil((self.purge_at - now) / _DAY))

    def left(self, now: float) -> str:
        """The days left, in words."""
        days = self.days_left(now)
        return "1 day left" if days == 1 else f"{days} days left"


@dataclass(frozen=True, slots=True)
class Restored:
    """What is back. `said` is a sentence about what is not as it was, or ""."""

    assistant: Assistant
    said: str = ""


def is_temporary(assistant: Assistant) -> bool:
    """Whether the assistant was made for one question alone."""
    return TEMPORARY.items() <= object_of(assistant.raw, "metadata").items()
