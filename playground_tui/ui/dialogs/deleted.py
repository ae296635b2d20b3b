"""The lists of what was deleted and can be brought back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from playground_tui.assistants.objects import Assistant, ThreadSummary
from playground_tui.assistants.versions import Deleted
from playground_tui.ui.dialogs.assistants import assistant_row
from playground_tui.ui.dialogs.chooser import Chooser, Row
from playground_tui.ui.dialogs.threads import thread_row
from playground_tui.ui.times import clock_time

HINT = "enter restore · ctrl+y copy id · esc close"


def when(at: float) -> str:
    """A time, as short as it can be said now."""
    return clock_time(at, time.time())


class DeletedPicker(Chooser):
    """Restore one, or copy its id."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+y", "choose('copy id')", priority=True)]

    def __init__(self, title: str, rows: Sequence[Row]) -> None:
        super().__init__(title, rows, hint=HINT, empty="nothing was deleted in the last 30 days")


def deleted_assistants(found: Sequence[Deleted[Assistant]]) -> list[Row]:
    """The rows of assistants, each with the days left."""
    return [_row(one, assistant_row(one.what).title) for one in found]


def deleted_threads(found: Sequence[Deleted[ThreadSummary]]) -> list[Row]:
    """The rows of threads, each with the days left."""
    return [_row(one, thread_row(one.what, when).title) for one in found]


def _row(one: Deleted[Assistant] | Deleted[ThreadSummary], title: str) -> Row:
    return Row(one.what.id, title, f"deleted {when(one.at)} · {one.left(time.time())}")
