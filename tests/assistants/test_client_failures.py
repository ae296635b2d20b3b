"""A server that misbehaves: each failure leads to its sentence, and to a repetition where that may help."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx2
import pytest

from playground_tui.assistants import transport
from playground_tui.assistants.client import AssistantsClient
from playground_tui.assistants.errors import AssistantsError, Malformed, NotFound, NotReachable, Rejected
from tests.support.assistants_server import AssistantsServer, abort, cut_json, error, hang, raw
from tests.support.provider_server import Reply
from tests.support.wait import until

TRIES = 3


async def failure(client: AssistantsClient) -> AssistantsError:
    with pytest.raises(AssistantsError) as caught:
        await client.list_assistants()
    return caught.value


@pytest.mark.parametrize("status", [401, 403, 404, 413, 422])
async def test_a_refusal_is_told_at_once(server: AssistantsServer, client: AssistantsClient, status: int) -> None:
    server.instead("GET", "/assistants", error(status, "not \x1b[31mthis", param="p", code="c"))
    refusal = await failure(client)
    assert isinstance(refusal, Rejected)
    assert (refusal.status, refusal.param, refusal.code, refusal.retry) == (status, "p", "c", False)
    assert "not " in str(refusal)
    assert "\x1b" not in str(refusal)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [409, 429, 500, 502, 503, 529])
async def test_what_may_pass_is_tried_again(server: AssistantsServer, client: AssistantsClient, status: int) -> None:
    server.instead("GET", "/assistants", error(status), error(status))
    assert await client.list_assistants() == []
    server.instead("GET", "/assistants", *[error(status)] * TRIES)
    refusal = await failure(client)
    assert isinstance(refusal, Rejected) and refusal.status == status
    assert len(server.requests) == 2 * TRIES


async def test_a_long_wait_is_told_and_not_waited_out(server: AssistantsServer, client: AssistantsClient) -> None:
    server.instead("GET", "/assistants", error(429, "busy", headers={"retry-after": "30"}))
    refusal = await failure(client)
    assert refusal.retry_after == 30.0
    assert "in 30 s" in str(refusal)
    assert len(server.requests) == 1


async def test_a_web_page_is_no_api(server: AssistantsServer, client: AssistantsClient) -> None:
    server.instead("GET", "/assistants", *[raw(200, b"<html>Log in</html>")] * TRIES)
    assert isinstance(caught := await failure(client), Malformed)
    assert "web page" in str(caught)


async def test_a_web_page_for_an_error_is_not_quoted(server: AssistantsServer, client: AssistantsClient) -> None:
    server.instead("GET", "/assistants", *[raw(502, b"<html><body>bad gateway</body></html>")] * TRIES)
    assert "<" not in str(await failure(client))


@pytest.mark.parametrize("body", [b"[1, 2]", b"null", b'{"id": ', b"", b"\xff\xfe"])
async def test_json_that_is_none_or_no_object_is_said(
    server: AssistantsServer, client: AssistantsClient, body: bytes
) -> None:
    server.instead("GET", "/assistants", *[raw(200, body, "application/json")] * TRIES)
    assert isinstance(await failure(client), Malformed)


async def test_the_words_of_a_server_are_shortened(server: AssistantsServer, client: AssistantsClient) -> None:
    server.instead("GET", "/assistants", error(400, "x" * 100_000))
    assert len(str(await failure(client))) < 500


async def test_other_shapes_of_errors_are_quoted_too(server: AssistantsServer, client: AssistantsClient) -> None:
    server.instead("GET", "/assistants", raw(422, b'{"detail": "field required"}', "application/json"))
    assert "field required" in str(await failure(client))
    server.instead("GET", "/assistants", raw(400, b'{"detail": [{"loc": 1}]}', "application/json"))
    assert "refused the request (400)" in str(await failure(client))


async def test_another_address_is_named_and_not_followed(server: AssistantsServer, client: AssistantsClient) -> None:
    server.instead("GET", "/assistants", raw(307, b"", headers={"location": "http://127.0.0.1:9/v1"}))
    assert "http://127.0.0.1:9/v1" in str(await failure(client))
    assert len(server.requests) == 1


@pytest.mark.parametrize("broken", [abort, cut_json])
async def test_a_connection_that_breaks_is_tried_again(
    server: AssistantsServer, client: AssistantsClient, broken: Callable[[], Reply]
) -> None:
    server.instead("GET", "/assistants", broken(), broken())
    assert await client.list_assistants() == []
    server.instead("GET", "/assistants", *[broken() for _ in range(TRIES)])
    caught = await failure(client)
    assert isinstance(caught, NotReachable) and caught.sent
    assert "broke" in str(caught)


async def test_a_server_that_hangs_is_not_waited_for_endlessly(
    server: AssistantsServer, client: AssistantsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "ORDINARY", httpx2.Timeout(0.05))
    server.instead("GET", "/assistants", *[hang() for _ in range(TRIES)])
    caught = await failure(client)
    assert isinstance(caught, NotReachable) and caught.sent
    assert "did not answer in time" in str(caught)


async def test_a_refused_connection_left_nothing_behind(at_once: None) -> None:
    async with AssistantsServer() as gone:
        client = AssistantsClient.for_server(gone.base_url, None, label="")
    caught = await failure(client)
    assert isinstance(caught, NotReachable) and not caught.sent
    assert "No connection to 127.0.0.1" in str(caught)
    await client.close()


@pytest.mark.parametrize(
    ("cause", "sent"),
    [
        (httpx2.ConnectTimeout("t"), False),
        (httpx2.ConnectError("t"), False),
        (httpx2.ReadTimeout("t"), True),
        (httpx2.ReadError("t"), True),
        (OSError("t"), True),
    ],
)
@pytest.mark.parametrize("is_engine", [True, False])
async def test_what_may_have_arrived_is_told_apart(
    client: AssistantsClient, cause: Exception, sent: bool, is_engine: bool
) -> None:
    client.transport.is_engine = is_engine
    assert client.transport.broken(cause).sent is sent


async def test_a_lost_object_is_not_found(client: AssistantsClient) -> None:
    with pytest.raises(NotFound, match="No assistant found with id 'asst_9'"):
        await client.retrieve_assistant("asst_9")


async def test_requests_can_be_left(server: AssistantsServer, client: AssistantsClient) -> None:
    server.instead("GET", "/assistants", hang())
    request = asyncio.ensure_future(client.list_assistants())
    await until(lambda: server.requests)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert await client.list_assistants() == []
