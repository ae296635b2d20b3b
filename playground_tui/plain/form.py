"""The open assistant: its fields in words, and what happens to them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence

from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.editor import Elsewhere
from playground_tui.assistants.fields import API_FIELD, LABELS, Value
from playground_tui.assistants.save_state import SaveState, clock_time
from playground_tui.assistants.sent import TOOLS
from playground_tui.plain.chat import Voice
from playground_tui.text import shorten

SAID = frozenset({"saved", "failed", "invalid", "deleted"})
"""States that are told when they are entered; the others are told when asked."""
SHOWN = 60
"""Characters of a value that are read in a list."""


class PlainForm:
    """Holds the draft, and tells each edit of it to `edited`."""

    def __init__(self, voice: Voice, save: str) -> None:
        self._voice = voice
        self._save = save
        self.draft = AssistantDraft()
        self.models: tuple[str, ...] = ()
        self.state = SaveState("saved")
        self.elsewhere: dict[str, Elsewhere] = {}
        self.tool_problems: dict[str, str] = {}
        self.held: dict[str, Value] = {}
        """The field being typed, as far as it is typed."""
        self.edited: Callable[[AssistantDraft], None] = lambda draft: None

    def show(self, draft: AssistantDraft, *, models: Sequence[str] | None = None) -> None:
        self.draft = draft
        self.elsewhere, self.held = {}, {}
        if models is not None:
            self.models = tuple(models)

    def show_tool_problems(self, problems: Mapping[str, str]) -> None:
        for tool, sentence in problems.items():
            if sentence and self.tool_problems.get(tool) != sentence:
                self._voice.say(f"{TOOLS.get(tool, tool)}: {sentence}")
        self.tool_problems = dict(problems)

    def update_draft(self, draft: AssistantDraft) -> None:
        self.draft = draft

    def heard(self, draft: AssistantDraft) -> None:
        """Every edit is told as it is made: there is nothing in between."""

    def settle(self) -> AssistantDraft:
        return self.draft

    def set_value(self, field: str, value: Value) -> None:
        draft = self.draft.with_(**{field: value})
        if draft is not self.draft:
            self.draft = draft
            self.edited(draft)

    def set_models(self, models: Sequence[str]) -> None:
        self.models = tuple(models)

    def show_state(self, state: SaveState) -> None:
        before, self.state = self.state, state
        again = (state.kind, state.detail, state.at) == (before.kind, before.detail, before.at)
        same_failure = state.kind == before.kind == "failed" and state.detail == before.detail
        if state.kind in SAID and not again and not same_failure and (state.at or state.kind != "saved"):
            self._voice.say(f"assistant form: {self.sentence()}.")

    def sentence(self) -> str:
        """Where the saving stands."""
        return self.state.sentence(time.time(), self._save).rstrip(".")

    def show_elsewhere(self, elsewhere: Mapping[str, Elsewhere]) -> None:
        for field, other in elsewhere.items():
            before = self.elsewhere.get(field)
            if before is None or before.at != other.at:
                self._voice.say(self._changed(field, other))
        self.elsewhere = dict(elsewhere)

    def _changed(self, field: str, other: Elsewhere) -> str:
        when = clock_time(other.at, time.time())
        kept = "the new value is taken" if other.taken else "yours stays"
        value = shown(other.value)
        aside = f"the one before was: {value}" if other.taken else f"the other one is: {value}"
        return f"{LABELS[field]} was changed elsewhere at {when}: {kept}, {aside}. /edit {field} can swap them."

    def show_notes(self, notes: Mapping[str, str]) -> None:
        for field, note in notes.items():
            self._voice.say(f"{LABELS[field]}: {note}.")

    # In words

    @property
    def name(self) -> str:
        """What the assistant is called in a sentence."""
        return shorten(self.draft.text("name"), SHOWN) or "without a name"

    def fields(self) -> list[str]:
        """The fields that can be edited now: definitions and schema only where they are used."""
        hidden = set()
        if self.draft.value("function") is not True:
            hidden.add("functions")
        if self.draft.value("response_format") != "json_schema":
            hidden.add("schema")
        return [field for field in API_FIELD if field not in hidden]

    def line(self, field: str) -> str:
        """A field with its value, and what is wrong with it."""
        problem = self.draft.problem(field) if self.draft.blocks(field) else ""
        warning = "" if problem else self.draft.warning(field, self.models)
        remark = f". Problem: {problem}" if problem else f". Note: {warning}" if warning else ""
        return f"{LABELS[field]}: {in_words(field, self.draft.value(field))}{remark}"


def in_words(field: str, value: Value) -> str:
    """A field's value for a list."""
    if field == "reasoning_effort":
        return str(value or "default")
    if field == "functions" and isinstance(value, str):
        return _functions(value)
    return shown(value)


def shown(value: Value) -> str:
    """A value, short."""
    if value is None:
        return "default"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float | int):
        return f"{value:g}"
    lines = value.strip().count("\n") + 1
    if not value.strip():
        return "empty"
    if lines == 1 and len(value) <= SHOWN:
        return shorten(value, SHOWN)
    size = f"{lines} lines, " if lines > 1 else ""
    return f"{size}{len(value):,} characters, begins: {shorten(value, SHOWN)}"


def _functions(text: str) -> str:
    try:
        found = json.loads(text)
    except ValueError:
        return shown(text)
    found = found if isinstance(found, list) else [found]
    names = [item["name"] for item in found if isinstance(item, dict) and isinstance(item.get("name"), str)]
    return f"{len(names)} defined: {shorten(', '.join(names), 200)}" if names else shown(text)
