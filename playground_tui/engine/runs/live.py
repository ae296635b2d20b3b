"""An active run: its object as it is stored, its feed, and the one way its state changes.

Every change is one transaction followed by its events, under the run's lock, so that what a reader was told is never
ahead of the store and a cancel never overtakes, or is overtaken by, another change.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from sqlalchemy import Connection

from playground_tui.engine.changes import Action, ChangeFeed, Kind
from playground_tui.engine.objects import present
from playground_tui.engine.providers.base import Usage
from playground_tui.engine.runs.endings import BORROWED, Event, Loose, end_run, kept_usage, noted_usage
from playground_tui.engine.runs.feed import Feed
from playground_tui.engine.runs.states import Ending
from playground_tui.engine.runs.tools.stored import shown_call
from playground_tui.engine.store.database import Database

Write = Callable[[Connection], list[Event]]

CONTENT = "_content"
"""Key of a stored run: whether its stream has the text of what searches found."""
STORE_FAILED = "The engine cannot write its database; the run has ended and is stored as soon as that works again."

_KINDS: Mapping[str, Kind] = {"thread": "thread", "thread.run": "run", "thread.message": "message"}


def shown(stored: Mapping[str, Any], *, content: bool = False) -> dict[str, Any]:
    """A stored run, step or message as the API answers it: what the engine notes for itself begins with `_`.

    `content`: a step has the text of what its searches found.
    """
    public = {key: value for key, value in stored.items() if not key.startswith("_")}
    if public["object"] == "thread.run":
        return present(public)
    if calls := public.get("step_details", {}).get("tool_calls"):
        bare = [shown_call(call, content=content) for call in calls]
        public["step_details"] = {**public["step_details"], "tool_calls": bare}
    return public


class Interrupted(Exception):
    """The run is to end now (`LiveRun.interruption` says how): nothing more is written by the round under way."""


class Surroundings:
    """What every live run stands on: the store, the feed of changes and the clock."""

    def __init__(self, database: Database, changes: ChangeFeed, clock: Callable[[], float] = time.time) -> None:
        self.database = database
        self.changes = changes
        self._clock = clock

    def now(self) -> int:
        """The time in whole Unix seconds."""
        return int(self._clock())

    def announce(self, events: Iterable[Event]) -> None:
        """Report each run and message once to those who watch for changes."""
        told: set[str] = set()
        for name, data in events:
            kind = _KINDS.get(data["object"])
            if kind and data["id"] not in told:
                told.add(data["id"])
                action: Action = "created" if name.endswith(".created") else "modified"
                self.changes.publish(kind, data["id"], thread_id=data.get("thread_id", ""), action=action)


class LiveRun:
    """One active run of this engine."""

    def __init__(self, run: dict[str, Any], around: Surroundings, feed: Feed) -> None:
        self.run = run
        """The run as it is stored."""
        self.around = around
        self.feed = feed
        self.interruption: Ending | None = None
        self.loose: Callable[[], Loose] = Loose
        """What the round under way has said that the store does not have yet."""
        self.newest_message = ""
        """The id of the thread's newest message, "" if there is none."""
        self.usage = kept_usage(run)
        """The tokens of all requests so far."""
        self.request_usage: Usage | None = None
        """The tokens of the newest request, once it has been answered."""
        self.worker: asyncio.Task[Ending | None] | None = None
        """The round under way."""
        self.drive: asyncio.Task[None] | None = None
        """What brings the run to its next rest or its end."""
        self._parked = False
        self._store_failed = False
        self._lock = asyncio.Lock()

    @property
    def id(self) -> str:
        return str(self.run["id"])

    @property
    def status(self) -> str:
        return str(self.run["status"])

    @property
    def with_content(self) -> bool:
        """Whether who made the run wants to read what its searches found."""
        return bool(self.run.get(CONTENT))

    @property
    def waiting_calls(self) -> list[dict[str, Any]]:
        """The function calls whose outputs the run waits for."""
        action = self.run["required_action"] or {"submit_tool_outputs": {"tool_calls": []}}
        calls: list[dict[str, Any]] = action["submit_tool_outputs"]["tool_calls"]
        return calls

    def note(self, sentence: str) -> None:
        """Say what was done differently from what was asked; stored with the next change of state."""
        notes = self.run.get("playground_notes", "")
        if sentence not in notes:
            self.run["playground_notes"] = f"{notes} {sentence}".strip()

    def noted(self) -> dict[str, Any]:
        """What each change of the run's state carries along: the notes, and the tokens so far."""
        changes: dict[str, Any] = {"_usage": noted_usage(self.usage)}
        if notes := self.run.get("playground_notes"):
            changes["playground_notes"] = notes
        return changes

    async def record(self, write: Write, *, rest: bool = False) -> None:
        """Store a change and send its events; with `rest` streams end here, for the run waits for tool outputs.

        Raises Interrupted if the run is to end, and stores nothing then.
        """
        async with self._lock:
            if self.interruption:
                raise Interrupted
            await self._record(write)
            if rest:
                self.feed.rest()

    async def record_new(self, write: Write) -> None:
        """Store the run itself. Messages that come with it are announced, but are no events of its stream."""
        async with self._lock:
            events = await self.around.database.write(write)
            self.around.announce(events)
            for name, data in events:
                if data["object"] != "thread.message":
                    self._send(name, data)

    async def record_request(self, check: Callable[[], None], write: Write, *, then: Ending | None = None) -> None:
        """Store a change that somebody asked for, if `check` lets it pass; `then` interrupts the run.

        Raises what `check` raises.
        """
        async with self._lock:
            check()
            await self._record(write)
            if then:
                self.interrupt(then)

    async def record_end(self, ending: Ending) -> None:
        """Close in the store what is open, and the run; an interruption that came meanwhile says how it ends."""
        async with self._lock:
            await self._record(
                partial(
                    end_run,
                    run_id=self.id,
                    ending=self.interruption or ending,
                    now=self.around.now(),
                    usage=self.usage,
                    request_usage=self.request_usage,
                    loose=self.loose(),
                    changes=self.noted(),
                )
            )
            if BORROWED in self.run:
                thread_id = self.run["thread_id"]
                self.around.changes.publish("thread", thread_id, thread_id=thread_id, action="deleted")
            self.feed.rest()

    def interrupt(self, ending: Ending) -> None:
        """End the round under way as soon as it is not in the midst of a change. The first interruption counts."""
        if self.interruption is None:
            self.interruption = ending
            if self._parked and self.worker:
                self.worker.cancel()

    def park(self) -> None:
        """Begin to wait for something outside: from here to `unpark` the round may be cancelled. Raises Interrupted."""
        if self.interruption:
            raise Interrupted
        self._parked = True

    def unpark(self) -> None:
        self._parked = False

    def tell_store_failed(self) -> None:
        """Tell the readers once that the run's end cannot be stored; their streams end with that."""
        if not self._store_failed:
            self._store_failed = True
            error = {"message": STORE_FAILED, "type": "server_error", "param": None, "code": None}
            self.feed.publish("error", error)
            self.feed.rest()

    async def _record(self, write: Write) -> None:
        events = await self.around.database.write(write)
        for name, data in events:
            self._send(name, data)
        self.around.announce(events)

    def _send(self, name: str, data: dict[str, Any]) -> None:
        """Send an event of what is stored."""
        if data["object"] == "thread.run":
            self.run = data
        elif name == "thread.message.created":
            self.newest_message = data["id"]
        self.feed.publish(name, shown(data, content=self.with_content))
