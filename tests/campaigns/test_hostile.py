"""Hostile text on the screen and in two commands, and a judge that sees what it is to see."""

from __future__ import annotations

from functools import partial

import pytest

from tests.campaigns.hostile import campaign
from tests.campaigns.hostile_text import HIDDEN, SEQUENCES
from tests.campaigns.hostile_tours import foreign_screen, headless
from tests.campaigns.judge import LINES, SCREEN, Judge


def test_nothing_hostile_reaches_the_terminal() -> None:
    tours = {"screen": partial(foreign_screen, whole=False), "commands": partial(headless, whole=False)}
    outcome = campaign(rounds=1, seed=5, tours=tours)
    assert outcome.findings == []
    assert {"assistant name", "message", "streamed text", "awaited function", "local file"} <= outcome.shown
    assert len(outcome.shown) > 25


@pytest.mark.parametrize("piece", [*SEQUENCES, *HIDDEN], ids=ascii)
@pytest.mark.parametrize("allowed", [SCREEN, LINES], ids=["screen", "lines"])
def test_the_judge_sees_it(piece: str, allowed: frozenset[str]) -> None:
    judge = Judge(allowed=allowed, ends="" if allowed else "\n\t", settled=True)
    judge.feed(f"abc{piece}def".encode("utf-8", "surrogatepass"))
    judge.end()
    assert judge.findings


def test_the_judge_lets_text_colours_and_moves_pass() -> None:
    judge = Judge(settled=True)
    for piece in (
        "\x1b[12;120H\x1b[0;1;38;2;166;6;66;48;5;17m",
        "Grüße 日本語 ",
        "\U0001f469\U0001f3fd",
        "\u200d\u2764\ufe0f",
    ):
        for byte in piece.encode():
            judge.feed(bytes([byte]))
    judge.end()
    assert judge.findings == []
    assert "日" in judge.display
