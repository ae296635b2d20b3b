"""A conversation as a thread keeps it: messages, and the earlier calls as the steps of a run that ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from playground_tui.engine.objects import message_object, run_object, step_object, text_part
from playground_tui.engine.providers.base import AssistantTurn, ImagePart, ToolOutput, Turn, Usage, UserTurn
from playground_tui.engine.runs.prompt import AFTER
from playground_tui.engine.runs.states import COMPLETED, run_ended, run_started, step_ended, usage_object
from playground_tui.engine.store import runs, steps

Json = Mapping[str, Any]

_NO_TOKENS = usage_object(Usage(0, 0))


@dataclass(slots=True)
class Written:
    """The messages of a thread, and its calls: each with the id of the message it came after ("" before all)."""

    thread_id: str
    now: int
    messages: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, list[dict[str, Any]]]] = field(default_factory=list)

    @classmethod
    def of(cls, turns: Sequence[Turn], *, thread_id: str, now: int) -> Written:
        """The turns of a conversation, whose calls all have their outputs."""
        written = cls(thread_id, now)
        for turn in turns:
            written._add(turn)
        return written

    def _add(self, turn: Turn) -> None:
        match turn:
            case UserTurn(parts):
                self._say("user", [_part(part) for part in parts])
            case AssistantTurn(text, calls):
                if text:
                    self._say("assistant", [text_part(text)])
                if calls:
                    newest = self.messages[-1]["id"] if self.messages else ""
                    self.calls.append((newest, [_call(call.call_id, call.name, call.arguments) for call in calls]))
            case ToolOutput(call_id, output):
                waiting = (call for call in self.calls[-1][1] if call["id"] == call_id)
                next(waiting)["function"]["output"] = output

    def _say(self, role: str, content: list[dict[str, Any]]) -> None:
        message = message_object(thread_id=self.thread_id, role=role, content=content, created_at=self.now)
        self.messages.append(message)

    def store_calls(self, c: Connection, like: Json) -> None:
        """Store the calls as a completed run of the assistant and the model of the run `like`."""
        if not self.calls:
            return
        run = self._ended_run(like)
        runs.insert(c, run)
        for after, calls in self.calls:
            step = step_object(run=run, step_type="tool_calls", step_details={"tool_calls": calls}, created_at=self.now)
            steps.insert(c, {**step, **step_ended(COMPLETED, self.now, _NO_TOKENS), AFTER: after})

    def _ended_run(self, like: Json) -> dict[str, Any]:
        run = run_object(
            thread_id=self.thread_id,
            assistant_id=like["assistant_id"],
            created_at=self.now,
            expires_at=self.now,
            model=like["model"],
            instructions=like["instructions"],
            tools=like["tools"],
        )
        return {**run, **run_started(run, self.now), **run_ended(COMPLETED, self.now, _NO_TOKENS)}


def _part(part: str | ImagePart) -> dict[str, Any]:
    if isinstance(part, str):
        return text_part(part)
    return {"type": "image_url", "image_url": {"url": part.url, "detail": part.detail}}


def _call(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments or "{}", "output": None}
    return {"id": call_id, "type": "function", "function": function}
