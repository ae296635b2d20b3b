"""A draft meeting the server's newest object: what was saved, what stays mine, what others changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground_tui.assistants import fields
from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.fields import API_FIELD, API_FIELDS, LABELS, Value
from playground_tui.assistants.objects import Json, object_of, objects_of


def take_in(
    draft: AssistantDraft, before: Json, raw: Json, sent: Mapping[str, Any]
) -> tuple[AssistantDraft, dict[str, Value]]:
    """The draft on the server's object `raw`, and the other value of each field that was changed on both sides.

    `before` is the object as the server last had it, `sent` the API fields it was just given. What was sent counts
    as what the server has, whatever form it gave it, so that a text being typed does not jump. A field that is as
    the server last had it keeps the value the draft knows.
    """
    shown = {field: draft.value(field) for field in API_FIELD}
    mine = AssistantDraft({**draft.base, **sent}).with_(**shown)
    base = dict(raw)
    for name in API_FIELDS:
        if name in sent or fields.same(name, raw, before):
            base[name] = mine.base.get(name)
    return mine.rebased(base)


def alterations(raw: Json, sent: Mapping[str, Any]) -> str:
    """Which of the fields that were sent the server answered otherwise, in words, or ""."""
    names = [LABELS.get(name, name) for name in sent if not _answers(name, raw, sent)]
    return f"the server changed: {', '.join(names)}" if names else ""


def _answers(name: str, raw: Json, sent: Mapping[str, Any]) -> bool:
    """Whether the server's object has this field as it was sent; what it adds to tools or formats is its own affair."""
    if sent[name] is None or fields.same(name, raw, sent):
        return True
    if name == "tools":
        return [tool.get("type") for tool in objects_of(raw, name)] == [t.get("type") for t in objects_of(sent, name)]
    if name == "response_format":
        return object_of(raw, name).get("type") == object_of(sent, name).get("type")
    return False
