"""A conversation on one thread: send, follow across every break of the connection, submit, cancel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from playground_tui.assistants.errors import AssistantsError, NotFound, Rejected, SwitchedOff, ThreadGone
from playground_tui.assistants.events import (
    Event,
    MessageAccepted,
    Reconnected,
    Reconnecting,
    RunChanged,
    ThreadCreated,
)
from playground_tui.assistants.objects import Json, Message, Run
from playground_tui.assistants.sent import SentFile

FIRST_DELAY = 1.0
LONGEST_DELAY = 30.0
"""Seconds before a lost run is looked for again: first, and at most; in between each is twice the one before."""


class Client(Protocol):
    """What a conversation asks of a server."""

    async def create_thread(self, *, key: str) -> str: ...

    async def retrieve_thread(self, thread_id: str) -> Json: ...

    async def create_message(
        self, thread_id: str, text: str, *, key: str, files: Sequence[SentFile] = ()
    ) -> Message: ...

    def run(
        self, thread_id: str, assistant_id: str, *, key: str, overrides: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[Event, None]: ...

    def submit_outputs(
        self, thread_id: str, run_id: str, outputs: Mapping[str, str]
    ) -> AsyncGenerator[Event, None]: ...

    def follow(self, thread_id: str, run_id: str) -> AsyncGenerator[Event, None]: ...

    async def retrieve_run(self, thread_id: str, run_id: str) -> Run: ...

    async def cancel_run(self, thread_id: str, run_id: str) -> Run: ...


class Conversation:
    """One thread and its latest run. Everything raises AssistantsError; ThreadGone when the server lost the thread.

    `thread_id` is None until the first message makes the thread. `run` is the latest run as last told of.
    """

    def __init__(self, client: Client, thread_id: str | None = None):
        self.thread_id = thread_id
        self.run: Run | None = None
        self._client = client
        self._stop = asyncio.Event()
        self._cancel_wanted = False

    async def send(
        self,
        text: str,
        assistant_id: str,
        *,
        key: str,
        overrides: Mapping[str, Any] | None = None,
        files: Sequence[SentFile] = (),
    ) -> AsyncGenerator[Event, None]:
        """Add a message with its files, run the assistant, and tell what happens until the run rests.

        `key` names this message for good: sending again with the same key after a failure adds nothing twice.
        After MessageAccepted a failure concerns the run alone.
        """
        self._begin()
        if self.thread_id is None:
            self.thread_id = await self._client.create_thread(key=f"{key}-thread")
            yield ThreadCreated(self.thread_id)
        try:
            message = await self._client.create_message(self.thread_id, text, key=f"{key}-message", files=files)
            yield MessageAccepted(message)
        except NotFound as error:
            raise await self._explained(error) from None
        async with aclosing(self._run(assistant_id, f"{key}-run", overrides)) as events:
            async for event in events:
                yield event

    async def run_again(
        self, assistant_id: str, *, key: str, overrides: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[Event, None]:
        """Run the assistant on the thread as it is, and tell what happens until the run rests."""
        self._begin()
        async with aclosing(self._run(assistant_id, f"{key}-run", overrides)) as events:
            async for event in events:
                yield event

    async def submit(self, outputs: Mapping[str, str]) -> AsyncGenerator[Event, None]:
        """Give the outputs the run awaits, by call id, and tell what happens until it rests again."""
        if self.thread_id is None or self.run is None:
            raise AssistantsError("There is no run that awaits outputs.")
        self._stop.clear()
        source = self._client.submit_outputs(self.thread_id, self.run.id, outputs)
        async with aclosing(self._unbroken(source)) as events:
            async for event in events:
                yield event

    async def follow(self, run: Run) -> AsyncGenerator[Event, None]:
        """Join a run under way, from its beginning, and tell what happens until it rests."""
        self._begin()
        self.run = run
        self.thread_id = run.thread_id or self.thread_id
        source = self._client.follow(self.thread_id or "", run.id)
        async with aclosing(self._unbroken(source, begun=True)) as events:
            async for event in events:
                yield event

    async def cancel(self) -> Run | None:
        """Cancel the run at the server and return it. That it had ended already is no failure: it is returned ended.

        A run that is only about to be started is cancelled as soon as the server tells of it; None is returned then.
        """
        if self.thread_id is None or self.run is None:
            self._cancel_wanted = True
            return None
        try:
            run = await self._client.cancel_run(self.thread_id, self.run.id)
        except Rejected as refusal:
            run = await self._client.retrieve_run(self.thread_id, self.run.id)
            if run.active and run.status != "cancelling":
                raise refusal
        if self.run.active:
            self.run = run
        return run

    def stop_waiting(self) -> None:
        """End the attempts to reach a lost run: what follows it raises the reason. The run goes on at the server."""
        self._stop.set()

    def _begin(self) -> None:
        self.run = None
        self._cancel_wanted = False
        self._stop.clear()

    def _run(self, assistant_id: str, key: str, overrides: Mapping[str, Any] | None) -> AsyncGenerator[Event, None]:
        return self._unbroken(self._client.run(self.thread_id or "", assistant_id, key=key, overrides=overrides))

    async def _unbroken(
        self, source: AsyncGenerator[Event, None], *, begun: bool = False
    ) -> AsyncGenerator[Event, None]:
        """The events of a run until it rests; where the source breaks, the run is followed anew.

        Until the source told something, or was `begun`, its failure is raised: nothing has happened yet.
        """
        attempt = 0
        while True:
            try:
                async with aclosing(source) as events:
                    async for event in events:
                        if attempt:
                            attempt = 0
                            yield Reconnected()
                        begun = True
                        await self._note(event)
                        yield event
                return
            except NotFound as error:
                raise await self._explained(error) from None
            except AssistantsError as error:
                if self.run is None or not begun or not error.retry:
                    raise
                attempt += 1
                delay = max(min(FIRST_DELAY * 2 ** (attempt - 1), LONGEST_DELAY), error.retry_after or 0.0)
                yield Reconnecting(str(error), attempt, delay)
                await self._wait(delay, error)
                source = self._client.follow(self.thread_id or "", self.run.id)

    async def _note(self, event: Event) -> None:
        """Keep the run as told, and cancel it if that was wanted before it was there."""
        if isinstance(event, RunChanged):
            self.run = event.run
            if self._cancel_wanted and event.run.active:
                await self.cancel()
                self._cancel_wanted = False

    async def _wait(self, delay: float, reason: AssistantsError) -> None:
        """Wait `delay` seconds. Raises `reason` at once when told to stop."""
        try:
            await asyncio.wait_for(self._stop.wait(), delay)
        except TimeoutError:
            return
        raise reason

    async def _explained(self, error: NotFound) -> NotFound:
        """What a 404 means: that the thread is gone, or what the server said."""
        if self.thread_id is None or isinstance(error, SwitchedOff | ThreadGone):
            return error
        try:
            await self._client.retrieve_thread(self.thread_id)
        except NotFound:
            return ThreadGone(f"The server no longer knows the thread {self.thread_id}.", status=error.status)
        except AssistantsError:
            return error
        return error
