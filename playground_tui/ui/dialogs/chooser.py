"""A list to choose from, with a search box over it: the base of the pickers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from playground_tui.text import clean
from playground_tui.ui.dialogs.dialog import Dialog
from playground_tui.ui.line import Line

SHOWN = 100
"""Rows shown at once: more than anybody scrolls through, few enough to lay out at every key."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to choose. `search` is what the search box looks in; rows with one `group` stand under its heading."""

    id: str
    title: str
    detail: str = ""
    group: str = ""

    @property
    def search(self) -> str:
        return f"{self.title} {self.detail} {self.group}"


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen: the row's id, and what to do with it (`open` unless a key says otherwise)."""

    id: str
    action: str = "open"


def unique(rows: Sequence[Row]) -> list[Row]:
    """The rows, the first of each id: a server may list something twice."""
    return list({row.id: row for row in reversed(rows)}.values())[::-1]


def likeness(query: str, text: str) -> float:
    """How well a text fits a search: best where it begins with it, 0 where it does not even have its letters in order.

    It takes one pass: Textual's own search tries every way to find the letters, for minutes in a long text.
    """
    query, text = query.casefold().strip(), text.casefold()
    if (at := text.find(query)) >= 0:
        return 5.0 if at == 0 else 4.0 if not text[at - 1].isalnum() else 3.0
    if all(word in text for word in query.split()):
        return 2.0
    letters = "".join(query.split())
    begin = at = text.find(letters[0])
    for letter in letters[1:]:
        if at < 0:
            break
        at = text.find(letter, at + 1)
    return len(letters) / (at - begin + 1) if at >= 0 else 0.0


class Chooser(Dialog[Choice | None]):
    """Search, then enter. Dismissed with a Choice, or None for escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", priority=True),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("pagedown", "move(10)", show=False, priority=True),
        Binding("pageup", "move(-10)", show=False, priority=True),
    ]
    AUTO_FOCUS = "#search"

    search = query_one("#search", Input)
    choices = query_one("#choices", OptionList)

    def __init__(
        self, title: str, rows: Sequence[Row], *, hint: str, empty: str, text: str = "", asks: str = "type to search"
    ) -> None:
        """`text` stands in the search box at first, `asks` while it is empty."""
        super().__init__(classes="chooser")
        self._title = title
        self._rows = unique(rows)
        self._hint = hint
        self._empty = empty
        self._text = text
        self._asks = asks

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(clean(self._title, newlines=False)), classes="dialog-title")
            yield Line(self._text, placeholder=self._asks, id="search", compact=True, select_on_focus=False)
            yield OptionList(id="choices", compact=True, markup=False)
            yield Static(classes="dialog-problem", markup=False)
            yield Static(Content(clean(self._hint, newlines=False)), classes="dialog-hint")

    def say(self, sentence: str) -> None:
        """Say what went wrong; "" takes it away."""
        problem = self.query_one(".dialog-problem", Static)
        problem.update(Content(clean(sentence)))
        problem.display = bool(sentence)

    def on_mount(self) -> None:
        self._fill(self._text)

    @on(Input.Changed, "#search")
    def _searched(self, event: Input.Changed) -> None:
        event.stop()
        self._fill(event.value)

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show other rows under the same search."""
        self._rows = unique(rows)
        self._fill(self.search.value)

    def _fill(self, query: str) -> None:
        self.show_rows(self._matching(query))

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows, the first of them highlighted."""
        options: list[Option] = []
        group = ""
        for row in rows[:SHOWN]:
            if row.group != group:
                group = row.group
                options.append(Option(Content.styled(clean(group, newlines=False), "bold"), disabled=True))
            options.append(Option(self._prompt(row), id=row.id))
        if len(rows) > SHOWN:
            options.append(Option(Content(f"… and {len(rows) - SHOWN:,} more: type to narrow"), disabled=True))
        if not rows:
            options.append(Option(Content(self._empty if not self._rows else "nothing matches"), disabled=True))
        self.choices.set_options(options)
        self.choices.highlighted = next((i for i, option in enumerate(options) if not option.disabled), None)

    def _matching(self, query: str) -> list[Row]:
        if not query.strip():
            return sorted(self._rows, key=lambda row: row.group.casefold()) if self._grouped else self._rows
        scored = [(likeness(query, row.search), row) for row in self._rows]
        found = [pair for pair in scored if pair[0] > 0]
        best: dict[str, float] = {}
        for score, row in found:
            best[row.group] = max(best.get(row.group, 0.0), score)
        found.sort(key=lambda pair: (-best[pair[1].group], pair[1].group, -pair[0]))
        return [row for _, row in found]

    @property
    def _grouped(self) -> bool:
        return any(row.group for row in self._rows)

    @staticmethod
    def _prompt(row: Row) -> Content:
        title, detail = clean(row.title, newlines=False), clean(row.detail, newlines=False)
        return Content.assemble(title, (f"  {detail}", "dim")) if detail else Content(title)

    def action_move(self, rows: int) -> None:
        """Move the highlight by `rows`, over headings, and stop at the ends."""
        current = self.choices.highlighted
        enabled = [i for i, option in enumerate(self.choices.options) if not option.disabled]
        if not enabled:
            return
        at = enabled.index(current) if current in enabled else 0
        self.choices.highlighted = enabled[max(0, min(len(enabled) - 1, at + rows))]

    @property
    def highlighted_id(self) -> str | None:
        """The id of the highlighted row."""
        option = self.choices.highlighted_option
        return option.id if option else None

    @on(Input.Submitted, "#search")
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.choose("open")

    @on(OptionList.OptionSelected, "#choices")
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.choose("open")

    def action_choose(self, action: str) -> None:
        self.choose(action)

    def action_ask_for(self, action: str) -> None:
        """Dismiss with what needs no row."""
        self.dismiss(Choice("", action))

    def choose(self, action: str) -> None:
        """Dismiss with `action` on the highlighted row; nothing happens where none is."""
        if self.highlighted_id is not None:
            self.dismiss(Choice(self.highlighted_id, action))
