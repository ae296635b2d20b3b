"""Files in lines: those of the assistant for its tools, and those that were made in the thread."""

from __future__ import annotations

import os
from collections.abc import Sequence

from playground_tui.assistants.local_files import FileError, free_name, shown_size, working_directory
from playground_tui.assistants.sent import TOOLS
from playground_tui.desk.message_files import name_of
from playground_tui.desk.tool_files import FilesOfTool, ToolFile
from playground_tui.plain.attached import path_of
from playground_tui.plain.console import Console
from playground_tui.plain.menus import choose, confirm, line_of, pick
from playground_tui.plain.room import Room
from playground_tui.text import clean


class Files:
    """What a command does gets what stands behind its word."""

    def __init__(self, room: Room, console: Console) -> None:
        self._room = room
        self._console = console

    # Of the assistant

    def of_assistant(self, _rest: str = "") -> None:
        """Hear, add and take out the files of the open assistant for one of its tools."""
        assistant_id, client = self._room.editing.assistant_id, self._room.desk.client
        if assistant_id is None or client is None:
            self._console.write(f"This assistant has not been created yet: {self._room.desk.ways.save} creates it.")
            return
        chosen = choose(self._console, "Files of this assistant, for which tool?", list(TOOLS.values()))
        if chosen is None:
            return
        tool = list(TOOLS)[chosen]
        files = FilesOfTool(client, assistant_id, tool)
        while self._change(files, tool):
            self._room.tell(self._console.write)
            self._room.wait(self._room.editing.refresh())

    def _change(self, files: FilesOfTool, tool: str) -> bool:
        """Read the files, and change one; False when nothing is to be changed."""
        read = self._room.attempt(files.list(), "the files could not be listed")
        if read is None:
            return False
        found = read[0]
        self._console.write(f"{len(found) or 'No'} {'file' if len(found) == 1 else 'files'} for {TOOLS[tool]}.")
        for number, file in enumerate(found, start=1):
            self._console.write(f"{number}. {', '.join((file.name, *file.facts))}")
        if found and not self._room.form.draft.value(tool):
            self._console.write(f"This tool is off: /edit {TOOLS[tool]} switches it on.")
        prompt = "path of a file to add, number to take one out, enter alone goes back: "
        answer = line_of(self._console, prompt if found else "path of a file to add, enter alone goes back: ")
        if answer:
            self._do(answer, found, files)
        return bool(answer)

    def _do(self, answer: str, found: Sequence[ToolFile], files: FilesOfTool) -> None:
        if answer.isdecimal() and 1 <= int(answer) <= len(found):
            file = found[int(answer) - 1]
            if confirm(self._console, f"Take out {file.name}? It stays at the server."):
                self._room.attempt(files.remove(file.id), "not taken out")
            return
        try:
            path = path_of(answer)
        except FileError as error:
            self._console.write(f"Not added: {error}")
            return
        self._console.write(f"Adding {clean(path.name, newlines=False)}. ctrl+c stops.")
        try:
            self._room.attempt(files.add(path, lambda percent: None), "not added")
        except KeyboardInterrupt:
            self._console.write("Not added.")

    # Of the thread

    def download(self, wanted: str) -> None:
        """Save a file that was made in the thread: the one of this name, or one that is chosen."""
        made, client = self._room.do(self._room.chat.made_files), self._room.desk.client
        if not made or client is None:
            self._console.write("No file was made in this thread.")
            return
        names = self._room.attempt(self._names(list(reversed(made))), "the files could not be listed")
        if names is None:
            return
        found = {file_id: name for file_id, name in names.items() if wanted in ("", name, file_id)}
        if not found:
            self._console.write(f"No file of this thread is called {clean(wanted, newlines=False)}.")
            return
        rows = list(found.items())
        at = 0 if len(rows) == 1 else pick(self._console, "Files of this thread.", list(found.values()), what="file")
        if at is not None:
            self._save(*rows[at])

    async def _names(self, file_ids: Sequence[str]) -> dict[str, str]:
        client = self._room.desk.client
        assert client is not None
        return {file_id: await name_of(file_id, self._room.chat.names, client) for file_id in file_ids}

    def _save(self, file_id: str, name: str) -> None:
        client = self._room.desk.client
        assert client is not None
        free = free_name(working_directory(), name)
        answer = line_of(self._console, f"save {name} as, enter alone for {free.name}: ")
        try:
            target = path_of(answer) if answer else free
        except FileError as error:
            self._console.write(f"Not saved: {error}")
            return
        there = os.path.exists(target)
        if there and not confirm(self._console, f"{clean(target.name, newlines=False)} is there already. Replace it?"):
            return
        size = self._room.attempt(client.files.download(file_id, target, replace=there), "not saved")
        if size is not None:
            self._console.write(f"Saved {clean(str(target), newlines=False)}, {shown_size(size)}.")
