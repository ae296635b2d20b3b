"""The contract's objects, whole: every key is there, null where there is nothing. Times are whole Unix seconds."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]

_LETTERS = string.ascii_letters + string.digits
_ID_LENGTH = 24


def new_id(prefix: str) -> str:
    """A new id, such as `asst_` and 24 random letters and digits for the prefix "asst"."""
    return f"{prefix}_{''.join(secrets.choice(_LETTERS) for _ in range(_ID_LENGTH))}"


def assistant_object(fields: Json, *, created_at: int, assistant_id: str | None = None) -> dict[str, Any]:
    """An assistant of these fields of the API, `model` among them; what was not given is null or empty.

    temperature, top_p and reasoning_effort stay null: see `present`.
    """
    empty: dict[str, Any] = {
        "name": None,
        "description": None,
        "model": "",
        "instructions": None,
        "tools": [],
        "tool_resources": {},
        "metadata": {},
        "temperature": None,
        "top_p": None,
        "response_format": "auto",
        "reasoning_effort": None,
    }
    head = {"id": assistant_id or new_id("asst"), "object": "assistant", "created_at": created_at}
    return {**head, **empty, **fields}


def present(stored: Json) -> dict[str, Any]:
    """An assistant or a run as the API answers it: 1 for a temperature or top_p that was never given."""
    shown = dict(stored)
    for key in ("temperature", "top_p"):
        if shown.get(key) is None:
            shown[key] = 1.0
    return shown


def version_object(
    *,
    version_id: str,
    assistant_id: str,
    number: int,
    created_at: int,
    action: str,
    client: str,
    changed: Sequence[str],
) -> dict[str, Any]:
    """One state an assistant has had (an extension): when, by which client, through which action, in which fields."""
    return {
        "id": version_id,
        "object": "assistant.version",
        "created_at": created_at,
        "assistant_id": assistant_id,
        "number": number,
        "action": action,
        "client": client,
        "changed": list(changed),
    }


def thread_object(*, created_at: int, thread_id: str | None = None, metadata: Json | None = None) -> dict[str, Any]:
    """A thread."""
    return {
        "id": thread_id or new_id("thread"),
        "object": "thread",
        "created_at": created_at,
        "metadata": dict(metadata or {}),
        "tool_resources": {},
    }


def text_part(text: str, annotations: Iterable[Json] = ()) -> dict[str, Any]:
    """A text as a part of a message's content."""
    return {"type": "text", "text": {"value": text, "annotations": list(annotations)}}


def refusal_part(text: str) -> dict[str, Any]:
    """A refusal as a part of a message's content."""
    return {"type": "refusal", "refusal": text}


def message_object(
    *,
    thread_id: str,
    role: str,
    content: Sequence[Json],
    created_at: int,
    message_id: str | None = None,
    status: str = "completed",
    assistant_id: str | None = None,
    run_id: str | None = None,
    attachments: Sequence[Json] = (),
    metadata: Json | None = None,
) -> dict[str, Any]:
    """A message of whole content parts (`text_part`); one that is completed was so when it was made."""
    return {
        "id": message_id or new_id("msg"),
        "object": "thread.message",
        "created_at": created_at,
        "thread_id": thread_id,
        "status": status,
        "incomplete_details": None,
        "completed_at": created_at if status == "completed" else None,
        "incomplete_at": None,
        "role": role,
        "content": list(content),
        "assistant_id": assistant_id,
        "run_id": run_id,
        "attachments": list(attachments),
        "metadata": dict(metadata or {}),
    }


def given_message(given: Json, *, thread_id: str, created_at: int) -> dict[str, Any]:
    """The message that a valid body of a request asks for."""
    return message_object(
        thread_id=thread_id,
        role=given["role"],
        content=content_parts(given["content"]),
        created_at=created_at,
        attachments=given.get("attachments") or (),
        metadata=given.get("metadata"),
    )


def content_parts(content: str | Sequence[Json]) -> list[dict[str, Any]]:
    """A message's content as it is kept, from a text or from the parts of a request."""
    if isinstance(content, str):
        return [text_part(content)]
    return [text_part(part["text"]) if part["type"] == "text" else _image_part(part) for part in content]


def _image_part(part: Json) -> dict[str, Any]:
    kind = part["type"]
    return {"type": kind, kind: {"detail": "auto", **part[kind]}}


def run_object(
    *,
    thread_id: str,
    assistant_id: str,
    created_at: int,
    expires_at: int,
    model: str,
    run_id: str | None = None,
    instructions: str | None = None,
    tools: Sequence[Json] = (),
    metadata: Json | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    max_prompt_tokens: int | None = None,
    max_completion_tokens: int | None = None,
    truncation_strategy: Json | None = None,
    tool_choice: str | Json | None = None,
    parallel_tool_calls: bool | None = None,
    response_format: str | Json | None = None,
    reasoning_effort: str | None = None,
) -> dict[str, Any]:
    """A queued run. temperature, top_p and reasoning_effort stay null when not given: see `present`."""
    moments = dict.fromkeys(("started_at", "cancelled_at", "failed_at", "completed_at"))
    return {
        "id": run_id or new_id("run"),
        "object": "thread.run",
        "created_at": created_at,
        "thread_id": thread_id,
        "assistant_id": assistant_id,
        "status": "queued",
        "required_action": None,
        "last_error": None,
        "expires_at": expires_at,
        **moments,
        "incomplete_details": None,
        "model": model,
        "instructions": instructions or "",
        "tools": list(tools),
        "metadata": dict(metadata or {}),
        "usage": None,
        "temperature": temperature,
        "top_p": top_p,
        "max_prompt_tokens": max_prompt_tokens,
        "max_completion_tokens": max_completion_tokens,
        "truncation_strategy": dict(truncation_strategy or {"type": "auto", "last_messages": None}),
        "tool_choice": tool_choice or "auto",
        "parallel_tool_calls": True if parallel_tool_calls is None else parallel_tool_calls,
        "response_format": response_format or "auto",
        "reasoning_effort": reasoning_effort,
    }


def step_object(
    *,
    run: Json,
    step_type: str,
    step_details: Json,
    created_at: int,
) -> dict[str, Any]:
    """A step in progress of `run`; `step_type` is message_creation or tool_calls."""
    moments = dict.fromkeys(("expired_at", "cancelled_at", "failed_at", "completed_at"))
    return {
        "id": new_id("step"),
        "object": "thread.run.step",
        "created_at": created_at,
        "assistant_id": run["assistant_id"],
        "thread_id": run["thread_id"],
        "run_id": run["id"],
        "type": step_type,
        "status": "in_progress",
        "step_details": {"type": step_type, **step_details},
        "last_error": None,
        **moments,
        "metadata": {},
        "usage": None,
    }


def vector_store_object(
    *,
    created_at: int,
    name: str | None = None,
    description: str | None = None,
    metadata: Json | None = None,
    expires_after: Json | None = None,
) -> dict[str, Any]:
    """What is kept of a new vector store; see `store.vector_stores` for what an answer adds.

    A description and an expiry policy are there only if they were given: the contract has no null for them.
    """
    optional = {"description": description, "expires_after": expires_after and dict(expires_after)}
    return {
        "id": new_id("vs"),
        "object": "vector_store",
        "created_at": created_at,
        "name": name or "",
        "metadata": dict(metadata or {}),
        **{key: value for key, value in optional.items() if value is not None},
    }


def deleted_object(kind: str, object_id: str) -> dict[str, Any]:
    """The answer to a deletion; `kind` is the `object` of what was deleted."""
    return {"id": object_id, "object": f"{kind}.deleted", "deleted": True}


def list_object(items: Sequence[Json], *, has_more: bool) -> dict[str, Any]:
    """A page of a list."""
    return {
        "object": "list",
        "data": list(items),
        "first_id": items[0]["id"] if items else None,
        "last_id": items[-1]["id"] if items else None,
        "has_more": has_more,
    }
