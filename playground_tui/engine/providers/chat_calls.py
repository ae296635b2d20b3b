"""Putting function calls together from the deltas of Chat Completions servers, which differ in how they send them.

The usual way is an id and a name first, then arguments under the same `index`. Also met: whole calls in one delta, no
`index`, one `index` for every call, no id, arguments as an object, a name after the first arguments.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from playground_tui.engine.providers.base import CallArguments, CallBegun, ProviderEvent
from playground_tui.engine.providers.shapes import mapping


@dataclass(slots=True)
class Call:
    """One call on its way: it has its `place` among the others from its name on. `waiting` are arguments that came
    before that."""

    index: object
    place: int = 0
    id: str = ""
    name: str = ""
    waiting: str = ""


class Calls:
    """The calls of one answer, in the order they began."""

    def __init__(self) -> None:
        self._calls: list[Call] = []

    def __bool__(self) -> bool:
        return any(call.name for call in self._calls)

    def take(self, deltas: Iterable[Mapping[str, Any]]) -> Iterator[ProviderEvent]:
        """What these deltas begin and add."""
        for delta in deltas:
            function = mapping(delta.get("function"))
            yield from self._add(self._call_of(delta, function), delta, function)

    def _add(self, call: Call, delta: Mapping[str, Any], function: Mapping[str, Any]) -> Iterator[ProviderEvent]:
        text = arguments_text(function.get("arguments"))
        if not call.name:
            call.id = call.id or str(delta.get("id") or "")
            call.place = sum(1 for other in self._calls if other.name)
            call.name = str(function.get("name") or "")
            call.waiting += text
            if not call.name:
                return
            call.id = call.id or f"call_{secrets.token_hex(12)}"
            yield CallBegun(call.place, call.id, call.name)
            text = call.waiting
        if text:
            yield CallArguments(call.place, text)

    def _call_of(self, delta: Mapping[str, Any], function: Mapping[str, Any]) -> Call:
        """The call a delta belongs to: the last one of its index unless it names another."""
        index = delta.get("index")
        known = [call for call in self._calls if index is None or call.index == index]
        if known and not self._another(known[-1], delta, function):
            return known[-1]
        call = Call(index)
        self._calls.append(call)
        return call

    def _another(self, call: Call, delta: Mapping[str, Any], function: Mapping[str, Any]) -> bool:
        """Whether the delta begins a call of its own though `call` has the same index, or none is given."""
        if delta.get("id") and call.id:
            return bool(delta["id"] != call.id)
        return bool(call.name and function.get("name") and "index" not in delta)


def arguments_text(arguments: object) -> str:
    """Arguments as JSON text; some servers send the object itself."""
    if isinstance(arguments, str):
        return arguments
    return "" if arguments is None else json.dumps(arguments, ensure_ascii=False)
