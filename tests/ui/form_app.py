"""A form by itself, and what it told."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

import playground_tui.ui.form
from playground_tui.assistants.draft import AssistantDraft
from playground_tui.ui.form import messages
from playground_tui.ui.form.pane import FormPane

BASE: dict[str, Any] = {
    "id": "asst_1",
    "name": "Helper",
    "description": "Helps",
    "instructions": "Be brief.",
    "model": "rehearsal/echo",
    "tools": [{"type": "web_search"}],
    "temperature": 0.7,
    "top_p": 1,
    "metadata": {"category": "work"},
}
MODELS = ["rehearsal/echo", "rehearsal/markdown", "ollama/qwen3", "openai/gpt-6-luna"]


class FormApp(App[None]):
    """`told` holds every message of the form, oldest first."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f5", "save", priority=True)]  # as the split screen has it
    CSS_PATH = Path(playground_tui.ui.form.__path__[0]) / "form.tcss"

    def __init__(self, draft: AssistantDraft | None = None) -> None:
        super().__init__()
        self.start = draft or AssistantDraft(BASE)
        self.told: list[Message] = []
        self.complete = False
        """Whether every field is there."""
        self.pane = FormPane()
        self.pane.show(self.start, models=MODELS)

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_form_complete(self) -> None:
        self.complete = True

    def action_save(self) -> None:
        self.pane.request_save()

    def on_draft_changed(self, message: Message) -> None:
        self.told.append(message)
        if isinstance(message, messages.DraftChanged):
            self.pane.heard(message.draft)

    on_create_requested = on_save_requested = on_take_other = on_models_wanted = on_draft_changed
    on_list_requested = on_editor_requested = on_configuration_toggled = on_draft_changed
    on_counts_wanted = on_tool_files_requested = on_draft_changed

    def told_of(self, kind: type[Message]) -> list[Any]:
        return [message for message in self.told if type(message) is kind]

    @property
    def changes(self) -> list[messages.DraftChanged]:
        return self.told_of(messages.DraftChanged)
