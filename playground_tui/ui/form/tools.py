"""The assistant's tools: two to tick, functions with their definitions, and those that are only kept."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from playground_tui.text import shorten
from playground_tui.ui.form.fields import AreaField, FieldBox, TickField

NOT_RUN = {
    "file_search": "runs go on without it yet",
    "code_interpreter": "runs go on without it yet",
}
"""What the built-in engine does about these tools in this version: it keeps them with the assistant."""

_EXAMPLE = '{"name": "get_weather", "description": "...",\n "parameters": {"type": "object", "properties": {}}}'


class ToolFields(Vertical):
    """The four fields that make up `tools`."""

    def __init__(self) -> None:
        super().__init__(id="tools")
        self.definitions = AreaField("functions", "Function definitions (JSON)", placeholder=_EXAMPLE)
        self.boxes: tuple[FieldBox, ...] = (
            TickField("file_search", "File search"),
            TickField("code_interpreter", "Code interpreter"),
            TickField("function", "Functions"),
            self.definitions,
        )
        self._others = Static(classes="note", id="other-tools")
        self._others.display = False

    def compose(self) -> ComposeResult:
        yield Static(Content("Tools"), classes="label")
        yield from self.boxes
        yield self._others

    def show_others(self, kinds: Sequence[str]) -> None:
        """Names the tools that stay with the assistant but are not edited here."""
        lines = [f"{shorten(kind, 60)} (kept, not editable here)" for kind in kinds]
        self._others.display = bool(lines)
        self._others.update(Content("\n".join(lines)))

    def show_definitions(self, shown: bool) -> None:
        self.definitions.display = shown
