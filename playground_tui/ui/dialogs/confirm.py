"""A question with two answers."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from playground_tui.text import clean


class Confirm(ModalScreen[bool]):
    """Dismissed with True for enter or y, False for escape or n."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y", "dismiss(True)", "Yes", priority=True),
        Binding("escape,n", "dismiss(False)", "No", priority=True),
    ]

    def __init__(self, question: str, *, detail: str = "", yes: str = "Yes", no: str = "No") -> None:
        super().__init__(classes="confirm")
        self._question = question
        self._detail = detail
        self._hint = f"enter or y: {yes} · esc or n: {no}"

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(clean(self._question)), classes="dialog-title")
            if self._detail:
                yield Static(Content(clean(self._detail)))
            yield Static(Content(self._hint), classes="dialog-hint")
