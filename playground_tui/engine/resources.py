"""What tools work on: files and vector stores, given with an assistant or a thread or attached to messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from playground_tui.engine.errors import ApiError
from playground_tui.engine.objects import vector_store_object
from playground_tui.engine.schemas import CreateMessage, FileSearchResources, InlineVectorStore, ToolResources
from playground_tui.engine.store import files, messages, store_files, threads, vector_stores
from playground_tui.engine.store.store_files import Wanted
from playground_tui.engine.vector_store_schemas import wanted

Json = Mapping[str, Any]

CODE_FILES = 20
"""Files that code_interpreter can be given."""
OF_A_THREAD = {"anchor": "last_active_at", "days": 7}
"""When a vector store expires that was made for a thread, as the contract has it."""


def bring_files(messages: Iterable[CreateMessage] | None, *given: ToolResources | None) -> bool:
    """Whether these may put files into a vector store: they are to be indexed then."""
    return any(given) or any(message.attachments for message in messages or ())


def settle(
    c: Connection,
    given: ToolResources | None,
    *,
    known: Json,
    now: int,
    expires_after: Json | None = None,
    elsewhere: bool = False,
) -> dict[str, Any]:
    """The resources as they are kept, with the vector store made that is asked for.

    `known` are the resources so far: what stands there may stay although it is deleted. `elsewhere`: the ids may be
    those of a provider that brings its own tools. Raises Unknown.
    """
    if elsewhere and given is not None:
        known = given.given()
    settled: dict[str, Any] = {}
    if given is not None and given.code_interpreter is not None:
        file_ids = list(dict.fromkeys(given.code_interpreter.file_ids))
        files.require_all(c, _new(file_ids, known, "code_interpreter", "file_ids"))
        settled["code_interpreter"] = {"file_ids": file_ids}
    if given is not None and given.file_search is not None:
        store_ids = _stores(c, given.file_search, known, now, expires_after)
        settled["file_search"] = {"vector_store_ids": store_ids}
    return settled


def _new(ids: Iterable[str], known: Json, tool: str, key: str) -> list[str]:
    before = (known.get(tool) or {}).get(key) or ()
    return [one for one in ids if one not in before]


def _stores(c: Connection, given: FileSearchResources, known: Json, now: int, expires_after: Json | None) -> list[str]:
    for store_id in _new(given.vector_store_ids, known, "file_search", "vector_store_ids"):
        vector_stores.require_known(c, store_id)
    made = [_made(c, inline, now, expires_after) for inline in given.vector_stores]
    return [*given.vector_store_ids, *made]


def _made(c: Connection, inline: InlineVectorStore, now: int, expires_after: Json | None) -> str:
    file_ids = inline.file_ids or []
    files.require_all(c, file_ids)
    return _new_store(c, wanted(file_ids, inline.chunking_strategy), now, expires_after, inline.metadata)


def _new_store(
    c: Connection, first: Sequence[Wanted], now: int, expires_after: Json | None, metadata: Json | None = None
) -> str:
    store = vector_store_object(created_at=now, metadata=metadata, expires_after=expires_after)
    vector_stores.insert(c, store)
    store_files.add(c, store["id"], first, now=now)
    return str(store["id"])


def add_thread(
    c: Connection,
    thread: Json,
    first: Iterable[Json],
    given: Iterable[ToolResources | None] = (),
    *,
    elsewhere: bool = False,
) -> dict[str, Any]:
    """Store a new thread with its first messages, and with all the resources that are given; the thread as it is then.

    Raises Unknown, and ApiError for too many files.
    """
    resources: dict[str, Any] = {}
    for one in given:
        settled = settle(c, one, known={}, now=thread["created_at"], expires_after=OF_A_THREAD, elsewhere=elsewhere)
        resources = {tool: _joined(resources.get(tool, {}), settled.get(tool, {})) for tool in {**resources, **settled}}
    threads.insert(c, {**thread, "tool_resources": resources})
    for message in first:
        add_message(c, message)
    return threads.require(c, thread["id"])


def _joined(one: Mapping[str, list[str]], other: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {key: list(dict.fromkeys([*one.get(key, ()), *other.get(key, ())])) for key in {**one, **other}}


def add_message(c: Connection, message: Json) -> None:
    """Store a new message of a thread that there is; its attachments become the thread's resources.

    Raises Unknown for a file, and ApiError for too many. Whether a run is active is the caller's to ask.
    """
    attached = message["attachments"]
    shown = [part["image_file"]["file_id"] for part in message["content"] if part["type"] == "image_file"]
    if attached or shown:
        files.require_all(c, [*shown, *(one["file_id"] for one in attached)])
    messages.insert(c, message)
    if attached:
        _attach(c, message["thread_id"], attached, message["created_at"])


def _attach(c: Connection, thread_id: str, attached: Sequence[Json], now: int) -> None:
    before = threads.require(c, thread_id)["tool_resources"] or {}
    after = dict(before)
    if searched := _for_tool(attached, "file_search"):
        after["file_search"] = {"vector_store_ids": _extended(c, before, searched, now)}
    if run := _for_tool(attached, "code_interpreter"):
        after["code_interpreter"] = _joined(before.get("code_interpreter", {}), {"file_ids": run})
        if len(after["code_interpreter"]["file_ids"]) > CODE_FILES:
            sentence = f"A thread has at most {CODE_FILES} files for code_interpreter."
            raise ApiError(sentence, param="attachments", code="array_above_max_length")
    if after != before:
        threads.update(c, thread_id, {"tool_resources": after})


def _for_tool(attached: Iterable[Json], tool: str) -> list[str]:
    return [one["file_id"] for one in attached if {"type": tool} in one.get("tools", ())]


def _extended(c: Connection, resources: Json, file_ids: Sequence[str], now: int) -> list[str]:
    """The thread's vector stores with these files in the first that can take them, or in a new one."""
    held = (resources.get("file_search") or {}).get("vector_store_ids") or ()
    usable = vector_stores.usable(c, held, now=now)
    if not usable:
        return [_new_store(c, wanted(file_ids, None), now, OF_A_THREAD)]
    store_files.add(c, usable[0], wanted(file_ids, None), now=now)
    vector_stores.touch(c, usable[:1], at=now)
    return list(held)
