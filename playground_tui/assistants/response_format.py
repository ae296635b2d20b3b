"""How an assistant is asked to answer, between the API's object and the form's kind and schema text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from playground_tui.assistants import json_text
from playground_tui.assistants.json_text import JsonTextError
from playground_tui.assistants.objects import Json, object_of

KINDS = ("auto", "text", "json_object", "json_schema")
"""The kinds that can be chosen; a server's other kinds are kept and shown."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class SchemaTextError(Exception):
    """The text is not a response schema. `str(error)` says why, as the end of a sentence."""


def kind_of(raw: Json) -> str:
    """The kind in the assistant's `response_format`: one of KINDS, or the server's own word."""
    value = raw.get("response_format")
    kind = value.get("type") if isinstance(value, Mapping) else value
    if kind is None:
        return "auto"
    return kind if isinstance(kind, str) and kind else "unknown"


def schema_text(raw: Json) -> str:
    """The assistant's schema (`response_format.json_schema`) as indented JSON, or ""."""
    schema = object_of(object_of(raw, "response_format"), "json_schema")
    return json_text.render(schema) if schema else ""


def parse_schema(text: str) -> dict[str, Any]:
    """The `json_schema` object in `text`, whole response formats unwrapped.

    Raises SchemaTextError: not a JSON object, no good name (1 to 64 of letters, digits, `_` and `-`), or a schema
    that is not an object.
    """
    if not text.strip():
        raise SchemaTextError('empty: write {"name": "...", "schema": {...}}')
    try:
        value = json_text.parse(text)
    except JsonTextError as error:
        raise SchemaTextError(f"not valid JSON: {error}") from None
    if isinstance(value, dict) and value.get("type") == "json_schema" and isinstance(value.get("json_schema"), dict):
        value = value["json_schema"]
    if not isinstance(value, dict):
        raise SchemaTextError("not a JSON object")
    _check(value)
    return value


def _check(value: dict[str, Any]) -> None:
    name = value.get("name")
    if not isinstance(name, str) or not name:
        raise SchemaTextError('needs a name: {"name": "...", "schema": {...}}')
    if not _NAME.fullmatch(name):
        raise SchemaTextError("its name may have letters, digits, _ and - alone, at most 64")
    if not isinstance(value.get("schema", {}), dict):
        raise SchemaTextError('"schema" is not a JSON object')


def build(raw: Json, kind: str, schema: str) -> Any:
    """The API's value for this kind. Raises SchemaTextError for a bad schema.

    What the server had is kept where it says the same, with its options.
    """
    before = raw.get("response_format")
    if kind == kind_of(raw) and kind != "json_schema":
        return before
    if kind == "auto":
        return "auto"
    if kind == "json_schema":
        options = before if isinstance(before, Mapping) and kind_of(raw) == kind else {}
        return {**options, "type": kind, "json_schema": parse_schema(schema)}
    return {"type": kind}
