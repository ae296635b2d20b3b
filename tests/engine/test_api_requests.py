"""What holds for every request: keys that act once, changes told, models, and what is not there."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest
from starlette.requests import Request

from playground_tui.engine.api.requests import once
from playground_tui.engine.errors import ApiError
from playground_tui.engine.store.idempotency import KEPT, Keep, KeyReused
from playground_tui.protocol import HOPS_HEADER
from tests.support.engine import RunningEngine

KEY = {"Idempotency-Key": "one"}


@pytest.mark.parametrize("path", ["/assistants", "/threads"])
async def test_a_request_sent_twice_acts_once(api: httpx2.AsyncClient, path: str) -> None:
    body = {"model": "m"} if path == "/assistants" else {}
    sent = [await api.post(path, json=body, headers=KEY) for _ in range(3)]
    assert len({response.text for response in sent}) == 1
    assert len((await api.get(path)).json()["data"]) == 1
    other = await api.post(path, json=body, headers={"Idempotency-Key": "two"})
    assert other.json()["id"] != sent[0].json()["id"]


async def test_ten_at_once_with_one_key_act_once(api: httpx2.AsyncClient) -> None:
    thread = (await api.post("/threads")).json()["id"]
    path, body = f"/threads/{thread}/messages", {"role": "user", "content": "x"}
    sent = await asyncio.gather(*(api.post(path, json=body, headers=KEY) for _ in range(10)))
    assert {response.json()["id"] for response in sent} == {sent[0].json()["id"]}
    assert len((await api.get(path)).json()["data"]) == 1


async def test_a_key_belongs_to_its_path(api: httpx2.AsyncClient) -> None:
    made = await api.post("/threads", headers=KEY)
    other = await api.post(f"/threads/{made.json()['id']}/messages", json={"role": "user", "content": "x"}, headers=KEY)
    assert other.json()["object"] == "thread.message"


async def test_a_key_with_another_body_is_refused(api: httpx2.AsyncClient) -> None:
    await api.post("/assistants", json={"model": "a"}, headers=KEY)
    refused = await api.post("/assistants", json={"model": "b"}, headers=KEY)
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "idempotency_key_reused"


async def test_what_failed_can_be_tried_again_with_its_key(api: httpx2.AsyncClient) -> None:
    made = (await api.post("/threads")).json()["id"]
    path, body = f"/threads/{made}/messages", {"role": "user", "content": "x"}
    await api.delete(f"/threads/{made}")
    assert (await api.post(path, json=body, headers=KEY)).status_code == 404
    await api.post(f"/threads/{made}/restore")
    assert (await api.post(path, json=body, headers=KEY)).status_code == 200


async def test_a_key_is_forgotten_after_a_day(api: httpx2.AsyncClient, engine: RunningEngine) -> None:
    now = engine.engine.clock()
    first = (await api.post("/threads", headers=KEY)).json()
    engine.engine.clock = lambda: now + KEPT + 2
    assert (await api.post("/threads", headers=KEY)).json()["id"] != first["id"]


async def test_a_key_beyond_measure_is_refused(api: httpx2.AsyncClient) -> None:
    refused = await api.post("/threads", headers={"Idempotency-Key": "k" * 257})
    assert "at most 256" in refused.json()["error"]["message"]


def a_request(engine: RunningEngine, body: bytes = b"{}") -> Request:
    """A POST to /v1/x with the key."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    class App:
        class state:  # noqa: N801 - as Starlette's application has it
            engine: Any

    App.state.engine = engine.engine
    headers = [(b"idempotency-key", b"one")]
    return Request({"type": "http", "method": "POST", "path": "/v1/x", "headers": headers, "app": App}, receive)


async def test_a_second_request_waits_for_the_first(engine: RunningEngine) -> None:
    begun, leave = asyncio.Event(), asyncio.Event()
    acts = 0

    async def act(keep: Keep) -> dict[str, Any]:
        nonlocal acts
        acts += 1
        begun.set()
        await leave.wait()
        reply = {"n": acts}
        await engine.engine.database.write(lambda c: keep(c, reply))
        return reply

    first = asyncio.create_task(once(a_request(engine), act))
    await begun.wait()
    second = asyncio.create_task(once(a_request(engine), act))
    with pytest.raises(KeyReused):
        await once(a_request(engine, b'{"other": 1}'), act)
    first.cancel()
    leave.set()
    assert await second == {"n": 1}
    assert await once(a_request(engine), act) == {"n": 1}
    assert engine.engine.pending == {}


async def test_a_failure_reaches_all_who_wait_and_is_not_kept(engine: RunningEngine) -> None:
    async def fail(_keep: Keep) -> dict[str, Any]:
        await asyncio.sleep(0)
        raise ApiError("no")

    both = await asyncio.gather(once(a_request(engine), fail), once(a_request(engine), fail), return_exceptions=True)
    assert [str(error) for error in both] == ["no", "no"]

    async def succeed(_keep: Keep) -> dict[str, Any]:
        return {"ok": True}

    assert await once(a_request(engine), succeed) == {"ok": True}


async def test_changes_are_told_as_they_happen(api: httpx2.AsyncClient, engine: RunningEngine) -> None:
    before = engine.engine.changes.last
    made = (await api.post("/assistants", json={"model": "m"})).json()["id"]
    path = f"/assistants/{made}"
    await api.post(path, json={"name": "x"})
    await api.delete(path)
    await api.post(f"{path}/restore")
    thread = (await api.post("/threads")).json()["id"]
    message = await api.post(f"/threads/{thread}/messages", json={"role": "user", "content": "x"})
    told = []
    async with api.stream("GET", "/changes", params={"after": before}) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                told.append(json.loads(line[6:]))
            if len(told) == 6:
                break
    assert [(change["kind"], change["id"], change["action"]) for change in told] == [
        ("assistant", made, "created"),
        ("assistant", made, "modified"),
        ("assistant", made, "deleted"),
        ("assistant", made, "restored"),
        ("thread", thread, "created"),
        ("message", message.json()["id"], "created"),
    ]
    assert [change["sequence"] for change in told] == list(range(before + 1, before + 7))
    assert told[-1]["thread_id"] == thread


async def test_changes_after_nonsense_are_refused(api: httpx2.AsyncClient) -> None:
    assert (await api.get("/changes", params={"after": "x"})).json()["error"]["param"] == "after"


async def test_models_are_those_of_the_providers(api: httpx2.AsyncClient) -> None:
    listed = (await api.get("/models")).json()
    assert listed["object"] == "list"
    echo = next(model for model in listed["data"] if model["id"] == "rehearsal/echo")
    assert (await api.get("/models/rehearsal/echo")).json() == echo
    missing = await api.get("/models/rehearsal/none")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "model_not_found")
    assert (await api.delete("/models/rehearsal/echo")).status_code == 403


async def test_an_engine_that_asks_itself_is_told(api: httpx2.AsyncClient) -> None:
    for path in ("/models", "/assistants"):
        refused = await api.get(path, headers={HOPS_HEADER: "1"})
        sentence = "this provider is the engine itself: check OPENAI_BASE_URL"
        assert (refused.status_code, refused.json()["error"]["message"]) == (400, sentence)


async def test_a_failure_of_the_engine_has_the_error_body(api: httpx2.AsyncClient, engine: RunningEngine) -> None:
    def broken() -> float:
        raise RuntimeError("the clock stands")

    engine.engine.clock = broken
    response = await api.post("/threads")
    assert (response.status_code, response.json()["error"]["type"]) == (500, "server_error")
    assert "clock" not in response.text
