"""Files that go with a message, as the API takes them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground_tui.assistants.local_files import is_picture
from playground_tui.assistants.objects import Message

TOOLS = {"file_search": "file search", "code_interpreter": "code interpreter"}
"""What the types of tools are called."""
PICTURE = "picture"
"""The use of a file that the model is shown as a picture; the other uses are types of tools."""
TABLES = frozenset({".csv", ".tsv", ".json", ".jsonl"})
"""Endings of data that can be searched too, though code does more with it."""
DATA = TABLES | {".xlsx", ".xls", ".ods", ".parquet", ".db", ".sqlite", ".zip", ".gz", ".tar", ".npy", ".pkl", ".wav"}
"""Endings of files for code."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file of the server. `uses` are `picture`, `file_search` and `code_interpreter`."""

    file_id: str
    uses: tuple[str, ...]


def use_of(path: Path, tools: Collection[str]) -> str:
    """What a file of this name is for, where an assistant has these types of tools: the one that has most use of it.

    It may be a tool that is not among them, where no other can do anything with the file.
    """
    if is_picture(path):
        return PICTURE
    suffix = path.suffix.lower()
    best, other = ("code_interpreter", "file_search") if suffix in DATA else ("file_search", "code_interpreter")
    searchable = suffix not in DATA or suffix in TABLES
    return other if best not in tools and other in tools and (other != "file_search" or searchable) else best


def content_of(text: str, files: Sequence[SentFile]) -> Any:
    """The `content` of a message: its text, and its pictures behind it."""
    pictures = [
        {"type": "image_file", "image_file": {"file_id": file.file_id}} for file in files if PICTURE in file.uses
    ]
    if not pictures:
        return text
    return [*([{"type": "text", "text": text}] if text else []), *pictures]


def attachments_of(files: Sequence[SentFile]) -> list[Any]:
    """The `attachments` of a message: each file with the tools that may use it."""
    tools = ((file.file_id, [use for use in file.uses if use != PICTURE]) for file in files)
    return [{"file_id": file_id, "tools": [{"type": use} for use in uses]} for file_id, uses in tools if uses]


def message_text(text: str, files: Sequence[SentFile]) -> str:
    """The text that a message of these has when a server tells of it."""
    content = content_of(text, files)
    return text if content is text else Message.from_json({"content": content}).text
