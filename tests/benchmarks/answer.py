"""The answer that is streamed in every measurement: 2,000 tokens of four characters of rich Markdown."""

from __future__ import annotations

from playground_tui.engine.providers.rehearsal_text import MARKDOWN

TOKENS = 2_000
SIZE = 4
LAST = "QZXJ"
"""The last token. It stands nowhere else, so that the moment it is painted can be seen in the bytes."""


def answer(tokens: int = TOKENS) -> list[str]:
    """The fragments, the last of them LAST."""
    body = MARKDOWN.split("\n", 2)[2]
    whole = (body * (tokens * SIZE // len(body) + 1))[: (tokens - 1) * SIZE - 2] + "\n\n"
    return [whole[at : at + SIZE] for at in range(0, len(whole), SIZE)] + [LAST]
