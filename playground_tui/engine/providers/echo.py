"""The request a model would have got, as Markdown a person can check at a glance."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from playground_tui.engine.providers.base import AssistantTurn, ImagePart, ModelRequest, ToolOutput, Turn, UserTurn

SETTINGS = (
    "temperature",
    "top_p",
    "reasoning_effort",
    "response_format",
    "tool_choice",
    "parallel_tool_calls",
    "max_completion_tokens",
)


def echo(request: ModelRequest) -> str:
    """The whole request; its first line says that no model is connected."""
    sections = [
        "*rehearsal/echo: no language model is connected. This is the request one would have got.*",
        *_instructions(request.instructions),
        *_settings(request),
        *_tools(request),
        "## Thread",
        *(line for turn in request.turns for line in _turn(turn)),
    ]
    return "\n\n".join(sections) + "\n"


def _instructions(text: str) -> Iterator[str]:
    yield "## Instructions"
    yield fenced(text, "text") if text else "(none)"


def _settings(request: ModelRequest) -> Iterator[str]:
    given = [(name, value) for name in SETTINGS if (value := getattr(request, name)) is not None]
    yield "## Settings"
    if given:
        rows = [f"| {name} | {_cell(value)} |" for name, value in given]
        yield "\n".join(["| setting | value |", "|---|---|", *rows])
    else:
        yield "(the provider's defaults)"


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "`" + text.replace("`", "'").replace("|", "\\|").replace("\n", " ") + "`"


def _tools(request: ModelRequest) -> Iterator[str]:
    yield "## Tools"
    if not request.tools:
        yield "(none)"
    for tool in request.tools:
        yield from _tool(tool)


def _tool(tool: Mapping[str, Any]) -> Iterator[str]:
    function = tool.get("function") or {}
    about = " ".join(str(function.get("description") or "").split())
    yield f"**{function.get('name') or tool.get('type')}**" + (f": {about}" if about else "")
    if function.get("parameters"):
        yield fenced(json.dumps(function["parameters"], indent=2, ensure_ascii=False), "json")


def _turn(turn: Turn) -> Iterator[str]:
    match turn:
        case UserTurn(parts):
            yield "**user**"
            for part in parts:
                yield _quote(f"[image: {_short(part.url)}]" if isinstance(part, ImagePart) else part)
        case AssistantTurn(text, calls):
            yield "**assistant**"
            if text:
                yield _quote(_in_brief(text))
            for call in calls:
                yield f"calls **{call.name}** (`{call.call_id}`)"
                yield fenced(call.arguments, "json")
        case ToolOutput(call_id, output):
            yield f"**output of** `{call_id}`"
            yield fenced(output, "text")


def _quote(text: str) -> str:
    return "\n".join("> " + line for line in text.split("\n"))


def _in_brief(answer: str) -> str:
    """A rehearsed answer shows the thread before it, and would double it with each turn: its first line is enough."""
    first, _, rest = answer.partition("\n")
    if not first.startswith("*rehearsal/") or not rest.strip():
        return answer
    return f"{first}\n(and {len(rest):,} more characters)"


def _short(url: str) -> str:
    """A data URL holds the whole image: its beginning is enough."""
    return url if len(url) <= 100 else url[:80] + f"... ({len(url)} characters)"


def fenced(text: str, language: str) -> str:
    """A code block whose fence is longer than any in the text."""
    longest = max(map(len, re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
