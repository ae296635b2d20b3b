"""A value that fits a JSON Schema: what the rehearsal provider passes to a function it calls.

Covers what tool schemas use: types, enum, const, default, examples, nested objects and arrays, required, local `$ref`,
allOf, anyOf, oneOf, string formats and lengths, numeric bounds. What it cannot read gives a plain text, not an error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Schema = Mapping[str, Any]

OPTIONAL_DEPTH = 4
"""Deeper than this only required properties are filled, so that a schema that contains itself comes to an end."""
DEPTH = 12
MOST_ITEMS = 20
"""`minItems` and `minLength` beyond these are not obeyed: a sample stays readable."""
MOST_CHARACTERS = 1_000
FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
}


def sample(schema: object) -> Any:
    """A JSON value for `schema`, always the same one."""
    root = schema if isinstance(schema, Mapping) else {}
    return _value(root, root, 0)


def _value(schema: Schema, root: Schema, depth: int) -> Any:
    if depth > DEPTH:
        return None
    schema = _plain(schema, root)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("enum", "examples"):
        if isinstance(choices := schema.get(key), list) and choices:
            return choices[0]
    return MAKERS.get(_type(schema), _string)(schema, root, depth)


def _plain(schema: Schema, root: Schema) -> dict[str, Any]:
    """The schema with `$ref`, allOf and the first usable branch of anyOf or oneOf merged into it."""
    merged = dict(schema)
    for _ in range(DEPTH):
        parts = [_target(merged.pop("$ref"), root)] if "$ref" in merged else []
        parts += _list(merged.pop("allOf", None))
        parts += _first_branch(_list(merged.pop("anyOf", None)) or _list(merged.pop("oneOf", None)))
        if not parts:
            break
        for part in parts:
            merged = _merge(part, merged)
    return merged


def _merge(base: Schema, over: Schema) -> dict[str, Any]:
    merged = {**base, **over}
    if isinstance(base.get("properties"), Mapping) and isinstance(over.get("properties"), Mapping):
        merged["properties"] = {**base["properties"], **over["properties"]}
    if isinstance(base.get("required"), list) and isinstance(over.get("required"), list):
        merged["required"] = [*base["required"], *over["required"]]
    return merged


def _first_branch(branches: list[Schema]) -> list[Schema]:
    return ([branch for branch in branches if branch.get("type") != "null"] or branches)[:1]


def _list(value: object) -> list[Schema]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _target(reference: object, root: Schema) -> Schema:
    """The schema a local reference (`#/$defs/Name`) points to, or an empty one."""
    found: object = root
    for step in str(reference).removeprefix("#").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _type(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), "null")
    if isinstance(kind, str):
        return kind
    return "object" if "properties" in schema else "array" if "items" in schema else "string"


def _object(schema: Schema, root: Schema, depth: int) -> dict[str, Any]:
    properties = schema.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    required = schema.get("required")
    required = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
    wanted = [*properties, *(name for name in required if name not in properties)]
    if depth >= OPTIONAL_DEPTH:
        wanted = [name for name in wanted if name in required]
    return {name: _value(_schema(properties.get(name)), root, depth + 1) for name in wanted}


def _array(schema: Schema, root: Schema, depth: int) -> list[Any]:
    first = _list(schema.get("prefixItems"))
    count = max(len(first), min(_bound(schema, "minItems", 1), MOST_ITEMS))
    if depth >= OPTIONAL_DEPTH and not schema.get("minItems"):
        count = len(first)
    rest = [_schema(schema.get("items"))] * (count - len(first))
    return [_value(item, root, depth + 1) for item in [*first, *rest]]


def _schema(value: object) -> Schema:
    return value if isinstance(value, Mapping) else {}


def _bound(schema: Schema, key: str, default: int) -> int:
    return math.ceil(_float(schema.get(key), default))


def _float(value: object, default: float) -> float:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usable else default  # type: ignore[arg-type]


def _limits(schema: Schema, gap: float) -> tuple[float, float]:
    """The least and the greatest number allowed; `gap` is how far an exclusive bound is kept away from."""
    low = max(_float(schema.get("minimum"), -math.inf), _float(schema.get("exclusiveMinimum"), -math.inf) + gap)
    high = min(_float(schema.get("maximum"), math.inf), _float(schema.get("exclusiveMaximum"), math.inf) - gap)
    return low, high


def _number(schema: Schema, _root: Schema, _depth: int) -> float:
    low, high = _limits(schema, 0.001)
    return max(low, min(1.5, high))


def _whole(schema: Schema, _root: Schema, _depth: int) -> int:
    low, high = _limits(schema, 1)
    step = max(1, round(_float(schema.get("multipleOf"), 1)))
    below = math.floor(min(step, high) / step) * step
    return max(below, math.ceil(low / step) * step) if math.isfinite(low) else below


def _string(schema: Schema, _root: Schema, _depth: int) -> str:
    text = FORMATS.get(str(schema.get("format")), "text")
    shortest = min(_bound(schema, "minLength", 0), MOST_CHARACTERS)
    text = text if len(text) >= shortest else (text * shortest)[:shortest]
    return text[: max(0, _bound(schema, "maxLength", len(text)))]


def _true(_schema: Schema, _root: Schema, _depth: int) -> bool:
    return True


def _null(_schema: Schema, _root: Schema, _depth: int) -> None:
    return None


MAKERS: Mapping[str, Callable[[Schema, Schema, int], Any]] = {
    "object": _object,
    "array": _array,
    "integer": _whole,
    "number": _number,
    "boolean": _true,
    "null": _null,
}
"""How a value of each type is made; anything else is a text."""
