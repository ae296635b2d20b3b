"""The engine in front of a model provider that misbehaves: each fault ends the run as the contract has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from playground_tui.assistants.client import AssistantsClient
from playground_tui.assistants.events import Event, MessageChanged, RunChanged
from playground_tui.assistants.objects import Run
from playground_tui.engine.providers import http
from tests.campaigns.faults import answers, streams
from tests.campaigns.faults.answers import OWN, PAGE
from tests.support.assistants_server import abort, hang, raw
from tests.support.engine import RunningEngine, running_engine
from tests.support.provider_server import Exchange, ProviderServer, Reply, answer, error
from tests.support.provider_wire import Answer, chat_head, chat_tail, responses_head, responses_tail

KEY = "sk-of-the-provider-0123456789"
NAME = "gpu-box"
WORDS = ("Once ", "upon ", "a ", "time ", "there ", "was ", "an ", "end.")
WHOLE = "".join(WORDS)
SILENCE = 1.0
"""Seconds of a silent provider here."""
KINDS = ("responses", "chat")

Check = Callable[[Run, str], None]


@dataclass(frozen=True)
class ProviderFault:
    """`says` stands in the run's error; `code` is the contract's; `""` is a run that completes all the same."""

    name: str
    make: Callable[[str, Random], Reply]
    says: str
    code: str = "server_error"

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class ProviderCase:
    """What is tried, with a provider of a kind."""

    kind: str
    fault: ProviderFault
    seed: str

    def __str__(self) -> str:
        return f"provider {self.kind}, {self.fault}, {self.seed}"


def reply_of(reply: Reply) -> Callable[[str, Random], Reply]:
    return lambda kind, random: reply


def statuses() -> Iterator[ProviderFault]:
    """Error statuses, as an API and as what stands before it answers them."""
    known = {
        401: "did not accept the key (401)",
        403: "does not allow this with the key given (403)",
        409: "refused the request (409)",
        413: "too large",
        422: "refused the request (422)",
        429: "limiting requests (429)",
        500: "problem of its own (500)",
        502: "problem of its own (502)",
        503: "problem of its own (503)",
        529: "problem of its own (529)",
    }
    codes = {413: "invalid_prompt", 429: "rate_limit_exceeded"}
    for status, says in known.items():
        code = codes.get(status, "server_error")
        yield ProviderFault(f"{status}", reply_of(error(status, f"{OWN} {KEY}")), says, code)
        yield ProviderFault(f"{status} as a page", reply_of(raw(status, PAGE)), says, code)
    missing = error(404, OWN, code="model_not_found")
    yield ProviderFault("404", reply_of(missing), "does not know the model or the address (404)")
    yield ProviderFault("a redirect", reply_of(raw(307, b"", headers={"location": "http://127.0.0.1:9"})), "redirect")


def waits() -> Iterator[ProviderFault]:
    """What is asked for with 429."""
    wishes = {
        "7": "Try again in 7 s.",
        "0.5": "Try again in 0.5 s.",
        "-5": "Try again in a while.",
        "99999999999": "Try again in a while.",
        "9" * 4000: "Try again in a while.",
        "soon": "Try again in a while.",
        "Wed, 21 Oct 2026 07:28:00 GMT": "Try again after Wed, 21 Oct 2026 07:28:00 GMT.",
    }
    for wish, says in wishes.items():
        reply = error(429, OWN, headers={"retry-after": wish})
        yield ProviderFault(f"429, {wish[:30]}", reply_of(reply), says, "rate_limit_exceeded")


def connections() -> Iterator[ProviderFault]:
    """What becomes of the connection, and successes that are none."""
    broke, silent, other = "broke the connection", "did not answer in time (silence)", "not its API"
    yield ProviderFault("reset", reply_of(abort()), broke)
    yield ProviderFault("no HTTP", reply_of(answers.no_http), broke)
    yield ProviderFault("cut in the body", reply_of(answers.cut_body), broke)
    yield ProviderFault("hang before headers", reply_of(hang()), silent)
    yield ProviderFault("hang in headers", reply_of(answers.hang_in_headers), silent)
    yield ProviderFault("hang after headers", reply_of(answers.hang_after_headers), silent)
    yield ProviderFault("a page", reply_of(raw(200, PAGE)), "answered with a web page")
    yield ProviderFault("a page as JSON", reply_of(raw(200, PAGE, "application/json")), "answered with a web page")
    yield ProviderFault(
        "a page as a stream", reply_of(raw(200, PAGE, "text/event-stream")), "before the answer was whole"
    )
    yield ProviderFault("cut JSON", reply_of(raw(200, b'{"id": "r', "application/json")), other)
    yield ProviderFault("deep JSON", reply_of(raw(200, answers.DEEP, "application/json")), other)
    yield ProviderFault("a list", reply_of(raw(200, b"[1]", "application/json")), other)
    yield ProviderFault("an empty object", reply_of(raw(200, b"{}", "application/json")), "before the answer was whole")
    yield ProviderFault("nothing", reply_of(raw(200, b"", "text/event-stream")), "before the answer was whole")
    yield ProviderFault("204", reply_of(raw(204, b"", "text/plain")), "answered with nothing (204)")
    zipped = raw(200, b"\x1f\x8b broken", "text/event-stream", {"content-encoding": "gzip"})
    yield ProviderFault("broken gzip", reply_of(zipped), broke)
    own = reply_of(answers.in_json({"error": {"message": f"{OWN} {KEY}"}}))
    yield ProviderFault("an error object", own, OWN)


def in_streams() -> Iterator[ProviderFault]:
    """What becomes of the stream, at random points."""
    cut, broken = "before the answer was whole", "broke the connection"
    mangled: dict[str, tuple[streams.Mangle, str]] = {
        "broken": (streams.broken, broken),
        "broken within an event": (streams.broken_within, broken),
        "without an end": (streams.without_end, cut),
        "hanging": (streams.hanging, "did not answer in time (silence)"),
        "with strange events": (streams.among(b": beat\n\n", b"event: ping\ndata: {}\n\n", b"retry: 5\n\n"), ""),
        "half an event at the end": (streams.half_at_end, ""),
        "deep JSON in it": (streams.once_among(lambda blocks: b"data: " + streams.DEEP + b"\n\n"), ""),
        "10 MB of a comment": (streams.once_among(lambda blocks: b": " + streams.MEGABYTES + b"\n\n"), ""),
        "40 MB without a line end": (streams.once_among(lambda blocks: b"data: " + 4 * streams.MEGABYTES), ""),
        "40 MB without an end": (streams.once_among(lambda blocks: (b"data: " + b"x" * 2**20 + b"\n") * 40), ""),
        "an error in it": (
            streams.once_among(lambda blocks: b'data: {"error": {"message": "' + OWN.encode() + b'"}}\n\n'),
            "",
        ),
        "byte by byte": (streams.byte_by_byte, ""),
        "CRLF": (streams.with_line_ends(b"\r\n"), ""),
    }
    for name, (mangle, says) in mangled.items():
        yield ProviderFault(name, of_stream(mangle), says)
    yield ProviderFault("an event of 10 MB", lambda kind, random: answer("x" * 10 * 2**20), "")
    yield ProviderFault("slow", lambda kind, random: answer(*WORDS, pace=0.05), "")


def of_stream(mangle: streams.Mangle) -> Callable[[str, Random], Reply]:
    """A whole answer, spoiled."""

    def make(kind: str, random: Random) -> Reply:
        heads, tails = (chat_head, chat_tail) if kind == "chat" else (responses_head, responses_tail)
        script = Answer(WORDS)
        blocks = [*heads(script), *tails(script)]

        async def reply(exchange: Exchange) -> None:
            await exchange.head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
            for piece in mangle(blocks, random):
                if piece == streams.CUT:
                    raise ConnectionAbortedError
                if piece == streams.HANG:
                    await asyncio.Event().wait()
                await exchange.chunk(piece)
            await exchange.write(b"0\r\n\r\n")

        return reply

    return make


def provider_cases(seed: int) -> list[ProviderCase]:
    """All of them."""
    faults = [*statuses(), *waits(), *connections(), *in_streams()]
    return [ProviderCase(kind, fault, f"{seed} {number}") for kind in KINDS for fault in faults for number in range(2)]


@dataclass
class ProviderBench:
    """An engine with a provider of each kind on one server."""

    engine: RunningEngine
    provider: ProviderServer
    client: AssistantsClient


@asynccontextmanager
async def provider_bench(directory: Path) -> AsyncIterator[ProviderBench]:
    async with running_engine(directory) as engine, ProviderServer() as provider:
        listed = [
            {"name": f"{NAME}-{kind}", "kind": kind, "base_url": provider.base_url, "api_key": KEY, "origin": "config"}
            for kind in KINDS
        ]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(http, "SILENCE", SILENCE)
            patch.setattr(http, "loopback", lambda host: False)  # a provider elsewhere, for which silence is measured
            await engine.settle(providers=listed)
            yield ProviderBench(engine, provider, engine.client("campaign"))


async def play_provider(case: ProviderCase, bench: ProviderBench) -> str:
    """Try it; how the run ended. AssertionError when anything is not as it should be."""
    client, name = bench.client, f"{NAME}-{case.kind}"
    made = await client.create_assistant({"model": f"{name}/scripted"}, key=str(case))
    thread = await client.create_thread(key=str(case))
    await client.create_message(thread, "hello", key=str(case))
    bench.provider.script(case.fault.make(case.kind, Random(case.seed)))
    events = [one async for one in client.run(thread, made.id, key=str(case))]
    run = await client.retrieve_run(thread, [one for one in events if isinstance(one, RunChanged)][-1].run.id)
    text = await checked(bench, run, events)
    if run.status == "failed":
        says(case, run, name)
    else:
        assert run.status == "completed", run.status
        assert not case.fault.says, f"completed where {case.fault.says} was to be said"
        assert text == WHOLE or case.fault.name in {"an event of 10 MB"}, text[:200]
    bench.provider._script.clear()
    await client.create_message(thread, "again", key=f"{case} 2")
    after = [one async for one in client.run(thread, made.id, key=f"{case} 2")]
    assert [one for one in after if isinstance(one, RunChanged)][-1].run.status == "completed", "the thread is not free"
    return run.status


async def checked(bench: ProviderBench, run: Run, events: list[Event]) -> str:
    """Nothing is left open, what was streamed is stored, and no key is anywhere; the text of the answer."""
    messages = await bench.client.messages_of_run(run.thread_id, run.id)
    steps = await bench.client.list_steps(run.thread_id, run.id)
    ended = "completed" if run.status == "completed" else "incomplete"
    assert all(message.status == ended for message in messages), [message.status for message in messages]
    assert all(step.status == run.status for step in steps), [step.status for step in steps]
    told = {one.message.id: one.message.text for one in events if isinstance(one, MessageChanged)}
    assert told == {message.id: message.text for message in messages}
    text = "".join(message.text for message in messages)
    assert WHOLE.startswith(text) or len(text) > 2**20, f"{text[:200]} is no beginning"
    assert KEY not in str(run.raw) and KEY not in text
    return text


def says(case: ProviderCase, run: Run, name: str) -> None:
    """The run's error has the contract's code, and a sentence that names the provider."""
    assert run.error_code == case.fault.code, f"{run.error_code}: {run.error_message}"
    assert name in run.error_message and case.fault.says in run.error_message, run.error_message
    assert "Traceback" not in run.error_message and len(run.error_message) < 600, run.error_message
