"""Vector stores, their files and file batches, and searches."""

from __future__ import annotations

from typing import Any

from tests.campaigns.deeds.files import UNREADABLE
from tests.campaigns.user import User, status

QUERIES = ("sea", '"', "a AND (b", "NEAR(x", "*", "-- ;", "col:x", "日本 🦊", "it's", "x" * 3000)
STATES = ("in_progress", "completed", "failed", "cancelled")
FILTERS: tuple[dict[str, Any], ...] = (
    {"type": "eq", "key": "n", "value": 1},
    {"type": "nin", "key": "n", "value": [2, "x"]},
    {"type": "or", "filters": [{"type": "gt", "key": "n", "value": 0}, {"type": "ne", "key": "m", "value": True}]},
)


async def new_store(user: User) -> None:
    files = user.random.choice([[], user.some_files()])
    policy = {"expires_after": {"anchor": "last_active_at", "days": 1}} if user.chance(0.3) else {}
    there = status(user.known.has_files(files))
    answer = await user.post("/vector_stores", there, name="n", file_ids=files, **policy)
    if there == 200:
        have_store(user, answer["id"], files)


def have_store(user: User, store: str, files: list[str]) -> None:
    user.known.stores.there.append(store)
    user.known.members[store] = set(files)


async def usable(user: User, store: str, *files: str) -> int:
    """How a request to put files into a store, or to search it, is answered: an expired one refuses."""
    if store not in user.known.members:
        return 404
    shown = await user.get(f"/vector_stores/{store}")
    over = shown["expires_at"] is not None and shown["expires_at"] <= user.stage.now
    assert (shown["status"] == "expired") == over, shown
    return 400 if over else status(user.known.has_files(files))


async def read_store(user: User) -> None:
    store = user.known.stores.pick(user.random)
    there = status(store in user.known.members)
    await user.send("GET", f"/vector_stores/{store}", there)
    state = user.random.choice(STATES)
    listed = (await user.send("GET", f"/vector_stores/{store}/files?filter={state}", there)).json()
    assert there == 404 or {one["id"] for one in listed["data"]} <= user.known.members[store]


async def modify_store(user: User) -> None:
    """A store that has expired is of use again without its policy."""
    store = user.known.stores.pick(user.random)
    there = status(store in user.known.members)
    policy = user.random.choice([None, {"anchor": "last_active_at", "days": 365}])
    await user.post(f"/vector_stores/{store}", there, name="other", expires_after=policy)
    if there == 200:
        read = await user.get(f"/vector_stores/{store}")
        assert (read["name"], read.get("expires_after")) == ("other", policy), read


async def put_file(user: User) -> None:
    store, (file,) = user.known.stores.pick(user.random), user.some_files(1)
    allowed = await usable(user, store, file)
    path = f"/vector_stores/{store}/files"
    await user.post(path, allowed, file_id=file, attributes={"n": user.random.choice([1, 2.5, "x", True])})
    if allowed == 200:
        user.known.members[store].add(file)
        await user.post(f"{path}/{file}", 200, attributes={"n": 1})
        assert (await user.get(f"{path}/{file}"))["attributes"] == {"n": 1}


async def put_batch(user: User) -> None:
    store, files = user.known.stores.pick(user.random), user.some_files()
    allowed = await usable(user, store, *files)
    path = f"/vector_stores/{store}/file_batches"
    each = [{"file_id": file, "attributes": {"m": True}} for file in files]
    body: dict[str, Any] = {"file_ids": files} if user.chance(0.5) else {"files": each}
    answer = await user.post(path, allowed, **body)
    if allowed == 200:
        user.known.members[store] |= set(files)
        await _batch(user, store, f"{path}/{answer['id']}", set(files))


async def _batch(user: User, store: str, path: str, files: set[str]) -> None:
    if user.chance(0.4):
        await user.send("POST", f"{path}/cancel", 200)
        user.known.cancelled.add(store)
    counts = (await user.get(path))["file_counts"]
    assert counts["total"] == len(files) == sum(counts.values()) - counts["total"], counts
    assert set(await user.ids(f"{path}/files")) == files, files
    await user.send("GET", f"{path}_none", 404)
    await user.send("POST", f"{path}_none/cancel", 404)


async def take_file(user: User) -> None:
    store, (file,) = user.known.stores.pick(user.random), user.some_files(1)
    members = user.known.members.get(store, set())
    await user.send("DELETE", f"/vector_stores/{store}/files/{file}", status(file in members))
    members.discard(file)


async def search(user: User) -> None:
    store = user.known.stores.pick(user.random)
    allowed = await usable(user, store)
    filters = {"filters": user.random.choice(FILTERS)} if user.chance(0.3) else {}
    query = user.random.choice(QUERIES)
    found = await user.post(f"/vector_stores/{store}/search", allowed, query=query, **filters)
    assert allowed != 200 or {one["file_id"] for one in found["data"]} <= user.known.members[store]


async def delete_store(user: User) -> None:
    store = user.known.stores.pick(user.random)
    there = store in user.known.members
    await user.send("DELETE", f"/vector_stores/{store}", status(there))
    if there:
        user.known.delete_store(store)


async def read_indexed(user: User) -> None:
    """What has been indexed of a file is its text, or why there is none."""
    store = user.known.stores.pick(user.random)
    for file in sorted(user.known.members.get(store, ())):
        path = f"/vector_stores/{store}/files/{file}"
        state = (await user.get(path))["status"]
        pieces = [piece["text"] for piece in (await user.get(f"{path}/content"))["data"]]
        content = user.known.contents[file]
        readable = content not in UNREADABLE
        assert state in ("in_progress", "cancelled", "completed" if readable else "failed"), (state, content)
        assert state != "completed" or "".join(pieces)[:10] == content.decode()[:10], (pieces, content)


DEEDS = (
    new_store,
    read_store,
    modify_store,
    put_file,
    put_file,
    put_batch,
    take_file,
    search,
    search,
    delete_store,
    read_indexed,
)
