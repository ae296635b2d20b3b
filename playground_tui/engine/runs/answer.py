"""The answer to one request of a run: stored and sent as it comes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from playground_tui.engine.objects import message_object, new_id, step_object, text_part
from playground_tui.engine.providers.base import Usage
from playground_tui.engine.runs import deltas
from playground_tui.engine.runs.endings import Event, Loose, end_step
from playground_tui.engine.runs.live import LiveRun
from playground_tui.engine.runs.prompt import AFTER
from playground_tui.engine.runs.states import COMPLETED
from playground_tui.engine.store import messages, steps

CHECKPOINT_SECONDS = 0.25
"""How often the text so far is written to the store. Its beginning is there before anybody sees it."""
FIRST_CHECKPOINT_SECONDS = 0.03
"""The first pause between two writes; it doubles up to the usual one."""
CHECKPOINT_SHARE = 10
"""A long text is written less often: at most a tenth of the time goes into it."""

_log = logging.getLogger(__name__)


class OpenMessage:
    """A message that the model is writing."""

    def __init__(self, live: LiveRun, step: Mapping[str, Any], message_id: str, text: str) -> None:
        self.message_id = message_id
        self.step = step
        self._live = live
        self._pieces: list[str] = []
        self._length = 0
        if text:
            self.add(text)
        self._checkpoints = asyncio.create_task(self._keep_text(self._length), name=f"text of {message_id}")

    @classmethod
    async def begin(cls, live: LiveRun, text: str) -> OpenMessage:
        """Store the step and the message with its first text ("" if it has none); send them, the text as a delta."""
        now = live.around.now()
        message = message_object(
            thread_id=live.run["thread_id"],
            role="assistant",
            content=[],
            created_at=now,
            status="in_progress",
            assistant_id=live.run["assistant_id"],
            run_id=live.id,
        )
        details = {"message_creation": {"message_id": message["id"]}}
        step = step_object(run=live.run, step_type="message_creation", step_details=details, created_at=now)

        def write(c: Connection) -> list[Event]:
            steps.insert(c, step)
            messages.insert(c, {**message, "content": [text_part(text)] if text else []})
            return [
                ("thread.run.step.created", step),
                ("thread.run.step.in_progress", step),
                ("thread.message.created", message),
                ("thread.message.in_progress", message),
            ]

        await live.record(write)
        return cls(live, step, message["id"], text)

    @property
    def text(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def add(self, text: str) -> None:
        """Send more text."""
        self._pieces.append(text)
        self._length += len(text)
        self._live.feed.publish_text(self.message_id, text)

    async def stop_checkpoints(self) -> None:
        """The text is whole or abandoned: its last state is written by whoever ends the message."""
        self._checkpoints.cancel()
        await asyncio.wait({self._checkpoints})

    async def _keep_text(self, kept: int) -> None:
        """Write the text a few times a second; `kept` characters of it are in the store already."""
        usual = pause = FIRST_CHECKPOINT_SECONDS
        while True:
            await asyncio.sleep(pause)
            usual = min(2 * usual, CHECKPOINT_SECONDS)
            if self._length > kept:
                length, begun = self._length, monotonic()
                if await self._checkpoint():
                    kept = length
                pause = max(usual, CHECKPOINT_SHARE * (monotonic() - begun))

    async def _checkpoint(self) -> bool:
        """Whether the text so far could be written: the store may fail now and work later."""
        text = {"content": [text_part(self.text)]}
        try:
            await self._live.around.database.write(partial(messages.update, message_id=self.message_id, changes=text))
        except (SQLAlchemyError, OSError) as error:
            _log.warning("The text of %s could not be kept while it came: %s", self.message_id, error)
            return False
        return True


class OpenCalls:
    """The function calls that the model is making, as one step."""

    def __init__(self, live: LiveRun, step: dict[str, Any]) -> None:
        self.step = step
        self._live = live
        self._calls: dict[int, _Call] = {}

    @classmethod
    def new_step(cls, live: LiveRun) -> dict[str, Any]:
        """The step as it begins; it remembers where in the thread it stands."""
        details: dict[str, Any] = {"tool_calls": []}
        now = live.around.now()
        step = step_object(run=live.run, step_type="tool_calls", step_details=details, created_at=now)
        return {**step, AFTER: live.newest_message}

    def begin(self, index: int, call_id: str, name: str) -> None:
        """Send the beginning of a call. A call without an id of its own, or with one used before, gets a new one."""
        if not call_id or any(call.id == call_id for call in self._calls.values()):
            call_id = new_id("call")
        place = len(self._calls)
        self._calls[index] = _Call(place, call_id, name)
        self._live.feed.publish(deltas.STEP_DELTA, deltas.call_begun(self.step["id"], place, call_id, name))

    def add(self, index: int, text: str) -> None:
        """Send more of a call's arguments."""
        call = self._calls[index]
        call.arguments.append(text)
        self._live.feed.publish(deltas.STEP_DELTA, deltas.call_arguments(self.step["id"], call.place, text))

    def whole(self) -> list[dict[str, Any]]:
        """The calls as the step keeps them, their outputs still null."""
        return [call.whole() for call in self._calls.values()]


@dataclass(slots=True)
class _Call:
    place: int
    id: str
    name: str
    arguments: list[str] = field(default_factory=list)

    def whole(self) -> dict[str, Any]:
        function = {"name": self.name, "arguments": "".join(self.arguments) or "{}", "output": None}
        return {"id": self.id, "type": "function", "function": function}


class Answer:
    """What one request has brought so far: at most one open message, and the function calls."""

    def __init__(self, live: LiveRun) -> None:
        self._live = live
        self.message: OpenMessage | None = None
        self.calls: OpenCalls | None = None
        self._said: OpenMessage | None = None
        live.loose = self.loose

    def loose(self) -> Loose:
        """What the store does not have yet."""
        said, calls = self._said, self.calls
        return Loose(
            {said.message_id: said.text} if said else {},
            {calls.step["id"]: calls.whole()} if calls else {},
        )

    async def say(self, text: str) -> None:
        """Send more text. It begins a message if none is open, also when it is empty."""
        if self.message is not None:
            self.message.add(text)
        else:
            self.message = self._said = await OpenMessage.begin(self._live, text)

    async def open_calls(self) -> OpenCalls:
        """The step that calls go to. Beginning it, the text said before is whole."""
        if self.calls is None:
            said = await self.take_message()
            step: dict[str, Any] = OpenCalls.new_step(self._live)

            def write(c: Connection) -> list[Event]:
                steps.insert(c, step)
                ended = self.end_message(c, said, None)
                return [*ended, ("thread.run.step.created", step), ("thread.run.step.in_progress", step)]

            await self._live.record(write)
            self._said = None
            self.calls = OpenCalls(self._live, step)
        return self.calls

    def end_message(self, c: Connection, said: OpenMessage | None, usage: Usage | None) -> list[Event]:
        """Complete a message and its step in the store; `usage` are the tokens of the request, where they are known."""
        if said is None:
            return []
        now, loose = self._live.around.now(), Loose({said.message_id: said.text})
        return end_step(c, said.step, COMPLETED, now=now, usage=usage, loose=loose)

    async def take_message(self) -> OpenMessage | None:
        """The open message, if any: no more text comes, and its last state is to be written."""
        said, self.message = self.message, None
        if said:
            await said.stop_checkpoints()
        return said
