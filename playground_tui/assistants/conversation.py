"""A conversation on one thread: send, follow across every break of the connection, submit, cancel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from functools import partial
from typing import Any, Protocol, TypeVar

from playground_tui.assistants.backoff import pause
from playground_tui.assistants.errors import AssistantsError, Malformed, NotFound, Rejected, SwitchedOff, ThreadGone
from playground_tui.assistants.events import (
    Event,
    MessageAccepted,
    Reconnected,
    Reconnecting,
    Retrying,
    RunChanged,
    ThreadCreated,
)
from playground_tui.assistants.objects import Json, Message, Run
from playground_tui.assistants.sent import SentFile
from playground_tui.assistants.tries import Tries, delay_after, wait

T = TypeVar("T")

FIRST_DELAY = 1.0
LONGEST_DELAY = 30.0
"""Seconds before a lost run is looked for again: first, and at most; in between each is twice the one before."""
NO_THREAD = "no thread made yet"
NOT_SENT = "not sent yet"
NO_RUN = "the run has not begun"
NO_OUTPUTS = "outputs not given yet"
"""What has not happened while a request is made again."""
CONFLICT = 409


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

    async def active_run(self, thread_id: str) -> Run | None: ...


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
            making = self._tries(NO_THREAD, partial(self._client.create_thread, key=f"{key}-thread"))
            async with aclosing(making.events()) as waits:
                async for waiting in waits:
                    yield waiting
            self.thread_id = making.result
            yield ThreadCreated(self.thread_id)
        create = partial(self._client.create_message, self.thread_id, text, key=f"{key}-message", files=files)
        sending = self._tries(NOT_SENT, create)
        try:
            async with aclosing(sending.events()) as waits:
                async for waiting in waits:
                    yield waiting
            yield MessageAccepted(sending.result)
        except NotFound as error:
            raise await self.explained(error) from None
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
        submit = partial(self._client.submit_outputs, self.thread_id, self.run.id, outputs)
        async with aclosing(self._unbroken(submit, NO_OUTPUTS)) as events:
            async for event in events:
                yield event

    async def follow(self, run: Run) -> AsyncGenerator[Event, None]:
        """Join a run under way, from its beginning, and tell what happens until it rests."""
        self._begin()
        self.run = run
        self.thread_id = run.thread_id or self.thread_id
        async with aclosing(self._unbroken(self._follow, begun=True)) as events:
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
        except (Rejected, Malformed) as refusal:
            run = await self._client.retrieve_run(self.thread_id, self.run.id)
            if run.active and run.status != "cancelling":
                raise refusal
        if self.run.active:
            self.run = run
        return run

    def stop_waiting(self) -> None:
        """End the attempts to send, or to reach a lost run, which goes on: what waits raises the reason."""
        self._stop.set()

    def _begin(self) -> None:
        self.run = None
        self._cancel_wanted = False
        self._stop.clear()

    def _run(self, assistant_id: str, key: str, overrides: Mapping[str, Any] | None) -> AsyncGenerator[Event, None]:
        start = partial(self._client.run, self.thread_id or "", assistant_id, key=key, overrides=overrides)
        return self._unbroken(start, NO_RUN)

    def _follow(self) -> AsyncGenerator[Event, None]:
        return self._client.follow(self.thread_id or "", self.run.id if self.run else "")

    def _tries(self, what: str, request: Callable[[], Awaitable[T]]) -> Tries[T]:
        return Tries(what, request, self._stop, self._held)

    async def _unbroken(
        self, begin: Callable[[], AsyncGenerator[Event, None]], what: str = "", *, begun: bool = False
    ) -> AsyncGenerator[Event, None]:
        """The events of a run until it rests; where their source breaks, the run is followed anew.

        Until the source told something, or was `begun`, nothing has happened yet (`what` says so) and it begins again.
        """
        source, attempt = begin(), 0
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
                raise await self.explained(error) from None
            except AssistantsError as error:
                attempt += 1
                lost = begun and self.run is not None
                waiting = self._reconnecting(error, attempt) if lost else await self._retrying(what, error, attempt)
                yield waiting
                await wait(waiting.delay, self._stop, error)
                source = self._follow() if lost else begin()

    def _reconnecting(self, error: AssistantsError, attempt: int) -> Reconnecting:
        """When the run is looked for again, however often; raises the error when that is of no use."""
        if not error.retry:
            raise error
        delay = pause(attempt, error.retry_after, first=FIRST_DELAY, longest=LONGEST_DELAY)
        return Reconnecting(str(error), attempt, delay)

    async def _retrying(self, what: str, error: AssistantsError, attempt: int) -> Retrying:
        """When what failed so many times is begun again; raises the error when it is not."""
        delay = delay_after(attempt, error)
        if delay is None or await self._held(error):
            raise error
        return Retrying(what, str(error), attempt + 1, delay)

    async def _held(self, error: AssistantsError) -> bool:
        """Whether it failed because another run holds the thread, which goes first."""
        if self.thread_id is None or not isinstance(error, Rejected) or error.status != CONFLICT:
            return False
        with suppress(AssistantsError):
            active = await self._client.active_run(self.thread_id)
            return active is not None and active.id != (self.run.id if self.run else "")
        return False

    async def _note(self, event: Event) -> None:
        """Keep the run as told, and cancel it if that was wanted before it was there."""
        if isinstance(event, RunChanged):
            self.run = event.run
            if self._cancel_wanted and event.run.active:
                await self.cancel()
                self._cancel_wanted = False

    async def explained(self, error: NotFound) -> NotFound:
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
