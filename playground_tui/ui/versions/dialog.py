"""The versions of the open assistant: a list, and how the chosen one differs from what is in the form."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

from rich.cells import set_cell_size
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from playground_tui.assistants.comparison import Detail
from playground_tui.assistants.differences import NAMES, choices, differing, text_of_field
from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.errors import AssistantsError
from playground_tui.desk.history import NOW, UNSAVED, Moment
from playground_tui.text import clean, shorten
from playground_tui.ui.dialogs.chooser import Chooser, Row
from playground_tui.ui.dialogs.dialog import Dialog
from playground_tui.ui.keys import SEPARATOR
from playground_tui.ui.times import clock_time
from playground_tui.ui.versions.lines import MIDDLE, NEW, OLD
from playground_tui.ui.versions.view import WIDE, ComparisonView

HINTS: Final = ("enter restore", "f one field", "pgdn scroll", "w whole", "space compare with this", "esc close")
"""What the keys do, the last always said, the others as many as there is room for."""
_VERSION: Final = "version "
_FRAME: Final = 4
"""Columns of the dialog's frame."""
_SETTLE: Final = 0.06
"""Seconds for which a row stays highlighted before it is compared: keys held down run over many."""


@dataclass(frozen=True, slots=True)
class Restore:
    """What was chosen: the state with this key, whole or in these fields."""

    key: str
    fields: Sequence[str] = tuple(NAMES)


class States(Protocol):
    """The states behind the dialog. What asks the server raises AssistantsError."""

    more: bool

    async def older(self) -> list[Moment]: ...
    async def draft(self, key: str) -> AssistantDraft: ...


class VersionsDialog(Dialog[Restore | None]):
    """Dismissed with what is to be restored, or None for escape."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", priority=True),
        Binding("enter", "restore", "Restore", priority=True),
        Binding("f", "one_field", "One field", priority=True),
        Binding("space", "compare_with", "Compare", priority=True),
        Binding("w", "whole", "Whole", priority=True),
        Binding("pagedown", "pages(1)", show=False, priority=True),
        Binding("pageup", "pages(-1)", show=False, priority=True),
    ]
    AUTO_FOCUS = "#moments"

    moments = query_one("#moments", OptionList)
    view = query_one(ComparisonView)

    def __init__(self, title: str, moments: Sequence[Moment], states: States) -> None:
        super().__init__(classes="versions")
        self._title = title
        self._known = list(moments)
        self._states = states
        self._against = moments[0]
        self._detail: Detail = "brief"
        self._reading = False
        numbers = [moment.title.removeprefix(_VERSION) for moment in moments if moment.title.startswith(_VERSION)]
        self._digits = max(map(len, numbers), default=0)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(self._title), classes="dialog-title")
            with Container(id="history"):
                yield OptionList(id="moments", compact=True, markup=False)
                with Vertical(id="compared"):
                    yield Static(id="comparison-head", markup=False)
                    yield ComparisonView()
            yield Static(classes="dialog-problem", markup=False)
            yield Static(classes="dialog-hint", markup=False)

    def on_mount(self) -> None:
        self._fill()
        self.moments.highlighted = self._first()

    def _first(self) -> int:
        """The newest state that can differ from what is in the form: where all is saved, the newest version cannot."""
        saved = self._known[0].what != UNSAVED and self._known[1:2] and self._known[1].title.startswith(_VERSION)
        return min(2 if saved else 1, len(self._known) - 1)

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._fill)
        self.query_one(".dialog-hint", Static).update(Content(_hint(self.size.width - _FRAME)))

    # The list

    def _fill(self) -> None:
        chosen = self.moments.highlighted
        with self.prevent(OptionList.OptionHighlighted):
            self.moments.set_options([Option(self._prompt(moment), id=moment.key) for moment in self._known])
            self.moments.highlighted = chosen
        self._show_head()

    def _prompt(self, moment: Moment) -> Content:
        """One line, or two where the list is a column of its own."""
        width = max(20, self.moments.scrollable_content_region.width)
        when = clock_time(moment.at, time.time()) if moment.at else ""
        title = moment.title.removeprefix(_VERSION).rjust(self._digits)
        first = f"{'=' if moment is self._against else ' '} {title}  {when}{'  ' if when else ''}"
        if self.size.width < WIDE:
            rest = " · ".join(filter(None, (moment.what, moment.where)))
            return Content(first + shorten(rest, width - len(first)))
        second = f"\n    {shorten(moment.where, width - 4)}" if moment.where else ""
        return Content(first + shorten(moment.what, width - len(first)) + second)

    @property
    def _chosen(self) -> Moment | None:
        at = self.moments.highlighted
        return self._known[at] if at is not None and at < len(self._known) else None

    @on(OptionList.OptionHighlighted, "#moments")
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self.say("")
        self._compare()
        if event.option_index >= len(self._known) - 2 and self._states.more and not self._reading:
            self._reading = True
            self._read_older()

    @work(group="older")
    async def _read_older(self) -> None:
        try:
            self._known += await self._states.older()
        except AssistantsError as error:
            self.say(f"The older versions could not be read: {error}")
        else:
            self._fill()
        finally:
            self._reading = False

    def say(self, sentence: str) -> None:
        """Say what went wrong; "" takes it away."""
        problem = self.query_one(".dialog-problem", Static)
        problem.update(Content(clean(sentence)))
        problem.display = bool(sentence)

    # The comparison

    def _compare(self) -> None:
        if (chosen := self._chosen) is not None:
            self._show_head()
            self._compare_with(chosen, self._against)

    @work(group="compare", exclusive=True)
    async def _compare_with(self, chosen: Moment, against: Moment) -> None:
        await asyncio.sleep(_SETTLE)
        try:
            old, new = await self._states.draft(chosen.key), await self._states.draft(against.key)
        except AssistantsError as error:
            self.view.say(f"It could not be read: {error}")
            return
        await self.view.compare(old, new, self._detail)

    def _show_head(self) -> None:
        """Which states are compared, over the columns or over the lines."""
        chosen, look = self._chosen, self.view.look
        if chosen is None:
            return
        left, right = OLD + _called(chosen), NEW + _called(self._against)
        if look.columns:
            text = f"{set_cell_size(left, look.column)}{MIDDLE}{set_cell_size(right, look.column)}"
        else:
            text = f"{shorten(left, look.width)}\n{shorten(right, look.width)}"
        self.query_one("#comparison-head", Static).update(Content(text))

    # The keys

    def action_pages(self, pages: int) -> None:
        self.view.pages(pages)

    def action_whole(self) -> None:
        """Everything, or again what differs."""
        self._detail = "brief" if self._detail == "whole" else "whole"
        self._compare()

    def action_compare_with(self) -> None:
        """Compare all others with the highlighted state; again: with what is in the form."""
        chosen = self._chosen
        if chosen is not None:
            self._against = self._known[0] if chosen is self._against else chosen
            self._fill()
            self._compare()

    @work(group="restore", exclusive=True)
    async def action_restore(self) -> None:
        """Dismiss with the highlighted state."""
        chosen = await self._to_restore()
        if chosen is not None:
            self.dismiss(Restore(chosen[0].key))

    @work(group="restore", exclusive=True)
    async def action_one_field(self) -> None:
        """Ask which field of it."""
        chosen = await self._to_restore()
        if chosen is None:
            return
        moment, old, fields = chosen
        rows = [Row(field, NAMES[field], shorten(text_of_field(old, field), 60) or "empty") for field in fields]
        title = f"Which field of {moment.title}?"
        picked = await self.app.push_screen_wait(Chooser(title, rows, hint="enter restore · esc back", empty=""))
        if picked is not None:
            self.dismiss(Restore(moment.key, (picked.id,)))

    async def _to_restore(self) -> tuple[Moment, AssistantDraft, list[str]] | None:
        """What is highlighted and the fields in which it differs from the form; None, said, where it does not."""
        chosen = self._chosen
        if chosen is None:
            return None
        try:
            old = await self._states.draft(chosen.key)
            fields = choices(await asyncio.to_thread(differing, old, await self._states.draft(NOW)))
        except AssistantsError as error:
            self.say(f"It could not be read: {error}")
            return None
        if not fields:
            self.say("There is nothing to restore: the form holds the same.")
            return None
        return chosen, old, fields


def _hint(width: int) -> str:
    """The keys on one line."""
    said = list(HINTS)
    while len(said) > 1 and len(SEPARATOR.join(said)) > width:
        del said[-2]
    return SEPARATOR.join(said)


def _called(moment: Moment) -> str:
    when = clock_time(moment.at, time.time()) if moment.at else ""
    return " · ".join(filter(None, (moment.title, when, clean(moment.where or moment.what, newlines=False))))
