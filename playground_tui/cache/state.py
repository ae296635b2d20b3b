"""What is kept between starts: frozen, and read totally.

Every `from_json` takes whatever object a file held and never raises: what is missing or wrongly typed becomes its
empty value. Times are Unix seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

Json = Mapping[str, Any]
HISTORY = 200
"""How many sent texts are kept."""


def _text(raw: Json, key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def _time(raw: Json, key: str) -> float:
    value = raw.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    try:
        number = float(value)
    except OverflowError:
        return 0.0
    return number if math.isfinite(number) else 0.0


def _flag(raw: Json, key: str, *, default: bool) -> bool:
    value = raw.get(key)
    return value if isinstance(value, bool) else default


def _table(raw: Json, key: str) -> dict[str, Any]:
    value = raw.get(key)
    return {name: item for name, item in value.items() if isinstance(name, str)} if isinstance(value, Mapping) else {}


def _items(raw: Json, key: str) -> Iterator[Any]:
    value = raw.get(key)
    return iter(value) if isinstance(value, list | tuple) else iter(())


def _texts(raw: Json, key: str) -> tuple[str, ...]:
    return tuple(item for item in _items(raw, key) if isinstance(item, str))


def _tables(raw: Json, key: str) -> Iterator[Json]:
    return (item for item in _items(raw, key) if isinstance(item, Mapping))


@dataclass(frozen=True, slots=True)
class Session:
    """The screen of one instance: what is open and how it is laid out."""

    instance: str
    server_key: str
    assistant_id: str | None = None
    draft_key: str | None = None
    """The draft that is open, where the assistant is not created yet (`new-<uuid>`) or has unsaved changes."""
    thread_id: str | None = None
    pane: Literal["chat", "form"] = "chat"
    form_visible: bool = True
    config_open: bool = False
    """Whether the section "Model configuration" is unfolded."""
    updated_at: float = 0.0

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        return cls(
            instance=_text(raw, "instance"),
            server_key=_text(raw, "server_key"),
            assistant_id=_text(raw, "assistant_id") or None,
            draft_key=_text(raw, "draft_key") or None,
            thread_id=_text(raw, "thread_id") or None,
            pane="form" if raw.get("pane") == "form" else "chat",
            form_visible=_flag(raw, "form_visible", default=True),
            config_open=_flag(raw, "config_open", default=False),
            updated_at=_time(raw, "updated_at"),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "instance": self.instance,
            "server_key": self.server_key,
            "assistant_id": self.assistant_id,
            "draft_key": self.draft_key,
            "thread_id": self.thread_id,
            "pane": self.pane,
            "form_visible": self.form_visible,
            "config_open": self.config_open,
            "updated_at": self.updated_at,
        }


@dataclass(frozen=True, slots=True)
class DraftState:
    """The unsaved edits of one assistant. `key` is its id, or `new-<uuid>` while it is not created."""

    key: str
    base: Json
    """The server's object that the edits were made on."""
    edits: Json
    """Field of the form -> its value as it stands there."""
    edited_at: float = 0.0
    creating: Json = field(default_factory=dict)
    """`key` and `fields` of a request to create it, while it is unknown what became of that."""

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        creating = _table(raw, "creating")
        whole = isinstance(creating.get("key"), str) and isinstance(creating.get("fields"), Mapping)
        base, edits = _table(raw, "base"), _table(raw, "edits")
        return cls(_text(raw, "key"), base, edits, _time(raw, "edited_at"), creating if whole else {})

    def to_json(self) -> dict[str, Any]:
        creating = {"creating": dict(self.creating)} if self.creating else {}
        kept = {"key": self.key, "base": dict(self.base), "edits": dict(self.edits), "edited_at": self.edited_at}
        return {**kept, **creating}


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file of this machine that goes with a message. `uses` are the tools it is for, or `picture`."""

    key: str
    path: str
    uses: tuple[str, ...] = ()
    file_id: str = ""
    """Its id at the server; "" until the server has it."""

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        return cls(_text(raw, "key"), _text(raw, "path"), _texts(raw, "uses"), _text(raw, "file_id"))

    def to_json(self) -> dict[str, Any]:
        return {"key": self.key, "path": self.path, "uses": list(self.uses), "file_id": self.file_id}


def _files(raw: Json) -> tuple[AttachedFile, ...]:
    return tuple(AttachedFile.from_json(item) for item in _tables(raw, "files"))


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """A text that was sent while a run was active. `key` is the idempotency key it goes out with."""

    key: str
    text: str
    state: Literal["waiting", "not sent"] = "waiting"
    files: tuple[AttachedFile, ...] = ()
    after: str | None = None
    """The thread's newest message when this was first sent ("" for none): if it has arrived, it is behind that one.
    None while it was never sent."""

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        state: Literal["waiting", "not sent"] = "waiting" if raw.get("state") == "waiting" else "not sent"
        after = raw.get("after")
        known = after if isinstance(after, str) else None
        return cls(_text(raw, "key"), _text(raw, "text"), state, _files(raw), known)

    def to_json(self) -> dict[str, Any]:
        files = [file.to_json() for file in self.files]
        sent = {} if self.after is None else {"after": self.after}
        return {"key": self.key, "text": self.text, "state": self.state, "files": files, **sent}


@dataclass(frozen=True, slots=True)
class ComposerState:
    """What stands in the composer of one thread, and what waits to be sent there, in order."""

    text: str = ""
    waiting: tuple[WaitingMessage, ...] = ()
    updated_at: float = 0.0
    files: tuple[AttachedFile, ...] = ()
    """What goes with the next message."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """What is typed as the outputs of function calls, by run and call."""

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        waiting = tuple(WaitingMessage.from_json(item) for item in _tables(raw, "waiting"))
        outputs = {call: text for call, text in _table(raw, "outputs").items() if isinstance(text, str)}
        return cls(_text(raw, "text"), waiting, _time(raw, "updated_at"), _files(raw), outputs)

    def to_json(self) -> dict[str, Any]:
        waiting = [message.to_json() for message in self.waiting]
        files = [file.to_json() for file in self.files]
        return {
            "text": self.text,
            "waiting": waiting,
            "updated_at": self.updated_at,
            "files": files,
            "outputs": dict(self.outputs),
        }

    @property
    def empty(self) -> bool:
        return not (self.text or self.waiting or self.files or self.outputs)


@dataclass(frozen=True, slots=True)
class ThreadEntry:
    """One thread known on this machine (for servers that cannot list theirs)."""

    id: str
    assistant_id: str = ""
    first_message: str = ""
    message_count: int = 0
    last_activity_at: float = 0.0

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        return cls(
            id=_text(raw, "id"),
            assistant_id=_text(raw, "assistant_id"),
            first_message=_text(raw, "first_message"),
            message_count=int(_time(raw, "message_count")),
            last_activity_at=_time(raw, "last_activity_at"),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "assistant_id": self.assistant_id,
            "first_message": self.first_message,
            "message_count": self.message_count,
            "last_activity_at": self.last_activity_at,
        }


@dataclass(frozen=True, slots=True)
class ServerState:
    """What is known of one server, shared by all instances on it."""

    threads: tuple[ThreadEntry, ...] = ()
    models: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    """Sent texts, newest last, at most HISTORY."""
    last_assistant: str | None = None
    last_thread: str | None = None

    @classmethod
    def from_json(cls, raw: Json) -> Self:
        threads = (ThreadEntry.from_json(item) for item in _tables(raw, "threads"))
        return cls(
            threads=tuple(entry for entry in threads if entry.id),
            models=_texts(raw, "models"),
            history=_texts(raw, "history")[-HISTORY:],
            last_assistant=_text(raw, "last_assistant") or None,
            last_thread=_text(raw, "last_thread") or None,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "threads": [entry.to_json() for entry in self.threads],
            "models": list(self.models),
            "history": list(self.history[-HISTORY:]),
            "last_assistant": self.last_assistant,
            "last_thread": self.last_thread,
        }
