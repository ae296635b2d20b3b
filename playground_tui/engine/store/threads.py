"""Threads, with what a list shows of them kept beside each: first message, count, last activity, assistants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, case, exists, select
from sqlalchemy import insert as insert_into
from sqlalchemy import update as update_table

from playground_tui.engine.store import purge
from playground_tui.engine.store.paging import Page, page_rows
from playground_tui.engine.store.tables import messages, thread_assistants, threads
from playground_tui.engine.store.unknown import Unknown

_LIVING = threads.c.deleted_at.is_(None)
_LATER = case((threads.c.last_activity_at > bindparam("at"), threads.c.last_activity_at), else_=bindparam("at"))

# Built once: building a statement takes longer than running it.
_GET = select(threads.c.body).where(threads.c.id == bindparam("thread"), _LIVING)
_UPDATE = update_table(threads).where(threads.c.id == bindparam("thread"))
_NOTE_MESSAGE = _UPDATE.values(
    message_count=threads.c.message_count + 1,
    last_activity_at=_LATER,
    first_message=case((threads.c.first_message == "", bindparam("first")), else_=threads.c.first_message),
)
_NOTE_RUN = _UPDATE.values(last_activity_at=_LATER)
_KNOWN_ASSISTANTS = select(thread_assistants.c.assistant_id).where(thread_assistants.c.thread_id == bindparam("thread"))


def insert(c: Connection, thread: Mapping[str, Any]) -> None:
    """Store a new thread."""
    at = thread["created_at"]
    empty = {"first_message": "", "message_count": 0, "last_activity_at": at}
    c.execute(insert_into(threads).values(id=thread["id"], created_at=at, body=dict(thread), **empty))


def get(c: Connection, thread_id: str) -> dict[str, Any] | None:
    """The thread, or None if there is none or it was deleted."""
    return c.execute(_GET, {"thread": thread_id}).scalar_one_or_none()


def require(c: Connection, thread_id: str) -> dict[str, Any]:
    """The thread. Raises Unknown."""
    thread = get(c, thread_id)
    if thread is None:
        raise Unknown("thread", thread_id)
    return thread


def update(c: Connection, thread_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Put `changes` over the thread and return it. Raises Unknown."""
    thread = {**require(c, thread_id), **changes}
    c.execute(_UPDATE.values(body=thread), {"thread": thread_id})
    return thread


def delete(c: Connection, thread_id: str, *, at: int) -> None:
    """Take the thread and all that is in it out of sight until it is restored or purged. Raises Unknown."""
    require(c, thread_id)
    c.execute(_UPDATE.values(deleted_at=at), {"thread": thread_id})


def restore(c: Connection, thread_id: str) -> dict[str, Any]:
    """Bring a deleted thread back under its id; one that is not deleted stays as it is. Raises Unknown."""
    c.execute(_UPDATE.values(deleted_at=None), {"thread": thread_id})
    return require(c, thread_id)


def list_threads(
    c: Connection, page: Page, *, assistant_id: str | None = None, q: str = "", deleted: bool = False
) -> tuple[list[dict[str, Any]], bool]:
    """A page of threads with `assistant_ids, first_message, message_count, last_activity_at`, and whether more follow.

    The order is by last activity. `assistant_id` keeps the threads in which that assistant has had a run, `q` those
    with a message that contains this text, in whatever case. With `deleted` it is the deleted threads, last deleted
    first, each with `deleted_at` and `purge_at`. Raises UnknownCursor.
    """
    scope = [threads.c.deleted_at.is_not(None)] if deleted else []
    key = (threads.c.deleted_at if deleted else threads.c.last_activity_at, threads.c.seq)
    query = select(threads).where(*(scope or [_LIVING]), *_filters(assistant_id, q))
    rows, more = page_rows(c, query, page, threads, *scope, key=key)
    assistants = _assistants_of(c, [row.id for row in rows])
    return [_summary(row, assistants.get(row.id, [])) for row in rows], more


def _filters(assistant_id: str | None, q: str) -> Iterable[ColumnElement[bool]]:
    if assistant_id is not None:
        table = thread_assistants
        yield exists().where(table.c.thread_id == threads.c.id, table.c.assistant_id == assistant_id)
    if q:
        here = messages.c.thread_id == threads.c.id
        found = messages.c.folded.contains(fold(q), autoescape=True)
        yield exists().where(here, messages.c.deleted_at.is_(None), found)


def _assistants_of(c: Connection, thread_ids: list[str]) -> dict[str, list[str]]:
    table = thread_assistants
    found: dict[str, list[str]] = {}
    for row in c.execute(select(table).where(table.c.thread_id.in_(thread_ids)).order_by(table.c.position)):
        found.setdefault(row.thread_id, []).append(row.assistant_id)
    return found


def _summary(row: Row[Any], assistant_ids: list[str]) -> dict[str, Any]:
    body: dict[str, Any] = row.body
    return {
        **body,
        "assistant_ids": assistant_ids,
        "first_message": row.first_message,
        "message_count": row.message_count,
        "last_activity_at": row.last_activity_at,
        **(purge.times(row.deleted_at) if row.deleted_at is not None else {}),
    }


def note_message(c: Connection, thread_id: str, *, at: int, first: str) -> None:
    """Count a message made at `at`; `first` (may be "") becomes the thread's first message if it has none yet."""
    c.execute(_NOTE_MESSAGE, {"thread": thread_id, "at": at, "first": first})


def note_deletion(c: Connection, thread_id: str, *, first: str) -> None:
    """Count a message less; `first` is what is now the first message."""
    less = {"message_count": threads.c.message_count - 1, "first_message": first}
    c.execute(_UPDATE.values(less), {"thread": thread_id})


def note_run(c: Connection, thread_id: str, assistant_id: str, *, at: int) -> None:
    """Remember that the assistant has had a run in the thread, and when the thread was last used."""
    c.execute(_NOTE_RUN, {"thread": thread_id, "at": at})
    known = list(c.execute(_KNOWN_ASSISTANTS, {"thread": thread_id}).scalars())
    if assistant_id not in known:
        values = {"thread_id": thread_id, "assistant_id": assistant_id, "position": len(known)}
        c.execute(insert_into(thread_assistants).values(values))


def fold(text: str) -> str:
    """The text as it is searched: without case, and storable whatever it holds."""
    return storable(text).casefold()


def storable(text: str) -> str:
    """The text without what no text column takes: lone surrogates and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")
