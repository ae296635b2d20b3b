"""The form's fields: their values as read from an assistant's object, and the API field each belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from playground_tui.assistants import metadata, response_format, tools
from playground_tui.assistants.objects import Json, object_of, text_of

Value = str | bool | float | None

API_FIELD = {
    "name": "name",
    "description": "description",
    "instructions": "instructions",
    "model": "model",
    "file_search": "tools",
    "code_interpreter": "tools",
    "function": "tools",
    "functions": "tools",
    "response_format": "response_format",
    "schema": "response_format",
    "temperature": "temperature",
    "top_p": "top_p",
    "reasoning_effort": "reasoning_effort",
    "metadata": "metadata",
}
"""The API field that each field of the form is a part of, in the form's order."""

API_FIELDS = tuple(dict.fromkeys(API_FIELD.values()))

LABELS = {
    "name": "name",
    "description": "description",
    "instructions": "instructions",
    "model": "model",
    "file_search": "file search",
    "code_interpreter": "code interpreter",
    "function": "functions",
    "functions": "function definitions",
    "response_format": "response format",
    "schema": "JSON schema",
    "temperature": "temperature",
    "top_p": "top p",
    "reasoning_effort": "reasoning effort",
    "metadata": "metadata",
}
"""What each field is called in a sentence."""

SAMPLING = frozenset({"temperature", "top_p"})
"""Null at the server means its default, and the API answers 1 for it."""


def number_of(raw: Json, key: str) -> float | None:
    """The number at `key`, or None."""
    value = raw.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


_READERS: Mapping[str, Callable[[Json], Value]] = {
    "file_search": lambda raw: tools.has(tools.tool_list(raw), "file_search"),
    "code_interpreter": lambda raw: tools.has(tools.tool_list(raw), "code_interpreter"),
    "function": lambda raw: tools.has(tools.tool_list(raw), "function"),
    "functions": lambda raw: tools.function_text(tools.tool_list(raw)),
    "response_format": response_format.kind_of,
    "schema": response_format.schema_text,
    "temperature": lambda raw: number_of(raw, "temperature"),
    "top_p": lambda raw: number_of(raw, "top_p"),
    "metadata": lambda raw: metadata.render(object_of(raw, "metadata")),
}


def read(raw: Json, field: str) -> Value:
    """What the form shows for `field` of an assistant's object. Never raises: an odd object reads as empty."""
    reader = _READERS.get(field)
    return reader(raw) if reader else text_of(raw, field)


def is_value(field: str, value: Any) -> bool:
    """Whether `value` has the type of this field."""
    if field in SAMPLING:
        return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
    return isinstance(value, bool if field in {"file_search", "code_interpreter", "function"} else str)


def same(field: str, one: Json, other: Json) -> bool:
    """Whether two objects mean the same in this API field: null, absent and the API's default are one."""
    return bool(_meaning(one, field) == _meaning(other, field))


def _meaning(raw: Json, field: str) -> Any:
    value = raw.get(field)
    if field in SAMPLING:
        return 1 if value is None else value
    if field == "response_format":
        return "auto" if value is None else value
    return value or None


def matching(models: Sequence[str], typed: str) -> list[str]:
    """The models whose id holds every word typed: those that begin so first, in the list's order."""
    words = typed.lower().split()
    found = [model for model in models if all(word in model.lower() for word in words)]
    return sorted(found, key=lambda model: not model.lower().startswith(typed.lower().strip()))
