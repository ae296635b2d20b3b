"""Stand-ins for characters that a terminal cannot show.

Two ways: `Letters.fitting` keeps every character's width, for what is laid out already; `Letters.spelled` writes them
out (`...`, `ss`, `[grinning face]`), for text that is laid out afterwards. Nothing becomes a question mark.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

_SPELLED: Final[dict[str, str]] = {
    "…": "...", "‥": "..", "•": "*", "‣": "*", "◦": "-", "·": "-", "●": "o", "○": "o", "■": "#", "□": "-",
    "▶": ">", "◀": "<", "▲": "^", "▼": "v", "▸": ">", "▾": "v", "▹": ">", "❯": ">", "❮": "<",
    "→": "->", "←": "<-", "↑": "^", "↓": "v", "⇒": "=>", "⇐": "<=", "↔": "<->", "⇔": "<=>", "↵": "<-", "⏎": "<-",
    "‘": "'", "’": "'", "‚": ",", "‛": "'", "“": '"', "”": '"', "„": '"', "‟": '"', "′": "'", "″": '"',
    "‹": "<", "›": ">", "«": "<<", "»": ">>", "〈": "<", "〉": ">", "《": "<<", "》": ">>", "「": '"', "」": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "⁃": "-", "、": ",", "。": ".",
    "×": "x", "÷": "/", "±": "+/-", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "∞": "infinity", "√": "sqrt",
    "°": " deg", "µ": "u", "¬": "not ", "⁄": "/", "∈": " in ", "∑": "sum", "∏": "product", "∫": "integral", "∂": "d",
    "€": "EUR", "£": "GBP", "¥": "YEN", "¢": "ct", "§": "par. ", "¶": "P", "©": "(c)", "®": "(R)", "†": "+", "‡": "++",
    "✓": "v", "✔": "v", "☑": "[x]", "☐": "[ ]", "✗": "x", "✘": "x", "✕": "x", "⚠": "!", "★": "*", "☆": "*",
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
    "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "ħ": "h", "ŋ": "ng", "¡": "!", "¿": "",
    "⎿": "|", "␛": "^[", "␀": "^@", "␡": "^?", "¦": "|", "\u00ad": "", "\ufffd": "[unreadable]",
}  # fmt: skip
_SCRIPTS: Final[dict[str, str]] = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i", "й": "i", "к": "k",
    "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh",
    "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "'", "ы": "y", "ь": "'", "э": "e", "ю": "yu", "я": "ya",
    "ё": "yo", "і": "i", "ї": "i", "є": "ye", "ґ": "g", "ў": "u", "ј": "j", "љ": "lj", "њ": "nj",
    "ћ": "c", "џ": "dz", "ђ": "dj",
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k", "λ": "l",
    "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ": "y", "φ": "f",
    "χ": "ch", "ψ": "ps", "ω": "o",
}  # fmt: skip
_FITTING: Final[dict[str, str]] = {
    "…": ".",
    "→": ">",
    "←": "<",
    "⇒": ">",
    "⇐": "<",
    "␛": "^",
    "°": "o",
    "¿": "?",
    "\ufffd": "#",
}
"""Where the first letter of what is spelled would mislead."""
_UNKNOWN: Final = "#"
_PUNCTUATION: Final = frozenset("'\"<>+*-!(.")
"""What can stand alone for a longer spelling that begins with it."""

Fits = Callable[[str], bool]
Graphemes = Callable[[str], Iterable[tuple[str, int]]]
"""Cuts a text into what is seen as one character, each with its cells."""


class Letters:
    """Told the character sets a terminal can show. ASCII always is one."""

    def __init__(self, signs: Sequence[str]) -> None:
        self._signs = tuple(signs)
        self._fit = lru_cache(maxsize=4096)(self._fit_one)
        self._spell = lru_cache(maxsize=4096)(self._spell_character)

    def shows(self, character: str) -> bool:
        """Whether the terminal has this character."""
        return character.isascii() or any(_is_in(character, name) for name in self._signs)

    def fitting(self, text: str, graphemes: Graphemes) -> str:
        """`text` in as many cells with every character shown."""
        if text.isascii():
            return text
        return "".join(self._fit(seen, cells) for seen, cells in graphemes(text))

    def spelled(self, text: str) -> str:
        """`text` with what cannot be shown written out."""
        return text if text.isascii() else "".join(map(self._spell, text))

    def _fit_one(self, seen: str, cells: int) -> str:
        if all(map(self.shows, seen)):
            return seen
        first = seen[0]
        found = _FITTING.get(first) or _drawing(first, self.shows) or self._spell(first)
        if not found[:cells].isalnum() and len(found) > cells:
            found = found[: found[:1] in _PUNCTUATION]
        return (found or _UNKNOWN)[:cells].ljust(cells)

    def _spell_character(self, character: str) -> str:
        if self.shows(character):
            return character
        return _drawing(character, self.shows) or _spelled(character, self.shows)


@lru_cache(maxsize=4096)
def _is_in(character: str, charset: str) -> bool:
    try:
        character.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _drawing(character: str, shows: Fits) -> str:
    """The stand-in of a line or a block, "" for what is neither."""
    if "\u2500" <= character <= "\u257f":
        return _line(unicodedata.name(character), shows)
    return _block(character, shows) if "\u2580" <= character <= "\u259f" else ""


def _line(name: str, shows: Fits) -> str:
    """A simpler line, or the sign that looks most like it."""
    simpler = _simple(name)
    if simpler and shows(simpler):
        return simpler
    words = set(name.replace("BOX DRAWINGS ", "").split())
    if "DIAGONAL" in words:
        return "X" if "CROSS" in words else "/" if "UPPER RIGHT" in name[:50] else "\\"
    upright = words & {"VERTICAL", "UP", "DOWN"}
    level = words & {"HORIZONTAL", "LEFT", "RIGHT"}
    if upright and level:
        return "+"
    return "|" if upright else "-"


def _simple(name: str) -> str:
    """The thin line of the same shape: of a heavy one, of a dashed one, of a round corner."""
    for fancy in ("HEAVY ", "ARC ", "DOUBLE DASH ", "TRIPLE DASH ", "QUADRUPLE DASH "):
        name = name.replace(fancy, "")
    plain = name.replace("LIGHT ", "").replace("BOX DRAWINGS ", "BOX DRAWINGS LIGHT ")
    try:
        return unicodedata.lookup(plain)
    except KeyError:
        return ""


def _block(character: str, shows: Fits) -> str:
    name = unicodedata.name(character)
    for simpler in "█▌▐▄▀" if name.startswith(("FULL", "LEFT", "RIGHT", "LOWER", "UPPER")) else "":
        if unicodedata.name(simpler).split()[0] == name.split()[0] and shows(simpler):
            return simpler
    if name.startswith(("LEFT", "RIGHT")):
        return "|"
    if name.startswith(("LOWER", "UPPER")):
        return " "  # Ends of bars whose middle is background.
    return "#"


def _spelled(character: str, shows: Fits) -> str:
    """A character in letters: by the table, without its accents, in Latin letters, by its name, or by its number."""
    known = _SPELLED.get(character) or _SCRIPTS.get(character)
    if known is not None or character in _SPELLED:
        return known or ""
    if character.lower() in _SCRIPTS:
        return _SCRIPTS[character.lower()].capitalize()
    bare = "".join(part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
    if bare != character:
        return "".join(part if shows(part) else _spelled(part, shows) for part in bare)
    return _named(character)


def _named(character: str) -> str:
    kind = unicodedata.category(character)
    if kind in ("Mn", "Me", "Cf") or "\ufe00" <= character <= "\ufe0f":
        return ""  # Marks on other characters, and how these are to be joined.
    if kind.startswith("Z"):
        return " "
    name = unicodedata.name(character, "").lower()
    if kind.startswith(("S", "P")) and name:
        return f"[{name}]"
    return character.encode("ascii", "backslashreplace").decode("ascii")
