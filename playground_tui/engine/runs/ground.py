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
from playground_tui.engine.runs.prompt import AFTER, Telling, fitted, history_limit, model_request, thread_turns
from playground_tui.engine.runs.states import Ending, failed
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

    @property
    def newest_message(self) -> str:
        """The id of the thread's newest message, "" if there is none."""
        return self.messages[-1].id if self.messages else ""

    @property
    def searches(self) -> int:
        """The number that the next search of the thread gets."""
        return max((call["_number"] for call in calls_of(self.steps) if "_number" in call), default=-1) + 1

    def request(self, run: Json, model: str) -> ModelRequest:
        """What the model is asked; `model` is the provider's own id."""
        limit = run.get("max_prompt_tokens")
        room = FOUND_TOKENS if limit is None else min(FOUND_TOKENS, limit // 2)
        telling = Telling(self.offer, self.images, run["id"], room)
        turns = fitted(thread_turns(self.messages, self.steps, telling), limit)
        first = all(step["run_id"] != run["id"] for step in self.steps)
        return model_request(run, model, turns, first=first, offer=self.offer)


async def read_ground(live: LiveRun, tools: OwnTools) -> Ground | Ending:
    """What the next round stands on, or the end of a run that asks for code where none can be run."""
    run = live.run
    kinds = {tool["type"] for tool in run["tools"]}
    problem = await tools.interpreter.problem() if "code_interpreter" in kinds else ""
    if problem:
        if isinstance(run["tool_choice"], Mapping) and run["tool_choice"].get("type") == "code_interpreter":
            return failed("server_error", problem)
        live.note(f"The run went on without code_interpreter: {problem}")
    messages, steps, used = await live.around.database.read(partial(_read, run=run, own=bool(kinds - {"function"})))
    offered = offer(run, without=["code_interpreter"] if problem else [], files=used.names)
    images = await image_urls(messages, tools.files)
    newest = messages[-1].id if messages else ""
    return Ground(messages, steps, used, offered, images, _brings(run["id"], newest, steps))


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
