"""Hearing of what changes on the engine, across every break of the connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.objects import Change
from playground_tui.assistants.streams import RawEvent, read_data, read_events
from playground_tui.assistants.transport import Transport

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 4.0
"""Seconds between two tries: at first, and at most. The engine is on this machine, and asking for it costs little."""


async def read_changes(transport: Transport) -> AsyncGenerator[Change, None]:
    """The engine's changes, for ever; elsewhere none.

    After a break it goes on behind the last one heard of, after a pause that each failure doubles.
    """
    after: int | None = None
    pause = FIRST_PAUSE
    first = True
    while transport.is_engine:
        try:
            async with aclosing(_changes(transport, after, missed=not first and after is None)) as changes:
                async for change in changes:
                    after = change.sequence or after
                    pause = FIRST_PAUSE
                    yield change
        except AssistantsError:
            pass  # it is asked again, whatever the reason
        first = False
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


async def _changes(transport: Transport, after: int | None, *, missed: bool) -> AsyncGenerator[Change, None]:
    """The changes behind `after`, or from now on, as long as the connection lasts; what was `missed` is a reset."""
    response = await transport.open_get("/changes", query={} if after is None else {"after": after})
    try:
        if missed:
            yield Change(0, "reset")
        with transport.translated():
            async for raw in read_events(response.aiter_bytes()):
                yield read_change(raw)
    finally:
        await response.aclose()


def read_change(event: RawEvent) -> Change:
    """The change an event tells of; its sequence is the event's id."""
    change = Change.from_json(read_data(event.data))
    sequence = int(event.id) if event.id.isdecimal() else change.sequence
    return replace(change, sequence=sequence, kind=change.kind or event.name)
