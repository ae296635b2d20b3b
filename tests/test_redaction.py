"""A key is taken out of what servers say, however they repeat it."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground_tui.redaction import PLACE, redacted, shown_url

KEY = "kiwi/ZQ7+vX2m9-LrT4bN8wYc6"
FORMS = {
    "whole": KEY,
    "in quotes": f"'{KEY}'",
    "over lines": f"{KEY[:9]}\n   {KEY[9:]}",
    "masked": f"{KEY[:3]}*****{KEY[-4:]}",
    "its end": f"...{KEY[-4:]}",
    "its beginning": f"{KEY[:10]}...",
    "its middle": f"x{KEY[5:15]}y",
    "for a URL": quote(KEY, safe=""),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 of a header": base64.b64encode(f"Bearer {KEY}".encode()).decode(),
    "base64 for a URL": base64.urlsafe_b64encode(f"x:{KEY}".encode()).decode(),
    "hex": KEY.encode().hex(),
}


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_the_key_is_left(form: str) -> None:
    said = redacted(f'{{"message": "The key {FORMS[form]} is wrong"}}', KEY)
    assert said.startswith('{"message": "The key ') and said.endswith(' is wrong"}')
    assert PLACE in said
    assert not any(KEY[at : at + 4] in said for at in range(len(KEY) - 3))


@pytest.mark.parametrize("said", ["Incorrect API key provided: sk-proj-ab***yz90.", "Bearer abcdefgh12345 was refused"])
def test_what_looks_like_a_key_is_taken_out_though_it_is_not_ours(said: str) -> None:
    assert PLACE in redacted(said, KEY)
    assert "yz90" not in redacted(said) and "12345" not in redacted(said)


@given(st.text(st.characters(codec="utf-8")))
def test_other_words_stay(text: str) -> None:
    words = "The model gpt-6 does not exist: use gpt-6-luna (404), or see https://host/v1/models?page=2."
    assert redacted(words, KEY) == words
    assert redacted(text, "short") == text.replace("short", PLACE)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12), st.text(), st.text())
def test_no_key_survives(key: str, before: str, after: str) -> None:
    assert key == PLACE * 3 or key not in redacted(f"{before} {key} {after}", key)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pass@host:1/v1?api-key=x#y", "https://host:1/v1"),
        ("http://[::1]:8765/v1", "http://[::1]:8765/v1"),
        ("http://[", "(not a URL)"),
        ("https://host:secret/v1", "(not a URL)"),
        ("", ""),
    ],
)
def test_a_url_is_shown_without_what_may_be_secret(url: str, shown: str) -> None:
    assert shown_url(url) == shown
