"""Joining rankings, and the scores that are shown.

Reciprocal rank fusion: what stands at rank r of a ranking gets 1 / (60 + r) from it. Source: Cormack, Clarke and
Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", SIGIR 2009.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

SMOOTH = 60


def fused(rankings: Iterable[Sequence[int]]) -> dict[int, float]:
    """The sum that each item gets from all rankings (best first), best first."""
    sums: dict[int, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, 1):
            sums[item] = sums.get(item, 0.0) + 1 / (SMOOTH + rank)
    return dict(sorted(sums.items(), key=lambda entry: (-entry[1], entry[0])))


def scored(sums: Mapping[int, float], evidence: Mapping[int, float]) -> dict[int, float]:
    """A score from 0 to 1 for each item, in the same order and never higher than that of the one before it.

    `evidence`, from 0 to 1, tells how well an item by itself answers the query; ranks alone would give the best of many
    that have nothing to do with it a high score.
    """
    best = max(sums.values(), default=1.0)
    scores: dict[int, float] = {}
    least = 1.0
    for item, total in sums.items():
        least = min(least, evidence.get(item, 0.0) * total / best)
        scores[item] = least
    return scores
