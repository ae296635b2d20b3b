"""Two texts beside each other, row by row."""

from __future__ import annotations

import random

import pytest

from playground_tui.assistants.comparison import Detail, Line, Row, compared


def text(line: Line | None) -> str | None:
    """A line as a person sees it: what differs in brackets."""
    if line is None:
        return None
    return "".join(f"[{piece.text}]" if piece.look == "changed" else piece.text for piece in line)


def shown(old: str, new: str, detail: Detail = "brief") -> list[tuple[str | None, str | None] | str | None]:
    """The rows: pairs of what differs, and single lines of what is the same."""
    return [text(row.old) if row.same else (text(row.old), text(row.new)) for row in compared(old, new, detail)]


def test_words_are_marked_in_lines_that_are_alike() -> None:
    assert shown("Be kind.\nAnswer in one line.\nEnd", "Be kind.\nAnswer in two lines.\nEnd") == [
        "Be kind.",
        ("Answer in [one] [line].", "Answer in [two] [lines]."),
        "End",
    ]


def test_lines_stand_beside_those_they_have_most_in_common_with() -> None:
    old = "first of all\nsay hello to everybody\nthen leave the room"
    new = "a new beginning\nfirst of all things\nsomething else\nsay hello to nobody\nthen leave the house"
    assert shown(old, new) == [
        (None, "[a new beginning]"),
        ("first of all", "first of all[ things]"),
        (None, "[something else]"),
        ("say hello to [everybody]", "say hello to [nobody]"),
        ("then leave the [room]", "then leave the [house]"),
    ]


def test_lines_that_have_nothing_in_common_are_marked_whole() -> None:
    assert shown("alpha beta gamma", "one, two, three") == [("[alpha beta gamma]", "[one, two, three]")]


def test_an_empty_text_has_no_line() -> None:
    assert shown("", "") == []
    assert shown("", "a\nb") == [(None, "[a]"), (None, "[b]")]
    assert shown("a\n", "") == [("[a]", None), ("[]", None)]
    assert shown("a", "a\n") == ["a", (None, "[]")]


def test_what_is_the_same_is_left_out_but_for_a_few_lines() -> None:
    lines = [f"line {number}" for number in range(20)]
    new = [*lines[:9], "changed", *lines[10:]]
    old = "\n".join(lines)
    assert shown(old, "\n".join(new)) == [
        "… 7 lines the same …",
        *lines[7:9],
        ("[line 9]", "[changed]"),
        *lines[10:12],
        "… 8 lines the same …",
    ]
    assert len(shown(old, "\n".join(new), "whole")) == 20
    assert shown(old, old) == ["… 20 lines the same …"]
    assert shown("a\nb\nc\nd", "a\nb\nc\nD") == ["a", "b", "c", ("[d]", "[D]")]


def test_the_middle_of_a_long_line_is_left_out() -> None:
    old = "a " * 500 + "old word " + "b " * 500
    new = old.replace("old", "new")
    head, tail = f" … 950 characters the same … {'a ' * 25}", f" word {'b ' * 22} … 956 characters the same … "
    assert shown(old, new) == [(f"{head}[old]{tail}", f"{head}[new]{tail}")]
    assert shown(old, new, "lines") == [(old.replace("old", "[old]"), new.replace("new", "[new]"))]


def test_a_long_line_that_is_the_same_is_cut_in_brief_alone() -> None:
    same = "word " * 100
    assert shown(f"{same}\nx", f"{same}\ny")[0] == f"{same[:50]} … 450 characters the same … "
    assert shown(f"{same}\nx", f"{same}\ny", "lines")[0] == same


@pytest.mark.parametrize("detail", ["lines", "whole"])
def test_every_text_is_there_whole(detail: Detail) -> None:
    chance = random.Random(3)

    def anything() -> str:
        return "".join(chance.choices("ab \n\t.ñ🎉", k=chance.randint(0, 60)))

    def joined(rows: list[Row], side: str) -> str:
        lines = [getattr(row, side) for row in rows]
        return "\n".join("".join(piece.text for piece in line) for line in lines if line is not None)

    for _ in range(300):
        old, new = anything(), anything()
        rows = compared(old, new, detail)
        if not any(piece.look == "skipped" for row in rows for piece in row.old or ()):
            assert (joined(rows, "old"), joined(rows, "new")) == (old, new)


@pytest.mark.parametrize("line", [40, 10**9])
def test_the_longest_instructions_are_compared(line: int) -> None:
    chance = random.Random(5)
    words = ["".join(chance.choices("abcdefgh", k=6)) for _ in range(400)]
    old = "".join(chance.choice(words) + ("\n" if place % line == line - 1 else " ") for place in range(256_000 // 7))
    new = old[:100_000] + "inserted " + old[100_000:200_000] + old[200_050:]
    rows = compared(old, new, "brief")
    marked = [piece.text for row in rows for piece in row.new or () if piece.look == "changed"]
    assert "inserted" in "".join(marked)
    assert sum(len(piece.text) for row in rows for piece in row.new or ()) < 2_000


def test_of_very_many_rows_the_first_are_shown() -> None:
    old, new = ("\n".join(f"{word} {number}" for number in range(1_000)) for word in ("a", "b"))
    rows = shown(old, new)
    assert (len(rows), rows[-1]) == (401, "… and more lines …")
    assert len(shown(old, new, "lines")) == 1_000
