"""How well search finds what was asked for, by words alone and joined with embeddings.

python -m tests.retrieval                                             embeddings by hashing: see embedding_server.py
python -m tests.retrieval --base-url http://127.0.0.1:8000/v1 --model NAME       of a server that has a real model
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.retrieval.embedding_server import MODEL, embedding_server
from tests.retrieval.measure import CHUNKING, Report, measured
from tests.retrieval.questions import QUESTIONS


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.retrieval")
    parser.add_argument("--base-url", help="a server with /embeddings; the key is not needed or in its address")
    parser.add_argument("--model", default=MODEL, help="its model for embeddings")
    parser.add_argument("--misses", action="store_true", help="name the questions whose answers were not found")
    options = parser.parse_args(arguments)
    asyncio.run(_print(options.base_url, options.model, misses=options.misses))


async def _print(base_url: str | None, model: str, *, misses: bool) -> None:
    print(f"{len(QUESTIONS)} questions; embeddings: {model}")
    print(f"{'chunks':>12} {'search':>8} {'recall@5':>9} {'nDCG@10':>8} {'chunks':>7}")
    for size, overlap in CHUNKING:
        for name, report in (await _both(base_url, model, size, overlap)).items():
            print(f"{size:>8}/{overlap:<3} {name:>8} {report.recall:>9.3f} {report.ndcg:>8.3f} {report.chunks:>7}")
            for question in report.missed if misses else ():
                print(f"{'':>22}not whole: {question}")


async def _both(base_url: str | None, model: str, size: int, overlap: int) -> dict[str, Report]:
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        words = await measured(directory / "words", size, overlap)
        if base_url is not None:
            return {"BM25": words, "hybrid": await measured(directory / "both", size, overlap, base_url, model)}
        async with embedding_server() as server:
            return {"BM25": words, "hybrid": await measured(directory / "both", size, overlap, server.base_url, model)}


if __name__ == "__main__":
    main()
