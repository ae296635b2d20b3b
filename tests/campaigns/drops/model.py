"""A model that answers as it is told by the message, and remembers what it was asked.

`say("Kxp3", words=40, pace=0.02, after=0.5)` is a message to which it answers after half a second, in 40 words.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter
from typing import Any, Self

from tests.support.provider_server import Call, Exchange, ProviderServer, answer

TOLD = re.compile(r"(\w+) say (\d+) words, ([\d.]+) s apart, after ([\d.]+) s")
CALLS = re.compile(r"(\w+) call")
MODEL = "told"
MARK = 8
"""Characters at the beginning of a message by which it is told from all others."""


def say(mark: str, *, words: int, pace: float, after: float) -> str:
    """A message that tells how it is to be answered: `after` so many seconds, in words `pace` seconds apart."""
    return f"{mark} say {words} words, {pace:.3f} s apart, after {after:.2f} s"


def call(mark: str) -> str:
    """A message to which the model calls a function; it answers when it has got the output."""
    return f"{mark} call"


def answer_to(message: str) -> str:
    """What the model answers to a message, whole."""
    return "".join(_words(message))


def _words(message: str) -> list[str]:
    told = TOLD.match(message)
    count = int(told[2]) if told else 3
    return [f"{_mark(message)} is answered:", *(f" word {number}" for number in range(count)), " Ended."]


class Model:
    """The server of the model, in a thread of its own. `asked` counts the requests by the message's mark."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.outputs: list[str] = []
        """What functions were said to have given."""
        self.server = ProviderServer(models=[MODEL])
        self.server.fallback = self._reply
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="model")

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.server.start(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.server.stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _reply(self, exchange: Exchange) -> None:
        messages: list[dict[str, Any]] = exchange.request.json["messages"]
        message = next(_text(item) for item in reversed(messages) if item["role"] == "user")
        if messages[-1]["role"] == "tool":
            self.outputs.append(_text(messages[-1]))
        elif called := CALLS.match(message):
            self.asked[_mark(message)] += 1
            await answer(calls=[Call("look", id=f"call_{called[1]}")], finish="tool_calls")(exchange)
            return
        else:
            self.asked[_mark(message)] += 1
        told = TOLD.match(message)
        if told:
            await asyncio.sleep(float(told[4]))
        await answer(*_words(message), pace=float(told[3]) if told else 0.0)(exchange)


def _mark(message: str) -> str:
    return message[:MARK]


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
