"""Two states of an assistant beside each other, field by field, and how one becomes the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from playground_tui.assistants.comparison import Detail, Row, compared
from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.fields import API_FIELD, LABELS, Value
from playground_tui.assistants.objects import Json
from playground_tui.assistants.stored import files_for_code, stores_of
from playground_tui.assistants.versions import FILES, WORDS
from playground_tui.text import clean

OTHER_TOOLS: Final = "other_tools"
NAMES: Final = {**LABELS, OTHER_TOOLS: "other tools", FILES: WORDS[FILES]}
"""What is compared, in order, and what it is called. The last two are not edited in the form."""
_TOGETHER: Final = {"functions": "function", "schema": "response_format"}
"""Fields that come with another one, which says whether they are used."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in both states. `note` says what the rows cannot show."""

    field: str
    rows: Sequence[Row]
    note: str = ""

    @property
    def name(self) -> str:
        return NAMES[self.field]


def differing(old: AssistantDraft, new: AssistantDraft) -> list[str]:
    """The fields that differ, of those that are used in either state."""
    return [field for field in NAMES if text_of_field(old, field) != text_of_field(new, field)]


def differences(old: AssistantDraft, new: AssistantDraft, detail: Detail) -> list[Difference]:
    """The fields that differ; all of them with the detail `whole`. Call it in a thread."""
    wanted = NAMES if detail == "whole" else differing(old, new)
    found = []
    for field in wanted:
        one, other = text_of_field(old, field), text_of_field(new, field)
        rows = compared(clean(one), clean(other), detail)
        hidden = one != other and all(row.same for row in rows)
        note = "They differ in characters that cannot be shown." if hidden else ""
        if rows or note:
            found.append(Difference(field, rows, note))
    return found


def text_of_field(draft: AssistantDraft, field: str) -> str:
    """A field's value as text; "" for what is empty or not used."""
    if field == OTHER_TOOLS:
        return "\n".join(draft.other_tools)
    if field == FILES:
        return "\n".join(_files(draft.base))
    switch = _TOGETHER.get(field)
    if switch is not None and draft.value(switch) not in (True, "json_schema"):
        return ""
    return _shown(field, draft.value(field))


def _shown(field: str, value: Value) -> str:
    if value is None or (field == "reasoning_effort" and not value):
        return "default"
    if isinstance(value, bool):
        return "on" if value else "off"
    return value if isinstance(value, str) else f"{value:g}"


def _files(raw: Json) -> Iterator[str]:
    yield from (f"file search in {store}" for store in stores_of(raw))
    yield from (f"code interpreter with {file}" for file in files_for_code(raw))


def edits_to(old: AssistantDraft, fields: Collection[str]) -> dict[str, Value]:
    """The form's values that bring these fields back as `old` has them, with what comes with them.

    Definitions and schemas that `old` does not use are left alone: the form puts them aside.
    """
    wanted = {_TOGETHER.get(field, field) for field in fields}
    edits = {field: old.value(field) for field in API_FIELD if _TOGETHER.get(field, field) in wanted}
    unused = [field for field in _TOGETHER if not text_of_field(old, field)]
    return {field: value for field, value in edits.items() if field not in unused}


def choices(fields: Sequence[str]) -> list[str]:
    """What can be brought back alone, of these fields."""
    return list(dict.fromkeys(_TOGETHER.get(field, field) for field in fields))


def lines_of(difference: Difference) -> Iterator[str]:
    """A field's difference in lines, as diff writes them: `- ` before the old, `+ ` before the new ones."""
    for row in difference.rows:
        if row.same and row.old is not None:
            yield "  " + "".join(piece.text for piece in row.old)
            continue
        for mark, line in (("- ", row.old), ("+ ", row.new)):
            if line is not None:
                yield mark + "".join(piece.text for piece in line)
    if difference.note:
        yield f"  {difference.note}"
