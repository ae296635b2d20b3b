"""The picker of assistants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from playground_tui.assistants.objects import Assistant
from playground_tui.cache.state import DraftState
from playground_tui.text import clean, shorten
from playground_tui.ui.dialogs.chooser import Chooser, Row

NOT_CREATED = "begun, not created yet"
HINT = "enter open · ctrl+n new · ctrl+k clone · ctrl+d delete · ctrl+r deleted ones · ctrl+y copy id · esc close"


def assistant_row(assistant: Assistant) -> Row:
    """One assistant as a row: its name, then model and tools, under its category."""
    tools = ", ".join(dict.fromkeys(assistant.tool_types))
    detail = " · ".join(filter(None, (assistant.model, tools)))
    return Row(
        id=assistant.id,
        title=shorten(clean(assistant.name, newlines=False), 60) or f"(no name) {assistant.id}",
        detail=clean(detail, newlines=False),
        group=clean(assistant.category, newlines=False),
    )


def draft_row(draft: DraftState) -> Row:
    """An assistant that was begun and not created yet."""
    name = draft.edits.get("name") or draft.base.get("name")
    title = shorten(clean(name, newlines=False), 60) if isinstance(name, str) and name else "(no name)"
    return Row(id=draft.key, title=title, group=NOT_CREATED)


class AssistantPicker(Chooser):
    """Open, clone, delete an assistant, copy its id, or begin a new one (Choice("", "new")).

    Choice("", "deleted") asks for the list of those that were deleted.

    `drafts` are assistants that were begun and not created yet.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "ask_for('new')", priority=True),
        Binding("ctrl+k", "choose('clone')", priority=True),
        Binding("ctrl+d", "choose('delete')", priority=True),
        Binding("ctrl+r", "ask_for('deleted')", priority=True),
        Binding("ctrl+y", "choose('copy id')", priority=True),
    ]

    def __init__(self, assistants: Sequence[Assistant], drafts: Sequence[DraftState] = (), *, where: str) -> None:
        super().__init__(
            f"Assistants on {where}",
            [*map(draft_row, drafts), *map(assistant_row, assistants)],
            hint=HINT,
            empty="no assistants yet: ctrl+n begins one",
        )
