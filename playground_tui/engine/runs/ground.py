"""What a round of a run stands on: its thread as the model is told of it, and what its own tools have to work with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection

from playground_tui.engine.providers.base import ModelRequest
from playground_tui.engine.runs.answer import Brings
from playground_tui.engine.runs.live import LiveRun
from playground_tui.engine.runs.prompt import (
    AFTER,
    Telling,
    fitted,
    history_limit,
    model_request,
    prompt_tokens,
    thread_turns,
)
from playground_tui.engine.runs.states import Ending, failed
from playground_tui.engine.runs.tools.hosted import tools_there
from playground_tui.engine.runs.tools.images import image_urls
from playground_tui.engine.runs.tools.offer import Offer, offer
from playground_tui.engine.runs.tools.perform import OwnTools
from playground_tui.engine.runs.tools.resources import Resources, calls_of, resources, sources
from playground_tui.engine.runs.tools.stored import FOUND_TOKENS
from playground_tui.engine.store import history

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ground:
    """The thread and its tool_calls steps, the own tools of the run and what these work with."""

    messages: Sequence[history.Said] = ()
    steps: Sequence[Json] = ()
    resources: Resources = field(default_factory=Resources)
    offer: Offer = field(default_factory=Offer)
    images: Mapping[str, str] = field(default_factory=dict)
    brings: Brings = field(default_factory=Brings)
    hosted: Sequence[Json] = ()
    """The tools that the provider brings."""

    @property
    def newest_message(self) -> str:
        """The id of the thread's newest message, "" if there is none."""
        return self.messages[-1].id if self.messages else ""

    @property
    def searches(self) -> int:
        """The number that the next search of the thread gets."""
        return max((call["_number"] for call in calls_of(self.steps) if "_number" in call), default=-1) + 1

    def request(self, run: Json, model: str, room: int | None, *, plain: bool) -> ModelRequest:
        """What the model is asked.

        `model` is the provider's own id, `room` how many tokens the prompt may still take, `plain`: it knows no tools.
        """
        found = FOUND_TOKENS if room is None else min(FOUND_TOKENS, room // 2)
        telling = Telling(self.offer, self.images, run["id"], found, plain)
        for_turns = None if room is None else room - prompt_tokens(run.get("instructions") or "")
        turns = fitted(thread_turns(self.messages, self.steps, telling), for_turns)
        first = all(step["run_id"] != run["id"] for step in self.steps)
        offered = None if plain else self.offer
        return model_request(run, model, turns, first=first, offer=offered, hosted=self.hosted)


async def read_ground(live: LiveRun, tools: OwnTools, host: str = "") -> Ground | Ending:
    """What the next round stands on, or the end of a run that cannot go on as it is asked to.

    `host` is the name of a provider that brings the tools, "" where they are the engine's own.
    """
    run = live.run
    problem = "" if host else await _code_problem(live, tools)
    if isinstance(problem, Ending):
        return problem
    own = any(tool["type"] != "function" for tool in run["tools"])
    messages, steps, used = await live.around.database.read(partial(_read, run=run, own=own))
    hosted = tools_there(run, used, host) if host else []
    if isinstance(hosted, Ending):
        return hosted
    offered = Offer() if host else offer(run, without=["code_interpreter"] if problem else [], files=used.names)
    images = await image_urls(messages, tools.files)
    newest = messages[-1].id if messages else ""
    return Ground(messages, steps, used, offered, images, _brings(run["id"], newest, steps), hosted)


async def _code_problem(live: LiveRun, tools: OwnTools) -> str | Ending:
    """Why the run goes on without running code, "" if it does not; or its end if it must run some."""
    run = live.run
    if all(tool["type"] != "code_interpreter" for tool in run["tools"]):
        return ""
    live.park()
    problem = await tools.interpreter.problem()
    live.unpark()
    if not problem:
        return ""
    if isinstance(run["tool_choice"], Mapping) and run["tool_choice"].get("type") == "code_interpreter":
        return failed("server_error", problem)
    live.note(f"The run went on without code_interpreter: {problem}")
    return problem


def _read(c: Connection, run: Json, *, own: bool) -> tuple[list[history.Said], list[dict[str, Any]], Resources]:
    thread_id = run["thread_id"]
    messages = history.thread_messages(c, thread_id, limit=history_limit(run))
    steps = history.tool_steps(c, thread_id)
    return messages, steps, resources(c, run, steps) if own else Resources()


def _brings(run_id: str, newest_message: str, steps: Sequence[Json]) -> Brings:
    """What code made in this run since its newest message."""
    since = [step for step in steps if step["run_id"] == run_id and step[AFTER] == newest_message]
    done = [call for call in calls_of(since) if "_files" in call]
    outputs = [output for call in done for output in call["code_interpreter"]["outputs"]]
    pictures = [output["image"]["file_id"] for output in outputs if output["type"] == "image"]
    files = dict.fromkeys(made["file_id"] for call in done for made in call["_files"])
    return Brings(pictures, list(files), sources(steps))
