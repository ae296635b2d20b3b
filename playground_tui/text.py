"""`clean()`: the one sanitiser for text that comes from outside, before it reaches a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

# Characters that a terminal obeys, that reorder text, or that are there without being seen.
_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_BIDI = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"
_JOINERS = r"\u200c\u200d"
_SELECTORS = r"\ufe00-\ufe0f\U000e0100-\U000e01ef"
_INVISIBLE = (
    r"\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2028\u2029\u2060-\u2065\u3164\ufdd0-\ufdef\ufeff\uffa0"
    r"\ufff0-\ufffb\ufffe\uffff\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
_SURROGATES = r"\ud800-\udfff"
_BAD = f"[{_CONTROLS}{_BIDI}{_JOINERS}{_SELECTORS}{_INVISIBLE}{_SURROGATES}]"

# Where joiners, selectors and tags are part of what is seen.
_EMOJI = (
    r"[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2934\u2935\u2b00-\u2bff"
    r"\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_JOINING_SCRIPT = r"[\u0620-\u06d3\u0710-\u074f\u0900-\u0dff\u1780-\u17b3]"
_KEPT = "|".join(
    (
        rf"{_EMOJI}(?=[\u200d\ufe0e\ufe0f])[\ufe0e\ufe0f]?(?:\u200d{_EMOJI}[\ufe0e\ufe0f]?)*",
        r"[0-9#*]\ufe0f\u20e3",
        r"\U0001f3f4[\U000e0030-\U000e007a]{1,6}\U000e007f",
        r"[\u3400-\u9fff\U00020000-\U0003ffff][\ufe00-\ufe0f\U000e0100-\U000e01ef]",
        rf"(?<={_JOINING_SCRIPT})[{_JOINERS}](?={_JOINING_SCRIPT})",
    )
)
_SUSPECT = re.compile(_BAD)
_TOKEN = re.compile(rf"(?P<kept>{_KEPT})|{_BAD}+")
_CUT_SEQUENCE = re.compile(rf"[{_JOINERS}\U000e0020-\U000e007f]+\Z")
_SPACE = re.compile(r"\s+")


def clean(text: str, *, newlines: bool = True) -> str:
    """`text` with nothing in it that a terminal obeys or a reader cannot see.

    Control characters (C0, DEL, C1) become control pictures or U+FFFD, so a sequence that is split over two calls is
    harmless too; newline and tab stay, `\\r\\n` becomes a newline. Bidirectional controls and invisible characters
    are shown as `<U+202E>`; joiners and selectors stay where they belong to what is seen (emoji, keycaps, flags,
    ideographs, scripts that join letters). Lone surrogates become U+FFFD. With `newlines=False` a newline becomes a
    space. Cleaning twice changes nothing.
    """
    text = replaced(text.replace("\r\n", "\n"), _visible)
    return text if newlines else text.replace("\n", " ")


def with_newlines(text: str) -> str:
    """`text` with a newline for each end of a line: terminals send a carriage return for each in what is pasted."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def aligned(text: str) -> str:
    """`text` with one harmless character for each of its own, so that columns stay what they are."""
    return replaced(text, lambda character: shown if len(shown := _visible(character)) == 1 else "\ufffd")


def replaced(text: str, stand_in: Callable[[str], str]) -> str:
    """`text` with a stand-in for each character that `clean` would not leave as it is."""
    if _SUSPECT.search(text) is None:
        return text
    return _TOKEN.sub(lambda found: found[0] if found.lastgroup else "".join(map(stand_in, found[0])), text)


def shorten(text: str, limit: int) -> str:
    """`text`, cleaned, on one line, of at most `limit` characters; what was cut ends in an ellipsis."""
    line = _SPACE.sub(" ", clean(text, newlines=False)).strip()
    if len(line) <= limit:
        return line
    return _CUT_SEQUENCE.sub("", line[: max(limit - 1, 0)]).rstrip() + "…"[:limit]


@lru_cache(maxsize=1024)
def _visible(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if code < 0xA0 or 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"<U+{code:04X}>"
