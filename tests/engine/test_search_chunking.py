"""Cutting texts: no chunk is too long, nothing is lost, and the cuts are where a reader would make them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from playground_tui.engine.tools.file_search.chunking import Chunk, cut, tokens

SENTENCE = "The quick brown fox jumps over the lazy dog. "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("word", 1),
        ("two words", 2),
        ("internationalisation", 3),
        ("12345", 2),
        ("a, b", 3),
        ("東京都", 3),
        ("Привет", 2),
        ("snake_case", 3),
        ("a\n\n\nb", 3),
        ("a" + " " * 33 + "b", 5),
    ],
)
def test_tokens_are_estimated_by_kind(text, expected):
    assert tokens(text) == expected


def test_a_short_text_is_one_chunk_without_the_blanks_around_it():
    assert cut("\n\n  Hello there.  \n", 800, 400) == [Chunk("Hello there.")]


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_a_text_of_blanks_has_no_chunks(text):
    assert cut(text, 800, 400) == []


TEXTS = st.text(st.sampled_from("ab1.!? \n,東é_\t"), max_size=3000) | st.lists(
    st.sampled_from([SENTENCE, "\n\n", "# Heading\n", "word ", "x" * 300, "東京。"]), max_size=120
).map("".join)


@settings(deadline=None)
@given(TEXTS, st.integers(100, 300), st.integers(0, 50))
@example("x" * 3000, 100, 50)
@example("." * 3000, 100, 0)
def test_no_chunk_is_too_long_and_each_is_a_part_of_the_text(text, size, overlap):
    chunks = [chunk.text for chunk in cut(text, size, overlap)]
    assert all(tokens(chunk) <= size and chunk in text for chunk in chunks)
    if chunks:
        assert text.strip().startswith(chunks[0])
        assert text.strip().endswith(chunks[-1])


@settings(deadline=None)
@given(TEXTS, st.integers(100, 300))
@example("." * 3000, 100)
def test_without_overlap_everything_is_in_one_chunk(text, size):
    chunks = [chunk.text for chunk in cut(text, size, 0)]
    assert "".join("".join(chunks).split()) == "".join(text.split())


def test_chunks_overlap_by_about_as_much_as_is_asked_for():
    text = " ".join(f"Sentence number {number} is here." for number in range(400))
    chunks = [chunk.text for chunk in cut(text, 200, 100)]
    for before, after in pairwise(chunks):
        shared = next(size for size in range(len(before), 0, -1) if after.startswith(before[-size:]))
        assert 50 <= tokens(before[-shared:]) <= 100


def test_a_cut_is_at_the_end_of_a_paragraph_where_one_is_near():
    paragraphs = [f"Paragraph {number}. " + SENTENCE * 6 for number in range(20)]
    chunks = [chunk.text for chunk in cut("\n\n".join(paragraphs), 200, 0)]
    assert all(chunk.startswith("Paragraph") and chunk.endswith("dog.") for chunk in chunks)


def test_a_long_paragraph_is_cut_at_the_end_of_a_sentence():
    assert all(chunk.text.endswith("dog.") for chunk in cut(SENTENCE * 100, 100, 0))


def test_a_sentence_without_end_is_cut_between_words():
    chunks = [chunk.text for chunk in cut("longish " * 500, 100, 0)]
    assert {word for chunk in chunks for word in chunk.split()} == {"longish"}


def test_a_chunk_knows_the_headings_it_stands_under():
    part = SENTENCE * 12
    text = f"before\n\n# Manual\n\n## Mounting\n\n{part}\n\n### Tools ###\n\n{part}\n\n## Power\n\n{part}"
    chunks = cut(text, 130, 0, headings=True)
    assert [chunk.heading for chunk in chunks][:1] == [""]
    assert {"Manual > Mounting", "Manual > Mounting > Tools", "Manual > Power"} >= {c.heading for c in chunks[1:]}
    assert chunks[-1].heading == "Manual > Power"


def test_a_comment_of_a_program_is_no_heading():
    assert cut("# comment\nx = 1", 100, 0) == [Chunk("# comment\nx = 1")]


def test_a_heading_of_any_length_costs_each_chunk_under_it_little():
    picture = f"# ![logo](data:image/png;base64,{'iVBORw0KGgo' * 2000})\n\n"
    last = cut(picture + SENTENCE * 20, 4096, 0, headings=True)[-1]
    assert last.heading.startswith("![logo](data:") and len(last.heading) == 200
