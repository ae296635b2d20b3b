from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from playground_tui.text import clean
from playground_tui.ui.form.shown import Shown

TEXT = st.lists(
    st.sampled_from(["a", "b ", "\x1b[31m", "\r\n", "\n", "\u202e", "é", "\x00", "👩\u200d💻", "\u200d", "word " * 12]),
    max_size=30,
).map("".join)


def test_showing_changes_nothing() -> None:
    one = Shown.of("a\x1bb", clean)
    assert one.shown == "a␛b"
    assert one.edited("a␛b") is one


def test_an_edit_keeps_what_it_did_not_touch() -> None:
    one = Shown.of("\x1b[1mBold\x1b[0m and\r\nmore", clean)
    assert one.edited(one.shown.replace("Bold", "Bolder")).text == "\x1b[1mBolder\x1b[0m and\r\nmore"
    assert one.edited(one.shown + "!").text == "\x1b[1mBold\x1b[0m and\r\nmore!"
    assert one.edited("").text == ""
    assert one.edited(one.shown[1:]).text == "[1mBold\x1b[0m and\r\nmore"


def test_several_edits_in_turn_keep_it_too() -> None:
    one = Shown.of("x" * 200 + "\x1b" + "y" * 200 + "\x07", clean)
    for letter in "abc":
        one = one.edited(one.shown[:100] + letter + one.shown[100:])
    assert one.text == "x" * 100 + "cba" + "x" * 100 + "\x1b" + "y" * 200 + "\x07"


def without_joiners(text: str) -> str:
    """Whether a joiner is shown or joins depends on its neighbours, and an edit gives it other ones."""
    return text.replace("<U+200D>", "").replace("\u200d", "")


@given(TEXT, st.integers(0, 400), st.integers(0, 20), TEXT)
@settings(max_examples=400, deadline=None)
@example("\U0001f469\u200d\U0001f4bb\u200d", 0, 0, "\U0001f469\u200d\U0001f4bb\u200d")
def test_whatever_is_edited_shows_as_edited(text: str, at: int, removed: int, put: str) -> None:
    one = Shown.of(text, clean)
    shown = one.shown[:at] + clean(put) + one.shown[at + removed :]
    two = one.edited(shown)
    assert two.shown == shown
    assert without_joiners(clean(two.text)) == without_joiners(clean(shown))
