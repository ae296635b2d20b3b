"""The calls of a tool_calls step as they are stored, as the API shows them, and as a model is told of them.

A stored call is the contract's object. `_number` of a file search counts the searches of its thread from 0, `_files` of
a piece of code are the files it made (`{file_id, path}`): a call that has these is done. Keys with `_` are not shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from playground_tui.engine.runs.tools.offer import Offer

Json = Mapping[str, Any]

CHARACTERS_PER_TOKEN = 4
"""A rough measure, used only where no provider has counted yet."""
FOUND_TOKENS = 16_000
"""A model gets at most about so many tokens of what one search found."""
OLD_FOUND_TOKENS = 1_000
"""What an earlier run found was answered then; so much of it is told again."""
LOGS_CHARACTERS = 40_000
"""A model gets at most so many characters of what one piece of code printed: its beginning and its end."""
SANDBOX = "/mnt/data/"
"""The directory that code finds its files in."""


def is_done(call: Json) -> bool:
    """Whether a call has its output."""
    if call["type"] == "function":
        return call["function"].get("output") is not None
    return ("_number" if call["type"] == "file_search" else "_files") in call


def arguments_of(call: Json) -> str:
    """The arguments of a call as JSON text."""
    if call["type"] == "function":
        return str(call["function"]["arguments"])
    if call["type"] == "file_search":
        return json.dumps({"queries": call["file_search"].get("queries", [])}, ensure_ascii=False)
    return json.dumps({"code": call["code_interpreter"]["input"]}, ensure_ascii=False)


def name_of(call: Json, offer: Offer) -> str:
    """The name of the function that a model is told it has called."""
    return str(call["function"]["name"]) if call["type"] == "function" else offer.name_of(call["type"])


def output_of(call: Json, *, found_tokens: int = FOUND_TOKENS) -> str:
    """What a model is told that a call which is done gave."""
    if call["type"] == "function":
        return str(call["function"]["output"])
    if call["type"] == "file_search":
        return _passages(call, found_tokens)
    return "\n".join(_printed(call)) or "(no output)"


def marker(call: Json, place: int) -> str:
    """How an answer cites result `place` of a search."""
    name = call["file_search"]["results"][place]["file_name"]
    return f"【{call['_number']}:{place}†{_in_one_line(name)}】"


def shown_call(call: Json, *, content: bool) -> dict[str, Any]:
    """A call as the API answers it; `content`: with the text of what a search found."""
    public = {key: value for key, value in call.items() if not key.startswith("_")}
    results = call["file_search"].get("results") if call["type"] == "file_search" else None
    if results and not content:
        bare = [{key: value for key, value in result.items() if key != "content"} for result in results]
        public["file_search"] = {**call["file_search"], "results": bare}
    return public


def output_delta(call: Json, *, content: bool) -> dict[str, Any]:
    """What a delta says of the output of an own call that is done."""
    shown = shown_call(call, content=content)
    if call["type"] == "file_search":
        found = {key: shown["file_search"][key] for key in ("ranking_options", "results")}
        return {"type": "file_search", "file_search": found}
    return {"type": "code_interpreter", "code_interpreter": {"outputs": _numbered(call)}}


def whole_delta(call: Json, *, content: bool) -> dict[str, Any]:
    """All of a call as one delta; a function's output is no part of any."""
    shown = shown_call(call, content=content)
    if call["type"] == "function":
        shown["function"] = {**call["function"], "output": None}
    if call["type"] == "code_interpreter":
        shown["code_interpreter"] = {**call["code_interpreter"], "outputs": _numbered(call)}
    return shown


def _numbered(call: Json) -> list[dict[str, Any]]:
    return [{"index": index, **output} for index, output in enumerate(call["code_interpreter"]["outputs"])]


def _passages(call: Json, tokens: int) -> str:
    results: Sequence[Json] = call["file_search"]["results"]
    notes = [call["_note"]] if call.get("_note") else []
    room = tokens * CHARACTERS_PER_TOKEN
    told: list[str] = []
    for place, result in enumerate(results):
        passage = f"{marker(call, place)}\n{''.join(part['text'] for part in result['content'])}"
        if told and len(passage) > room:
            notes.append(f"({len(results) - place} more passages are left out here.)")
            break
        told.append(passage[: max(room, 0)])
        room -= len(passage)
    return "\n\n".join([*(told or ["(nothing was found)"]), *notes])


def _printed(call: Json) -> Iterator[str]:
    for output in call["code_interpreter"]["outputs"]:
        if output["type"] == "logs":
            yield _middle_out(output["logs"])
        else:
            yield "(A figure was shown to the user.)"
    for made in call["_files"]:
        yield f"(File written: {SANDBOX}{made['path']})"


def _middle_out(text: str) -> str:
    if len(text) <= LOGS_CHARACTERS:
        return text
    half, left_out = LOGS_CHARACTERS // 2, len(text) - LOGS_CHARACTERS
    return f"{text[:half]}\n({left_out:,} characters are left out here.)\n{text[-half:]}"


def _in_one_line(name: str) -> str:
    return " ".join(name.replace("【", "(").replace("】", ")").split())
