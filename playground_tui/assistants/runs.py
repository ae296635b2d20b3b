"""The streams of runs: started once, told as typed events, found again when they break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from time import monotonic
from typing import Protocol

import httpx2

from playground_tui.assistants.answers import the_one
from playground_tui.assistants.errors import Malformed, NotFound, NotReachable
from playground_tui.assistants.events import Event, RunChanged
from playground_tui.assistants.objects import Run
from playground_tui.assistants.outcome import Outcomes
from playground_tui.assistants.polling import Server, at_rest, poll
from playground_tui.assistants.streams import EventReader, RawEvent, RunEvents, in_gusts, with_pauses
from playground_tui.assistants.transport import Transport

LOOK = 20.0
"""Seconds without an event after which another server than the engine is asked for the run."""
Open = Callable[[], Awaitable[Run | httpx2.Response]]
"""Sends a request and gives its answer, of which only the headers have come."""
Look = Callable[[float], Awaitable[Run | httpx2.Response | None]]
"""Finds the run that came of what was sent at that time (Unix seconds), None when nothing did."""


class RunServer(Server, Protocol):
    """What is asked of the client when a stream is lost."""

    async def newest_runs(self, thread_id: str, limit: int = 20) -> list[Run]: ...


class RunStreams:
    """Tells what happens in the runs of one server."""

    def __init__(self, transport: Transport, outcomes: Outcomes, server: RunServer):
        self._transport = transport
        self._outcomes = outcomes
        self._server = server

    async def start(self, thread_id: str, assistant_id: str, key: str, send: Open) -> AsyncGenerator[Event, None]:
        """The events of a run that `send` starts; one that is found to be started already is joined."""

        async def look(since: float) -> Run | httpx2.Response | None:
            newest = await self._server.newest_runs(thread_id)
            return self._outcomes.new_run(newest, assistant_id, since)

        async with aclosing(self._once(thread_id, "", key, send, look)) as events:
            async for event in events:
                yield event

    async def submit(
        self, thread_id: str, run_id: str, calls: frozenset[str], send: Open
    ) -> AsyncGenerator[Event, None]:
        """The events of a run that goes on with the outputs that `send` gives."""

        async def look(_since: float) -> Run | httpx2.Response | None:
            run = await self._server.retrieve_run(thread_id, run_id)
            return None if {call.id for call in run.waiting_for} == calls else run

        async with aclosing(self._once(thread_id, run_id, f"{run_id} {sorted(calls)}", send, look)) as events:
            async for event in events:
                yield event

    async def _once(self, thread_id: str, run_id: str, key: str, send: Open, look: Look) -> AsyncGenerator[Event, None]:
        """The events behind what is sent once; when its stream breaks before it told of the run, the run is found."""
        began = self._outcomes.now()
        answer = await self._outcomes.once(key, send, look)
        reader = RunEvents(thread_id, run_id)
        try:
            async with aclosing(self._any(thread_id, answer, reader)) as events:
                async for event in events:
                    yield event
        except (NotReachable, Malformed):
            if reader.run:
                raise
            self._outcomes.doubt(key, began)
            found = await look(began)
            if found is None:
                raise
            self._outcomes.settled(key)
            async with aclosing(self._any(thread_id, found, reader)) as events:
                async for event in events:
                    yield event
        finally:
            self._outcomes.saw([reader.run] if reader.run else [])

    async def follow(self, thread_id: str, run_id: str) -> AsyncGenerator[Event, None]:
        """The events of a run from its beginning, until it rests."""
        events = poll(self._server, thread_id, run_id)
        if self._transport.is_engine and (response := await self._joinable(thread_id, run_id)) is not None:
            events = self._told(response, RunEvents(thread_id, run_id))
        async with aclosing(events):
            async for event in events:
                yield event

    async def _joinable(self, thread_id: str, run_id: str) -> httpx2.Response | None:
        """The stream of a run's events, None when the engine keeps them no longer."""
        try:
            return await self._transport.open_get(f"/threads/{thread_id}/runs/{run_id}/events")
        except NotFound:
            return None

    def _any(self, thread_id: str, answer: Run | httpx2.Response, reader: RunEvents) -> AsyncGenerator[Event, None]:
        return self._joined(thread_id, answer) if isinstance(answer, Run) else self._told(answer, reader)

    async def _joined(self, thread_id: str, run: Run) -> AsyncGenerator[Event, None]:
        """The events of a run that was found."""
        yield RunChanged(run)
        async with aclosing(self.follow(thread_id, run.id)) as events:
            async for event in events:
                yield event

    async def _told(self, response: httpx2.Response, reader: RunEvents) -> AsyncGenerator[Event, None]:
        """The typed events of an open stream. Raises NotReachable when it ends before the run rests."""
        try:
            match response.headers.get("content-type", "").partition(";")[0].strip().lower():
                case "application/json":  # a server that does not stream answers with the run
                    events = self._joined(reader.thread_id, await self._run_in(response))
                case "text/html":
                    raise Malformed(f"{self._transport.where} answered with a web page in place of a stream.")
                case _:
                    events = self._read(response, reader)
            async with aclosing(events):
                async for event in events:
                    yield event
        finally:
            await response.aclose()

    async def _run_in(self, response: httpx2.Response) -> Run:
        with self._transport.translated():
            async with asyncio.timeout(self._transport.stream_timeout.read):
                await response.aread()
        return Run.from_json(the_one(self._transport.where, self._transport.json_object(response), "run"))

    async def _read(self, response: httpx2.Response, reader: RunEvents) -> AsyncGenerator[Event, None]:
        async with aclosing(self._raw_events(response, reader)) as raws:
            async for raw in raws:
                for event in reader.read(raw._replace(data=self._transport.unsaid(raw.data))):
                    yield event
                if reader.done:
                    break
        if reader.run is None or not at_rest(reader.run):
            raise NotReachable(f"{self._transport.where} ended the stream before the run had ended.")

    async def _raw_events(self, response: httpx2.Response, reader: RunEvents) -> AsyncGenerator[RawEvent, None]:
        """The events of the stream. Where it says nothing the run is asked for: a connection may be dead for long."""
        cutter, told = EventReader(), monotonic()
        chunks = in_gusts(response.aiter_bytes())
        with self._transport.translated():
            async for chunk in chunks if self._transport.is_engine else with_pauses(chunks, LOOK):
                events = list(cutter.feed(chunk))
                for raw in events:
                    yield raw
                if events:
                    told = monotonic()
                elif monotonic() - told >= LOOK and not self._transport.is_engine:
                    told = monotonic()
                    await self._still_active(reader)
        for raw in cutter.rest():
            yield raw

    async def _still_active(self, reader: RunEvents) -> None:
        """Raises NotReachable when there is no active run of which a stream could tell."""
        run = reader.run and await self._server.retrieve_run(reader.thread_id, reader.run.id)
        if not run or at_rest(run):
            raise NotReachable(f"{self._transport.where} says nothing in the stream.")
