"""What the headless commands print: clean, in what the file can encode."""

from __future__ import annotations

import io
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground_tui.commands.output import CleanStream, print_table, print_text, shown_time
from playground_tui.text import clean

PIECES = st.lists(
    st.text(st.sampled_from("a1 \n\r\t\x1b\x9b\u200d\u200c\ufe0f\u20e3\u202e👩❤🏽می"), max_size=4), max_size=12
)


def streamed(*pieces: str) -> str:
    out = io.StringIO()
    stream = CleanStream(out)
    for piece in pieces:
        stream.write(piece)
    stream.end()
    return out.getvalue()


@given(PIECES)
def test_text_in_pieces_never_controls_the_terminal(pieces: list[str]) -> None:
    assert all(char in "\n\t" for char in streamed(*pieces) if unicodedata.category(char) == "Cc")


@pytest.mark.parametrize(
    "text", ["one\r\ntwo", "👩🏽‍❤️‍👨🏻 family", "1️⃣ first", "a\x1b[31mb\u202ec", "\r", "end\u200d", ""]
)
def test_text_in_pieces_is_written_as_if_it_came_at_once(text: str) -> None:
    whole = clean(text)
    ended = whole if whole.endswith("\n") or not whole else whole + "\n"
    assert streamed(*text) == streamed(text) == ended


def test_text_appears_before_its_line_has_ended() -> None:
    out = io.StringIO()
    CleanStream(out).write("half a line")
    assert out.getvalue() == "half a line"


def test_what_the_file_cannot_encode_is_replaced() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", write_through=True)
    print_text("naïve\x07", out)
    assert raw.getvalue() == b"na?ve?\n"


def test_a_table_is_aligned_and_its_cells_are_one_line() -> None:
    out = io.StringIO()
    print_table(("id", "name"), [("a", "one\ntwo\x1b"), ("longer", "x" * 60)], out)
    assert out.getvalue().splitlines() == ["id      name", "a       one two␛", "longer  " + "x" * 47 + "…"]


def test_times_are_short_today_and_dated_otherwise() -> None:
    now = time.time()
    assert shown_time(now) == time.strftime("%H:%M:%S", time.localtime(now))
    assert shown_time(now - 86_400 * 3).startswith(time.strftime("%Y-%m-%d", time.localtime(now - 86_400 * 3)))
    assert shown_time(0) == ""
