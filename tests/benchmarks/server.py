"""A Chat Completions server in a process of its own, which says when it was asked and when it sent the last token.

`python -m tests.benchmarks.server PACE TOKENS` (tokens per second, and how many, where a message names none) writes
JSON lines to stdout: `{"event": "listening", "port": ...}`, then `asked` and `last` with the moment of the
system's monotonic clock.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from typing import Any, Self

from tests.benchmarks.answer import SIZE, TOKENS, Wanted, answer, wanted
from tests.support.provider_server import Exchange, ProviderServer, error, send_stream
from tests.support.provider_wire import Answer, chat_head, chat_tail

BATCH = 32
"""Events written together when there is no pace to keep."""


def say(event: str, **more: object) -> None:
    print(json.dumps({"event": event, "at": time.monotonic(), **more}), flush=True)


async def paced_answer(what: Wanted) -> AsyncIterator[bytes]:
    script = Answer(tuple(answer(what.tokens)), usage=(100, what.tokens))
    head, *fragments = chat_head(script)
    tail = b"".join(chat_tail(script))
    yield head
    size = BATCH if what.pace <= 0 else 1
    begun = time.monotonic()
    for place in range(0, len(fragments), size):
        if what.pace > 0:
            await asyncio.sleep(max(0.0, begun + place / what.pace - time.monotonic()))
        if place + size >= len(fragments):
            say("last")  # before it is sent: who reads it may be faster than this line
        yield b"".join(fragments[place : place + size])
    yield tail


async def serve(pace: float, tokens: int) -> None:
    async def reply(exchange: Exchange) -> None:
        say("asked")
        what = wanted(str(exchange.request.json["messages"][-1]["content"]), pace, tokens)
        await send_stream(exchange, paced_answer(what))

    async with ProviderServer(models=("scripted",)) as server:
        server.fallback = reply
        server.routes["/v1/responses"] = error(404, "404 page not found")
        say("listening", port=server.port, size=SIZE)
        await asyncio.Event().wait()


class Server:
    """That process, from outside."""

    def __init__(self, pace: float, tokens: int = TOKENS):
        argv = [sys.executable, "-m", "tests.benchmarks.server", str(pace), str(tokens)]
        self._process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        self._events: list[dict[str, Any]] = []
        self._arrived = threading.Condition()
        self._reader = threading.Thread(target=self._read, name="server reader", daemon=True)
        self._reader.start()
        self.port: int = self.wait("listening", 1)["port"]

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(5)
        self._reader.join(5)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def count(self, event: str) -> int:
        with self._arrived:
            return sum(1 for entry in self._events if entry["event"] == event)

    def wait(self, event: str, number: int, *, timeout: float = 60.0) -> dict[str, Any]:
        """The `number`th event of this kind. Raises TimeoutError."""
        end = time.monotonic() + timeout
        with self._arrived:
            while True:
                found = [entry for entry in self._events if entry["event"] == event]
                if len(found) >= number:
                    return found[number - 1]
                if not self._arrived.wait(max(0.0, end - time.monotonic())):
                    raise TimeoutError(f"the server has not said {event!r} {number} times")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._arrived:
                self._events.append(json.loads(line))
                self._arrived.notify_all()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), int(sys.argv[2])))
