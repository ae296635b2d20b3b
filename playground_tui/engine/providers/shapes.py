"""Reading a server's JSON totally: what is missing or of the wrong type becomes its empty value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def mapping(value: object) -> Mapping[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: object) -> list[Mapping[str, Any]]:
    """The objects in a list; anything else in it is left out."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def whole(value: object) -> int:
    """The number as a whole number, or 0."""
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0
