"""Text without a key, also where a server repeats the key cut, masked, encoded or broken over lines."""

from __future__ import annotations

import base64
import logging
import re
from functools import lru_cache
from urllib.parse import quote, urlsplit, urlunsplit

PLACE = "[key]"
"""What stands where a key was."""
KEY_LIKE = re.compile(r"\b(?:sk|pk|gsk|xai|hf)[-_][\w*.-]{8,}|(?<=Bearer )\S{8,}")
"""What looks like a key of the usual providers, whole or masked."""

_ANY_KEY = re.compile(r"(?=[\w+=.~*-]*\d)(?=[\w+=.~*-]*[A-Za-z])[\w+=.~*-]{16,}")
_WORD = re.compile(r"[^\s\"'`<>{}()\[\],;]+")
LONG = 12
"""A key of so many characters is also known by its pieces: shorter ones could be parts of ordinary words."""
_PIECE = 8
_TAIL = 4
"""Characters at the end of a key that servers repeat to name it."""


def redacted(text: str, key: str | None = None, *, strict: bool = False) -> str:
    """`text` with `[key]` in place of the key, of what looks like one and, with `strict`, of what could be one."""
    if key:
        text = _whole(key).sub(PLACE, text)
    if key and len(key) >= LONG:
        text = _WORD.sub(lambda word: PLACE if _holds_some(word[0], key) else word[0], text)
    text = KEY_LIKE.sub(PLACE, text)
    return _ANY_KEY.sub(PLACE, text) if strict else text


def shown_url(url: str) -> str:
    """A URL without user name, password, query and fragment, any of which may be a secret."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError for one that is none: it may be a secret, too
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, "", ""))
    except ValueError:
        return "(not a URL)"


def keep_requests_out_of_logs() -> None:
    """Log none of the libraries' requests and answers, at whatever level others are logged.

    Addresses, headers and what servers repeat in theirs may hold a key. Called once the libraries are loaded: the SDK
    sets its own level from OPENAI_LOG.
    """
    for library in ("openai", "httpx2", "httpcore2"):
        logging.getLogger(library).setLevel(logging.WARNING)


def _holds_some(word: str, key: str) -> bool:
    """Whether the end of the key, or any longer piece of it, is in the word."""
    pieces = _pieces(key)
    return key[-_TAIL:] in word or any(word[at : at + _PIECE] in pieces for at in range(len(word) - _PIECE + 1))


@lru_cache(maxsize=32)
def _whole(key: str) -> re.Pattern[str]:
    """The key as it is, broken over lines, quoted for a URL, in base64 (also after something else) and in hex."""
    raw = key.encode()
    coded = {quote(key, safe=""), quote(key, safe="").lower(), raw.hex(), raw.hex().upper()}
    for before in range(3):
        text = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        whole = text[-(-before * 8 // 6) : len(text) - bool((before + len(raw)) % 3)]
        coded |= {whole, whole.replace("+", "-").replace("/", "_")}
    broken = r"\s*".join(map(re.escape, key))
    return re.compile("|".join([broken, *(re.escape(one) for one in sorted(coded - {""}, key=len, reverse=True))]))


@lru_cache(maxsize=32)
def _pieces(key: str) -> frozenset[str]:
    """Every run of _PIECE characters of the key."""
    return frozenset(key[at : at + _PIECE] for at in range(len(key) - _PIECE + 1))
