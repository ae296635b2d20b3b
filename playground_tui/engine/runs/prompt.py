"""What a thread becomes for a model: its history as real turns, and the run's options as one request.

Tool calls of earlier runs are taken from their steps and stand where they happened: after the message that was the
newest when they began. Each call is followed once by its output; calls without outputs (cancelled, expired) are left
out, since no provider accepts them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from playground_tui.engine.providers.base import (
    AssistantTurn,
    FunctionCall,
    ImagePart,
    ModelRequest,
    ToolOutput,
    Turn,
    UserTurn,
)
from playground_tui.engine.store.history import Said

Json = Mapping[str, Any]

AFTER = "_after"
"""Key of a stored tool_calls step: the id of the newest message when it began ("" if there was none)."""
CHARACTERS_PER_TOKEN = 4
"""A rough measure, used only where the run names a limit of prompt tokens and no provider has counted yet."""
IMAGE_TOKENS = 800


def thread_turns(messages: Sequence[Said], steps: Iterable[Json]) -> list[Turn]:
    """The turns of a thread. `messages` are oldest first, `steps` its tool_calls steps in the order they were made."""
    after = _steps_by_place(messages, steps)
    turns: list[Turn] = []
    _add_steps(turns, after.get(None, ()))
    for message in messages:
        _add_message(turns, message)
        if message.id in after:
            _add_steps(turns, after[message.id])
    return turns


def history_limit(run: Json) -> int | None:
    """How many of the newest messages the run's truncation strategy keeps; None: all."""
    strategy = run.get("truncation_strategy") or {}
    return strategy.get("last_messages") if strategy.get("type") == "last_messages" else None


def fitted(turns: Sequence[Turn], prompt_tokens: int | None) -> list[Turn]:
    """The newest turns that fit in about `prompt_tokens`; the newest user turn and what follows it always stay."""
    if prompt_tokens is None:
        return list(turns)
    keep = max((index for index, turn in enumerate(turns) if isinstance(turn, UserTurn)), default=0)
    room = prompt_tokens - sum(map(_weight, turns[keep:]))
    while keep > 0 and room >= (weight := _weight(turns[keep - 1])):
        room -= weight
        keep -= 1
    while keep < len(turns) and isinstance(turns[keep], ToolOutput):
        keep += 1
    return list(turns[keep:])


def model_request(run: Json, model: str, turns: Sequence[Turn], *, first: bool) -> ModelRequest:
    """The request for one round of a run. `model` is the provider's own id.

    A tool choice that forces a call holds for the first round alone: kept longer, the run could never end.
    """
    tools = function_tools(run)
    return ModelRequest(
        model=model,
        turns=turns or [UserTurn(("",))],  # a thread may be empty; providers take no request without a message
        instructions=run.get("instructions") or "",
        tools=tools,
        tool_choice=_tool_choice(run.get("tool_choice"), first=first) if tools else None,
        parallel_tool_calls=_parallel(run) if tools else None,
        temperature=run.get("temperature"),
        top_p=run.get("top_p"),
        reasoning_effort=run.get("reasoning_effort"),
        response_format=_response_format(run.get("response_format")),
        max_completion_tokens=run.get("max_completion_tokens"),
    )


def function_tools(run: Json) -> list[Json]:
    """The tools a provider is told of."""
    return [tool for tool in run.get("tools") or () if tool.get("type") == "function"]


def left_out(run: Json) -> str:
    """The sentence about tools that the run goes on without, or ""."""
    names = sorted({tool["type"] for tool in run.get("tools") or () if tool.get("type") != "function"})
    if not names:
        return ""
    verb = "is" if len(names) == 1 else "are"
    return f"{' and '.join(names)} {verb} not available in this engine yet; the run went on without."


def _tool_choice(choice: Any, *, first: bool) -> str | Json | None:
    if choice in (None, "auto"):
        return None
    if choice == "none":
        return "none"
    if isinstance(choice, Mapping) and choice.get("type") != "function":
        return None
    return choice if first else None


def _parallel(run: Json) -> bool | None:
    """Given only where it differs from what every provider does anyway."""
    return False if run.get("parallel_tool_calls") is False else None


def _response_format(response_format: Any) -> str | Json | None:
    return None if response_format in (None, "auto") else response_format


def _steps_by_place(messages: Sequence[Said], steps: Iterable[Json]) -> dict[str | None, list[Json]]:
    """The steps under the id of the message they follow; None: before all of them.

    Where that message is gone, the time decides. A step older than the first message was cut off with what it followed.
    """
    known = {message.id for message in messages}
    times = [message.created_at for message in messages]
    places: dict[str | None, list[Json]] = {}
    for step in steps:
        place = step.get(AFTER) or None
        if place is not None and place not in known:
            older = bisect_right(times, step["created_at"])
            if older == 0:
                continue
            place = messages[older - 1].id
        places.setdefault(place, []).append(step)
    return places


def _add_message(turns: list[Turn], message: Said) -> None:
    parts = message.parts or ()
    if message.role == "user":
        said = (message.text or "",) if message.parts is None else tuple(map(_part, parts))
        turns.append(UserTurn(said))
    elif text := message.text if message.parts is None else "\n\n".join(_texts(parts)):
        turns.append(AssistantTurn(text))


def _part(part: Json) -> str | ImagePart:
    if part["type"] == "text":
        return str(part["text"]["value"])
    if part["type"] == "image_url":
        return ImagePart(part["image_url"]["url"], part["image_url"].get("detail") or "auto")
    return f"[{part['type']}]"


def _texts(content: Iterable[Json]) -> Iterator[str]:
    return (part["text"]["value"] for part in content if part["type"] == "text" and part["text"]["value"])


def _function_calls(step: Json) -> list[Json]:
    return [call for call in step["step_details"].get("tool_calls", ()) if call["type"] == "function"]


def _add_steps(turns: list[Turn], steps: Iterable[Json]) -> None:
    for step in steps:
        calls = _function_calls(step)
        if calls and all(call["function"].get("output") is not None for call in calls):
            _add_calls(turns, calls)


def _add_calls(turns: list[Turn], calls: Sequence[Json]) -> None:
    """Calls, in one breath with the text said just before them, and their outputs."""
    made = tuple(FunctionCall(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in calls)
    said = turns[-1] if turns else None
    if isinstance(said, AssistantTurn) and not said.calls:
        turns[-1] = AssistantTurn(said.text, made)
    else:
        turns.append(AssistantTurn("", made))
    turns.extend(ToolOutput(call["id"], call["function"]["output"]) for call in calls)


def _weight(turn: Turn) -> int:
    """About how many tokens a turn takes."""
    if isinstance(turn, UserTurn):
        return sum(IMAGE_TOKENS if isinstance(part, ImagePart) else _tokens(part) for part in turn.parts)
    if isinstance(turn, ToolOutput):
        return _tokens(turn.output)
    return sum(map(_tokens, chain((turn.text,), (call.arguments for call in turn.calls))))


def _tokens(text: str) -> int:
    return len(text) // CHARACTERS_PER_TOKEN + 1
