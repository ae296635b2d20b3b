"""What a server may answer in place of what was asked for, and the words in which that is to be said."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from tests.support.assistants_server import abort, hang, raw
from tests.support.fault_proxy import FaultProxy
from tests.support.provider_server import Exchange, Reply, error

PAGE = b"<html><head><title>Oh no</title></head><body><h1>Bad gateway</h1></body></html>"
OWN = "in the server's own words"
DEEP = b"[" * 100_000
KEY = "sk-of-the-server"

Outcome = Literal["again", "stands", "harmless"]
"""Whether the same request is tried again, its failure stands, or there is none."""


@dataclass(frozen=True)
class Fault:
    """One thing that a server does. `make` gets the proxy, for what the server does before it fails."""

    name: str
    make: Callable[[FaultProxy], Reply]
    words: str
    """What stands in the sentence."""
    outcome: Outcome = "stands"
    hangs: bool = False
    slow: bool = False
    """Whether it takes too long, or asks for too long a wait, to be tried again silently."""
    countdown: str = ""
    """What a countdown shows that is longer than the usual one."""
    of_answer: bool = False
    """Whether it is the server's own JSON, spoiled."""

    def __str__(self) -> str:
        return self.name


def plain(reply: Reply) -> Callable[[FaultProxy], Reply]:
    """Something for which the server is not asked."""
    return lambda proxy: reply


def acted(reply: Reply) -> Callable[[FaultProxy], Reply]:
    """The server does what it was asked; its answer is lost, and this is in its place."""

    def make(proxy: FaultProxy) -> Reply:
        async def answer(exchange: Exchange) -> None:
            async with proxy.asked(exchange.request) as upstream:
                if "event-stream" in upstream.headers.get("content-type", ""):
                    await anext(aiter(upstream.body), b"")
                else:
                    await upstream.whole()
            await reply(exchange)

        return answer

    return make


def of_answer(change: Callable[[bytes], bytes], headers: dict[str, str] | None = None) -> Callable[[FaultProxy], Reply]:
    """The server's own answer, spoiled; its length is that of what is left."""

    def make(proxy: FaultProxy) -> Reply:
        async def answer(exchange: Exchange) -> None:
            async with proxy.asked(exchange.request) as upstream:
                body = change(await upstream.whole())
                kind = upstream.headers.get("content-type", "application/json")
                await exchange.whole(upstream.status, body, kind, headers or {})

        return answer

    return make


async def hang_in_headers(exchange: Exchange) -> None:
    await exchange.write(b"HTTP/1.1 200 OK\r\ncontent-type: appl")
    await asyncio.Event().wait()


async def hang_after_headers(exchange: Exchange) -> None:
    await exchange.head(200, {"content-type": "application/json", "content-length": "900"})
    await exchange.write(b'{"id": "')
    await asyncio.Event().wait()


async def drip(exchange: Exchange) -> None:
    """A byte now and then, for ever."""
    await exchange.head(200, {"content-type": "application/json", "transfer-encoding": "chunked"})
    while True:
        await exchange.chunk(b" ")
        await asyncio.sleep(0.05)


async def drip_headers(exchange: Exchange) -> None:
    await exchange.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        await exchange.write(b"x-more: yes\r\n")
        await asyncio.sleep(0.05)


async def no_http(exchange: Exchange) -> None:
    await exchange.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


async def cut_body(exchange: Exchange) -> None:
    await exchange.head(200, {"content-type": "application/json", "content-length": "900"})
    await exchange.write(b'{"id": "msg_')
    exchange.writer.transport.abort()
    raise ConnectionAbortedError


def in_json(value: object, status: int = 200) -> Reply:
    return raw(status, json.dumps(value).encode(), "application/json")


def with_other_id(body: bytes) -> bytes:
    """The object of another request."""
    value = json.loads(body)
    return json.dumps({**value, "id": "other_1", "data": "none"}).encode()


def redirect(proxy: FaultProxy) -> Reply:
    return raw(307, b"", "text/plain", {"location": f"http://127.0.0.1:{proxy.elsewhere}/v1/elsewhere"})


def statuses() -> Iterator[Fault]:
    """Error statuses as an API answers them, and as what stands before it does."""
    refused: dict[int, tuple[str, Outcome]] = {
        401: ("did not accept the key (401)", "stands"),
        403: ("does not allow this with the key given (403)", "stands"),
        404: (OWN, "stands"),
        409: ("conflicting request (409)", "again"),
        413: ("too large (413)", "stands"),
        422: ("refused the request (422)", "stands"),
        429: ("asks to slow down (429)", "again"),
        500: ("problem of its own (500)", "again"),
        503: ("problem of its own (503)", "again"),
        529: ("problem of its own (529)", "again"),
    }
    for status, (words, outcome) in refused.items():
        yield Fault(f"{status}", plain(error(status, OWN)), words, outcome)
    for status in (500, 502, 503):
        words = f"problem of its own ({status})"
        yield Fault(f"{status} once done", acted(error(status, OWN)), words, "again")
        yield Fault(f"{status} as a page", plain(raw(status, PAGE)), words, "again")
    yield Fault("404 as a page", plain(raw(404, PAGE)), "knows no such path (404)")
    yield Fault("503 as text", plain(raw(503, b"no healthy upstream", "text/plain")), "no healthy upstream", "again")
    yield Fault("402 without words", plain(raw(402, b"", "text/plain")), "refused the request (402)")


def waits() -> Iterator[Fault]:
    """What a server asks for with 429."""
    wishes: dict[str, tuple[str, Outcome]] = {
        "7": ("Try again in 7 s", "again"),
        "0": ("Try again in 0 s", "again"),
        "-5": ("Try again in a moment", "again"),
        "soon": ("Try again in a moment", "again"),
        "Wed, 21 Oct 2015 07:28:00 GMT": ("Try again in 0 s", "again"),
        "99999999999": ("Try again in 24 h 0 min", "stands"),
        "1e308": ("Try again in 24 h 0 min", "stands"),
        "Fri, 31 Dec 9999 23:59:59 GMT": ("Try again in 24 h 0 min", "stands"),
    }
    for wish, (words, outcome) in wishes.items():
        long = r"24 h 0 min.*escape stops" if outcome == "stands" else ""
        reply = error(429, OWN, headers={"retry-after": wish})
        yield Fault(f"429, {wish}", plain(reply), words, outcome, slow=wish == "7", countdown=long)


def connections() -> Iterator[Fault]:
    """What becomes of the connection."""
    broke, silent = "broke", "did not answer in time"
    yield Fault("reset", plain(abort()), broke, "again")
    yield Fault("reset once done", acted(abort()), broke, "again")
    yield Fault("no HTTP", plain(no_http), broke, "again")
    yield Fault("cut in the body", plain(cut_body), broke, "again")
    yield Fault("cut in the body once done", acted(cut_body), broke, "again")
    yield Fault("hang before headers", plain(hang()), silent, "again", hangs=True, slow=True)
    yield Fault("hang before headers once done", acted(hang()), silent, "again", hangs=True, slow=True)
    yield Fault("hang in headers", plain(hang_in_headers), silent, "again", hangs=True, slow=True)
    yield Fault("headers without end", plain(drip_headers), silent, "again", hangs=True, slow=True)
    yield Fault("hang after headers", plain(hang_after_headers), silent, "again", hangs=True, slow=True)
    yield Fault("drip", plain(drip), silent, "again", hangs=True, slow=True)


def bodies() -> Iterator[Fault]:
    """Successes that are none."""
    page = raw(200, PAGE)
    yield Fault("a page", plain(page), "web page", "again")
    yield Fault("a page once done", acted(page), "web page", "again")
    cut = of_answer(lambda body: body[: len(body) // 2])
    yield Fault("cut JSON", cut, "broken JSON", "again", of_answer=True)
    yield Fault("nothing", plain(raw(204, b"", "application/json")), "broken JSON", "again")
    yield Fault("deep JSON", plain(raw(200, DEEP, "application/json")), "broken JSON", "again")
    yield Fault("a list", plain(in_json([1, 2])), "no object", "again")
    yield Fault("an empty object", plain(in_json({})), "something else than", "again")
    yield Fault("an error object", plain(in_json({"error": {"message": OWN}})), OWN, "again")
    yield Fault("an error object once done", acted(in_json({"error": OWN})), OWN, "again")
    yield Fault("another's object", of_answer(with_other_id), "something else than", "again", of_answer=True)
    broken_zip = of_answer(lambda body: b"\x1f\x8b broken", {"content-encoding": "gzip"})
    yield Fault("broken gzip", broken_zip, "broke", "again", of_answer=True)
    whole_zip = of_answer(gzip.compress, {"content-encoding": "gzip"})
    yield Fault("gzip", whole_zip, "", "harmless", of_answer=True)


def all_faults() -> list[Fault]:
    """Everything there is."""
    moved = Fault("a redirect", redirect, "points to another address (307)")
    return [*statuses(), *waits(), *connections(), *bodies(), moved]
