"""What is wrong with a draft, and what only looks so, in words that end a sentence."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from playground_tui.assistants import limits, metadata, response_format, tools
from playground_tui.assistants.metadata import MetadataTextError
from playground_tui.assistants.response_format import SchemaTextError
from playground_tui.assistants.tools import FunctionTextError

if TYPE_CHECKING:
    from playground_tui.assistants.draft import AssistantDraft


def problem(draft: AssistantDraft, name: str) -> str:
    """Why this field cannot be sent, or ""."""
    match name:
        case "name" | "description" | "instructions" | "model":
            return limits.text_problem(name, draft.text(name))
        case "temperature" | "top_p":
            return limits.number_problem(name, draft.number(name))
        case "functions" if draft.value("function") is True:
            return _functions(draft)
        case "schema" if draft.value("response_format") == "json_schema":
            return _schema(draft.text(name))
        case "metadata":
            return _metadata(draft.text(name))
    return ""


def warning(draft: AssistantDraft, name: str, models: Collection[str]) -> str:
    """What looks wrong in this field, or "". An empty list of models is one that is not known."""
    if name == "model" and models and draft.text(name).strip() and not _listed(draft.text(name), models):
        return "this model is not in the server's list"
    if name == "functions" and draft.value("function") is True and not draft.text(name).strip():
        return "no function is defined yet"
    return ""


def _functions(draft: AssistantDraft) -> str:
    try:
        definitions = tools.parse_functions(draft.text("functions"))
    except FunctionTextError as error:
        return f"function definitions: {error}"
    switches = {name: draft.value(name) is True for name in tools.SWITCHES}
    count = len(tools.edited(tools.tool_list(draft.base), switches, definitions))
    return "" if count <= tools.MOST_TOOLS else f"{count} tools, at most {tools.MOST_TOOLS} are allowed"


def _schema(text: str) -> str:
    try:
        response_format.parse_schema(text)
    except SchemaTextError as error:
        return f"JSON schema: {error}"
    return ""


def _metadata(text: str) -> str:
    try:
        return limits.metadata_problem(metadata.parse(text))
    except MetadataTextError as error:
        return f"metadata: {error}"


def _listed(model: str, models: Collection[str]) -> bool:
    """Whether the server's list has this id, in full or without its provider."""
    return model in models or any(listed.partition("/")[2] == model for listed in models)
