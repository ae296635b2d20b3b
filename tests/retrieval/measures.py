"""Recall and discounted gain of a ranking of passages."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

from playground_tui.engine.tools.base import Found
from tests.retrieval.questions import Answer, Question


def answers_in(passage: Found, question: Question) -> set[Answer]:
    """What the passage answers of the question."""
    text = " ".join(passage.text.split())
    return {answer for answer in question.answers if answer.document == passage.filename and answer.phrase in text}


def recall(found: Sequence[Found], question: Question, depth: int = 5) -> float:
    """The part of the answers that stand in the first passages."""
    seen = set[Answer]().union(*(answers_in(passage, question) for passage in found[:depth]))
    return len(seen) / len(question.answers)


def ndcg(found: Sequence[Found], question: Question, depth: int = 10) -> float:
    """Discounted gain by rank over that of the best order. An answer that was there already, in a passage that
    overlaps, gains nothing.

    Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002.
    """
    total, seen = 0.0, set[Answer]()
    for rank, passage in enumerate(found[:depth], 1):
        new = answers_in(passage, question) - seen
        total += sum(answer.gain for answer in new) / log2(rank + 1)
        seen |= new
    gains = sorted((answer.gain for answer in question.answers), reverse=True)
    return min(total / sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1)), 1.0)
