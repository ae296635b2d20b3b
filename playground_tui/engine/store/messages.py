"""Messages of a thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy import insert as insert_into
from sqlalchemy import update as update_table

from playground_tui.engine.store import threads
from playground_tui.engine.store.paging import Page, page_rows
from playground_tui.engine.store.tables import messages
from playground_tui.engine.store.unknown import Unknown

FIRST_MESSAGE_CHARACTERS = 200
"""So much of a thread's first message is shown in the list of threads."""

_LIVING = messages.c.deleted_at.is_(None)

# Built once: building a statement takes longer than running it.
_GET = select(messages.c.body).where(
    messages.c.id == bindparam("message"), messages.c.thread_id == bindparam("thread"), _LIVING
)
_FIND = select(messages.c.body).where(messages.c.id == bindparam("message"))
_INSERT = insert_into(messages)
_UPDATE = update_table(messages).where(messages.c.id == bindparam("message"))
_SET_BODY = _UPDATE.values(body=bindparam("body"))
_SET_TEXT = _UPDATE.values(body=bindparam("body"), folded=bindparam("folded"))


def text_of(message: Mapping[str, Any]) -> str:
    """The text parts of a message object, joined by newlines."""
    return "\n".join(part["text"]["value"] for part in message["content"] if part["type"] == "text")


def insert(c: Connection, message: Mapping[str, Any]) -> None:
    """Store a new message and count it in its thread. Whether the thread has an active run is the caller's to ask."""
    text = text_of(message)
    at, thread_id = message["created_at"], message["thread_id"]
    columns = {key: message[key] for key in ("id", "thread_id", "run_id", "created_at")}
    c.execute(_INSERT, {**columns, "folded": threads.fold(text), "body": dict(message)})
    threads.note_message(c, thread_id, at=at, first=_opening(message))


def _opening(message: Mapping[str, Any]) -> str:
    """What the list of threads shows if this is the first message: only what the user said counts."""
    if message["role"] != "user":
        return ""
    return threads.storable(text_of(message)[:FIRST_MESSAGE_CHARACTERS]).strip()


def get(c: Connection, thread_id: str, message_id: str) -> dict[str, Any] | None:
    """The message, or None if the thread has none of this id or it was deleted."""
    return c.execute(_GET, {"message": message_id, "thread": thread_id}).scalar_one_or_none()


def require(c: Connection, thread_id: str, message_id: str) -> dict[str, Any]:
    """The message. Raises Unknown."""
    message = get(c, thread_id, message_id)
    if message is None:
        raise Unknown("message", message_id)
    return message


def update(c: Connection, message_id: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Put `changes` over the message, deleted or not, and return it. Raises Unknown."""
    body = c.execute(_FIND, {"message": message_id}).scalar_one_or_none()
    if body is None:
        raise Unknown("message", message_id)
    message: dict[str, Any] = {**body, **changes}
    values = {"message": message_id, "body": message}
    if "content" in changes:
        c.execute(_SET_TEXT, {**values, "folded": threads.fold(text_of(message))})
    else:
        c.execute(_SET_BODY, values)
    return message


def delete(c: Connection, thread_id: str, message_id: str, *, at: int) -> None:
    """Take the message out of sight until it is purged. Raises Unknown."""
    require(c, thread_id, message_id)
    c.execute(_UPDATE.values(deleted_at=at), {"message": message_id})
    threads.note_deletion(c, thread_id, first=first_message(c, thread_id))


def first_message(c: Connection, thread_id: str) -> str:
    """What the list of threads shows of the thread: the beginning of its first message with a text of the user's."""
    living = select(messages.c.body).where(messages.c.thread_id == thread_id, _LIVING)
    bodies = c.execute(living.order_by(messages.c.seq)).scalars()
    with bodies:
        return next((opening for body in bodies if (opening := _opening(body))), "")


def list_messages(
    c: Connection, thread_id: str, page: Page, *, run_id: str | None = None
) -> tuple[list[dict[str, Any]], bool]:
    """A page of the thread's messages (of one run), and whether there are more. Raises UnknownCursor."""
    here = messages.c.thread_id == thread_id
    query = select(messages.c.body).where(here, _LIVING)
    if run_id is not None:
        query = query.where(messages.c.run_id == run_id)
    rows, more = page_rows(c, query, page, messages, here)
    return [row.body for row in rows], more
