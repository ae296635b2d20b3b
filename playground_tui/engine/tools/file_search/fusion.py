"""Joining rankings, and the scores that are shown.

Reciprocal rank fusion: what stands at rank r of a ranking gets 1 / (60 + r) from it. Source: Cormack, Clarke and
Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", SIGIR 2009. Here it gets
only as much of that as it answers the query by itself: the best of many that have nothing to do with it is no match for
one that has all of its words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

SMOOTH = 60


def fused(rankings: Iterable[Mapping[int, float]]) -> dict[int, float]:
    """The sum that each item gets from all rankings, best first.

    A ranking tells its items, best first, and the evidence for each: how well it answers the query, from 0 to 1.
    """
    sums: dict[int, float] = {}
    for ranking in rankings:
        for rank, (item, evidence) in enumerate(ranking.items(), 1):
            sums[item] = sums.get(item, 0.0) + evidence / (SMOOTH + rank)
    return dict(sorted(sums.items(), key=lambda entry: (-entry[1], entry[0])))


def scored(items: Iterable[int], evidence: Mapping[int, float]) -> dict[int, float]:
    """A score from 0 to 1 for each item, in the same order and never higher than that of the one before it.

    `evidence` is the best that there is for each item.
    """
    scores: dict[int, float] = {}
    least = 1.0
    for rank, item in enumerate(items, 1):
        least = min(least, evidence.get(item, 0.0) * (SMOOTH + 1) / (SMOOTH + rank))
        scores[item] = least
    return scores
