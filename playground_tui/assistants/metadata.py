"""Metadata pairs as text, one `key = value` a line.

A key or value that a line cannot hold as it is (a line break, outer spaces, an `=` in a key) is written as a JSON
string. Quotes around anything else are part of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_QUOTED_KEY = re.compile(r'"(?:[^"\\]|\\.)*"(?=\s*=)')


class MetadataTextError(Exception):
    """The text is not metadata. `str(error)` says in which line and why, as the end of a sentence."""


def render(metadata: Mapping[str, Any]) -> str:
    """The pairs as text. Values that are not strings (no server should send them) show as JSON."""
    return "\n".join(f"{_key(key)} = {_value(shown(value))}".rstrip() for key, value in metadata.items())


def shown(value: Any) -> str:
    """A pair's value as a string."""
    return value if isinstance(value, str) else json.dumps(value)


def parse(text: str) -> dict[str, str]:
    """The pairs in `text`, in its order. Empty lines are skipped. Raises MetadataTextError."""
    pairs: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        key, value = _pair(line, number)
        if key in pairs:
            raise MetadataTextError(f"line {number}: {key!r} is there twice")
        pairs[key] = value
    return pairs


def _pair(line: str, number: int) -> tuple[str, str]:
    stripped = line.strip()
    quoted = _QUOTED_KEY.match(stripped)
    cut = quoted.end() if quoted else 0
    rest, found, value = stripped[cut:].partition("=")
    if not found:
        raise MetadataTextError(f"line {number}: write key = value")
    key = _unquoted((stripped[:cut] + rest).strip(), _needs_quotes_as_key)
    if not key:
        raise MetadataTextError(f"line {number}: the key is empty")
    return key, _unquoted(value.strip(), _needs_quotes)


def _key(key: str) -> str:
    return json.dumps(key) if _needs_quotes_as_key(key) else key


def _value(value: str) -> str:
    return json.dumps(value) if _needs_quotes(value) else value


def _needs_quotes_as_key(key: str) -> bool:
    return not key or "=" in key or _needs_quotes(key)


def _needs_quotes(text: str) -> bool:
    if text.strip() != text or _CONTROL.search(text):
        return True
    meant = _string(text)
    return meant is not None and (not meant or "=" in meant or _needs_quotes(meant))


def _unquoted(text: str, needs_quotes: Any) -> str:
    meant = _string(text)
    return meant if meant is not None and needs_quotes(meant) else text


def _string(text: str) -> str | None:
    """What `text` means if it is a JSON string, else None."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, str) else None
