"""An assistant's list of tools, edited in place: what is not understood keeps its place and its options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from playground_tui.assistants import json_text
from playground_tui.assistants.json_text import JsonTextError
from playground_tui.assistants.objects import Json, text_of

SWITCHES = ("file_search", "code_interpreter")
"""Tool types that are on or off."""

MOST_TOOLS = 128
_FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class FunctionTextError(Exception):
    """The text does not define functions. `str(error)` says why, as the end of a sentence."""


def tool_list(raw: Json) -> list[Any]:
    """The assistant's `tools` as the server has them, odd entries included."""
    tools = raw.get("tools")
    return list(tools) if isinstance(tools, list | tuple) else []


def has(tools: Sequence[Any], kind: str) -> bool:
    """Whether a tool of this type is there; `function` counts real definitions alone."""
    return any(_kind(tool) == kind for tool in tools)


def others(tools: Sequence[Any]) -> list[str]:
    """What the tools are called that this program keeps but does not edit."""
    return [_name_of_other(tool) for tool in tools if _kind(tool) not in (*SWITCHES, "function")]


def functions(tools: Sequence[Any]) -> list[Json]:
    """The function definitions in the list, in its order."""
    return [tool["function"] for tool in tools if _kind(tool) == "function"]


def function_text(tools: Sequence[Any]) -> str:
    """The function definitions as a person edits them: a JSON array, or "" without any."""
    definitions = functions(tools)
    return json_text.render(definitions) if definitions else ""


def parse_functions(text: str) -> list[dict[str, Any]]:
    """The definitions in `text`: one object or an array of them, each bare or as a whole tool.

    Raises FunctionTextError: not JSON, a definition without a good name, names used twice, parameters that are not
    an object (names: 1 to 64 of letters, digits, `_` and `-`).
    """
    if not text.strip():
        return []
    try:
        value = json_text.parse(text)
    except JsonTextError as error:
        raise FunctionTextError(f"not valid JSON: {error}") from None
    items = value if isinstance(value, list) else [value]
    definitions = [_definition(item, number) for number, item in enumerate(items, start=1)]
    names = [definition["name"] for definition in definitions]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise FunctionTextError(f"{twice!r} is defined twice")
    return definitions


def _definition(item: Any, number: int) -> dict[str, Any]:
    if isinstance(item, Mapping) and item.get("type") == "function" and isinstance(item.get("function"), Mapping):
        item = item["function"]
    if not isinstance(item, Mapping):
        raise FunctionTextError(f"definition {number} is not an object with a name")
    name = item.get("name")
    if not isinstance(name, str) or not name:
        raise FunctionTextError(f"definition {number} needs a name")
    if not _FUNCTION_NAME.fullmatch(name):
        raise FunctionTextError(f"the name {name[:70]!r} may have letters, digits, _ and - alone, at most 64")
    if not isinstance(item.get("parameters", {}), Mapping | None):
        raise FunctionTextError(f"the parameters of {name} are not a JSON object")
    return dict(item)


def edited(tools: Sequence[Any], switches: Mapping[str, bool], definitions: Sequence[Json] | None) -> list[Any]:
    """The list with each switch on or off and these function definitions; None leaves the functions as they are.

    Definitions fill the places of the functions in their order, further ones follow the last of them. A function's
    tool keeps its other options, found by the function's name.
    """
    kept = [tool for tool in tools if switches.get(_kind(tool), True)]
    if definitions is not None:
        kept = _with_functions(kept, definitions)
    missing = [kind for kind, on in switches.items() if on and not has(kept, kind)]
    return [*kept, *({"type": kind} for kind in missing)]


def _with_functions(tools: Sequence[Any], definitions: Sequence[Json]) -> list[Any]:
    named = {text_of(tool["function"], "name"): tool for tool in tools if _kind(tool) == "function"}
    fresh: Iterator[Any] = iter(
        [{"type": "function", **named.get(text_of(item, "name"), {}), "function": item} for item in definitions]
    )
    places = [index for index, tool in enumerate(tools) if _kind(tool) == "function"]
    last = places[-1] if places else len(tools) - 1
    result: list[Any] = []
    for index, tool in enumerate(tools):
        result.extend(([item] if (item := next(fresh, None)) else []) if index in places else [tool])
        if index == last:
            result.extend(fresh)
    return [*result, *fresh]


def _kind(tool: Any) -> str:
    """The type by which the form knows the tool; a function without a definition is kept like any odd tool."""
    kind = tool.get("type") if isinstance(tool, Mapping) else None
    if kind == "function":
        return "function" if isinstance(tool.get("function"), Mapping) else ""
    return kind if isinstance(kind, str) else ""


def _name_of_other(tool: Any) -> str:
    kind = tool.get("type") if isinstance(tool, Mapping) else None
    return kind if isinstance(kind, str) and kind else "a tool without a type"
