"""Nothing a terminal obeys, and nothing that cannot be seen, gets through `clean`."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground_tui.text import clean, shorten

FAMILY = "👩🏽‍❤️‍👨🏻 👨‍👩‍👧"
SPECIAL = st.sampled_from(
    "\x00\x1b\r\n\t\x0b\x7f\x85\x9b\u200b\u200c\u200d\u202e\u2028\ufe0f\ud800\ufeffa1\u20e3👩🏽❤🏴葛می"
    "\U000e0067\U000e007f\U000e0101"
)
TEXT = st.one_of(st.text(st.characters(codec=None)), st.lists(SPECIAL, max_size=30).map("".join))
BIDI = {chr(code) for code in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
HANGUL_FILLERS = (0x115F, 0x1160, 0x3164, 0xFFA0)
INVISIBLE = {"\u200b", "\u2060", "\ufeff", "\u00ad", "\u2028", "\u2029", "\u180e"}


@given(TEXT)
def test_no_control_character_survives_but_newline_and_tab(text: str) -> None:
    assert all(char in "\n\t" for char in clean(text) if unicodedata.category(char) in ("Cc", "Cs"))


@given(TEXT)
def test_nothing_reorders_text_or_hides_in_it(text: str) -> None:
    assert not set(clean(text)) & (BIDI | INVISIBLE)


@given(TEXT)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(TEXT)
def test_cleaned_text_can_be_written_as_utf_8(text: str) -> None:
    clean(text).encode()


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    seen = text.translate(dict.fromkeys(HANGUL_FILLERS))
    assert clean(seen) == seen


@given(TEXT)
def test_without_newlines_it_is_one_line(text: str) -> None:
    assert len((clean(text, newlines=False) + "x").splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a␛[31mb"),
        ("bell\x07\x00", "bell␇␀"),
        ("\x7f", "␡"),
        ("\x9b2J\x9d", "\ufffd2J\ufffd"),
        ("one\r\ntwo\rthree\tfour\n", "one\ntwo␍three\tfour\n"),
        ("\x1b\r\n", "␛\n"),
        ("user\u202etxt.exe", "user<U+202E>txt.exe"),
        ("zero\u200bwidth", "zero<U+200B>width"),
        ("a\u200db", "a<U+200D>b"),
        ("a\ufe0fb", "a<U+FE0F>b"),
        ("\U000e0068\U000e0069", "<U+E0068><U+E0069>"),
        ("\ud800", "\ufffd"),
    ],
)
def test_what_stands_in(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        FAMILY,
        "❤️ ✔︎ 1️⃣ #️⃣",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "葛\U000e0101城",
        "می\u200cخواهم",
        "क्\u200dष",
    ],
)
def test_joiners_and_selectors_stay_where_they_are_seen(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    "piece", ["plain ", "é你", "\x1b", "a\x1b", "❤️", "👩‍", "\u200d", "1\ufe0f", "🏴\U000e0067", "\r\n"]
)
def test_200_000_characters_take_no_noticeable_time(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    began = time.process_time()
    clean(text)
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("short", 10, "short"),
        ("  two\n\n lines\t ", 20, "two lines"),
        ("abcdefghij", 10, "abcdefghij"),
        ("abcdefghijk", 10, "abcdefghi…"),
        ("abc defghijk", 5, "abc…"),
        ("aaaaaaaaa👩‍👩‍👧", 12, "aaaaaaaaa👩…"),
        ("x\x1by", 3, "x␛y"),
        ("long", 1, "…"),
        ("long", 0, ""),
    ],
)
def test_shorten_makes_one_line_of_at_most_the_limit(text: str, limit: int, shown: str) -> None:
    assert shorten(text, limit) == shown


@given(TEXT, st.integers(0, 20))
def test_shortened_text_is_clean_and_short(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit
    assert len((short + "x").splitlines()) == 1
    assert not set(short) & (BIDI | INVISIBLE)
