"""The states of a run, its steps and its messages, and the fields that each change of state sets.

Everything here is a pure function of objects and whole Unix seconds; nothing is stored or sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from playground_tui.engine.providers.base import ErrorCode, Usage

RunEnd = Literal["completed", "incomplete", "failed", "cancelled", "expired"]
StepEnd = Literal["completed", "failed", "cancelled", "expired"]
Changes = dict[str, Any]

CANCELLABLE = frozenset({"queued", "in_progress", "requires_action"})

ENGINE_STOPPED = "the engine stopped"

_RUN_TIMES = {
    "completed": "completed_at",
    "incomplete": "completed_at",
    "failed": "failed_at",
    "cancelled": "cancelled_at",
}
_STEP_TIMES = {
    "completed": "completed_at",
    "failed": "failed_at",
    "cancelled": "cancelled_at",
    "expired": "expired_at",
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ends, and what that means for the message and the step it leaves open.

    `message_reason` is the message's `incomplete_details.reason`; None: the message is whole. `error` is the
    `last_error` of the run, `limit` its `incomplete_details.reason`.
    """

    status: RunEnd
    step_status: StepEnd
    message_reason: str | None = None
    error: tuple[ErrorCode, str] | None = None
    limit: str | None = None


COMPLETED = Ending("completed", "completed")
CANCELLED = Ending("cancelled", "cancelled", "run_cancelled")
EXPIRED = Ending("expired", "expired", "run_expired")
ANSWER_CUT = Ending("incomplete", "completed", "max_tokens", limit="max_completion_tokens")
PROMPT_SPENT = Ending("incomplete", "completed", "max_tokens", limit="max_prompt_tokens")
FILTERED = Ending(
    "failed",
    "failed",
    "content_filter",
    error=("server_error", "The provider's content filter stopped the answer."),
)
STOPPED = Ending("failed", "failed", "run_failed", error=("server_error", ENGINE_STOPPED))


def answered(run: Mapping[str, Any], usage: Usage | None) -> Ending:
    """The end of a run whose answer is whole: incomplete where the provider counted more tokens than the run had."""
    used = usage or Usage(0, 0)
    for limit, tokens in (("max_prompt_tokens", used.prompt_tokens), ("max_completion_tokens", used.completion_tokens)):
        if tokens > (run.get(limit) or tokens):
            return replace(COMPLETED, status="incomplete", limit=limit)
    return COMPLETED


def failed(code: ErrorCode, sentence: str) -> Ending:
    """The end of a run whose provider failed."""
    return Ending("failed", "failed", "run_failed", error=(code, sentence))


def run_started(run: Mapping[str, Any], now: int) -> Changes:
    """A queued run is begun; it keeps the time of its first start over rounds of tool calls."""
    return {"status": "in_progress", "started_at": run.get("started_at") or now}


def run_waits(calls: list[dict[str, Any]]) -> Changes:
    """The run waits for the outputs of `calls` (whole calls of functions as its step has them)."""
    awaited = [
        {
            "id": call["id"],
            "type": "function",
            "function": {"name": call["function"]["name"], "arguments": call["function"]["arguments"]},
        }
        for call in calls
    ]
    return {
        "status": "requires_action",
        "required_action": {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": awaited}},
    }


def run_resumed() -> Changes:
    """The outputs have come: the run is queued again."""
    return {"status": "queued", "required_action": None}


def run_ended(ending: Ending, now: int, usage: Mapping[str, int]) -> Changes:
    """The run's last state. Only an expired run keeps `expires_at`, as the hosted API has it."""
    changes: Changes = {
        "status": ending.status,
        "required_action": None,
        "usage": dict(usage),
        "last_error": _error(ending),
        "incomplete_details": {"reason": ending.limit} if ending.limit else None,
    }
    if ending.status != "expired":
        changes["expires_at"] = None
        changes[_RUN_TIMES[ending.status]] = now
    return changes


def step_ended(ending: Ending, now: int, usage: Mapping[str, int]) -> Changes:
    """A step's last state. A step knows two error codes; an invalid prompt counts as the server's error there."""
    changes: Changes = {"status": ending.step_status, _STEP_TIMES[ending.step_status]: now}
    changes["usage"] = dict(usage)
    if ending.step_status == "failed":
        code, sentence = ending.error or ("server_error", "The step was not finished.")
        changes["last_error"] = {"code": "server_error" if code == "invalid_prompt" else code, "message": sentence}
    return changes


def message_ended(ending: Ending, now: int) -> Changes:
    """A message's last state (its content apart)."""
    if ending.message_reason is None:
        return {"status": "completed", "completed_at": now}
    return {
        "status": "incomplete",
        "incomplete_at": now,
        "incomplete_details": {"reason": ending.message_reason},
    }


def usage_object(usage: Usage) -> dict[str, int]:
    """The contract's usage object."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


def added(first: Usage | None, second: Usage | None) -> Usage | None:
    """The tokens of two requests together; None where neither was told."""
    if first is None or second is None:
        return first or second
    return Usage(first.prompt_tokens + second.prompt_tokens, first.completion_tokens + second.completion_tokens)


def _error(ending: Ending) -> dict[str, str] | None:
    return {"code": ending.error[0], "message": ending.error[1]} if ending.error else None
