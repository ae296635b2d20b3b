from __future__ import annotations

import asyncio

import pytest

from playground_tui.assistants.autosave import Autosave
from playground_tui.assistants.errors import AssistantsError, NotReachable, Rejected

from .editing import Clock, turns


class Saving:
    """Counts saves; `errors` fail them in turn, `gate` holds them."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.times: list[float] = []
        self.errors: list[AssistantsError] = []
        self.failures: list[tuple[str, float | None]] = []
        self.gate: asyncio.Event | None = None
        self.together = self.most_together = 0
        self.start = self.clock.now
        self.autosave = Autosave(
            self.save, lambda error, retry: self.failures.append((str(error), retry)), delay=3.0, timers=self.clock
        )

    async def save(self) -> None:
        self.times.append(self.clock.now - self.start)
        self.together += 1
        self.most_together = max(self.most_together, self.together)
        if self.gate is not None:
            await self.gate.wait()
        self.together -= 1
        if self.errors:
            raise self.errors.pop(0)


@pytest.fixture
async def saving() -> Saving:
    return Saving()


async def test_a_change_is_saved_after_the_delay(saving: Saving) -> None:
    saving.autosave.submit()
    await saving.clock.pass_time(2.9)
    assert saving.times == []
    await saving.clock.pass_time(0.2)
    assert saving.times == [3.0]
    await saving.clock.pass_time(100)
    assert saving.times == [3.0]


async def test_each_change_puts_it_off_but_not_beyond_15_seconds(saving: Saving) -> None:
    for _ in range(20):
        saving.autosave.submit()
        await saving.clock.pass_time(1)
    assert saving.times == [15.0]
    await saving.clock.pass_time(10)
    assert saving.times == [15.0, 22.0]


async def test_one_save_at_a_time_and_the_latest_goes_after_it(saving: Saving) -> None:
    saving.gate = asyncio.Event()
    saving.autosave.submit()
    await saving.clock.pass_time(3)
    assert saving.autosave.saving
    saving.autosave.submit()
    await saving.clock.pass_time(30)
    assert saving.times == [3.0]
    saving.gate.set()
    await turns()
    await saving.clock.pass_time(3)
    assert len(saving.times) == 2
    assert saving.most_together == 1


async def test_a_failure_is_retried_with_growing_patience(saving: Saving) -> None:
    saving.errors = [NotReachable("no answer") for _ in range(8)]
    saving.autosave.submit()
    await saving.clock.pass_time(3)
    assert saving.autosave.retrying
    await saving.clock.pass_time(400)
    assert [retry for _, retry in saving.failures] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert len(saving.times) == 9
    assert not saving.autosave.retrying
    saving.errors = [NotReachable("no answer")]
    saving.autosave.submit()
    await saving.clock.pass_time(3)
    assert saving.failures[-1][1] == 1


async def test_a_servers_retry_after_is_kept(saving: Saving) -> None:
    saving.errors = [Rejected("slow down", status=429, retry_after=20)]
    saving.autosave.submit()
    await saving.clock.pass_time(22.9)
    assert len(saving.times) == 1
    await saving.clock.pass_time(0.2)
    assert len(saving.times) == 2


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_what_cannot_succeed_is_not_retried_until_something_changes(saving: Saving, status: int) -> None:
    saving.errors = [Rejected("no", status=status)]
    saving.autosave.submit()
    await saving.clock.pass_time(1000)
    assert len(saving.times) == 1
    assert saving.failures == [("no", None)]
    saving.autosave.submit()
    await saving.clock.pass_time(3)
    assert len(saving.times) == 2


async def test_a_change_during_a_refused_save_is_saved_after_it(saving: Saving) -> None:
    saving.gate, saving.errors = asyncio.Event(), [Rejected("no", status=400)]
    saving.autosave.submit()
    await saving.clock.pass_time(3)
    saving.autosave.submit()
    saving.gate.set()
    await turns()
    await saving.clock.pass_time(3)
    assert len(saving.times) == 2


async def test_changes_during_a_countdown_wait_for_it(saving: Saving) -> None:
    saving.errors = [NotReachable("no answer") for _ in range(4)]
    saving.autosave.submit()
    await saving.clock.pass_time(3 + 1 + 2 + 4)
    saving.autosave.submit()
    assert saving.clock.waiting == [8.0]


async def test_a_countdown_can_be_stopped(saving: Saving) -> None:
    saving.errors = [NotReachable("no answer")]
    saving.autosave.submit()
    await saving.clock.pass_time(3)
    saving.autosave.stop_retrying()
    assert not saving.autosave.retrying
    await saving.clock.pass_time(100)
    assert len(saving.times) == 1
    saving.autosave.stop_retrying()
    await saving.autosave.flush()
    assert len(saving.times) == 2


async def test_flush_saves_at_once_and_ends_the_wait(saving: Saving) -> None:
    saving.autosave.submit()
    await saving.autosave.flush()
    assert saving.times == [0.0]
    assert saving.clock.waiting == []


async def test_flush_waits_for_the_save_under_way_then_saves_the_latest(saving: Saving) -> None:
    saving.gate = asyncio.Event()
    saving.autosave.submit()
    await saving.clock.pass_time(3)
    flushing = asyncio.ensure_future(saving.autosave.flush())
    await turns()
    assert not flushing.done()
    saving.gate.set()
    await flushing
    assert len(saving.times) == 2
    assert saving.most_together == 1


async def test_flushes_together_share_their_saves(saving: Saving) -> None:
    saving.gate = asyncio.Event()
    flushes = [asyncio.ensure_future(saving.autosave.flush()) for _ in range(5)]
    await turns()
    saving.gate.set()
    await asyncio.gather(*flushes)
    assert saving.most_together == 1
    assert len(saving.times) <= 2


async def test_a_flush_during_another_waits_for_the_latest(saving: Saving) -> None:
    saving.gate = asyncio.Event()
    first = asyncio.ensure_future(saving.autosave.flush())
    await turns()
    second = asyncio.ensure_future(saving.autosave.flush())
    await turns()
    saving.gate.set()
    await second
    assert (first.done(), len(saving.times), saving.autosave.saving) == (True, 2, False)


async def test_giving_up_the_wait_for_a_flush_does_not_cancel_the_save(saving: Saving) -> None:
    saving.gate = asyncio.Event()
    flushing = asyncio.ensure_future(saving.autosave.flush())
    await turns()
    flushing.cancel()
    await turns()
    assert saving.autosave.saving
    saving.gate.set()
    await turns()
    assert not saving.autosave.saving
    assert saving.together == 0


async def test_close_waits_for_the_save_and_leaves_no_timer(saving: Saving) -> None:
    saving.gate = asyncio.Event()
    saving.autosave.submit()
    await saving.clock.pass_time(3)
    closing = asyncio.ensure_future(saving.autosave.close())
    await turns()
    assert not closing.done()
    saving.gate.set()
    await closing
    saving.autosave.submit()
    await saving.autosave.close()
    assert saving.clock.waiting == []


async def test_it_runs_on_the_event_loop_when_no_clock_is_given() -> None:
    saved = asyncio.Event()

    async def save() -> None:
        saved.set()

    Autosave(save, lambda error, retry: None, delay=0.0).submit()
    await asyncio.wait_for(saved.wait(), 5)


async def test_a_save_that_fails_after_the_end_is_not_tried_again(saving: Saving) -> None:
    saving.gate = asyncio.Event()
    saving.errors = [NotReachable("away")]
    saving.autosave.submit()
    await saving.clock.pass_time(3)
    closing = asyncio.ensure_future(saving.autosave.close())
    await turns()
    saving.gate.set()
    await closing
    saving.autosave.submit()
    await saving.clock.pass_time(100)
    assert saving.times == [3.0]
