"""The answer that is streamed in every measurement: tokens of four characters of rich Markdown.

A message asks for it in numbers, so that the floor and the playground are asked alike: `200` is 2,000 tokens at 200
tokens per second, `0 250000` is 250,000 tokens as fast as it goes.
"""

from __future__ import annotations

from dataclasses import dataclass

from playground_tui.engine.providers.rehearsal_text import MARKDOWN

TOKENS = 2_000
SIZE = 4
LAST = "QZXJ"
"""The last token. It stands nowhere else, so that the moment it is painted can be seen in the bytes."""


@dataclass(frozen=True)
class Wanted:
    """An answer: tokens per second (0: as fast as it goes), and how many of them."""

    pace: float
    tokens: int = TOKENS

    @property
    def message(self) -> str:
        return f"{self.pace:g} {self.tokens}"


def wanted(message: str, pace: float, tokens: int = TOKENS) -> Wanted:
    """What a message asks for; one without numbers wants an answer of `tokens` at `pace`."""
    try:
        numbers = [float(word) for word in message.split()]
    except ValueError:
        numbers = []
    return Wanted(numbers[0] if numbers else pace, int(numbers[1]) if len(numbers) > 1 else tokens)


def answer(tokens: int = TOKENS) -> list[str]:
    """The fragments, the last of them LAST."""
    body = MARKDOWN.split("\n", 2)[2]
    whole = (body * (tokens * SIZE // len(body) + 1))[: (tokens - 1) * SIZE - 2] + "\n\n"
    return [whole[at : at + SIZE] for at in range(0, len(whole), SIZE)] + [LAST]
