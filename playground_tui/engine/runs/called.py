"""What becomes of the calls of an answer: the engine's own tools are used, functions are waited for."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from sqlalchemy import Connection

from playground_tui.engine.providers.base import Usage
from playground_tui.engine.runs import deltas
from playground_tui.engine.runs.answer import Answer
from playground_tui.engine.runs.calls import OpenCalls
from playground_tui.engine.runs.endings import Event, Loose, noted_usage
from playground_tui.engine.runs.ground import Ground
from playground_tui.engine.runs.live import LiveRun
from playground_tui.engine.runs.prompt import AFTER
from playground_tui.engine.runs.states import COMPLETED, run_waits, step_ended, usage_object
from playground_tui.engine.runs.tools.perform import OwnTools
from playground_tui.engine.runs.tools.stored import output_delta
from playground_tui.engine.store import runs, steps

Json = dict[str, Any]


async def carry_out(
    live: LiveRun, answer: Answer, usage: Usage | None, ground: Ground, tools: OwnTools
) -> Literal["waits", "again"]:
    """Use the own tools that were called, one after the other; then the run waits for functions, or goes on.

    `usage` are the tokens of the answer. Raises Interrupted.
    """
    calls = answer.calls
    assert calls is not None
    own = calls.finish()
    if own:
        await _keep_calls(live, answer, calls, usage)
        await _use_tools(live, calls, own, ground, tools)
        calls.show_to()
    if calls.functions():
        await _wait_for_outputs(live, answer, calls, usage)
        return "waits"
    await live.record(partial(_complete, live=live, calls=calls, usage=usage))
    live.loose = Loose
    return "again"


async def _keep_calls(live: LiveRun, answer: Answer, calls: OpenCalls, usage: Usage | None) -> None:
    """Store what is about to be done, and that what was said with it is whole."""
    said = await answer.take_message()

    def write(c: Connection) -> list[Event]:
        ended = answer.end_message(c, said, None)
        place = {AFTER: live.newest_message}
        steps.update(c, calls.step["id"], {**_details(calls), **place, "_usage": noted_usage(usage)})
        runs.update(c, live.id, live.noted())
        return ended

    await live.record(write)


async def _use_tools(live: LiveRun, calls: OpenCalls, own: list[int], ground: Ground, tools: OwnTools) -> None:
    searches = ground.searches
    for place in own:
        calls.show_to(place)
        done = await tools.perform(live, calls.whole()[place], ground.resources, searches)
        searches += done["type"] == "file_search"
        calls.set_done(place, done)
        await live.record(partial(_output, live=live, calls=calls, place=place))


def _output(c: Connection, *, live: LiveRun, calls: OpenCalls, place: int) -> list[Event]:
    steps.update(c, calls.step["id"], _details(calls))
    said = output_delta(calls.whole()[place], content=live.with_content)
    return [(deltas.STEP_DELTA, deltas.step_delta(calls.step["id"], {"index": place, **said}))]


def _complete(c: Connection, *, live: LiveRun, calls: OpenCalls, usage: Usage | None) -> list[Event]:
    ended = step_ended(COMPLETED, live.around.now(), usage_object(usage or Usage(0, 0)))
    return [("thread.run.step.completed", steps.update(c, calls.step["id"], ended))]


async def _wait_for_outputs(live: LiveRun, answer: Answer, calls: OpenCalls, usage: Usage | None) -> None:
    said = await answer.take_message()

    def write(c: Connection) -> list[Event]:
        ended = answer.end_message(c, said, None)
        steps.update(c, calls.step["id"], {**_details(calls), "_usage": noted_usage(usage)})
        waiting = runs.update(c, live.id, {**live.noted(), **run_waits(calls.functions())})
        return [*ended, ("thread.run.requires_action", waiting)]

    await live.record(write, rest=True)
    live.loose = Loose


def _details(calls: OpenCalls) -> Json:
    return {"step_details": {"type": "tool_calls", "tool_calls": calls.whole()}}
