"""What earlier runs of a thread did with tools, and what files are called: read behind what is shown already."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from playground_tui.assistants.errors import AssistantsError
from playground_tui.assistants.objects import Message, Run
from playground_tui.desk.desk import Desk
from playground_tui.desk.panes import ChatFront

STEPS: Final = "steps"
"""The group of the worker that reads steps."""


class PastSteps:
    """Reads the tool calls of earlier runs, newest first, and the names of files."""

    def __init__(self, desk: Desk, pane: ChatFront) -> None:
        self._desk = desk
        self._pane = pane
        self._read: set[str] = set()
        self._naming = asyncio.Lock()

    def forget(self) -> None:
        """Other messages are shown: no step of theirs is."""
        self._read.clear()
        self._desk.stop(STEPS)

    def begin(self, thread_id: str, messages: Sequence[Message], runs: Sequence[Run]) -> None:
        """Read the steps of the runs that made these messages, and of the newest `runs` where they made none.

        A run known to be without tools is left out, and one under way, which tells its own.
        """
        known = {run.id: run for run in runs}
        oldest = messages[0].created_at if messages else 0
        recent = (run.id for run in runs if run.created_at >= oldest)
        of_messages = (message.run_id for message in reversed(messages) if message.run_id)
        ids = dict.fromkeys((*recent, *of_messages))
        wanted = [run_id for run_id in ids if run_id not in self._read and _may_have_steps(known.get(run_id))]
        if wanted:
            self._desk.work(self._read_steps(thread_id, wanted), group=STEPS)

    async def older(self, thread_id: str, limit: int) -> None:
        """Put so many older messages above those shown, unless others are shown by then."""
        client, shown = self._desk.client, self._pane.messages()
        if client is None or not shown:
            return
        messages, more = [], True
        try:
            messages = await client.list_messages(thread_id, before_id=shown[0].id, limit=limit)
            more = len(messages) == limit
        except AssistantsError as error:
            self._desk.say(f"Older messages could not be read: {error}")
        if [message.id for message in self._pane.messages()[:1]] == [shown[0].id]:
            self._pane.prepend(messages, more=more)
            self.begin(thread_id, messages, ())

    async def _read_steps(self, thread_id: str, run_ids: Iterable[str]) -> None:
        for run_id in run_ids:
            client = self._desk.client
            if client is None:
                return
            with suppress(AssistantsError):
                self._pane.show_steps(await client.list_steps(thread_id, run_id))
                self._read.add(run_id)

    async def read_names(self) -> None:
        """Ask for the names of the files that are shown by their ids. Returns when all are told."""
        wanted = self._pane.wanted_names
        async with self._naming:
            while wanted and (client := self._desk.client) is not None:
                file_id = next(iter(wanted))
                name = file_id
                with suppress(AssistantsError):
                    name = (await client.files.retrieve(file_id)).name or file_id
                self._pane.show_name(file_id, name)


def _may_have_steps(run: Run | None) -> bool:
    return run is None or (bool(run.raw.get("tools")) and not run.active)
