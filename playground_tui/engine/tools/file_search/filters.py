"""Filters over the attributes of files, as the contract writes them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from playground_tui.engine.tools.base import Attributes

_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def passes(attributes: Attributes, wanted: Mapping[str, Any] | None) -> bool:
    """Whether a file with these attributes is wanted: `{"type", "key", "value"}`, or `{"type", "filters"}` for "and"
    and "or". What a file does not have is not equal to anything and in no order to it."""
    if wanted is None:
        return True
    kind = wanted["type"]
    if kind in {"and", "or"}:
        answers = (passes(attributes, inner) for inner in wanted["filters"])
        return all(answers) if kind == "and" else any(answers)
    return _compare(kind, attributes.get(wanted["key"]), wanted["value"])


def _compare(kind: str, found: Any, value: Any) -> bool:
    match kind:
        case "eq" | "ne":
            return _same(found, value) == (kind == "eq")
        case "in" | "nin":
            return any(_same(found, one) for one in value) == (kind == "in")
        case _:
            return _comparable(found, value) and _ORDERS[kind](found, value)


def _same(found: Any, value: Any) -> bool:
    """Python takes True for 1; a filter does not."""
    return found is not None and isinstance(found, bool) == isinstance(value, bool) and bool(found == value)


def _comparable(found: Any, value: Any) -> bool:
    if isinstance(found, str) or isinstance(value, str):
        return isinstance(found, str) and isinstance(value, str)
    return found is not None and isinstance(found, bool) == isinstance(value, bool)
