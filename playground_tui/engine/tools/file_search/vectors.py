"""Embeddings as bytes, and how near they are to each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Part:
    """Items, and their embeddings as the rows of a matrix."""

    items: NDArray[np.int64]
    rows: NDArray[np.float32]


def packed(embeddings: Sequence[Sequence[float]]) -> list[bytes]:
    """Each embedding as float32, little-endian, of length one. Raises ValueError if they are not equally long."""
    import numpy as np  # noqa: PLC0415 - slow to import

    matrix = np.asarray(embeddings, dtype="<f4")
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        raise ValueError("These are no embeddings.")
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    matrix /= np.where(lengths == 0, 1, lengths)
    return [row.tobytes() for row in matrix]


def parts(items: Sequence[int], embeddings: Sequence[bytes]) -> Iterator[Part]:
    """Items and their packed embeddings; a part for each length that these have."""
    import numpy as np  # noqa: PLC0415 - slow to import

    for size in dict.fromkeys(map(len, embeddings)):
        mine = [(item, row) for item, row in zip(items, embeddings, strict=True) if len(row) == size]
        rows = np.frombuffer(b"".join(row for _, row in mine), dtype="<f4").reshape(len(mine), -1)
        yield Part(np.array([item for item, _ in mine], dtype=np.int64), rows)


def nearest(query: bytes, known: Iterable[Part], limit: int) -> dict[int, float]:
    """The items nearest to the query with their cosine similarity, nearest first, without those of another length."""
    import numpy as np  # noqa: PLC0415 - slow to import

    wanted = np.frombuffer(query, dtype="<f4")
    found = [(part.items, part.rows @ wanted) for part in known if part.rows.shape[1] == wanted.size]
    if not found:
        return {}
    items, near = (np.concatenate(column) for column in zip(*found, strict=True))
    best = np.lexsort((items, -near))[:limit]
    return dict(zip(items[best].tolist(), near[best].tolist(), strict=True))
