"""What the form tells the screen."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from playground_tui.assistants.draft import AssistantDraft


@dataclass
class DraftChanged(Message):
    """The person changed a field. Loading a draft never posts this."""

    draft: AssistantDraft


class CreateRequested(Message):
    """Create the assistant; the draft has no problems."""


class SaveRequested(Message):
    """Save now."""


@dataclass
class TakeOther(Message):
    """Swap the field's value with the one that came from elsewhere."""

    field: str


class ModelsWanted(Message):
    """The list of models is looked at, or asked for anew."""


class FormComplete(Message):
    """All fields have their place on the screen, for the first time."""


class ListRequested(Message):
    """Back to the list of assistants."""


@dataclass
class EditorRequested(Message):
    """Open the field's text in $EDITOR."""

    field: str


@dataclass
class ConfigurationToggled(Message):
    """The model configuration was opened or closed."""

    open: bool


@dataclass
class ToolFilesRequested(Message):
    """Show the files that the assistant has for this tool (its type)."""

    tool: str


@dataclass
class CountsWanted(Message):
    """How many files the assistant's vector store has is to be shown."""

    store: str
