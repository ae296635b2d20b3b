"""Bodies, forms, queries and paths drawn from what the contract allows: taken; with one fault in them: refused with 400
and the contract's error body. Whatever comes, nothing is answered with a 5xx."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from playground_tui.engine import completion_schemas, file_schemas, schemas, vector_store_schemas
from playground_tui.engine.api.routes import ROUTES
from playground_tui.engine.completions.conversation import conversation
from playground_tui.engine.errors import ApiError
from tests.campaigns.wire import Answer, EventStream, Wire
from tests.support.bodies import TEXT, Bodies
from tests.support.scripted import ScriptedEngine, scripted_engine
from tests.support.tools import give_tools

STORE = "/vector_stores/{store}"
REQUESTS: dict[str, type[BaseModel]] = {
    "/assistants": schemas.CreateAssistant,
    "/assistants/{other}": schemas.ModifyAssistant,
    "/threads": schemas.CreateThread,
    "/threads/{thread}": schemas.ModifyThread,
    "/threads/{thread}/messages": schemas.CreateMessage,
    "/threads/{thread}/messages/{message}": schemas.ModifyMessage,
    "/threads/{new_thread}/runs": schemas.CreateRun,
    "/threads/runs": schemas.CreateThreadAndRun,
    "/threads/{ran}/runs/{run}": schemas.ModifyRun,
    "/vector_stores": vector_store_schemas.CreateVectorStore,
    STORE: vector_store_schemas.ModifyVectorStore,
    f"{STORE}/files": vector_store_schemas.CreateStoreFile,
    f"{STORE}/files/{{file}}": vector_store_schemas.ModifyStoreFile,
    f"{STORE}/file_batches": vector_store_schemas.CreateBatch,
    f"{STORE}/search": vector_store_schemas.Search,
    "/uploads": file_schemas.CreateUpload,
    "/uploads/{new_upload}/complete": file_schemas.CompleteUpload,
    "/uploads/{new_upload}/cancel": file_schemas.CancelUpload,
    "/chat/completions": completion_schemas.CreateCompletion,
}
FUNCTIONS = st.lists(st.just({"type": "function", "function": {"name": "look"}}), max_size=2)
KNOWN: dict[str, st.SearchStrategy[Any]] = {
    "model": st.sampled_from(["rehearsal/x", "x"]),
    "assistant_id": st.just("{assistant}"),
    "file_id": st.just("{file}"),
    "file_ids": st.just(["{file}"]),
    "files": st.just([{"file_id": "{file}"}]),
    "vector_store_ids": st.just(["{store}"]),
    "part_ids": st.just([]),
    "md5": st.just("D41D8CD98F00B204E9800998ECF8427E"),
}
"""What has to be there, by the names it stands under; a new upload is empty."""
COMPLETIONS: dict[str, st.SearchStrategy[Any]] = {
    **KNOWN,
    "model": st.sampled_from(["rehearsal/x", "{assistant}"]),
    "tools": FUNCTIONS,
    "tool_choice": st.sampled_from(["none", "auto", "required", None]),
    "tool_calls": st.none(),
    "n": st.just(1),
    "logprobs": st.just(False),
    "modalities": st.just(["text"]),
}
BODIES = {
    path: Bodies(model, COMPLETIONS if path == "/chat/completions" else KNOWN) for path, model in REQUESTS.items()
}


def fuzz(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@dataclass
class Target:
    """An engine with one of each thing, and the loop it lives in."""

    loop: asyncio.Runner
    scripted: ScriptedEngine
    wire: Wire
    ids: dict[str, str]

    def call(self, method: str, path: str, **request: Any) -> Answer:
        """A call; a stream is read to its end."""
        return self.loop.run(self._call(method, path, **request))

    def post(self, path: str, body: Any) -> Answer:
        """A body, with ids in the place of what they are called by."""
        return self.loop.run(self._post(path, body))

    async def _post(self, path: str, body: Any) -> Answer:
        ids = self.ids | {name: await self._new(name) for name in ("new_thread", "new_upload") if name in path}
        text = json.dumps(body)
        for name, one in ids.items():
            text = text.replace(f'"{{{name}}}"', f'"{one}"')
        return await self._call("POST", path.format(**ids), text=text)

    async def _new(self, name: str) -> str:
        if name == "new_thread":
            return str((await self.scripted.post("/threads"))["id"])
        head = {"bytes": 0, "filename": "a", "mime_type": "text/plain", "purpose": "assistants"}
        return str((await self.scripted.post("/uploads", **head))["id"])

    async def _call(self, method: str, path: str, **request: Any) -> Answer:
        async with self.wire.stream(method, path, **request) as answer:
            if isinstance(answer, EventStream):
                events = [event async for event in answer.events()]
                return Answer(f"{method} {path} {request}", 200, answer.headers, json.dumps(events[0][1]).encode())
            return answer


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    stack = AsyncExitStack()

    async def begin() -> tuple[ScriptedEngine, Wire, dict[str, str]]:
        scripted = await stack.enter_async_context(scripted_engine(tmp_path_factory.mktemp("fuzz")))
        give_tools(scripted)
        await scripted.engine.search.stop()  # nothing of what is put into stores here is worth being indexed
        wire = Wire(scripted.server.address.socket)
        stack.push_async_callback(wire.close)
        return scripted, wire, await _ids(scripted)

    with asyncio.Runner() as loop:
        scripted, wire, ids = loop.run(begin())
        yield Target(loop, scripted, wire, ids)
        loop.run(stack.aclose())


async def _ids(scripted: ScriptedEngine) -> dict[str, str]:
    ran, assistant = await scripted.thread("hello")
    run = (await scripted.post(f"/threads/{ran}/runs", assistant_id=assistant))["id"]
    await scripted.settled(run)
    thread, other = await scripted.thread("hello")
    message = (await scripted.get(f"/threads/{thread}/messages"))["data"][0]["id"]
    file = (await scripted.engine.files.add("a.md", "assistants", b"The sea."))["id"]
    store = (await scripted.post("/vector_stores", file_ids=[file]))["id"]
    made = {"assistant": assistant, "other": other, "thread": thread, "message": message, "ran": ran, "run": run}
    return made | {"file": file, "store": store}


def is_error(answer: Answer) -> bool:
    """The contract's error body."""
    error = answer.json()["error"]
    return list(error) == ["message", "type", "param", "code"] and bool(error["message"])


def fitting(path: str, body: Any) -> bool:
    """Whether the body is right for more than its schema: outputs of tools stand behind their calls."""
    if path != "/chat/completions":
        return True
    try:
        conversation(completion_schemas.CreateCompletion.model_validate(body).messages)
    except ApiError:
        return False
    return True


@pytest.mark.parametrize("path", REQUESTS)
def test_a_body_that_the_contract_allows_is_taken(target: Target, path: str) -> None:
    @fuzz(8)
    @given(body=BODIES[path].right())
    def taken(body: Any) -> None:
        if fitting(path, body):
            answer = target.post(path, body)
            assert answer.status == 200, str(answer)

    taken()


@pytest.mark.parametrize("path", REQUESTS)
def test_a_body_with_one_fault_is_refused(target: Target, path: str) -> None:
    @fuzz(20)
    @given(body=BODIES[path].wrong())
    def refused(body: Any) -> None:
        answer = target.post(path, body)
        assert answer.status == 400 and is_error(answer), str(answer)

    refused()


PURPOSES = ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]
ANCHOR, SECONDS = "expires_after[anchor]", "expires_after[seconds]"
EXPIRY = st.integers(3600, 2_592_000).map(lambda seconds: {ANCHOR: "created_at", SECONDS: str(seconds)})
FIELDS = st.builds(lambda purpose, more: {"purpose": purpose, **more}, st.sampled_from(PURPOSES), st.just({}) | EXPIRY)
WRONG_FIELDS: list[dict[str, str | None]] = [
    {"purpose": None},
    {"purpose": "nonsense"},
    {"purpose": ""},
    {"nonsense": "x"},
    {ANCHOR: "last_active_at", SECONDS: "3600"},
    {ANCHOR: None, SECONDS: "3600"},
    {ANCHOR: "created_at", SECONDS: None},
    *({ANCHOR: "created_at", SECONDS: seconds} for seconds in ("3599", "2592001", "-1", "x", "", "٣٦٠٠", "9" * 30)),
]
"""Changes to the fields of a form that make it wrong; None: without this one."""
FILE = st.tuples(st.sampled_from(["a.md", "ä 🦊.txt", "..\\\\x", "a" * 200]), st.binary(max_size=40))


def form(fields: dict[str, str], file: tuple[str, bytes] | None) -> dict[str, Any]:
    return {"form": (fields, ("file", *file) if file else None)}


@fuzz(30)
@given(fields=FIELDS, file=FILE)
def test_a_form_that_the_contract_allows_is_taken(target: Target, fields: dict[str, str], file: Any) -> None:
    answer = target.call("POST", "/files", **form(fields, file))
    assert answer.status == 200, str(answer)
    assert target.call("GET", f"/files/{answer.json()['id']}/content").content == file[1]


@fuzz(40)
@given(fields=FIELDS, file=FILE, change=st.sampled_from([*WRONG_FIELDS, {}]))
def test_a_form_with_one_fault_is_refused(target: Target, fields: Any, file: Any, change: Any) -> None:
    changed = {name: text for name, text in {**fields, **change}.items() if text is not None}
    answer = target.call("POST", "/files", **form(changed, file if change else None))
    assert answer.status == 400 and is_error(answer), str(answer)


PAGED = {"limit": ["1", "20", "100"], "order": ["asc", "desc"]}
STATES = ["in_progress", "completed", "failed", "cancelled"]
CONTENT = "step_details.tool_calls[*].file_search.results[*].content"
LISTS: dict[str, dict[str, list[str]]] = {
    "/assistants": PAGED | {"after": ["{assistant}"], "before": ["{other}"]},
    "/assistants/{other}/versions": PAGED,
    "/threads": PAGED | {"q": ["hello", "'", "%"], "assistant_id": ["{assistant}", "asst_none"]},
    "/threads/{thread}/messages": PAGED | {"run_id": ["{run}", "run_none"], "after": ["{message}"]},
    "/threads/{ran}/runs": PAGED | {"after": ["{run}"], "before": ["{run}"]},
    "/threads/{ran}/runs/{run}/steps": PAGED | {"include[]": [CONTENT], "include": [CONTENT]},
    "/files": {**PAGED, "limit": ["1", "10000"], "purpose": [*PURPOSES, "none"]},
    "/vector_stores": PAGED | {"after": ["{store}"], "before": ["{store}"]},
    f"{STORE}/files": PAGED | {"filter": STATES, "after": ["{file}"]},
}
"""What the lists take in their queries."""
WRONG_QUERIES = {
    "limit": ["0", "-1", "1.5", "x", "", "10001", "9" * 40, "٣"],
    "order": ["up", "", "ASC"],
    "after": ["nothing", "", "\0", "x" * 500],
    "before": ["nothing", "", "ü"],
    "filter": ["done", "deleted", "\0"],
    "include[]": ["nonsense", ""],
    "include": [f"{CONTENT}x"],
}


def _query(path: str) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in LISTS[path].items()})


def _fault(path: str) -> st.SearchStrategy[Any]:
    names = sorted(WRONG_QUERIES.keys() & LISTS[path].keys())
    return st.sampled_from(names).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(WRONG_QUERIES[name])))


def page(target: Target, path: str, query: dict[str, str]) -> Answer:
    known = {name: value.format(**target.ids) if value[:1] == "{" else value for name, value in query.items()}
    return target.call("GET", path.format(**target.ids), query=known)


@fuzz(60)
@given(asked=st.sampled_from(list(LISTS)).flatmap(lambda path: st.tuples(st.just(path), _query(path))))
def test_a_query_that_the_contract_allows_is_answered(target: Target, asked: Any) -> None:
    answer = page(target, *asked)
    assert answer.status == 200, str(answer)
    assert list(answer.json()) == ["object", "data", "first_id", "last_id", "has_more"]


@fuzz(60)
@given(asked=st.sampled_from(list(LISTS)).flatmap(lambda path: st.tuples(st.just(path), _query(path), _fault(path))))
def test_a_query_with_one_fault_is_refused(target: Target, asked: Any) -> None:
    path, query, (name, wrong) = asked
    answer = page(target, path, {**query, name: wrong})
    assert answer.status == 400 and is_error(answer), str(answer)


PLACES = sorted(
    (method, route.path.removeprefix("/v1"))
    for route in ROUTES
    for method in route.methods or ()
    if method != "HEAD" and "{" in route.path
)
ANY_ID = (TEXT | st.sampled_from(["..", "../..", "%00", "{run}", "null", "x" * 3000, "asst_" + "ü" * 20])).filter(bool)


@fuzz(150)
@given(place=st.sampled_from(PLACES), ids=st.lists(ANY_ID, min_size=3, max_size=3))
def test_no_id_breaks_the_engine(target: Target, place: tuple[str, str], ids: list[str]) -> None:
    method, path = place
    names = re.findall(r"{(\w+)(?::path)?}", path)
    filled = re.sub(r"{\w+(?::path)?}", "{}", path).format(*(quote(one, safe="") for one in ids[: len(names)]))
    answer = target.call(method, filled)
    assert 400 <= answer.status < 500 and is_error(answer), str(answer)
