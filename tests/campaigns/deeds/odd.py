"""What nobody should ask for."""

from __future__ import annotations

from typing import Any

from tests.campaigns.user import User

JUNK: tuple[Any, ...] = (None, [], {}, "x", 5, -1, 10**30, True, "\0", {"a": {"b": []}}, ["x"] * 30)
FIELDS = ("name", "file_ids", "messages", "metadata", "query", "model", "tools", "bytes", "tool_resources", "stream")
TAILS = ("", "/files", "/messages", "/runs", "/search", "/complete", "/file_batches", "/runs/run_none", "/messages/x")
PARAMETERS = ("limit", "order", "after", "before", "purpose", "filter", "run_id", "include[]", "q", "assistant_id")


async def nonsense(user: User) -> None:
    """Any path with a body that has one key nobody knows, or none that is an object."""
    known = user.known
    kinds = {"files": known.files, "vector_stores": known.stores, "threads": known.threads}
    kind, ids = user.random.choice([*kinds.items(), ("assistants", known.assistants), ("uploads", known.uploads)])
    tail = user.random.choice(TAILS)
    path = user.random.choice([f"/{kind}", "/threads/runs", f"/{kind}/{ids.pick(user.random)}{tail}"])
    body = {name: user.random.choice(JUNK) for name in user.random.sample(FIELDS, 2)}
    sent = user.random.choice([{**body, "nonsense": 1}, [], "x", 5])
    await user.send("POST", path, 400, 404, 405, body=sent)


async def page(user: User) -> None:
    known = user.known
    store, thread = known.stores.pick(user.random), known.threads.pick(user.random)
    assistant = known.assistants.pick(user.random)
    path = user.random.choice(
        (
            "/files",
            "/assistants",
            "/threads",
            "/vector_stores",
            f"/vector_stores/{store}/files",
            f"/threads/{thread}/messages",
            f"/threads/{thread}/runs",
            f"/assistants/{assistant}/versions",
        )
    )
    values = ("1", "0", "101", "x", "asc", "desc", "completed", known.files.pick(user.random), "", "٣")
    query = {user.random.choice(PARAMETERS): user.random.choice(values) for _ in range(2)}
    answer = await user.send("GET", path, 200, 400, 404, query=query)
    keys = ["object", "data", "first_id", "last_id", "has_more"]
    assert answer.status != 200 or list(answer.json()) == keys, answer


DEEDS = (nonsense, page)
