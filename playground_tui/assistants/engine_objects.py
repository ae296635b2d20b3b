"""What the engine says of itself and of what changes on it: extensions of the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from playground_tui.assistants.objects import Json, object_of, objects_of, text_of, whole_of


@dataclass(frozen=True, slots=True)
class Change:
    """Something changed on the server. `kind` is assistant, thread, message, run, engine (its own state),
    or reset (read everything anew)."""

    sequence: int
    kind: str
    id: str = ""
    thread_id: str = ""
    action: str = ""

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        return cls(
            sequence=whole_of(raw, "sequence") or 0,
            kind=text_of(raw, "kind"),
            id=text_of(raw, "id"),
            thread_id=text_of(raw, "thread_id"),
            action=text_of(raw, "action"),
        )


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """A model provider of the engine. `state` is ok, unknown, or "unreachable: " with the reason."""

    name: str
    kind: str = ""
    base_url: str = ""
    has_key: bool = False
    origin: str = ""
    state: str = ""

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        return cls(
            name=text_of(raw, "name"),
            kind=text_of(raw, "kind"),
            base_url=text_of(raw, "base_url"),
            has_key=raw.get("has_key") is True,
            origin=text_of(raw, "origin"),
            state=text_of(raw, "state"),
        )


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What the engine says of itself. `sentence` tells a person which provider answers and how to connect another."""

    sentence: str = ""
    default_model: str = ""
    default_provider: str = ""
    providers: tuple[ProviderStatus, ...] = ()
    tool_problems: Mapping[str, str] = field(default_factory=dict)
    """Why a tool of the engine's own does not work there, in a sentence, by its type; "" or absent where it does."""
    problem: str = ""
    """What is wrong with its store at this moment, in a sentence."""
    notices: tuple[str, ...] = ()
    """What was wrong when it started, and what it did about it, in sentences."""
    raw: Json = field(default_factory=dict, repr=False)

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        tools = object_of(raw, "tools")
        notices = raw.get("notices")
        return cls(
            sentence=text_of(raw, "sentence"),
            default_model=text_of(raw, "default_model"),
            default_provider=text_of(raw, "default_provider"),
            providers=tuple(ProviderStatus.from_json(item) for item in objects_of(raw, "providers")),
            problem=text_of(raw, "problem"),
            notices=tuple(map(str, notices)) if isinstance(notices, list) else (),
            tool_problems={name: text_of(tools, name) for name in tools},
            raw=dict(raw),
        )
