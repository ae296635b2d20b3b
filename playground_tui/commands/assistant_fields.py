"""The options of `assistants create` and `update`, and the API fields they stand for."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from playground_tui.assistants import limits, metadata, tools
from playground_tui.assistants.objects import Json, object_of
from playground_tui.assistants.response_format import SchemaTextError, parse_schema
from playground_tui.assistants.tools import FunctionTextError
from playground_tui.commands.output import WrongUsage

_TYPE = re.compile(r"[a-z0-9_]+")
_DEFAULT = "default"
_TEXTS = ("name", "description", "instructions", "model")


def add_fields(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add = parser.add_argument
    add("--name", metavar="TEXT")
    add("--description", metavar="TEXT")
    add("--instructions", metavar="TEXT|@FILE", help="the text, or a file that holds it")
    add("--model", metavar="ID", help="PROVIDER/MODEL; `models` lists them")
    add(
        "--tool",
        action="append",
        metavar="TYPE|@FILE",
        help="file_search, code_interpreter, function (its functions stay), or a file that defines functions; may be "
        "repeated. It has these tools then and no others; `none` takes all away",
    )
    add("--temperature", metavar="N", help="0 to 2, or default")
    add("--top-p", metavar="N", help="0 to 1, or default")
    add("--response-format", metavar="TYPE|@FILE", help="auto, text, json_object, or a file with a JSON schema")
    add("--reasoning-effort", metavar="LEVEL", help="as the model knows it (low, medium, high), or default")
    add("--metadata", action="append", metavar="K=V", help="a pair; may be repeated; K= removes it")


def given_fields(arguments: argparse.Namespace, before: Json) -> dict[str, Any]:
    """The API fields that were given; tools and metadata begin from those of `before`. Raises WrongUsage."""
    fields: dict[str, Any] = {}
    for name in _TEXTS:
        text = getattr(arguments, name)
        if text is not None:
            fields[name] = _text(name, _content(text) if name == "instructions" else text)
    for name in ("temperature", "top_p"):
        number = getattr(arguments, name)
        if number is not None:
            fields[name] = _number(name, number)
    if arguments.reasoning_effort is not None:
        fields["reasoning_effort"] = None if arguments.reasoning_effort == _DEFAULT else arguments.reasoning_effort
    if arguments.response_format is not None:
        fields["response_format"] = _response_format(arguments.response_format)
    if arguments.tool is not None:
        fields["tools"] = _tools(arguments.tool, tools.tool_list(before))
    if arguments.metadata is not None:
        fields["metadata"] = _metadata(arguments.metadata, object_of(before, "metadata"))
    return fields


def _content(text: str) -> str:
    """`text`, or what stands in the file it names after @."""
    if not text.startswith("@"):
        return text
    path = Path(text[1:])
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise WrongUsage(f"{path} is not UTF-8 text.") from error


def _text(name: str, text: str) -> str:
    problem = limits.text_problem(name, text)
    if problem:
        raise WrongUsage(f"--{name}: {problem}.")
    return text


def _number(name: str, text: str) -> float | None:
    if text == _DEFAULT:
        return None
    option = f"--{name.replace('_', '-')}"
    try:
        number = float(text)
    except ValueError:
        raise WrongUsage(f"{option}: {text} is neither a number nor {_DEFAULT}.") from None
    problem = limits.number_problem(name, number)
    if problem:
        raise WrongUsage(f"{option}: {problem}.")
    return number


def _response_format(text: str) -> Any:
    if text == "auto":
        return text
    if not text.startswith("@"):
        return {"type": _type("--response-format", text)}
    try:
        return {"type": "json_schema", "json_schema": parse_schema(_content(text))}
    except SchemaTextError as error:
        raise WrongUsage(f"--response-format {text}: {error}.") from None


def _tools(wanted: Sequence[str], before: Sequence[Any]) -> list[Any]:
    if list(wanted) == ["none"]:
        return []
    chosen: list[Any] = []
    for text in wanted:
        chosen += _defined(text) if text.startswith("@") else _of_type(_type("--tool", text), before)
    return chosen


def _defined(text: str) -> list[Any]:
    try:
        definitions = tools.parse_functions(_content(text))
    except FunctionTextError as error:
        raise WrongUsage(f"--tool {text}: {error}.") from None
    return [{"type": "function", "function": definition} for definition in definitions]


def _of_type(kind: str, before: Sequence[Any]) -> list[Any]:
    """The tools of this type with the options they have, or a new one."""
    kept = [tool for tool in before if isinstance(tool, Mapping) and tool.get("type") == kind]
    if not kept and kind == "function":
        raise WrongUsage("--tool function: there is none yet; give its definition with --tool @FILE.")
    return kept or [{"type": kind}]


def _type(option: str, text: str) -> str:
    if not _TYPE.fullmatch(text):
        raise WrongUsage(f"{option}: {text} is not a type.")
    return text


def _metadata(given: Sequence[str], before: Json) -> dict[str, str]:
    pairs = {key: metadata.shown(value) for key, value in before.items()}
    for pair in given:
        key, found, value = pair.partition("=")
        if not found or not key:
            raise WrongUsage(f"--metadata {pair}: write KEY=VALUE.")
        pairs.pop(key, None)
        if value:
            pairs[key] = value
    problem = limits.metadata_problem(pairs)
    if problem:
        raise WrongUsage(f"--metadata: {problem}.")
    return pairs
