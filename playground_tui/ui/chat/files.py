"""The lines under a message that name its files."""

from __future__ import annotations

from playground_tui.desk.message_files import NamedFile, Names


def file_line(file: NamedFile, names: Names) -> str:
    """One file with what it is to the message, and how it is saved."""
    name = file.name or file.file_id
    match file.kind:
        case "source":
            return f"{' '.join(file.places)} {name}"
        case "made":
            return f"{'▣' if file.picture else '↓'} {name}{saving(names)}"
        case "attached":
            return f"{'▣' if file.picture else '+'} {name}" + (f" · {file.tools}" if file.tools else "")


def saving(names: Names) -> str:
    """How a file is saved, to stand behind its name."""
    return f" · {names.save} saves it" if names.save else ""
