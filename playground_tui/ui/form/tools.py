"""The assistant's tools: two to tick, functions with their definitions, and those that are only kept."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Button, Static

from playground_tui.assistants.draft import AssistantDraft
from playground_tui.assistants.stored import FileCounts, files_for_code, store_of
from playground_tui.assistants.tools import SWITCHES
from playground_tui.text import shorten
from playground_tui.ui.form.fields import AreaField, FieldBox, TickField
from playground_tui.ui.form.messages import ToolFilesRequested

_EXAMPLE = '{"name": "get_weather", "description": "...",\n "parameters": {"type": "object", "properties": {}}}'


class FilesButton(Button):
    """Opens the list of the files that the assistant has for a tool, and says how many there are."""

    def __init__(self, tool: str) -> None:
        super().__init__("", id=f"files-{tool}", compact=True, classes="tool-files")
        self.tool = tool
        self.display = False

    def show(self, words: str, *, shown: bool) -> None:
        """Say how many files there are."""
        self.display = shown
        self.label = Content(f"Files: {words} ›")


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
        self.files = {tool: FilesButton(tool) for tool in SWITCHES}
        self._draft = AssistantDraft()
        self._counts: dict[str, FileCounts] = {}
        self._others = Static(classes="note", id="other-tools")
        self._others.display = False

    def compose(self) -> ComposeResult:
        yield Static(Content("Tools"), classes="label")
        for box in self.boxes:
            yield box
            if box.field in self.files:
                yield self.files[box.field]
        yield self._others

    def show_others(self, kinds: Sequence[str]) -> None:
        """Names the tools that stay with the assistant but are not edited here."""
        lines = [f"{shorten(kind, 60)} (kept, not editable here)" for kind in kinds]
        self._others.display = bool(lines)
        self._others.update(Content("\n".join(lines)))

    def show_files(self, draft: AssistantDraft) -> None:
        """Says under the tools how many files they have."""
        self._draft = draft
        code, store = files_for_code(draft.base), store_of(draft.base)
        counts = self._counts.get(store)
        searched = ("…" if counts is None else counts.words()) if store else "none"
        has = {"file_search": bool(store), "code_interpreter": bool(code)}
        words = {"file_search": searched, "code_interpreter": FileCounts(len(code)).words()}
        for tool, button in self.files.items():
            button.show(words[tool], shown=not draft.is_new and (has[tool] or draft.value(tool) is True))

    def wants_counts(self, store: str) -> bool:
        """Whether the number of files in this vector store (its id, or "") is not known yet."""
        return bool(store) and store not in self._counts

    def show_counts(self, store: str, counts: FileCounts) -> None:
        """Show how many files a vector store has."""
        self._counts[store] = counts
        self.show_files(self._draft)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if isinstance(event.button, FilesButton):
            event.stop()
            self.post_message(ToolFilesRequested(event.button.tool))

    def show_definitions(self, shown: bool) -> None:
        self.definitions.display = shown
