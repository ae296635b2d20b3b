"""The list of an assistant's threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from playground_tui.assistants.objects import ThreadSummary
from playground_tui.text import clean, shorten
from playground_tui.ui.dialogs.chooser import Chooser, Row

HINT = "enter open · ctrl+n new · ctrl+d delete · ctrl+r deleted ones · ctrl+y copy id · esc close"


def thread_row(thread: ThreadSummary, when: Callable[[float], str]) -> Row:
    """One thread as a row: its first line, then time and count."""
    first = shorten(clean(thread.first_message, newlines=False).strip(), 60) or "(empty)"
    count = "1 message" if thread.message_count == 1 else f"{thread.message_count:,} messages"
    return Row(id=thread.id, title=first, detail=f"{when(thread.last_activity_at)} · {count}")


class ThreadPicker(Chooser):
    """Open or delete a thread, copy its id, or begin a new one (Choice("", "new")).

    Choice("", "deleted") asks for the list of those that were deleted.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+n", "ask_for('new')", priority=True),
        Binding("ctrl+d", "choose('delete')", priority=True),
        Binding("ctrl+r", "ask_for('deleted')", priority=True),
        Binding("ctrl+y", "choose('copy id')", priority=True),
    ]

    def __init__(self, title: str, threads: Sequence[ThreadSummary], when: Callable[[float], str]) -> None:
        rows = [thread_row(thread, when) for thread in threads]
        super().__init__(title, rows, hint=HINT, empty="no threads yet: write a message to begin one")
