"""Blocks become lines: of the pane's width, clean, and the same however they streamed in."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from playground_tui.text import clean
from playground_tui.ui.chat.block import Block, Kind
from playground_tui.ui.chat.blocks import cut
from playground_tui.ui.chat.damage import changed_cells, changed_regions
from playground_tui.ui.chat.heights import Heights
from playground_tui.ui.chat.render import EDGE, LEAST, render
from playground_tui.ui.chat.wrapping import fold, wrap
from tests.ui.chat_support import MARKDOWN, PLAIN, texts
from tests.ui.test_chat_blocks import DOCUMENTS

HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
NASTY = st.text(st.sampled_from("ab  \t\n\x1b\x9b\x07[/]*_`|<&#13;日👩‍🚀é\u202e\u0301\ufe0f"), max_size=80)


def lines_of(text: str, width: int = 60) -> list[str]:
    return [line for block in cut(text) for line in texts(render(block, width, PLAIN))]


@given(DOCUMENTS | NASTY, st.integers(EDGE * 2 + LEAST, 90))
@settings(max_examples=300, deadline=None)
def test_every_line_is_as_wide_as_the_pane_and_clean(text: str, width: int) -> None:
    for block in cut(text):
        for strip in render(block, width, PLAIN):
            assert strip.cell_length == width
            assert cell_len(strip.text) == width
            assert not HARMFUL.search(strip.text)


@given(NASTY, st.integers(2, 30))
@settings(max_examples=300, deadline=None)
def test_wrapping_and_folding_lose_no_character(text: str, width: int) -> None:
    style = Style()
    text = clean(text)
    half = len(text) // 2
    spans = [(text[:half], style), (text[half:], Style(bold=True))]
    seen = re.sub(r"\s", "", text)
    for lines in (wrap(spans, width), fold(spans, width)):
        assert re.sub(r"\s", "", "".join(part for line in lines for part, _ in line)) == seen


def test_a_word_stays_whole_though_its_style_changes() -> None:
    lines = lines_of("aaaa bbbb **cccc**, dddd", 16)
    assert lines == [" aaaa bbbb", " cccc, dddd"]


def test_lists_hang_behind_their_markers() -> None:
    assert lines_of("1. one two three four\n   - five six seven eight", 18) == [
        " 1. one two three",
        "    four",
        "    • five six",
        "      seven eight",
    ]


def test_tables_are_aligned_with_wide_characters_too() -> None:
    lines = lines_of("| Method | Time |\n|:--|--:|\n| Timsort | n log n |\n| 你好 | 1 |")
    bars = [cell_len(line[: line.index(mark)]) for line, mark in zip(lines, "│┼│││", strict=False)]
    assert len(set(bars)) == 1
    assert lines[-1].endswith("      1")


def test_a_table_wider_than_the_pane_wraps_its_widest_column() -> None:
    lines = lines_of("| a | b |\n|---|---|\n| short | " + "long " * 30 + "|", 40)
    assert all(cell_len(line) <= 40 for line in lines)
    assert sum("long" in line for line in lines) > 3


def test_the_parts_of_a_table_share_their_columns() -> None:
    text = "| a | b |\n|---|---|\n" + "".join(f"| {'x' * (n % 7)} | {n} |\n" for n in range(120))
    bars = {line.index("│") for line in lines_of(text) if "│" in line}
    assert len(bars) == 1


def test_links_show_their_address_and_images_their_source() -> None:
    assert lines_of("[docs](https://example.org) <https://a.org> ![cat](cat.png)") == [
        " docs (https://example.org) https://a.org cat (cat.png)"
    ]


def test_entities_cannot_smuggle_control_characters() -> None:
    assert not HARMFUL.search("".join(lines_of("a&#13;b &#27;[31m &#x202e;c [x](<http://a&#13;b>)")))


def test_html_and_brackets_are_text() -> None:
    assert lines_of("<b>x</b> [/foo] [TODO] [@click=app.quit]y") == [" <b>x</b> [/foo] [TODO] [@click=app.quit]y"]


def test_emphasis_code_and_headings_have_their_styles() -> None:
    palette = replace(PLAIN, inline=Style(dim=True), heading=Style(bold=True), keyword=Style(underline=True))
    strip = render(cut("**b** *i* ~~s~~ `c`")[0], 40, palette)[0]
    styles = {segment.text: segment.style for segment in strip}
    assert styles["b"] == Style(bold=True)
    assert styles["i"] == Style(italic=True)
    assert styles["s"] == Style(strike=True)
    assert styles["c"] == Style(dim=True)
    code = render(Block(Kind.CODE, "return 1", info="python"), 40, palette)[0]
    assert {segment.text: segment.style for segment in code}["return"] == Style(underline=True)


def test_code_of_an_unknown_language_is_plain() -> None:
    assert texts(render(Block(Kind.CODE, "a  b", info="no-such"), 20, PLAIN)) == ["  a  b"]


def test_a_quote_holds_blocks() -> None:
    assert lines_of("> # t\n>\n> - a\n> - b", 20) == [" ▎ t", " ▎", " ▎ • a", " ▎ • b"]


def test_a_hard_break_breaks_and_a_soft_one_does_not() -> None:
    assert lines_of("a\nb  \nc\\\nd", 20) == [" a b", " c", " d"]


@pytest.mark.parametrize(
    ("old", "new", "cells"),
    [
        ("abc   ", "abc   ", None),
        ("abc   ", "abcd  ", (3, 4)),
        ("abc   ", "axc   ", (1, 2)),
        ("abc   ", "xyz   ", (0, 3)),
        ("日本   ", "日本語 ", (0, 7)),
        ("ab", "abc", (2, 3)),
    ],
)
def test_only_the_changed_cells_are_damaged(old: str, new: str, cells: tuple[int, int] | None) -> None:
    style = Style(bold=True)
    assert changed_cells(Strip([Segment(old, style)]), Strip([Segment(new, style)])) == cells


def test_a_change_of_style_is_damage() -> None:
    old = Strip([Segment("ab"), Segment("cd"), Segment("ef")])
    new = Strip([Segment("ab"), Segment("cd", Style(bold=True)), Segment("ef")])
    assert changed_cells(old, new) == (2, 4)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), st.data())
def test_heights_are_running_sums(heights: list[int], data: st.DataObject) -> None:
    sums = Heights(heights)
    for _ in range(5):
        index = data.draw(st.integers(0, len(heights) - 1))
        heights[index] = sums[index] = data.draw(st.integers(0, 9))
        if data.draw(st.booleans()):
            at = data.draw(st.integers(0, len(heights)))
            heights[at:at] = [3, 4]
            sums.insert(at, [3, 4])
        assert [sums.top(i) for i in range(len(heights) + 1)] == [sum(heights[:i]) for i in range(len(heights) + 1)]
        line = data.draw(st.integers(0, max(0, sums.total - 1)))
        found = sums.find(line)
        assert sums.top(found) <= line or found == 0
        assert line < sums.top(found + 1) or found == len(heights) - 1


def test_a_pane_too_narrow_for_text_is_survived() -> None:
    for block in cut(MARKDOWN):
        assert all(strip.cell_length == 3 for strip in render(block, 3, PLAIN))


def test_a_document_renders_the_same_at_any_time() -> None:
    assert lines_of(MARKDOWN) == lines_of(MARKDOWN)


def test_what_does_not_fit_into_a_frame_is_left_as_it_was_for_the_next() -> None:
    old = [Strip([Segment("a" * 40)]) for _ in range(4)]
    new = [Strip([Segment("b" * 40)]) for _ in range(4)]
    shown = list(new)
    regions, left = changed_regions(old, shown, 250)
    assert [region.y for region in regions] == [0, 1] and left
    assert shown == [new[0], new[1], old[2], old[3]]
    regions, left = changed_regions(shown, wanted := list(new), 0)
    assert [region.y for region in regions] == [2] and left
    assert changed_regions(wanted, list(new), 10_000)[1] is False
