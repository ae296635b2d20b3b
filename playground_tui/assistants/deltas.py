"""Objects that a stream sends in pieces, put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground_tui.assistants.objects import Json, whole_of

WHOLE = frozenset({"id", "type", "object", "file_id", "file_name", "status"})
"""Strings that come whole: a piece that names them again changes nothing."""
MOST_ENTRIES = 1_000
"""Entries of a list that are put together. A piece for a place beyond is left out."""
DEEPEST = 8
"""Levels of an object that are put together; what lies deeper is taken as it comes."""


def added(before: Json, delta: Json, levels: int = DEEPEST) -> dict[str, Any]:
    """An object with a further piece of it.

    Strings are appended, objects joined, and the entries of a list are found by their `index`, as the API has it.
    """
    if not levels:
        return dict(delta)
    result = dict(before)
    for key, value in delta.items():
        result[key] = _joined(key, result.get(key), value, levels - 1)
    return result


def _joined(key: str, old: Any, new: Any, levels: int) -> Any:
    if isinstance(new, str) and isinstance(old, str) and key not in WHOLE:
        return old + new
    if isinstance(new, Mapping):
        return added(old if isinstance(old, Mapping) else {}, new, levels)
    if isinstance(new, list) and any(_index(item) is not None for item in new):
        return _entries(old if isinstance(old, list) else [], new, levels)
    return old if new is None else new


def _entries(old: list[Any], new: list[Any], levels: int) -> list[Any]:
    result = list(old)
    for item in new:
        index = _index(item)
        if index is None:
            continue
        result += [{} for _ in range(len(result), index + 1)]
        before = result[index]
        result[index] = added(before if isinstance(before, Mapping) else {}, item, levels)
    return result


def _index(item: Any) -> int | None:
    """The place that a piece says it belongs to."""
    index = whole_of(item, "index") if isinstance(item, Mapping) else None
    return index if index is not None and 0 <= index < MOST_ENTRIES else None
