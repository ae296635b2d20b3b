"""What a thread becomes for a model: its history as real turns, and the run's options as one request.

Tool calls of earlier runs are taken from their steps and stand where they happened: after the message that was the
newest when they began. Each call is followed once by its output; calls without outputs (cancelled, expired) are left
out, since no provider accepts them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
from playground_tui.engine.runs.tools.offer import Offer
from playground_tui.engine.runs.tools.stored import (
    CHARACTERS_PER_TOKEN,
    FOUND_TOKENS,
    OLD_FOUND_TOKENS,
    arguments_of,
    is_done,
    name_of,
    output_of,
)
from playground_tui.engine.store.history import Said

Json = Mapping[str, Any]

AFTER = "_after"
"""Key of a stored tool_calls step: the id of the newest message when it began ("" if there was none)."""
IMAGE_TOKENS = 800
FOUND = (
    "These passages were found in the files of this conversation. Where the answer uses one, put its marker, copied "
    "exactly, right behind the statement that it supports."
)
"""What a model without tools is told of a search."""


@dataclass(frozen=True, slots=True)
class Telling:
    """How a thread is told: what the own tools are called, which images there are (URLs by file id), for which run."""

    offer: Offer = field(default_factory=Offer)
    images: Mapping[str, str] = field(default_factory=dict)
    run_id: str = ""
    found_tokens: int = FOUND_TOKENS
    """How much of what a search of this run found is told; of earlier ones it is little."""
    plain: bool = False
    """The model knows no tools: what was found stands in what the user said, and nothing else is told of them."""

    def output(self, step: Json, call: Json) -> str:
        """The output of a call of this step."""
        known = step.get("run_id") == self.run_id
        return output_of(call, found_tokens=self.found_tokens if known else min(OLD_FOUND_TOKENS, self.found_tokens))


def thread_turns(messages: Sequence[Said], steps: Iterable[Json], telling: Telling | None = None) -> list[Turn]:
    """The turns of a thread. `messages` are oldest first, `steps` its tool_calls steps in the order they were made."""
    telling = telling or Telling()
    after = _steps_by_place(messages, steps)
    turns: list[Turn] = []
    _add_steps(turns, after.get(None, ()), telling)
    for message in messages:
        _add_message(turns, message, telling.images)
        if message.id in after:
            _add_steps(turns, after[message.id], telling)
    return turns


def history_limit(run: Json) -> int | None:
    """How many of the newest messages the run's truncation strategy keeps; None: all."""
    strategy = run.get("truncation_strategy") or {}
    return strategy.get("last_messages") if strategy.get("type") == "last_messages" else None


def fitted(turns: Sequence[Turn], room: int | None) -> list[Turn]:
    """The newest turns that fit in about `room` tokens; the newest user turn and what follows it always stay."""
    if room is None:
        return list(turns)
    keep = max((index for index, turn in enumerate(turns) if isinstance(turn, UserTurn)), default=0)
    room -= sum(map(_weight, turns[keep:]))
    while keep > 0 and room >= (weight := _weight(turns[keep - 1])):
        room -= weight
        keep -= 1
    while keep < len(turns) and isinstance(turns[keep], ToolOutput):
        keep += 1
    return list(turns[keep:])


def prompt_tokens(instructions: str, turns: Iterable[Turn] = ()) -> int:
    """About how many tokens these take in a prompt."""
    return (_tokens(instructions) if instructions else 0) + sum(map(_weight, turns))


def model_request(
    run: Json,
    model: str,
    turns: Sequence[Turn],
    *,
    first: bool,
    offer: Offer | None = None,
    hosted: Sequence[Json] = (),
) -> ModelRequest:
    """The request for one round of a run. `model` is the provider's own id, `hosted` are tools that it brings.

    A tool choice that forces a call holds for the first round alone: kept longer, the run could never end.
    """
    offer = offer or Offer()
    tools = list(offer.functions(run.get("tools") or ()))
    choice, kinds = offer.choice(run.get("tool_choice")), {"function", *(tool["type"] for tool in hosted)}
    return ModelRequest(
        model=model,
        turns=turns or [UserTurn(("",))],  # a thread may be empty; providers take no request without a message
        instructions=run.get("instructions") or "",
        tools=tools,
        tool_choice=_tool_choice(choice, kinds, first=first) if tools or hosted else None,
        parallel_tool_calls=_parallel(run) if tools or hosted else None,
        temperature=run.get("temperature"),
        top_p=run.get("top_p"),
        reasoning_effort=run.get("reasoning_effort"),
        response_format=_response_format(run.get("response_format")),
        max_completion_tokens=run.get("max_completion_tokens"),
        hosted=hosted,
    )


def _tool_choice(choice: Any, kinds: Collection[str], *, first: bool) -> str | Json | None:
    if choice in (None, "auto"):
        return None
    if choice == "none":
        return "none"
    if isinstance(choice, Mapping) and choice.get("type") not in kinds:
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


def _add_message(turns: list[Turn], message: Said, images: Mapping[str, str]) -> None:
    parts = message.parts or ()
    if message.role == "user":
        said = (message.text or "",) if message.parts is None else tuple(_part(part, images) for part in parts)
        turns.append(UserTurn(said))
    elif text := message.text if message.parts is None else "\n\n".join(_texts(parts)):
        turns.append(AssistantTurn(text))


def _part(part: Json, images: Mapping[str, str]) -> str | ImagePart:
    if part["type"] == "text":
        return str(part["text"]["value"])
    given = part[part["type"]]
    url = given["url"] if part["type"] == "image_url" else images.get(given["file_id"])
    return ImagePart(url, given.get("detail") or "auto") if url else f"[{part['type']}: cannot be shown]"


def _texts(content: Iterable[Json]) -> Iterator[str]:
    """What an assistant said, be it that it refused."""
    for part in content:
        if part["type"] == "refusal":
            yield part["refusal"]
        elif part["type"] == "text" and part["text"]["value"]:
            yield part["text"]["value"]


def _add_steps(turns: list[Turn], steps: Iterable[Json], telling: Telling) -> None:
    for step in steps:
        calls = step["step_details"].get("tool_calls", ())
        if telling.plain:
            _add_found(turns, [telling.output(step, call) for call in calls if call["type"] == "file_search"])
        elif calls and all(map(is_done, calls)):
            _add_calls(turns, calls, telling.offer)
            turns.extend(ToolOutput(call["id"], telling.output(step, call)) for call in calls)


def _add_calls(turns: list[Turn], calls: Sequence[Json], offer: Offer) -> None:
    """Calls, in one breath with the text said just before them."""
    made = tuple(FunctionCall(call["id"], name_of(call, offer), arguments_of(call)) for call in calls)
    said = turns[-1] if turns else None
    if isinstance(said, AssistantTurn) and not said.calls:
        turns[-1] = AssistantTurn(said.text, made)
    else:
        turns.append(AssistantTurn("", made))


def _add_found(turns: list[Turn], found: Iterable[str]) -> None:
    """What searches found, behind what the user said: chat templates without tools want both to take turns."""
    said = turns[-1] if turns else None
    if isinstance(said, UserTurn):
        turns[-1] = UserTurn((*said.parts, *(f"{FOUND}\n\n{one}" for one in found)))


def _weight(turn: Turn) -> int:
    """About how many tokens a turn takes."""
    if isinstance(turn, UserTurn):
        return sum(IMAGE_TOKENS if isinstance(part, ImagePart) else _tokens(part) for part in turn.parts)
    if isinstance(turn, ToolOutput):
        return _tokens(turn.output)
    return sum(map(_tokens, chain((turn.text,), (call.arguments for call in turn.calls))))


def _tokens(text: str) -> int:
    return len(text) // CHARACTERS_PER_TOKEN + 1
