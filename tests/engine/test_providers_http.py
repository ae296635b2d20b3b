"""Event streams however they are cut, and every failure of a provider in a sentence without a key."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator

import httpx2
import pytest

from playground_tui.engine.providers import event_reader, http
from playground_tui.engine.providers.base import ProviderError, ProviderSettings
from playground_tui.engine.providers.chat import ChatProvider
from playground_tui.engine.providers.event_reader import EventReader
from playground_tui.engine.providers.refusals import broken
from tests.support.asking import events_of, text_of
from tests.support.provider_server import Exchange, ProviderServer, Reply, answer, error, hang, raw, stream
from tests.support.wait import until

KEY = "sk-very-secret-0123456789"


@pytest.fixture
async def server() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as server:
        yield server


@pytest.fixture
async def chat(server: ProviderServer) -> AsyncIterator[ChatProvider]:
    provider = ChatProvider(ProviderSettings("local", "chat", server.base_url, KEY))
    yield provider
    await provider.close()


async def failure(provider: ChatProvider) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await events_of(provider)
    return caught.value


STREAM = (
    ": hello\r\nevent: a\r\ndata: one\r\n\r\ndata:two\ndata: més\nid: 7\nretry: 1\n\nevent: empty\n\ndata\n\ndata: last"
)
EVENTS = [("a", "one"), ("", "two\nmés"), ("", ""), ("", "last")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_the_same_however_the_network_cuts_them(size):
    reader, sent = EventReader(), b"\xef\xbb\xbf" + STREAM.encode()
    events = [event for at in range(0, len(sent), size) for event in reader.feed(sent[at : at + size])]
    assert events + reader.end() == EVENTS


def test_an_event_of_ten_megabytes_is_read():
    reader = EventReader()
    pieces = [b"data: ", *[b"x" * 65536] * 160, b"\n\n"]
    events = [event for piece in pieces for event in reader.feed(piece)]
    assert [len(data) for _, data in events] == [160 * 65536]
    assert reader.end() == []


def test_a_line_without_end_is_no_event_stream(monkeypatch):
    monkeypatch.setattr(event_reader, "LONGEST", 10)
    reader = EventReader()
    with pytest.raises(event_reader.TooLong):
        for _ in range(3):
            reader.feed(b"xxxxx")


@pytest.mark.parametrize(
    ("reply", "words", "code"),
    [
        (
            error(401, f"Incorrect API key provided: {KEY}."),
            "did not accept the key (401): Incorrect API key",
            "server",
        ),
        (error(403, "no access"), "does not allow this with the key given (403): no access.", "server"),
        (error(404, "model 'x' not found"), "does not know the model or the address (404): model 'x' not", "server"),
        (error(413, "too big"), "The request is too large for local (413)", "invalid"),
        (error(422, "messages: wrong"), "refused the request (422): messages: wrong.", "server"),
        (error(400, "bad words", code="invalid_prompt"), "refused the request (400): bad words.", "invalid"),
        (error(400, "8192 tokens", code="context_length_exceeded"), "(400): 8192 tokens.", "invalid"),
        (error(429, "slow down", headers={"retry-after": "7"}), "(429): slow down. Try again in 7 s.", "rate"),
        (
            error(429, headers={"retry-after": "Fri, 31 Dec 2027 23:59:59 GMT"}),
            "Try again after Fri, 31 Dec 2027 23:59:59 GMT.",
            "rate",
        ),
        (error(429, "quota", code="insufficient_quota"), "The account has no credit left.", "rate"),
        (error(500, "on fire"), "has a problem of its own (500): on fire. Try again in a while.", "server"),
        (error(503, "", headers={"retry-after": "2"}), "(503). Try again in 2 s.", "server"),
        (raw(502, b"<html><h1>Bad gateway</h1></html>"), "(502): a web page in place of an answer.", "server"),
        (raw(400, b'{"error": "just text"}', "application/json"), "(400): just text.", "server"),
        (raw(400, b'{"detail": [{"loc": "x"}]}', "application/json"), '(400): [{"loc": "x"}].', "server"),
        (raw(400, b'[{"error": {"message": "in a list"}}]', "application/json"), "(400): in a list.", "server"),
        (raw(400, b"3", "application/json"), "(400): 3.", "server"),
        (raw(301, b"", headers={"location": "https://elsewhere/"}), "answered with a redirect (301)", "server"),
        (raw(200, b"<!doctype html><p>Welcome"), "answered with a web page: check its base_url", "server"),
        (raw(200, b"not json", "application/json"), "answered with something that is not its API", "server"),
        (raw(200, b"[]", "application/json"), "answered with something that is not its API", "server"),
        (stream(b"data: {cut\n\n"), "answered with something that is not its API", "server"),
    ],
)
async def test_every_failure_has_its_sentence(chat, server, reply, words, code):
    server.script(reply)
    caught = await failure(chat)
    assert words in str(caught)
    assert "local" in str(caught)
    assert caught.code.startswith(code)
    assert KEY not in str(caught)


async def test_a_missing_key_and_its_place_are_named(server):
    server.script(error(401, "Bearer abcdefghijkl is wrong"), error(401))
    keyless = ChatProvider(ProviderSettings("router", "chat", server.base_url))
    sentence = str(await failure(keyless))
    assert "router wants a key (401): Bearer [key] is wrong." in sentence
    assert "Check the key of [providers.router]" in sentence
    ours = ChatProvider(ProviderSettings("openai", "chat", server.base_url, KEY, "environment"))
    assert "Check OPENAI_API_KEY and start the playground again." in str(await failure(ours))
    await keyless.close()
    await ours.close()


async def test_a_server_that_talks_without_end_is_cut_short(chat, server):
    server.script(raw(500, b"x" * 1_000_000, "text/plain"))
    assert len(str(await failure(chat))) < 500


async def test_a_stream_that_is_no_stream_is_said(chat, server, monkeypatch):
    monkeypatch.setattr(event_reader, "LONGEST", 10)
    server.script(stream(b"y" * 100))
    assert "is not its API" in str(await failure(chat))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:9/v1", "local (127.0.0.1:9) cannot be reached: is it running"),
        ("http://nowhere.invalid/v1", "is not a name this machine can find"),
        ("ftp://127.0.0.1/v1", "has an address or key that cannot be sent"),
        ("http://h:port/v1", "local (an unusable address) has an address or key that cannot be sent"),
        ("", "has an address or key that cannot be sent"),
    ],
)
async def test_a_server_that_is_not_there_is_said_with_its_address(url, words):
    provider = ChatProvider(ProviderSettings("local", "chat", url, "key"))
    assert words in str(await failure(provider))
    with pytest.raises(ProviderError):
        await provider.models()
    await provider.close()


def test_a_certificate_that_is_not_accepted_is_said():
    failed = httpx2.ConnectError("")
    failed.__cause__ = ssl.SSLCertVerificationError()
    settings = ProviderSettings("far", "chat", "https://far.example/v1")
    assert "far (far.example) could not be reached safely: its certificate" in str(broken(settings, failed))


async def test_silence_is_said(chat, server, monkeypatch):
    monkeypatch.setattr(http, "LIST", 0.05)
    server.routes["/v1/models"] = hang()
    with pytest.raises(ProviderError, match=r"did not answer in time \(silence\)"):
        await chat.models()


def test_a_connection_that_is_not_made_in_time_is_said():
    settings = ProviderSettings("far", "chat", "https://far.example/v1")
    assert "did not answer in time (connecting)" in str(broken(settings, httpx2.ConnectTimeout("")))


async def test_a_reset_in_the_middle_is_said(chat, server):
    async def reset(exchange: Exchange) -> None:
        await exchange.head(200, {"content-type": "text/event-stream", "content-length": "1000"})
        exchange.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        exchange.writer.transport.abort()

    server.script(reset)
    assert "broke the connection before the answer was whole" in str(await failure(chat))


async def test_proxies_of_the_environment_are_not_used_for_this_machine(chat, server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert await text_of(chat) == "Hello"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "::1", "127.1.2.3", "localhost", "a.localhost"])
def test_this_machine_is_known_by_its_names(host):
    assert http.loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "example.com", "localhost.example.com", ""])
def test_other_machines_are_not_this_one(host):
    assert not http.loopback(host)


async def test_a_connection_is_used_again(chat, server):
    server.script(answer("Hello"), cut_after_the_end())
    for _ in range(2):
        await text_of(chat)
    assert server.accepted == 1
    await text_of(chat)
    assert server.accepted == 2


def cut_after_the_end() -> Reply:
    """A whole answer in a connection that stays open."""

    async def reply(exchange: Exchange) -> None:
        await exchange.head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        await exchange.chunk(b"data: [DONE]\n\n")
        await asyncio.Event().wait()

    return reply


async def test_closing_waits_for_the_last_stream(chat, server):
    held = asyncio.Event()
    server.script(answer("Hello", hold=held))
    asked = asyncio.create_task(text_of(chat))
    await until(lambda: server.posts)
    await chat.close()
    held.set()
    assert await asked == "Hello"
    assert await text_of(chat) == "Hello"
    assert server.accepted == 2


async def test_what_trickles_in_is_gathered_once_a_stream_is_under_way() -> None:
    time = 0.0
    came: list[bytes] = []
    paused: list[bytes] = []

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal time
        for number in range(http.AT_ONCE + 6):
            time += http.WAITED * 2 if number % 2 else 0
            yield b"%d" % number

    async def pause(_seconds: float) -> None:
        paused.append(came[-1])

    async for piece in http.gathered(pieces(), now=lambda: time, pause=pause):
        came.append(piece)
    assert came == [b"%d" % number for number in range(http.AT_ONCE + 6)]
    assert paused == [b"17", b"19", b"21"]


async def test_an_answer_beyond_all_measure_is_not_read_to_its_end(chat, server, monkeypatch):
    monkeypatch.setattr(http, "ANSWER", 1000)
    server.models = ["x" * 100] * 20
    with pytest.raises(ProviderError, match="something that is not its API"):
        await chat.models()
    server.script(raw(200, b'{"choices": [{"message": {"content": "' + b"x" * 2000 + b'"}}]}', "application/json"))
    assert "something that is not its API" in str(await failure(chat))
    server.routes["/v1/embeddings"] = raw(200, b'{"data": [' + b" " * 2000 + b"]}", "application/json")
    with pytest.raises(ProviderError, match="something that is not its API"):
        await chat.embed("m", [])


async def test_an_event_that_is_too_long_at_the_end_is_said(chat, server, monkeypatch):
    monkeypatch.setattr(event_reader, "LONGEST", 20)
    server.script(stream(b"data: 123456789012\ndata: 1234567890"))
    assert "something that is not its API" in str(await failure(chat))
