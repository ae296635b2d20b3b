"""The answer to one request of a run: stored and sent as it comes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from playground_tui.engine.objects import message_object, refusal_part, step_object, text_part
from playground_tui.engine.providers.base import Usage
from playground_tui.engine.runs import deltas
from playground_tui.engine.runs.calls import OpenCalls
from playground_tui.engine.runs.endings import Event, Loose, end_step
from playground_tui.engine.runs.growing import GrowingText
from playground_tui.engine.runs.live import LiveRun
from playground_tui.engine.runs.states import COMPLETED
from playground_tui.engine.runs.tools.citations import Annotator, Sources
from playground_tui.engine.runs.tools.offer import Offer
from playground_tui.engine.store import messages, steps
from playground_tui.engine.store.failures import StoreFailed

CHECKPOINT_SECONDS = 0.25
"""How often the text so far is written to the store. Its beginning is there before anybody sees it."""
FIRST_CHECKPOINT_SECONDS = 0.03
"""The first pause between two writes; it doubles up to the usual one."""
CHECKPOINT_SHARE = 10
"""A long text is written less often: at most a tenth of the time goes into it."""

_log = logging.getLogger(__name__)


Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Brings:
    """What the next message of a run brings: pictures and files that code made, by id, and what it may cite."""

    pictures: Sequence[str] = ()
    files: Sequence[str] = ()
    sources: Sources = field(default_factory=Sources)


class OpenMessage:
    """A message that the model is writing."""

    def __init__(self, live: LiveRun, step: Json, message_id: str, text: str, brings: Brings) -> None:
        self.message_id = message_id
        self.step = step
        self._live = live
        self._pictures = brings.pictures
        self._annotator = Annotator(brings.sources) if brings.sources else None
        self._annotations: list[dict[str, Any]] = []
        self._text = GrowingText()
        self._refusal = ""
        self._kinds: list[str] = []
        """What follows the pictures, in the order in which it began: text, refusal."""
        self._length = 0
        for place, file_id in enumerate(brings.pictures):
            live.feed.publish(deltas.MESSAGE_DELTA, deltas.picture(message_id, place, file_id))
        if text:
            self.add(text)
        self._checkpoints = asyncio.create_task(self._keep_text(self._length), name=f"text of {message_id}")

    @classmethod
    async def begin(cls, live: LiveRun, text: str, brings: Brings) -> OpenMessage:
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
            attachments=[{"file_id": file_id, "tools": [{"type": "code_interpreter"}]} for file_id in brings.files],
        )
        details = {"message_creation": {"message_id": message["id"]}}
        step = step_object(run=live.run, step_type="message_creation", step_details=details, created_at=now)

        def write(c: Connection) -> list[Event]:
            steps.insert(c, step)
            content = [*_shown(brings.pictures), *([text_part(text)] if text else ())]
            messages.insert(c, {**message, "content": content})
            return [
                ("thread.run.step.created", step),
                ("thread.run.step.in_progress", step),
                ("thread.message.created", message),
                ("thread.message.in_progress", message),
            ]

        await live.record(write)
        return cls(live, step, message["id"], text, brings)

    @property
    def content(self) -> list[dict[str, Any]]:
        """What the message has so far; empty if it has nothing."""
        parts = {"text": text_part(self._text.whole(), self._annotations), "refusal": refusal_part(self._refusal)}
        return [*_shown(self._pictures), *(parts[kind] for kind in self._kinds)]

    def add(self, text: str) -> None:
        """Send more text, but for what may become a citation."""
        index = self._place("text")
        self._text.add(text)
        self._length += len(text)
        if self._annotator is None:
            self._live.feed.publish_text(self.message_id, text, index=index)
        else:
            self._annotate(self._annotator.add(text))

    def refuse(self, text: str) -> None:
        """Send more of a refusal."""
        self._refusal += text
        self._length += len(text)
        told = deltas.refusal(self.message_id, self._place("refusal"), text)
        self._live.feed.publish(deltas.MESSAGE_DELTA, told)

    def _place(self, kind: str) -> int:
        """Where the text or the refusal stands in the content."""
        if kind not in self._kinds:
            self._kinds.append(kind)
        return len(self._pictures) + self._kinds.index(kind)

    def cite(self, kind: str, file_id: str, start: int, end: int) -> None:
        """Note that the text refers to a file from `start` to `end`; `kind` is file_citation or file_path."""
        text = self._text.whole()[start:end]
        noted = {"type": kind, "text": text, kind: {"file_id": file_id}, "start_index": start, "end_index": end}
        self._annotate([("", [{"index": len(self._annotations), **noted}])])

    async def stop(self) -> None:
        """The text is whole or abandoned: its last state is written by whoever ends the message."""
        if self._annotator:
            self._annotate(self._annotator.add("", last=True))
        self._checkpoints.cancel()
        await asyncio.wait({self._checkpoints})

    def _annotate(self, pieces: Iterable[tuple[str, list[dict[str, Any]]]]) -> None:
        for text, noted in pieces:
            self._annotations += [{key: one[key] for key in one if key != "index"} for one in noted]
            self._live.feed.publish_text(self.message_id, text, noted, index=self._place("text"))

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
        text = {"content": self.content}
        try:
            await self._live.around.database.write(partial(messages.update, message_id=self.message_id, changes=text))
        except (StoreFailed, SQLAlchemyError, OSError) as error:
            _log.warning("The text of %s could not be kept while it came: %s", self.message_id, error)
            return False
        return True


def _shown(pictures: Iterable[str]) -> list[dict[str, Any]]:
    return [{"type": "image_file", "image_file": {"file_id": file_id, "detail": "auto"}} for file_id in pictures]


class Answer:
    """What one request has brought so far: at most one open message, and the calls.

    `offer` tells the engine's own tools from functions; the first message begins with what `brings` has.
    """

    def __init__(self, live: LiveRun, offer: Offer, brings: Brings) -> None:
        self._live = live
        self._offer = offer
        self._brings = brings
        self.message: OpenMessage | None = None
        self.calls: OpenCalls | None = None
        self._said: OpenMessage | None = None
        live.loose = self.loose

    def loose(self) -> Loose:
        """What the store does not have yet."""
        said, calls = self._said, self.calls
        return Loose(
            {said.message_id: said.content} if said else {},
            {calls.step["id"]: calls.whole()} if calls else {},
        )

    async def say(self, text: str) -> None:
        """Send more text. It begins a message if none is open, also when it is empty."""
        if self.message is not None:
            self.message.add(text)
        else:
            self.message = self._said = await OpenMessage.begin(self._live, text, self._brings)
            self._brings = Brings(sources=self._brings.sources)

    async def refuse(self, text: str) -> None:
        """Send more of a refusal. It begins a message if none is open."""
        if self.message is None:
            await self.say("")
        assert self.message is not None
        self.message.refuse(text)

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
            self.calls = OpenCalls(self._live, step, self._offer)
        return self.calls

    def bring(self, pictures: Sequence[str]) -> None:
        """The next message begins with these too."""
        self._brings = replace(self._brings, pictures=[*self._brings.pictures, *pictures])

    def note_stored(self) -> None:
        """What was said is stored: what comes next is not."""
        self._said = None

    def end_message(self, c: Connection, said: OpenMessage | None, usage: Usage | None) -> list[Event]:
        """Complete a message and its step in the store; `usage` are the tokens of the request, where they are known."""
        if said is None:
            return []
        now, loose = self._live.around.now(), Loose({said.message_id: said.content})
        return end_step(c, said.step, COMPLETED, now=now, usage=usage, loose=loose)

    async def take_message(self) -> OpenMessage | None:
        """The open message, if any: no more text comes, and its last state is to be written."""
        said, self.message = self.message, None
        if said:
            await said.stop()
        return said
