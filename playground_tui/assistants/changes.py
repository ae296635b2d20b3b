"""Hearing of what changes on the engine."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

from playground_tui.assistants.engine_objects import Change
from playground_tui.assistants.errors import NotReachable
from playground_tui.assistants.streams import RawEvent, read_data, read_events
from playground_tui.assistants.transport import Transport


async def read_changes(transport: Transport) -> AsyncGenerator[Change, None]:
    """The engine's changes: first a reset (read everything anew), then each as it happens; elsewhere none.

    Raises NotReachable when the connection ends: whoever listens decides when to begin again, and reads anew then.
    """
    if not transport.is_engine:
        return
    response = await transport.open_get("/changes", query={"after": 0})
    try:
        with transport.translated():
            async for raw in read_events(response.aiter_bytes()):
                yield read_change(raw)
    finally:
        await response.aclose()
    raise NotReachable("The engine has ended.")


def read_change(event: RawEvent) -> Change:
    """The change an event tells of; its sequence is the event's id."""
    change = Change.from_json(read_data(event.data))
    sequence = int(event.id) if event.id.isdecimal() else change.sequence
    return replace(change, sequence=sequence, kind=change.kind or event.name)
