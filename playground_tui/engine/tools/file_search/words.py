"""The words by which chunks are found: what goes into the full-text index, and what a query asks of it.

Two things are added to the words as SQLite's tokenizer sees them. Characters of scripts that write without spaces stand
each by itself, and are asked for in pairs. Names such as `readTimeout` are followed by their parts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

_UNSPACED = r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
_CHARACTER = re.compile(_UNSPACED)
_RUN = re.compile(f"{_UNSPACED}+")
_JOINED = re.compile(r"\b[^\W_]*(?:[a-z0-9][A-Z]|[A-Z]{2}[a-z])[^\W_]*\b")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_WORD = re.compile(r"[^\W_]+")
MOST = 48
"""The terms of a query that are looked for; a long text says what it is about in its first ones."""

_COMMON = """a about after all also am an and any are as at be because been before being but by can could did do does
doing for from get had has have he her here him his how i if in into is it its just me more my no not of on or our out
over please s she should so some t tell than that the their them then there these they this those to too under up us
very was we were what when where which while who whom whose why will with would you your"""
COMMON = frozenset(_COMMON.split())
"""English words that a query is not about, unless it has no other."""


def searchable(text: str) -> str:
    """The text as it goes into the index."""
    text = unicodedata.normalize("NFKC", text)
    text = _JOINED.sub(lambda name: f"{name[0]} {' '.join(_PARTS.findall(name[0]))}", text)
    return _CHARACTER.sub(r" \g<0> ", text)


def terms(query: str) -> list[str]:
    """What to look for, without repetition: words, and several words that stand together as one, joined by spaces."""
    found = dict.fromkeys(term for part in unicodedata.normalize("NFKC", query).split() for term in _terms(part))
    chosen = [term for term in found if term.lower() not in COMMON] or list(found)
    return chosen[:MOST]


def _terms(part: str) -> Iterator[str]:
    """The terms of a part of the query that has no spaces."""
    words: list[str] = []
    for piece in _WORD.findall(part):
        words += _names(piece) if not _RUN.search(piece) else _runs(piece)
    yield from words
    if len(words) > 1 and part.isascii():
        # A version, a date, a path, a number of an order: found best by all of it.
        yield " ".join(_WORD.findall(part))


def _names(word: str) -> list[str]:
    return [word, *(_PARTS.findall(word) if _JOINED.fullmatch(word) else ())]


def _runs(piece: str) -> list[str]:
    """The words of a piece with characters of which each stands by itself: these in pairs."""
    words = _RUN.sub(" ", piece).split()
    for run in _RUN.findall(piece):
        words += [f"{one} {other}" for one, other in pairwise(run)] or [run]
    return words


def match_of(found: list[str]) -> str:
    """The terms as an expression for SQLite's MATCH: any of them. They hold letters, digits and spaces alone, so that
    nothing in quotes can end them. Source: section 3 of https://www.sqlite.org/fts5.html."""
    return " OR ".join(f'"{term}"' for term in found)
