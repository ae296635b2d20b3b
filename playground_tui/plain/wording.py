"""Messages, runs, calls and files in words that are understood alone."""

from __future__ import annotations

import json

from playground_tui.assistants.objects import Message, Run, ToolCall
from playground_tui.assistants.run_words import duration, state_words
from playground_tui.desk.message_files import NamedFile, Names, Sources, named_files
from playground_tui.plain.sentences import lines_of
from playground_tui.text import shorten

LABELS = {"user": "you", "assistant": "assistant"}
PICTURE = "(picture)"
"""Stands in a text where it has one."""
SAVE = "/download"
"""The command that saves a file that was made."""
LONGEST_ARGUMENTS = 2_000
"""Characters of a call's arguments or output that are read."""


def message_lines(message: Message, names: Names) -> list[str]:
    """A message of the thread, its first line labelled, the files it names behind it."""
    cited = {note.text for note in message.annotations}
    sources = Sources(cited, picture=PICTURE)
    lines = lines_of(sources.feed(message.text) + sources.rest()) or ["(empty)"]
    label = LABELS.get(message.role, message.role)
    ending = [] if message.status != "incomplete" else ["status: this answer is not whole."]
    return [f"{label}: {lines[0]}", *lines[1:], *ending, *file_lines(message, sources, names)]


def file_lines(message: Message, sources: Sources, names: Names) -> list[str]:
    """A sentence for each file that a message names."""
    return [_file_line(file) for file in named_files(message, sources.markers, names)]


def _file_line(file: NamedFile) -> str:
    name = file.name or ("a picture" if file.picture else file.file_id)
    match file.kind:
        case "source":
            return f"source {', '.join(file.places)}: {name}."
        case "made":
            return f"file made: {name}. {SAVE} saves it."
        case "attached":
            return f"file with it: {name}{f', for {file.tools}' if file.tools else ''}."


def status_line(run: Run) -> str:
    """The run's state in a sentence."""
    parts = [state_words(run).rstrip(".")]
    if run.usage is not None and not run.active:
        parts.append(f"{run.usage.total_tokens:,} tokens")
    began = run.started_at or run.created_at
    if run.status == "completed" and run.completed_at and began:
        parts.append(duration(run.completed_at - began))
    if run.status == "in_progress":
        parts.append("ctrl+c cancels")
    notes = f" {run.notes}" if run.notes and not run.active else ""
    return f"status: {', '.join(parts)}.{notes}"


def call_name(call: ToolCall) -> str:
    return call.name or call.type.replace("_", " ")


def is_whole(call: ToolCall) -> bool:
    """Whether a function's arguments are all there: they come in pieces."""
    try:
        return call.type == "function" and isinstance(json.loads(call.arguments), dict)
    except (ValueError, RecursionError):
        return False


def answer_of(call: ToolCall) -> str:
    """What a tool gave back, "" while that is not known."""
    if call.results is not None:
        files = dict.fromkeys(result.file_name for result in call.results)
        return f"{len(call.results)} passages found, in {', '.join(files)}" if files else "nothing found"
    return call.output or " ".join(output.logs or f"a picture, {SAVE} saves it" for output in call.outputs)


def call_line(call: ToolCall) -> str:
    """A call in a sentence."""
    given = arguments(call)
    return f"tool: {call_name(call)}{f', with {given}' if given else ''}."


def arguments(call: ToolCall) -> str:
    """The arguments of a call in words, or as they are."""
    try:
        value = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        value = call.arguments
    if not isinstance(value, dict):
        return shorten(str(value), LONGEST_ARGUMENTS)
    pairs = (f"{key} {json.dumps(item, ensure_ascii=False)}" for key, item in value.items())
    return shorten(", ".join(pairs), LONGEST_ARGUMENTS)
