"""What an assistant's fields may hold (the Assistants API's limits), said in words that end a sentence."""

from __future__ import annotations

from collections.abc import Mapping

LONGEST = {"name": 256, "description": 512, "instructions": 256_000, "model": 256}
"""Characters."""

HIGHEST = {"temperature": 2.0, "top_p": 1.0}
MOST_PAIRS, LONGEST_KEY, LONGEST_VALUE = 16, 64, 512

_NEEDED = {"name": "name is empty", "model": "model is empty: choose one or type its id"}


def text_problem(field: str, text: str) -> str:
    """Why the text of this field cannot be sent, or ""."""
    if field in _NEEDED and not text.strip():
        return _NEEDED[field]
    longest = LONGEST[field]
    if len(text) > longest:
        return f"{field} has {len(text):,} characters, at most {longest:,} are allowed"
    return "" if encodable(text) else f"{field} holds half a character that cannot be sent"


def number_problem(field: str, value: float | None) -> str:
    """Why the number of this field cannot be sent, or ""."""
    if value is None or 0 <= value <= HIGHEST[field]:
        return ""
    return f"{field.replace('_', ' ')} is {value:g}, it goes from 0 to {HIGHEST[field]:g}"


def metadata_problem(pairs: Mapping[str, str]) -> str:
    """Why these pairs cannot be sent, or ""."""
    if len(pairs) > MOST_PAIRS:
        return f"metadata has {len(pairs)} pairs, at most {MOST_PAIRS} are allowed"
    for key, value in pairs.items():
        start = key if len(key) <= 20 else f"{key[:19]}…"
        if len(key) > LONGEST_KEY:
            return f"metadata: the key {start} has {len(key)} characters, at most {LONGEST_KEY} are allowed"
        if len(value) > LONGEST_VALUE:
            return f"metadata: {start} has {len(value)} characters, at most {LONGEST_VALUE} are allowed"
        if not encodable(key + value):
            return f"metadata: {start} holds half a character that cannot be sent"
    return ""


def encodable(text: str) -> bool:
    """Whether the text can be written as UTF-8: a lone surrogate cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
