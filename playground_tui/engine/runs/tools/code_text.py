"""The code in the arguments of a call, while they come: JSON text `{"code": "..."}`, read as far as it is certain."""

from __future__ import annotations

import json
import re
from typing import Any

_OPENING = re.compile(r'\s*\{\s*"code"\s*:\s*"')
_CERTAIN = re.compile(
    r"""(?:[^"\\]+ | \\["\\/bfnrt] | \\u(?![dD][89abAB])[0-9a-fA-F]{4}
    | \\u[dD][89abAB][0-9a-fA-F]{2}\\u[0-9a-fA-F]{4})+""",
    re.VERBOSE,
)
"""Whole characters of a JSON string. Of one beyond the basic plane, the second half may be on its way."""


class CodeText:
    """Arguments that grow."""

    def __init__(self) -> None:
        self._arguments: list[str] = []
        self._rest = ""
        self._inside = False
        self.code = ""
        """The code so far."""

    def add(self, text: str) -> str:
        """Take more of the arguments; the code that came with it."""
        self._arguments.append(text)
        self._rest += text
        if not self._inside:
            opening = _OPENING.match(self._rest)
            if opening is None:
                return ""
            self._inside, self._rest = True, self._rest[opening.end() :]
        return self._take()

    def finish(self) -> str:
        """The arguments are whole: the code that is still missing, whatever form they have."""
        whole = _storable(code_of("".join(self._arguments)))
        more = whole[len(self.code) :] if whole.startswith(self.code) else ""
        self.code += more
        return more

    def _take(self) -> str:
        certain = _CERTAIN.match(self._rest)
        escaped = certain.group() if certain else ""
        self._rest = self._rest[len(escaped) :]
        more = _storable(json.loads(f'"{escaped}"', strict=False))
        self.code += more
        return more


def code_of(arguments: str) -> str:
    """The code in whole arguments. A model that writes no JSON, or names the code otherwise, is taken at its word."""
    try:
        given: Any = json.loads(arguments or "{}", strict=False)
    except (ValueError, RecursionError):
        return arguments
    if isinstance(given, dict):
        texts = [given.get("code"), *given.values()]
        return next((text for text in texts if isinstance(text, str)), "")
    return given if isinstance(given, str) else ""


def queries_of(arguments: str) -> list[str]:
    """The queries in the arguments of a file search; a model that writes one alone, or no JSON, is understood."""
    try:
        given: Any = json.loads(arguments or "{}", strict=False)
    except (ValueError, RecursionError):
        given = arguments
    if isinstance(given, dict):
        given = next((given[key] for key in ("queries", "query") if key in given), list(given.values()))
    texts = given if isinstance(given, list) else [given]
    return [_storable(text).strip() for text in texts if isinstance(text, str) and text.strip()]


def _storable(text: str) -> str:
    """Half a character stands for no text."""
    return text.encode("utf-8", "replace").decode()
