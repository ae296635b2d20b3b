"""Embeddings as bytes, and how near they are to each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Parts = Iterable[tuple[Sequence[int], Sequence[bytes]]]
"""Items with their packed embeddings, a part at a time."""


def packed(embeddings: Sequence[Sequence[float]]) -> list[bytes]:
    """Each embedding as float32, little-endian, of length one. Raises ValueError if they are not equally long."""
    import numpy as np  # noqa: PLC0415 - slow to import

    matrix = np.asarray(embeddings, dtype="<f4")
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        raise ValueError("These are no embeddings.")
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    matrix /= np.where(lengths == 0, 1, lengths)
    return [row.tobytes() for row in matrix]


def nearest(query: bytes, parts: Parts, limit: int) -> dict[int, float]:
    """The items nearest to the query with their cosine similarity, nearest first, without those of another length."""
    import numpy as np  # noqa: PLC0415 - slow to import

    wanted = np.frombuffer(query, dtype="<f4")
    best: list[tuple[float, int]] = []
    for items, rows in parts:
        known = [(item, row) for item, row in zip(items, rows, strict=True) if len(row) == len(query)]
        matrix = np.frombuffer(b"".join(row for _, row in known), dtype="<f4").reshape(-1, wanted.size)
        near = zip((matrix @ wanted).tolist(), (item for item, _ in known), strict=True)
        best = sorted([*best, *near], key=lambda found: (-found[0], found[1]))[:limit]
    return {item: similarity for similarity, item in best}
