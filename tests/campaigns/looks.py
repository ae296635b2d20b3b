"""Looks at what there is: it is what is known, and nothing else."""

from __future__ import annotations

import asyncio

from tests.campaigns.known import RUNNING, KnownRun, KnownThread
from tests.campaigns.streams import WHOLE, check_calls, check_numbers, check_order, text_of
from tests.campaigns.user import User
from tests.campaigns.wire import Event, EventStream

PATIENCE = 120
"""Seconds after which the engine is taken to have forgotten something."""
UNSETTLED = {"queued", RUNNING, "cancelling"}
STEP_ENDS = {"completed", "failed", "cancelled", "expired"}


async def rested(user: User, run: KnownRun) -> dict[str, object]:
    """The run once it waits or has ended, which has to be as it is known."""
    async with asyncio.timeout(PATIENCE):
        while (found := await user.get(run.path))["status"] in UNSETTLED:
            await asyncio.sleep(0.002)
    assert found["status"] == run.status, (found, run)
    assert (found["required_action"] is None) == (not run.active), found
    return found


async def thread_of(user: User, thread: str) -> KnownThread | None:
    """What is in a thread that is there; runs that have ended are looked at, and their messages counted."""
    known = user.known.thread(thread)
    if known is None:
        return None
    for run in known.runs:
        if not run.active and not run.counted:
            run.counted = True
            await rested(user, run)
            user.seen[f"runs {run.status}"] += 1
            known.messages += await _ended(user, run)
    return known


async def _ended(user: User, run: KnownRun) -> list[str]:
    """Nothing is left open under a run that has ended, and all it said is there; the ids of its messages."""
    steps = (await user.get(f"{run.path}/steps?limit=100"))["data"]
    assert all(step["status"] in STEP_ENDS and step["usage"] for step in steps), steps
    mine = {*user.known.files.there, *user.known.files.gone}
    for step in steps:
        for call in step["step_details"].get("tool_calls", ()):
            assert {found["file_id"] for found in call.get("file_search", {}).get("results", ())} <= mine, call
    messages = (await user.get(f"/threads/{run.thread}/messages?run_id={run.id}&order=asc&limit=100"))["data"]
    assert all(message["status"] in {"completed", "incomplete"} for message in messages), messages
    said = "".join(part["text"]["value"] for message in messages for part in message["content"])
    assert said == run.said, (said, run)
    await replayed(user, run)
    await user.send("POST", f"{run.path}/cancel", 400)
    return [message["id"] for message in messages]


async def replayed(user: User, run: KnownRun) -> None:
    """A run at rest is told again in order; from an event on, what came after it, or all of it by the store alone."""
    events = await _told(user, run, 0)
    check_order(events, WHOLE)
    user.seen["replays"] += 1
    check_calls(events)
    assert text_of(events) == run.said, (events, run)
    after = user.random.choice([data["_id"] for _, data in events])
    later = await _told(user, run, after)
    after_it, whole = [name for name, data in events if data["_id"] > after], [name for name, _ in events]
    assert [name for name, _ in later] in (after_it or ["done"], whole), (later, events, after)


async def _told(user: User, run: KnownRun, after: int) -> list[Event]:
    user.seen["calls"] += 1
    async with user.stage.wire.stream("GET", f"{run.path}/events?after={after}") as stream:
        assert isinstance(stream, EventStream), stream
        events = [event async for event in stream.events()]
    check_numbers(events, after if len(events) > 1 else 0)
    return events


async def look(user: User) -> None:
    """All there is, and nothing else."""
    known = user.known
    for thread in known.threads.there:
        found = await thread_of(user, thread)
        assert found is not None and not found.active, found
        assert await user.ids(f"/threads/{thread}/messages") == found.messages, thread
        assert await user.ids(f"/threads/{thread}/runs") == [run.id for run in found.runs], thread
    for store in known.members:
        await _look_at_store(user, store)
    for kind, name in ((known.files, "files"), (known.stores, "vector_stores"), (known.threads, "threads")):
        for one in kind.gone:
            await user.send("GET", f"/{name}/{one}", 404)


async def _look_at_store(user: User, store: str) -> None:
    members = user.known.members[store]
    assert set(await user.ids(f"/vector_stores/{store}/files")) == members, (store, members)
    counts = (await user.get(f"/vector_stores/{store}"))["file_counts"]
    assert counts["total"] == len(members) == sum(counts.values()) - counts["total"], counts


async def look_back(user: User) -> None:
    """A run of an earlier sequence is as it was: told by its feed, or by the store alone."""
    if user.stage.ended:
        run = user.random.choice(user.stage.ended)
        assert (await user.get(run.path))["status"] == run.status, run
        await replayed(user, run)
