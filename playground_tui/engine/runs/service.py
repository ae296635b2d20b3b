"""The runs of this engine: made, followed, cancelled and ended. They are its own tasks, not a request's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection

from playground_tui.engine.changes import ChangeFeed
from playground_tui.engine.errors import ApiError
from playground_tui.engine.objects import new_id
from playground_tui.engine.providers.registry import ProviderRegistry
from playground_tui.engine.runs import requests
from playground_tui.engine.runs.closing import store_end
from playground_tui.engine.runs.creation import store_run, store_thread
from playground_tui.engine.runs.endings import Event
from playground_tui.engine.runs.executor import play
from playground_tui.engine.runs.feed import Feed, FeedEvent
from playground_tui.engine.runs.live import CONTENT, LiveRun, Surroundings, shown
from playground_tui.engine.runs.outcome import outcome
from playground_tui.engine.runs.recovery import end_abandoned
from playground_tui.engine.runs.replay import rebuilt, stored_events
from playground_tui.engine.runs.states import CANCELLABLE, EXPIRED, STOPPED, Ending
from playground_tui.engine.runs.tools.perform import OwnTools
from playground_tui.engine.schemas import CreateRun, CreateThreadAndRun
from playground_tui.engine.store import runs
from playground_tui.engine.store.database import Database
from playground_tui.engine.store.idempotency import Keep, keep_nothing
from playground_tui.engine.store.unknown import Unknown

FEED_KEPT_SECONDS = 60.0
"""How long the feed of an ended run stays in memory; later it is rebuilt from the store."""
RECENT_KEPT_SECONDS = 1.0
"""How long each of its last events: most of a feed's memory."""
TICK_SECONDS = 1.0
"""How often it is looked whether a run has expired, while there are any."""


class RunService:
    """All runs. It belongs to the event loop's thread.

    `expires_after` gives the seconds after its creation in which a new run expires; `clock` gives Unix seconds.
    """

    def __init__(
        self,
        database: Database,
        changes: ChangeFeed,
        providers: ProviderRegistry,
        tools: OwnTools,
        *,
        clock: Callable[[], float],
        expires_after: Callable[[], int],
    ) -> None:
        self._around = Surroundings(database, changes, clock)
        self._providers = providers
        self.tools = tools
        """The engine's own tools."""
        self._expires_after = expires_after
        self._live: dict[str, LiveRun] = {}
        self._feeds: dict[str, Feed] = {}
        self._changing: set[asyncio.Task[dict[str, Any]]] = set()
        self._watch: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    @property
    def active_count(self) -> int:
        """How many runs are active, those that wait for tool outputs included."""
        return len(self._live)

    @property
    def remembered_count(self) -> int:
        """How many runs are active, or have ended so lately that their events are still in memory."""
        return len(self._feeds)

    @property
    def active_ids(self) -> frozenset[str]:
        """The ids of these: a run is among them before it is stored and until its end is."""
        return frozenset(self._live)

    async def create(
        self,
        thread_id: str,
        body: CreateRun,
        *,
        provider_hint: str | None = None,
        content: bool = False,
        keep: Keep = keep_nothing,
    ) -> dict[str, Any]:
        """Store a run and start it; returned as it is queued.

        `provider_hint` is whom a model id without a provider goes to; `content`: its stream has the text of what
        searches find; `keep` is called with the returned run in the transaction, as in `cancel` and `submit`.
        Raises Unknown (thread, assistant), ActiveRun.
        """
        kept: dict[str, Any] = {"_provider": provider_hint, CONTENT: content}
        return await self._whole(self._create(thread_id, body, lambda c: [], kept, keep))

    async def create_with_thread(
        self,
        thread: Mapping[str, Any],
        messages: Sequence[Mapping[str, Any]],
        body: CreateThreadAndRun,
        *,
        provider_hint: str | None = None,
        keep: Keep = keep_nothing,
    ) -> dict[str, Any]:
        """Store a new thread with its first messages and a run in it, all or nothing.

        Raises Unknown (assistant, file, vector store), and ApiError for too many files.
        """
        elsewhere = self._providers.tools_elsewhere
        first = partial(store_thread, thread=thread, first=messages, body=body, elsewhere=elsewhere)
        return await self._whole(self._create(thread["id"], body, first, {"_provider": provider_hint}, keep))

    async def cancel(self, thread_id: str, run_id: str, *, keep: Keep = keep_nothing) -> dict[str, Any]:
        """Begin to cancel a run. Raises Unknown, and ApiError if it has ended or is being cancelled."""
        live = await self._find(thread_id, run_id, requests.cannot_cancel)
        return await self._whole(self._cancel(live, keep))

    async def submit(
        self, thread_id: str, run_id: str, outputs: Sequence[tuple[str, str]], *, keep: Keep = keep_nothing
    ) -> dict[str, Any]:
        """Give a waiting run the outputs (call id, output) of exactly the calls it waits for; it is queued again.

        Raises Unknown, and ApiError if it does not wait for these.
        """
        live = await self._find(thread_id, run_id, requests.takes_no_outputs)
        return await self._whole(self._submit(live, outputs, keep))

    def newest_event(self, run_id: str) -> int:
        """The id of the newest event of a run's feed, 0 if it has none in memory."""
        feed = self._feeds.get(run_id)
        return feed.last_id if feed else 0

    async def batches(self, run_id: str, after: int = 0) -> AsyncGenerator[list[FeedEvent], None]:
        """The events of a run after event `after`: those that were, then those to come, up to `done`.

        All that are there at a time; an empty list when nothing came for a while. Raises Unknown.
        """
        feed = self._feeds.get(run_id)
        if feed is None:
            feed = await self._around.database.read(partial(_stored_feed, run_id, after))
        async for batch in feed.batches(after):
            yield batch

    async def recover(self) -> None:
        """Settle what an engine before this one left active. Called once, before the first request."""
        now = self._around.now()
        waiting = await self._around.database.write(partial(end_abandoned, now=now))
        for run, events in waiting:
            feed = rebuilt(events, first_id=now * 1000, content=bool(run.get(CONTENT)))
            self._enter(LiveRun(run, self._around, feed))
        self.expire_due()

    async def stop(self) -> None:
        """End the runs under way, text kept; those that wait for tool outputs wait on for the next engine."""
        self._stopping.set()
        if self._changing:
            await asyncio.wait(self._changing)
        for live in list(self._live.values()):
            if live.status != "requires_action":
                live.interrupt(STOPPED)
        drives = {live.drive for live in self._live.values() if live.drive}
        if drives:
            await asyncio.wait(drives)
        if self._watch:
            self._watch.cancel()
            await asyncio.wait({self._watch})

    def expire_due(self) -> None:
        """End the runs whose time is over."""
        now = self._around.now()
        for live in list(self._live.values()):
            if live.status in CANCELLABLE and now >= live.run.get("expires_at", now + 1):
                live.interrupt(EXPIRED)
                self._end_if_idle(live)

    async def _create(
        self,
        thread_id: str,
        body: CreateRun | CreateThreadAndRun,
        first: Callable[[Connection], list[Event]],
        noted: Mapping[str, Any],
        keep: Keep,
    ) -> dict[str, Any]:
        self._refuse_at_the_end()
        live = LiveRun({"id": new_id("run"), "status": "queued", "required_action": None}, self._around, Feed())
        new_run = partial(
            store_run,
            body=body,
            thread_id=thread_id,
            run_id=live.id,
            now=self._around.now(),
            expires_after=self._expires_after(),
            noted=noted,
            keep=keep,
        )
        self._enter(live)
        try:
            await live.record_new(lambda c: [*first(c), *new_run(c)])
        except BaseException:
            self._leave(live, kept=0)
            raise
        run = shown(live.run)
        self._begin(live)
        return run

    async def _cancel(self, live: LiveRun, keep: Keep) -> dict[str, Any]:
        await requests.begin_cancelling(live, keep)
        run = shown(live.run)
        self._end_if_idle(live)
        return run

    async def _submit(self, live: LiveRun, outputs: Sequence[tuple[str, str]], keep: Keep) -> dict[str, Any]:
        self._refuse_at_the_end()
        await requests.take_outputs(live, outputs, keep)
        run = shown(live.run)
        if live.drive:
            await asyncio.wait({live.drive})
        if not live.interruption:  # else whoever interrupted it ends it
            self._begin(live)
        return run

    def _refuse_at_the_end(self) -> None:
        """What is begun once the engine stops would be ended by nobody. Raises ApiError."""
        if self._stopping.is_set():
            raise ApiError("The engine is stopping.", status=503, type="server_error")

    async def _whole(self, change: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
        """Carry a change out even if who asked for it goes away: a run stored is a run begun."""
        task = asyncio.create_task(change)
        self._changing.add(task)
        task.add_done_callback(self._changed)
        return await asyncio.shield(task)

    def _changed(self, task: asyncio.Task[dict[str, Any]]) -> None:
        """A refusal that nobody waits for any longer is no news."""
        self._changing.discard(task)
        if not task.cancelled():
            task.exception()

    async def _find(self, thread_id: str, run_id: str, refusal: Callable[[str], ApiError]) -> LiveRun:
        """The active run. Raises Unknown, and the refusal that its status deserves if it is not active."""
        find = partial(runs.require, thread_id=thread_id, run_id=run_id)
        await self._around.database.read(find)
        live = self._live.get(run_id)
        if live is None:  # it may have ended since it was read
            raise refusal((await self._around.database.read(find))["status"])
        return live

    def _enter(self, live: LiveRun) -> None:
        self._live[live.id] = live
        self._feeds[live.id] = live.feed
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._watch_the_time(), name="expiry of runs")

    def _leave(self, live: LiveRun, *, kept: float) -> None:
        del self._live[live.id]
        loop = asyncio.get_running_loop()
        loop.call_later(RECENT_KEPT_SECONDS, live.feed.forget_recent)
        loop.call_later(kept, self._feeds.pop, live.id, None)

    def _begin(self, live: LiveRun) -> None:
        live.drive = asyncio.create_task(self._drive(live), name=f"run {live.id}")

    def _end_if_idle(self, live: LiveRun) -> None:
        """End an interrupted run of which no round is under way."""
        if live.interruption and (live.drive is None or live.drive.done()):
            live.drive = asyncio.create_task(self._end(live, live.interruption), name=f"end of run {live.id}")

    async def _drive(self, live: LiveRun) -> None:
        """The rounds up to the run's next rest, and its end if it ends with that."""
        live.worker = asyncio.create_task(play(live, self._providers, self.tools), name=f"rounds of run {live.id}")
        await asyncio.wait({live.worker})
        ending = outcome(live.worker)
        live.worker = None
        ending = live.interruption or ending
        if ending:
            await self._end(live, ending)

    async def _end(self, live: LiveRun, ending: Ending) -> None:
        """Store the end: only then is the thread free."""
        if await store_end(live, ending, self._stopping):
            self._leave(live, kept=FEED_KEPT_SECONDS)

    async def _watch_the_time(self) -> None:
        while self._live:
            await asyncio.sleep(TICK_SECONDS)
            self.expire_due()


def _stored_feed(run_id: str, after: int, c: Connection) -> Feed:
    run = runs.find(c, run_id)
    if run is None:
        raise Unknown("run", run_id)
    return rebuilt(stored_events(c, run), first_id=after + 1, content=bool(run.get(CONTENT)))
