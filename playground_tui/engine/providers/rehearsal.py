"""The stand-in that answers when no model is connected: no language model, the same answer to the same request.

`echo` answers with the request a model would have got, `markdown` with a long Markdown text at the pace of a fast
model, `tools` calls each tool once (functions with arguments made from their JSON Schema, file_search with what the
user said, code_interpreter with a small calculation) and then reports what they gave.
Each text says in its first line that no model wrote it. A token is counted as four characters, begun ones included: no
tokenizer is at hand, and English text comes near that.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from playground_tui.engine.providers.base import (
    AssistantTurn,
    CallArguments,
    CallBegun,
    Finished,
    FunctionCall,
    ImagePart,
    ModelRequest,
    ProviderError,
    ProviderEvent,
    Text,
    ToolOutput,
    Turn,
    Usage,
    UserTurn,
)
from playground_tui.engine.providers.echo import echo
from playground_tui.engine.providers.rehearsal_text import MARKDOWN
from playground_tui.engine.providers.sample import sample

TOKEN = 4
"""Characters counted as one token."""
QUERY_CHARACTERS = 500
"""So much of what the user said is searched for."""
REPORTED_LINES = 40
"""A report shows so many lines of what each tool gave."""
CALCULATION = """squares = [n * n for n in range(1, 11)]
print("The squares of 1 to 10 add up to", sum(squares))"""
"""What code_interpreter is given to run."""
ECHO_FRAGMENTS = 400
"""An echo comes in at most about so many fragments, however long the thread is."""


def tokens(text: str) -> int:
    """The rough token count of a text: one for every four characters, the last ones too."""
    return -(-len(text) // TOKEN)


class RehearsalProvider:
    """The provider `rehearsal`. `pace` and `echo_pace` are fragments per second; 0 means as fast as they are read."""

    name = "rehearsal"

    def __init__(self, *, pace: float = 200.0, echo_pace: float = 1_000.0):
        self._pace = pace
        self._echo_pace = echo_pace

    async def models(self) -> Sequence[str]:
        return ("echo", "markdown", "tools")

    async def close(self) -> None:
        """Nothing is open."""

    async def stream(self, request: ModelRequest) -> AsyncIterator[ProviderEvent]:
        events, pace = self._answer(request)
        clock = asyncio.get_running_loop().time
        due = clock()
        for event in limited(events, request):
            yield event
            due += 1 / pace if pace else 0.0
            await asyncio.sleep(max(0.0, due - clock()))

    def _answer(self, request: ModelRequest) -> tuple[Iterator[ProviderEvent], float]:
        if request.model == "echo":
            text = echo(request)
            return said(text, max(TOKEN, len(text) // ECHO_FRAGMENTS)), self._echo_pace
        if request.model == "markdown":
            return said(MARKDOWN, TOKEN), self._pace
        if request.model == "tools":
            return rehearse_tools(request), self._echo_pace
        raise ProviderError(
            f"rehearsal has no model {json.dumps(request.model)}: it has echo, markdown and tools.", status=404
        )


def said(text: str, size: int) -> Iterator[ProviderEvent]:
    """The text in fragments of `size` characters, then the end."""
    for start in range(0, len(text), size):
        yield Text(text[start : start + size])
    yield Finished("stop")


def limited(events: Iterator[ProviderEvent], request: ModelRequest) -> Iterator[ProviderEvent]:
    """The events with usage in the last one, cut where `max_completion_tokens` are used up."""
    prompt = tokens(prompt_text(request))
    room = math.inf if request.max_completion_tokens is None else request.max_completion_tokens * TOKEN
    written = 0
    for event in events:
        if isinstance(event, Finished):
            yield replace(event, usage=Usage(prompt, -(-written // TOKEN)))
        elif not isinstance(event, Text | CallArguments):
            yield event
        elif written + len(event.text) <= room:
            written += len(event.text)
            yield event
        else:
            if rest := event.text[: int(room) - written]:
                yield replace(event, text=rest)
            yield Finished("length", Usage(prompt, int(room) // TOKEN))
            return


def prompt_text(request: ModelRequest) -> str:
    """Everything that counts as prompt: instructions, tools and the thread's texts."""
    return "".join(
        [request.instructions, *(json.dumps(tool) for tool in request.tools), *map(turn_text, request.turns)]
    )


def turn_text(turn: Turn) -> str:
    match turn:
        case UserTurn(parts):
            return "".join(part.url if isinstance(part, ImagePart) else part for part in parts)
        case AssistantTurn(text, calls):
            return text + "".join(call.name + call.arguments for call in calls)
        case ToolOutput(_, output):
            return output


def rehearse_tools(request: ModelRequest) -> Iterator[ProviderEvent]:
    """Calls of the tools not called since the user last spoke, else a report of what they gave back."""
    recent = since_user(request.turns)
    called = [call for turn in recent if isinstance(turn, AssistantTurn) for call in turn.calls]
    offered = offered_functions(request)
    waiting = [function for function in offered if function.get("name") not in {call.name for call in called}]
    if request.parallel_tool_calls is False:
        waiting = waiting[:1]
    return call_each(waiting, request.turns) if waiting else said(report(called, recent), TOKEN)


def since_user(turns: Sequence[Turn]) -> Sequence[Turn]:
    last = max((place for place, turn in enumerate(turns) if isinstance(turn, UserTurn)), default=-1)
    return turns[last + 1 :]


def offered_functions(request: ModelRequest) -> list[Mapping[str, Any]]:
    """The functions the request lets a model call: none, the chosen one, or all."""
    functions: list[Mapping[str, Any]] = [tool["function"] for tool in request.tools if tool.get("type") == "function"]
    if request.tool_choice == "none":
        return []
    if isinstance(request.tool_choice, Mapping):
        chosen = request.tool_choice.get("function", {}).get("name")
        return [function for function in functions if function.get("name") == chosen]
    return functions


def call_each(functions: Sequence[Mapping[str, Any]], turns: Sequence[Turn]) -> Iterator[ProviderEvent]:
    """One call for each function. The place in the thread is part of the id, so that ids differ from round to round."""
    for index, function in enumerate(functions):
        yield CallBegun(index, f"call_rehearsal_{len(turns)}_{index}", str(function.get("name", "")))
        arguments = json.dumps(arguments_for(function, turns), ensure_ascii=False)
        for start in range(0, len(arguments), TOKEN * 2):
            yield CallArguments(index, arguments[start : start + TOKEN * 2])
    yield Finished("tool_calls")


def arguments_for(function: Mapping[str, Any], turns: Sequence[Turn]) -> Any:
    """Sensible arguments where the function is file_search or code_interpreter, else some that fit its schema."""
    schema = function.get("parameters") or {"type": "object"}
    name, properties = str(function.get("name", "")), schema.get("properties") or {}
    if name.startswith("file_search") and "queries" in properties:
        return {"queries": [last_said(turns)[:QUERY_CHARACTERS]]}
    if name.startswith("code_interpreter") and "code" in properties:
        return {"code": CALCULATION}
    return sample(schema)


def last_said(turns: Sequence[Turn]) -> str:
    """The text of the user's newest turn."""
    parts = next((turn.parts for turn in reversed(turns) if isinstance(turn, UserTurn)), ())
    return " ".join(part for part in parts if isinstance(part, str))


def report(called: Sequence[FunctionCall], recent: Sequence[Turn]) -> str:
    """What the functions gave back, as Markdown."""
    outputs = {turn.call_id: turn.output for turn in recent if isinstance(turn, ToolOutput)}
    head = "*rehearsal/tools: no language model is connected.* "
    if not called:
        return head + "This request offers no function to call: add one to the assistant's tools, then send again.\n"
    lines = [head + "The tools were called once each, and gave back:", ""]
    for call in called:
        lines += [f"- `{call.name}`", "", *quoted(outputs.get(call.call_id, "(no output)")), ""]
    return "\n".join(lines)


def quoted(text: str) -> list[str]:
    """Lines that stand as preformatted text under a list item; of a long text the beginning."""
    lines = text.splitlines() or [""]
    more = [f"(and {len(lines) - REPORTED_LINES} more lines)"] if len(lines) > REPORTED_LINES else []
    return ["      " + line for line in [*lines[:REPORTED_LINES], *more]]
