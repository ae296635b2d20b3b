"""The events of runs, held against the contract's order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from tests.campaigns.wire import Event

_RUN_ENDS = ("completed", "incomplete", "failed", "cancelled", "expired")
_STEP_ENDS = ("completed", "failed", "cancelled", "expired")
LETTERS = {
    "thread.created": "T",
    "thread.run.created": "c",
    "thread.run.queued": "q",
    "thread.run.in_progress": "p",
    "thread.run.requires_action": "a",
    "thread.run.cancelling": "k",
    **{f"thread.run.{end}": "X" for end in _RUN_ENDS},
    "thread.run.step.created": "s",
    "thread.run.step.in_progress": "S",
    "thread.run.step.delta": "d",
    **{f"thread.run.step.{end}": "E" for end in _STEP_ENDS},
    "thread.message.created": "m",
    "thread.message.in_progress": "M",
    "thread.message.delta": "x",
    "thread.message.completed": "F",
    "thread.message.incomplete": "F",
    "done": "D",
}
"""One letter for each event: an order is an expression."""
_SAID, _DONE, _OPEN = "sSmMx*FE", "sSd*E", "sSd+a"
_ROUNDS = f"p?(?:{_SAID}|{_DONE})*"
CREATED = re.compile(f"T?cq{_ROUNDS}(?:{_OPEN}|X)D")
"""From the creation of a run to its first rest."""
RESUMED = re.compile(f"Eq{_ROUNDS}(?:{_OPEN}|X)D")
"""From tool outputs to the next rest."""
WHOLE = re.compile(f"T?cq(?:p|{_SAID}|{_DONE}|{_OPEN}Eq)*(?:{_OPEN}(?:EX)?|X)D")
"""All of a run, told again."""


def check_order(events: Sequence[Event], order: re.Pattern[str]) -> None:
    """The events come in this order; that a run is being cancelled may be said once, anywhere."""
    letters = "".join(LETTERS[name] for name, _ in events)
    assert letters.count("k") <= 1 and order.fullmatch(letters.replace("k", "")), [name for name, _ in events]


def text_of(events: Iterable[Event]) -> str:
    """What was said, from the deltas. The first of a message has annotations, none has null ones."""
    said, begun = "", set[str]()
    for name, data in events:
        if name == "thread.message.delta":
            (part,) = data["delta"]["content"]
            annotations = part["text"].get("annotations", [])
            assert annotations is not None and (data["id"] in begun or "annotations" in part["text"]), data
            begun.add(data["id"])
            said += part["text"]["value"]
    return said


def check_calls(events: Iterable[Event]) -> None:
    """The id of a call and the name of its function stand in its first delta alone: clients join the pieces."""
    begun = set[tuple[str, int]]()
    for step, call in _calls(events):
        place = (step, call["index"])
        assert ("id" in call) == (place not in begun), call
        assert "name" not in call.get("function", {}) or place not in begun, call
        begun.add(place)


def _calls(events: Iterable[Event]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, data in events:
        if name == "thread.run.step.delta":
            for call in data["delta"]["step_details"]["tool_calls"]:
                yield data["id"], call


def check_numbers(events: Sequence[Event], after: int) -> None:
    """The events have rising ids beyond `after`."""
    ids = [after, *(data["_id"] for _, data in events)]
    assert all(one < other for one, other in pairwise(ids)), ids
