"""One search: rankings by words and by embeddings, joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from playground_tui.engine.store import chunks
from playground_tui.engine.store.chunks import Source, Stored
from playground_tui.engine.tools.base import Found, SearchRequest
from playground_tui.engine.tools.file_search.fusion import fused, scored
from playground_tui.engine.tools.file_search.held import Held
from playground_tui.engine.tools.file_search.vectors import nearest
from playground_tui.engine.tools.file_search.words import match_of, terms

DEPTH = 100
"""The chunks of a ranking that count."""

Embedded = Mapping[str, Sequence[bytes]]
"""The embeddings of all queries, packed, by the model that made them."""


@dataclass(slots=True)
class _Search:
    """The rankings so far, and how well each chunk answers the best-matching query by itself: 0 to 1."""

    connection: Connection
    held: Held
    sources: Mapping[int, Source]
    rankings: list[Mapping[int, float]]
    evidence: dict[int, float]

    def by_words(self, query: str) -> None:
        """Rank by BM25. Evidence is how many of the query's terms a chunk has."""
        wanted = terms(query)
        if not wanted:
            return
        found = chunks.by_words(self.connection, match_of(wanted), list(self.sources), DEPTH)
        counts = dict.fromkeys(found, 0)
        for term in wanted:
            for seq in chunks.having(self.connection, match_of([term]), found):
                counts[seq] += 1
        self._rank({seq: count / len(wanted) for seq, count in counts.items()})

    def by_meaning(self, embedded: Embedded, place: int) -> None:
        """Rank by embeddings of the query at this place. Evidence is the cosine similarity."""
        near: dict[int, float] = {}
        for model, queries in embedded.items():
            mine = [seq for seq, source in self.sources.items() if source.embedder == model]
            near |= nearest(queries[place], self.held.of(self.connection, mine), DEPTH)
        best = sorted(near, key=lambda seq: (-near[seq], seq))[:DEPTH]
        self._rank({seq: min(max(near[seq], 0.0), 1.0) for seq in best})

    def _rank(self, ranking: Mapping[int, float]) -> None:
        self.rankings.append(ranking)
        for seq, value in ranking.items():
            self.evidence[seq] = max(self.evidence.get(seq, 0.0), value)


def find(
    c: Connection, request: SearchRequest, sources: Sequence[Source], embedded: Embedded, held: Held
) -> list[Found]:
    """The best chunks of these files, best first."""
    search = _Search(c, held, {source.store_file: source for source in sources}, [], {})
    for place, query in enumerate(request.queries):
        search.by_words(query)
        search.by_meaning(embedded, place)
    scores = scored(fused(search.rankings), search.evidence)
    good = {seq: score for seq, score in scores.items() if score >= request.score_threshold}
    kept = chunks.stored(c, list(good))
    return _results([(kept[seq], score) for seq, score in good.items() if seq in kept], search.sources, request.limit)


def _results(chosen: Sequence[tuple[Stored, float]], sources: Mapping[int, Source], limit: int) -> list[Found]:
    """The results, each text of a file once: the file may be in several of the vector stores."""
    found: dict[tuple[str, str], Found] = {}
    for chunk, score in chosen:
        source = sources[chunk.store_file]
        result = Found(source.file_id, source.filename, score, chunk.text, source.attributes)
        found.setdefault((source.file_id, chunk.text), result)
    return list(found.values())[:limit]
