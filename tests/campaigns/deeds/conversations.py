"""Assistants, threads and messages."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.campaigns.deeds.stores import have_store
from tests.campaigns.known import KnownThread
from tests.campaigns.looks import thread_of
from tests.campaigns.user import User, check_answer, status

FUNCTION = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
TOOLS = [{"type": "file_search"}, {"type": "code_interpreter"}, FUNCTION]


async def new_assistant(user: User) -> None:
    store, files = user.known.stores.pick(user.random), user.some_files(2)
    resources: dict[str, Any] = {}
    there = 200
    if user.chance(0.5):
        resources = {"file_search": {"vector_store_ids": [store]}, "code_interpreter": {"file_ids": files}}
        there = status(store in user.known.members, user.known.has_files(files))
    answer = await user.post("/assistants", there, model="ready", tools=TOOLS, tool_resources=resources)
    if there == 200:
        user.known.assistants.there.append(answer["id"])
        user.known.versions[answer["id"]] = 1


async def modify_assistant(user: User) -> None:
    """What changes nothing leaves no version."""
    assistant, name = user.known.assistants.pick(user.random), user.new_name()
    there = status(assistant in user.known.assistants.there)
    for _ in range(2):
        await user.post(f"/assistants/{assistant}", there, name=name, metadata={"category": "x"})
    if there == 200:
        user.known.versions[assistant] += 1
        assert (await user.get(f"/assistants/{assistant}"))["name"] == name


async def delete_assistant(user: User) -> None:
    assistant = user.known.assistants.pick(user.random)
    there = assistant in user.known.assistants.there
    await user.send("DELETE", f"/assistants/{assistant}", status(there))
    if there:
        user.known.assistants.remove(assistant)
        user.known.versions[assistant] += 1


async def restore_assistant(user: User) -> None:
    assistant = user.known.assistants.pick(user.random)
    there = status(assistant in user.known.versions)
    await user.send("POST", f"/assistants/{assistant}/restore", there)
    if assistant in user.known.assistants.gone:
        user.known.assistants.restore(assistant)
        user.known.versions[assistant] += 1
    listed = await user.send(
        "GET", f"/assistants/{assistant}/versions?limit=100", status(assistant in user.known.versions)
    )
    assert listed.status == 404 or len(listed.json()["data"]) == user.known.versions[assistant], assistant


async def new_thread(user: User) -> None:
    """With an Idempotency-Key the second request gets the answer to the first."""
    count, key = user.random.randint(0, 2), user.random.choice(["", user.new_name()])
    body = {"messages": [{"role": "user", "content": "hello"}] * count}
    thread = (await user.send("POST", "/threads", 200, body=body, key=key)).json()["id"]
    if key:
        again = await user.send("POST", "/threads", 200, body=body, key=key)
        assert again.json()["id"] == thread, again
        await user.send("POST", "/threads", 400, body={**body, "metadata": {"other": "x"}}, key=key)
    await have_thread(user, thread)
    assert len(user.known.all_threads[thread].messages) == count


async def have_thread(user: User, thread: str) -> KnownThread:
    user.known.threads.there.append(thread)
    known = user.known.all_threads[thread] = KnownThread(await user.ids(f"/threads/{thread}/messages"))
    return known


async def modify_thread(user: User) -> None:
    thread, name = user.known.threads.pick(user.random), user.new_name()
    there = status(user.known.thread(thread))
    await user.post(f"/threads/{thread}", there, metadata={"name": name})
    assert there == 404 or (await user.get(f"/threads/{thread}"))["metadata"] == {"name": name}


async def delete_thread(user: User) -> None:
    """Its active run is cancelled; of deletions at once one succeeds."""
    thread, times = user.known.threads.pick(user.random), user.random.choice([1, 1, 2])
    known = user.known.thread(thread)
    answers = await asyncio.gather(*(user.stage.wire.call("DELETE", f"/threads/{thread}") for _ in range(times)))
    for answer in answers:
        check_answer(answer, 200, 404)
    assert [answer.status for answer in answers].count(200) == (known is not None), answers
    if known is not None:
        if known.active:
            known.active.status = "cancelled"
        user.known.threads.remove(thread)


async def restore_thread(user: User) -> None:
    """All that was in it comes back."""
    thread = user.known.threads.pick(user.random)
    await user.send("POST", f"/threads/{thread}/restore", status(thread in user.known.all_threads))
    if thread in user.known.threads.gone:
        user.known.threads.restore(thread)
        await thread_of(user, thread)


async def add_message(user: User) -> None:
    thread, files = user.known.threads.pick(user.random), user.some_files(2)
    files = user.random.choice([[], files])
    known = await thread_of(user, thread)
    attachments = [{"file_id": file, "tools": [{"type": "file_search"}]} for file in files]
    allowed = status(known, user.known.has_files(files))
    allowed = 400 if known and known.active else allowed
    body = {"role": user.random.choice(["user", "assistant"]), "content": "look", "attachments": attachments}
    answer = await user.post(f"/threads/{thread}/messages", allowed, **body)
    if allowed == 200 and known is not None:
        known.messages.append(answer["id"])
        if files:
            await _note_store(user, thread, files)


async def _note_store(user: User, thread: str, files: list[str]) -> None:
    """The thread's own vector store has the files; in the place of one that is gone or over there is a new one."""
    read = await user.get(f"/threads/{thread}")
    (store,) = read["tool_resources"]["file_search"]["vector_store_ids"]
    if store not in user.known.members:
        assert store not in user.known.stores.gone, store
        have_store(user, store, [])
    user.known.members[store] |= set(files)


async def change_message(user: User) -> None:
    thread = user.known.threads.pick(user.random)
    known = await thread_of(user, thread)
    messages = known.messages if known else []
    message = user.random.choice([*messages, "msg_none"])
    there = status(message in messages)
    await user.send("GET", f"/threads/{thread}/messages/{message}", there)
    if user.chance(0.5):
        await user.post(f"/threads/{thread}/messages/{message}", there, metadata={"read": "yes"})
    else:
        await user.send("DELETE", f"/threads/{thread}/messages/{message}", there)
        if there == 200:
            messages.remove(message)


DEEDS = (
    new_assistant,
    new_assistant,
    modify_assistant,
    delete_assistant,
    restore_assistant,
    new_thread,
    new_thread,
    modify_thread,
    delete_thread,
    restore_thread,
    add_message,
    add_message,
    change_message,
)
