"""An assistant answers a chat completion: in a thread made for it, or in the one that waits for its tool outputs.

The thread is deleted with the end of its run. While the run waits for outputs it stays, so that they can come back to
it: what the assistant's own tools found and did is known there alone.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection

from playground_tui.engine.completion_schemas import CompletionRun, CreateCompletion
from playground_tui.engine.completions.answering import Answering
from playground_tui.engine.completions.conversation import Conversation, conversation
from playground_tui.engine.completions.failures import unknown_model
from playground_tui.engine.completions.history import Written
from playground_tui.engine.context import Engine
from playground_tui.engine.errors import ApiError
from playground_tui.engine.objects import thread_object
from playground_tui.engine.providers.base import AssistantTurn, FunctionCall, ToolOutput, Usage
from playground_tui.engine.providers.registry import UnknownProvider
from playground_tui.engine.runs.endings import BORROWED, kept_usage
from playground_tui.engine.store import assistants, runs
from playground_tui.engine.store.unknown import Unknown

Json = Mapping[str, Any]


@dataclass(slots=True)
class Asked:
    """One request to an assistant."""

    engine: Engine
    assistant: Json
    body: CreateCompletion
    said: Conversation
    files_url: str
    hint: str | None
    """The provider of a model id that names none."""

    @classmethod
    async def of(cls, engine: Engine, body: CreateCompletion, *, files_url: str, hint: str | None) -> Asked:
        """Raises ApiError when there is no such assistant, its provider is not there, or the messages are wrong."""
        assistant = await engine.database.read(lambda c: assistants.get(c, body.model))
        if assistant is None:
            raise unknown_model(str(Unknown("assistant", body.model)))
        try:
            engine.providers.resolve(assistant["model"], hint)
        except UnknownProvider as error:
            raise unknown_model(str(error)) from error
        asked = cls(engine, assistant, body, conversation(body.messages), files_url, hint)
        asked._check_choice()
        return asked

    async def begin(self) -> Answering:
        """Go on with the run that waits for these outputs, or begin a new one.

        A run that is stored is begun: when this is cancelled meanwhile, it is left as soon as it has begun.
        """
        beginning = asyncio.create_task(self._begun())
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            await asyncio.shield(_abandoned(beginning))
            raise

    async def _begun(self) -> Answering:
        waiting = await self._waiting()
        if waiting is not None:
            try:
                return await self._go_on(waiting)
            except (ApiError, Unknown):
                pass  # it ended, or took the outputs from another request: the conversation is all that is needed
        return await self._begin()

    async def _begin(self) -> Answering:
        engine, now = self.engine, self.engine.now()
        thread = thread_object(created_at=now)
        written = Written.of(self.said.turns, thread_id=thread["id"], now=now)
        settings = {**self._settings(), "metadata": self.body.metadata}
        body = CompletionRun.model_validate({"assistant_id": self.assistant["id"], **settings})

        def keep(c: Connection, run: Json) -> None:
            written.store_calls(c, run)
            runs.update(c, run["id"], self._mark())

        run = await engine.runs.create_with_thread(thread, written.messages, body, provider_hint=self.hint, keep=keep)
        return Answering(engine, thread["id"], run["id"], self.files_url)

    async def _go_on(self, waiting: Json) -> Answering:
        """Raises ApiError when the run waits no longer."""
        runs_of, thread_id, run_id = self.engine.runs, waiting["thread_id"], waiting["id"]
        place = self.said.last_calls() or 0
        outputs = [(turn.call_id, turn.output) for turn in self.said.turns[place:] if isinstance(turn, ToolOutput)]
        if self._forces_a_call() or len(outputs) < len(self.said.turns) - place - 1:
            await runs_of.cancel(thread_id, run_id)
            raise ApiError("The run cannot go on as it is asked to.")
        spent, seen = kept_usage(waiting) or Usage(0, 0), runs_of.newest_event(run_id)
        await runs_of.submit(thread_id, run_id, outputs, keep=partial(self._change_run, spent))
        return Answering(self.engine, thread_id, run_id, self.files_url, after=seen, spent=spent)

    def _change_run(self, spent: Usage, c: Connection, run: Json) -> None:
        """What this request asks holds for the rest of the run."""
        changes = {**self._settings(), **self._mark()}
        changes.pop("additional_instructions", None)
        if limit := self.body.token_limit:
            changes["max_completion_tokens"] = limit + spent.completion_tokens
        runs.update(c, run["id"], changes)

    async def _waiting(self) -> Json | None:
        """The run of this assistant and conversation that waits for outputs of its last calls."""
        place = self.said.last_calls()
        if place is None:
            return None
        turn = self.said.turns[place]
        assert isinstance(turn, AssistantTurn)
        mark = self._mark(self.said.before(place))
        active = await self.engine.database.read(runs.all_active)
        fitting = (run for run in active if run.get(BORROWED) == mark[BORROWED] and waits_for(run, turn.calls))
        return next(fitting, None)

    def _mark(self, said: Conversation | None = None) -> dict[str, str]:
        """Marks a run as this conversation's with this assistant."""
        told = repr((self.assistant["id"], said or self.said))
        return {BORROWED: hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()}

    def _settings(self) -> dict[str, Any]:
        settings = self.body.settings()
        if self.said.instructions:
            settings["additional_instructions"] = self.said.instructions
        if self.body.tools:
            settings["tools"] = self._tools()
        return settings

    def _tools(self) -> list[Json]:
        """The assistant's tools, and those of the request; of two functions of a name the request's counts."""
        asked = [tool.given() for tool in self.body.tools or ()]
        names = {tool["function"]["name"] for tool in asked}
        own = [tool for tool in self.assistant["tools"] or () if function_name(tool) not in names]
        return [*own, *asked]

    def _forces_a_call(self) -> bool:
        return self.body.tool_choice not in (None, "auto", "none")

    def _check_choice(self) -> None:
        choice = self.body.settings().get("tool_choice")
        name = choice["function"]["name"] if isinstance(choice, Mapping) and choice["type"] == "function" else None
        if name is not None and name not in map(function_name, self._tools()):
            raise ApiError(f"Tool choice '{name}' is none of the tools.", param="tool_choice", code="invalid_value")


async def _abandoned(beginning: asyncio.Task[Answering]) -> None:
    await asyncio.wait({beginning})
    if beginning.exception() is None:
        await beginning.result().leave()


def function_name(tool: Json) -> str | None:
    name: str | None = (tool.get("function") or {}).get("name")
    return name


def waits_for(run: Json, calls: Sequence[FunctionCall]) -> bool:
    """Whether the run waits for the outputs of exactly these calls."""
    action = run.get("required_action")
    if run["status"] != "requires_action" or not action:
        return False
    awaited = action["submit_tool_outputs"]["tool_calls"]
    told = {(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in awaited}
    return told == {(call.call_id, call.name, call.arguments) for call in calls}
