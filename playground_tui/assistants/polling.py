"""Following a run by asking for it again and again, at servers whose runs cannot be joined."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import Protocol

from playground_tui.assistants.events import Event, MessageChanged, RunChanged, StepChanged
from playground_tui.assistants.objects import Message, Run, Step

INTERVAL = 1.0
"""Seconds between two looks at a run."""


class Server(Protocol):
    """What polling asks."""

    async def retrieve_run(self, thread_id: str, run_id: str) -> Run: ...

    async def messages_of_run(self, thread_id: str, run_id: str) -> list[Message]: ...

    async def list_steps(self, thread_id: str, run_id: str) -> list[Step]: ...


class Poll:
    """What was last told of a run, so that only changes are told."""

    def __init__(self) -> None:
        self.run: Run | None = None
        self._messages: dict[str, Message] = {}
        self._steps: dict[str, Step] = {}

    def changes(self, run: Run, steps: list[Step], messages: list[Message]) -> Iterator[Event]:
        """The events that lead from what was told to this; a run at rest comes after its texts."""
        if run.active and run != self.run:
            yield RunChanged(run)
        for step in steps:
            if self._steps.get(step.id) != step:
                self._steps[step.id] = step
                yield StepChanged(step)
        for message in messages:
            if self._messages.get(message.id) != message:
                self._messages[message.id] = message
                yield MessageChanged(message)
        if not run.active and run != self.run:
            yield RunChanged(run)
        self.run = run


async def poll(server: Server, thread_id: str, run_id: str) -> AsyncGenerator[Event, None]:
    """The events of a run until it rests: has ended or awaits outputs. Raises AssistantsError."""
    told = Poll()
    while True:
        run = await server.retrieve_run(thread_id, run_id)
        steps = await server.list_steps(thread_id, run_id)
        messages = await server.messages_of_run(thread_id, run_id)
        for event in told.changes(run, steps, messages):
            yield event
        if at_rest(run):
            return
        await asyncio.sleep(INTERVAL)


def at_rest(run: Run) -> bool:
    """Whether nothing more happens to the run by itself."""
    return not run.active or run.status == "requires_action"
