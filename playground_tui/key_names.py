"""What `[keys]` in the configuration may hold: the names of key bindings, and how keys are written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from playground_tui.text import shorten

NAMES: Final = (
    "attach",
    "back",
    "composer",
    "copy",
    "editor",
    "form",
    "help",
    "new",
    "new-line",
    "new-thread",
    "next-field",
    "open",
    "other-pane",
    "palette",
    "previous-field",
    "quit",
    "redo",
    "run-again",
    "save",
    "save-file",
    "send",
    "take-other",
    "thread-end",
    "threads",
    "toggle-form",
    "versions",
)
"""The bindings that can be given other keys."""

_MODIFIERS: Final = frozenset({"ctrl", "alt", "shift", "super", "hyper", "meta"})
_NAMED: Final = frozenset(
    {"up", "down", "left", "right", "home", "end", "pageup", "pagedown", "insert", "delete", "backspace"}
    | {"tab", "enter", "escape", "space"}
    | {"slash", "backslash", "at", "minus", "plus", "underscore", "less_than_sign", "greater_than_sign"}
)
_FUNCTION_KEY: Final = re.compile(r"f([1-9]|1\d|2[0-4])")


def problem_of(table: object) -> str | None:
    """What is wrong with a table of binding = "keys", as the rest of a sentence, or None."""
    if not isinstance(table, Mapping) or not all(isinstance(keys, str) for keys in table.values()):
        return 'must be a table of binding = "keys"'
    for name, keys in table.items():
        if name not in NAMES:
            return f"has no binding called {shorten(name, 40)}. Known: {', '.join(NAMES)}"
        for key in keys.split(","):
            if not is_key(key.strip()):
                no_key = f'gives {name} "{shorten(key.strip(), 40)}", which is no key'
                return f'{no_key}: keys are written as in "f4", "alt+e" or "f4,alt+e"'
    return None


def is_key(text: str) -> bool:
    """Whether a key is written like this: a sign or a key's name in small letters, behind modifiers with `+`."""
    *modifiers, last = text.split("+")
    if not _MODIFIERS.issuperset(modifiers) or (modifiers and last != last.lower()):
        return False
    if len(last) == 1:
        return last.isprintable() and not last.isspace()
    return last in _NAMED or _FUNCTION_KEY.fullmatch(last) is not None or _is_sign(last)


def _is_sign(name: str) -> bool:
    """Whether this is the Unicode name of a character, as in `question_mark`."""
    try:
        return name == name.lower() and bool(unicodedata.lookup(name.replace("_", " ").upper()))
    except KeyError:
        return False
