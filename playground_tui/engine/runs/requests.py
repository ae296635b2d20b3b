"""What somebody may ask of an active run, and what it changes: cancel it, or give it the outputs it waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from playground_tui.engine.errors import ApiError
from playground_tui.engine.providers.base import Usage
from playground_tui.engine.runs.endings import Event, kept_usage
from playground_tui.engine.runs.live import LiveRun, shown
from playground_tui.engine.runs.states import CANCELLABLE, CANCELLED, COMPLETED, run_resumed, step_ended, usage_object
from playground_tui.engine.store import runs, steps
from playground_tui.engine.store.idempotency import Keep


def cannot_cancel(status: str) -> ApiError:
    """The contract's sentence."""
    return ApiError(f"Cannot cancel run with status '{status}'.")


def takes_no_outputs(status: str) -> ApiError:
    """The contract's sentence."""
    return ApiError(f'Runs in status "{status}" do not accept tool outputs.')


async def begin_cancelling(live: LiveRun, keep: Keep) -> None:
    """Store and send that the run is being cancelled. Raises ApiError if it is not one that can be."""

    def check() -> None:
        if live.status not in CANCELLABLE:
            raise cannot_cancel(live.status)

    def write(c: Connection) -> list[Event]:
        run = runs.update(c, live.id, {**live.noted(), "status": "cancelling", "required_action": None})
        keep(c, shown(run))
        return [("thread.run.cancelling", run)]

    await live.record_request(check, write, then=CANCELLED)


async def take_outputs(live: LiveRun, outputs: Sequence[tuple[str, str]], keep: Keep) -> None:
    """Store the outputs (call id, output) in the waiting step, and queue the run again.

    Raises ApiError if the run does not wait, or waits for other calls.
    """

    def check() -> None:
        if live.status != "requires_action" or live.interruption:
            raise takes_no_outputs(live.interruption.status if live.interruption else live.status)
        _check_calls([call["id"] for call in live.waiting_calls], [call_id for call_id, _ in outputs])

    def write(c: Connection) -> list[Event]:
        now, given = live.around.now(), dict(outputs)
        waiting = [step for step in steps.of_run(c, live.id) if step["status"] == "in_progress"]
        events = [_fill(c, step, given, now) for step in waiting]
        run = runs.update(c, live.id, {**live.noted(), **run_resumed()})
        keep(c, shown(run))
        return [*events, ("thread.run.queued", run)]

    await live.record_request(check, write)


def _check_calls(waiting: list[str], given: list[str]) -> None:
    if sorted(waiting) != sorted(given):
        raise ApiError(f"Expected tool outputs for call_ids {waiting}, got {given}", param="tool_outputs")


def _fill(c: Connection, step: Mapping[str, Any], outputs: Mapping[str, str], now: int) -> Event:
    calls = [_filled(call, outputs) for call in step["step_details"]["tool_calls"]]
    ended = step_ended(COMPLETED, now, usage_object(kept_usage(step) or Usage(0, 0)))
    done = steps.update(c, step["id"], {"step_details": {"type": "tool_calls", "tool_calls": calls}, **ended})
    return "thread.run.step.completed", done


def _filled(call: Mapping[str, Any], outputs: Mapping[str, str]) -> dict[str, Any]:
    if call["type"] != "function":
        return dict(call)
    return {**call, "function": {**call["function"], "output": outputs[call["id"]]}}
