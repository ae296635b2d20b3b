"""Which parts of two sequences are the same: right, good enough to read, and never for long."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from playground_tui.assistants import matching
from playground_tui.assistants.matching import Block, matches


def common(one: Sequence[str], other: Sequence[str], blocks: Sequence[Block]) -> int:
    """How many elements the blocks hold, after checking that they are what they say."""
    mine = yours = 0
    for start, from_, size in blocks:
        assert size > 0 and start >= mine and from_ >= yours
        assert one[start : start + size] == other[from_ : from_ + size]
        mine, yours = start + size, from_ + size
    return sum(size for _, _, size in blocks)


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("", "", []),
        ("abc", "", []),
        ("abc", "abc", [(0, 0, 3)]),
        ("abc", "xyz", []),
        ("abcd", "axcd", [(0, 0, 1), (2, 2, 2)]),
        ("abcd", "abXXcd", [(0, 0, 2), (2, 4, 2)]),
        ("aa", "aaa", [(0, 0, 2)]),
        ("xaybzc", "1a2b3c", [(1, 1, 1), (3, 3, 1), (5, 5, 1)]),
        ("abcde", "eabcd", [(0, 1, 4)]),
    ],
)
def test_common_parts(one: str, other: str, found: list[Block]) -> None:
    assert matches(one, other) == found


def test_common_parts_of_anything_are_true_and_few_are_missed() -> None:
    chance = random.Random(7)
    for letters in ("ab", "abcdefgh", "abcdefghijklmnopqrstuvwxyz" * 3):
        for _ in range(300):
            one = chance.choices(letters, k=chance.randint(0, 40))
            other = [letter for letter in one if chance.random() < 0.8]
            assert common(one, other, matches(one, other)) >= 0.5 * len(other)


def test_without_effort_only_the_ends_are_found() -> None:
    one, other = ["a", *"bcdef", "z"], ["a", *"xcdey", "z"]
    assert common(one, other, matches(one, other)) == 5
    assert matches(one, other, 0) == [(0, 0, 1), (6, 6, 1)]


@pytest.mark.parametrize("letters", ["ab", "".join(map(chr, range(100, 700)))])
def test_the_worst_sequences_do_not_take_longer_than_the_effort(letters: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    class Counting(matching.SequenceMatcher):  # type: ignore[type-arg,name-defined]
        def __init__(self, junk: None, one: Sequence[str], other: Sequence[str], *, autojunk: bool) -> None:
            nonlocal compared
            compared += len(one) * len(other)
            super().__init__(junk, one, other, autojunk=autojunk)

    monkeypatch.setattr(matching, "SequenceMatcher", Counting)
    chance = random.Random(1)
    one, other = (chance.choices(letters, k=20_000) for _ in range(2))
    common(one, other, matches(one, other, 200_000))
    assert compared <= 20_000
