"""Reading a server's JSON totally: what is missing or of the wrong type becomes its empty value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

LARGEST = 2.0**53
"""Larger than what is counted or measured here; up to it, whole numbers are the same as floats."""


def mapping(value: object) -> Mapping[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: object) -> list[Mapping[str, Any]]:
    """The objects in a list; anything else in it is left out."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether this is a number to reckon with: JSON can also say NaN and infinity, and whole numbers of any length."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


def number(value: object) -> float:
    """The number, or 0."""
    return float(value) if is_number(value) else 0.0


def whole(value: object) -> int:
    """The number as a whole number, or 0."""
    return int(number(value))
