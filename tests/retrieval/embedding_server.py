"""A server of `/v1/embeddings` that knows nothing of meaning: the same vector for the same text, everywhere and always.

A text becomes counts of its words and of their pieces of three and four letters, each put by its hash into one of a
number of places with a sign. So "recalibrated" is near "recalibration", and "puppy" is not near "dog". A language
model's embeddings do better: what is shown with these is that joining rankings works, not how good it gets.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from hashlib import blake2b
from math import log1p

from tests.support.provider_server import Exchange, ProviderServer, raw

MODEL = "hashed-embeddings"
PLACES = 512
_WORD = re.compile(r"[a-z0-9]+")


def embedding_server() -> ProviderServer:
    """A provider with this one model."""
    server = ProviderServer(models=[MODEL])
    server.routes["/v1/embeddings"] = answer
    return server


async def answer(exchange: Exchange) -> None:
    """Answer a request as the API does."""
    texts = exchange.request.json["input"]
    data = [{"object": "embedding", "index": place, "embedding": embedding(text)} for place, text in enumerate(texts)]
    body = {"object": "list", "model": MODEL, "data": data, "usage": {"prompt_tokens": 0, "total_tokens": 0}}
    await raw(200, json.dumps(body).encode(), "application/json")(exchange)


def embedding(text: str) -> list[float]:
    """The vector of a text, not of length one."""
    counts: Counter[str] = Counter()
    for word in _WORD.findall(text.lower()):
        padded = f"<{word}>"
        counts[padded] += 2
        for size in (3, 4):
            counts.update(padded[at : at + size] for at in range(len(padded) - size + 1))
    vector = [0.0] * PLACES
    for piece, count in counts.items():
        hashed = int.from_bytes(blake2b(piece.encode(), digest_size=8).digest())
        vector[hashed % PLACES] += log1p(count) * (1 if hashed >> 32 & 1 else -1)
    return vector
