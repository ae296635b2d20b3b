"""A streamed text becomes lines that can be read aloud, however it is cut on its way."""

from __future__ import annotations

import pytest

from playground_tui.engine.providers import rehearsal_text
from playground_tui.plain.sentences import LONGEST, Sentences, lines_of

LONG_TEXT = max((text for text in vars(rehearsal_text).values() if isinstance(text, str)), key=len)


def streamed(text: str, size: int) -> list[str]:
    sentences = Sentences()
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    return [*(line for piece in pieces for line in sentences.feed(piece)), *sentences.end()]


@pytest.mark.parametrize("size", [1, 3, 7, 64])
def test_however_it_is_cut_it_reads_the_same(size: int) -> None:
    assert streamed(LONG_TEXT, size) == lines_of(LONG_TEXT)


def test_a_sentence_comes_when_the_next_one_begins() -> None:
    sentences = Sentences()
    assert list(sentences.feed("It is done. ")) == []
    assert list(sentences.feed("Now")) == ["It is done."]
    assert list(sentences.feed(" e.g. this. And")) == ["Now e.g. this."]
    assert list(sentences.end()) == ["And"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("1. First. Then.\n2. Second", ["1. First.", "Then.", "2. Second"]),
        ("# A. Title\n* one\n+ two", ["heading: A. Title", "- one", "- two"]),
        ("**Bold** and *soft* and 2*3*4", ["Bold and soft and 2*3*4"]),
        ("see [the page](https://a.b/c)", ["see the page (https://a.b/c)"]),
        ("> said\n>\n---\n| a | b |\n|---|---|", ["quote: said", "| a | b |"]),
        ("```py\nx = 1. Y\n\n```\nend", ["code, py:", "x = 1. Y", "", "end of code.", "end"]),
        ("```\nnever closed", ["code:", "never closed", "end of code."]),
        ("好。再见。", ["好。", "再见。"]),
        ("a verse\nanother", ["a verse", "another"]),
        ("", []),
    ],
)
def test_what_markdown_means_is_said(text: str, lines: list[str]) -> None:
    assert lines_of(text) == lines
    assert streamed(text, 1) == lines


def test_a_folded_paragraph_is_whole_again() -> None:
    folded = "This sentence was folded by an editor somewhere behind its middle\nand goes on. Next"
    whole = ["This sentence was folded by an editor somewhere behind its middle and goes on.", "Next"]
    assert lines_of(folded) == whole
    assert streamed(folded, 5) == whole
    before_a_list = "This line is as long as one that was folded, yet a list comes after\n- one"
    assert lines_of(before_a_list) == [before_a_list.partition("\n")[0], "- one"]


def test_a_text_without_an_end_does_not_pile_up() -> None:
    sentences = Sentences()
    lines = [line for _ in range(1000) for line in sentences.feed("word ")]
    assert lines and all(len(line) <= LONGEST for line in lines)
    assert [len(line) for line in sentences.feed("x" * 2 * LONGEST)][1:] == [LONGEST]
