"""The words of queries and texts: whatever somebody types is a query, and finds what it should."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from playground_tui.engine.tools.file_search.words import COMMON, MOST, match_of, searchable, terms


@pytest.fixture(scope="module")
def index() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE w USING fts5(words, tokenize='porter unicode61 remove_diacritics 2')")
    yield connection
    connection.close()


def finds(index: sqlite3.Connection, text: str, query: str) -> bool:
    index.execute("DELETE FROM w")
    index.execute("INSERT INTO w VALUES (?)", (searchable(text),))
    wanted = terms(query)
    return bool(wanted and index.execute("SELECT 1 FROM w WHERE w MATCH ?", (match_of(wanted),)).fetchall())


@settings(deadline=None)
@given(st.text(max_size=200))
@example('"')
@example("NEAR(a b, 3) AND NOT *")
@example("words: {x} ^y -z +q")
@example("\ud800 \x00 \x1a")
@example("a\u0301 ﬁ ½ ² Ⅷ ١٢ नमस्ते ไทย")
def test_every_text_is_a_query(index, query):
    finds(index, "something", query)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("vacations are long", "vacation"),
        ("Ein Café in Köln", "cafe koln"),
        ("def read_timeout(self):", "timeout"),
        ("int readTimeoutSeconds = 3;", "timeout"),
        ("int readTimeout = 3;", "read"),
        ("the HTTPServer class", "server"),
        ("HTTPServer", "HTTPServer"),
        ("see CVE-2024-1234", "CVE-2024-1234"),
        ("東京都の天気は晴れです", "天気"),
        ("東京都の天気は晴れです", "今日の天気は?"),
        ("ภาษาไทยง่าย", "ไทย"),
        ("ﬁrst oﬃce", "first office"),
        ("cafe\u0301 owner", "café"),
        ("what is this", "what is this?"),
        ("山", "山"),
    ],
)
def test_what_is_meant_is_found(index, text, query):
    assert finds(index, text, query)


@pytest.mark.parametrize(
    ("text", "query"), [("東京都", "京東"), ("vacation", "the of and"), ("anything", "???"), ("anything", "")]
)
def test_what_is_not_there_is_not_found(index, text, query):
    assert not finds(index, text, query)


def test_common_words_count_only_when_there_are_no_others():
    assert terms("How do I reset the gauge?") == ["reset", "gauge"]
    assert terms("How do I?") == ["How", "do", "I"]
    assert "gauge" not in COMMON


def test_words_that_stand_together_are_looked_for_together_too():
    assert terms("Error TG-200/E17, again") == ["Error", "TG", "200", "E17", "TG 200 E17", "again"]


def test_a_word_counts_once_and_a_long_text_by_its_first_words():
    assert terms("gauge gauge") == ["gauge"]
    assert len(terms(" ".join(f"word{number}" for number in range(1000)))) == MOST
